"""Blind tests are stored with the picks: whole, in their project, and in stores of before."""

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from explorer.designs import trials
from explorer.designs.candidates import Store
from explorer.designs.trials import Trial
from explorer.errors import StoreError

BEFORE = Path(__file__).parents[1] / "support" / "before" / "candidates.sqlite3"


def trial(answers="LR" * 10, truth="L" * 20, digest="abc", **given):
    facts = {"slug": "a-model", "basis": "decoded", "seed": 3} | given
    return Trial(hash=digest, answers=answers, truth=truth, **facts)


def test_a_test_is_read_as_it_was_stored(store):
    project = store.projects()[0].id
    store.save_trial(project, trial())
    store.save_trial(project, trial("L" * 20, basis="original", seed=4))
    assert store.trials(project, "abc") == [trial(), trial("L" * 20, basis="original", seed=4)]


def test_a_test_is_of_its_weights_and_its_project(store):
    first, second = store.projects()[0].id, store.add_project("Second")
    store.save_trial(first, trial())
    assert store.trials(first, "other") == []
    assert store.trials(second, "abc") == []


def test_a_test_is_of_its_owner(store):
    project = store.projects()[0].id
    store.save_trial(project, trial())
    other = store.of("someone")
    assert other.trials(project, "abc") == []
    with pytest.raises(StoreError):
        other.save_trial(project, trial())


def test_scores_are_pooled():
    correct, n, interval = trials.score([trial(), trial("L" * 20)])
    assert (correct, n) == (30, 40)
    assert interval.low < interval.share == 0.75 < interval.high
    assert trials.score([]) is None


@pytest.mark.parametrize("wrong", [{"answers": "LR"}, {"answers": "X" * 20}, {"basis": "other"}])
def test_a_broken_test_is_not_stored(wrong):
    with pytest.raises(ValidationError):
        trial(**wrong)


def test_a_store_of_before_takes_tests_and_keeps_its_picks(tmp_path):
    path = tmp_path / "candidates.sqlite3"
    shutil.copy(BEFORE, path)
    opened = Store(path)
    projects = opened.projects()
    picks = sum(project.picks for project in projects)
    assert picks > 0
    opened.save_trial(projects[0].id, trial())
    opened.close()
    again = Store(path)
    assert again.trials(projects[0].id, "abc") == [trial()]
    assert sum(project.picks for project in again.projects()) == picks
    again.close()
