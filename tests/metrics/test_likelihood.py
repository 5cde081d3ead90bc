"""Importance sampling that was stopped is resumed to the same numbers."""

import io
from functools import cache

import numpy as np
import pytest
import torch

from explorer import checkpoint, publishing
from explorer.checkpoint import LIKELIHOOD, METRICS
from explorer.metrics import importance_sampling
from explorer.metrics.likelihood import BLOCK, Likelihood
from explorer.publishing import PARTIAL, measure
from tests.support.data import digits
from tests.support.evaluations import run
from tests.support.models import small_pair

ROWS, CODES = 150, 6


# Going on


@cache
def scored(name="vae"):
    """Score test digits in one go."""
    return score(name)


def score(name="vae", rows=ROWS, **options):
    model, prior = small_pair("vamp", model=name)
    x = torch.from_numpy(digits().test.x[:rows])
    with torch.no_grad():
        return importance_sampling(
            model, model.latent_prior(prior), x, samples=CODES, seed=2, **options
        )


def first(found, rows):
    return Likelihood(*(column[:rows] for column in found))


def assert_same(found, expected):
    for name, a, b in zip(Likelihood._fields, found, expected, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, atol=0, rtol=0, msg=name)


@pytest.mark.parametrize("known", [0, 1, BLOCK - 1, BLOCK, BLOCK + 7, 2 * BLOCK, ROWS - 1, ROWS])
def test_what_is_gone_on_with_is_the_same_bit_for_bit(known):
    done = []
    again = score(known=first(scored(), known), report=done.append)
    assert_same(again, scored())
    assert sum(done) == ROWS
    assert done[0] == known // BLOCK * BLOCK


def test_a_hierarchy_is_gone_on_with_as_well():
    assert_same(score("hvae", known=first(scored("hvae"), BLOCK)), scored("hvae"))


def test_known_rows_are_not_done_again():
    marked = Likelihood(*(column[:100] + 1000 for column in scored()))
    again = score(known=marked)
    assert_same(first(again, BLOCK), first(marked, BLOCK))
    assert_same(
        Likelihood(*(column[BLOCK:] for column in again)),
        Likelihood(*(column[BLOCK:] for column in scored())),
    )


def test_what_is_kept_grows_by_whole_blocks():
    kept = []
    score(keep=kept.append)
    assert [len(each.elbo) for each in kept] == [BLOCK, 2 * BLOCK, ROWS]
    for each in kept:
        assert_same(each, first(scored(), len(each.elbo)))


def test_any_stop_can_be_gone_on_with():
    def stop(found):
        kept.append(found)
        raise KeyboardInterrupt

    kept = [None]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            score(known=kept[-1], keep=stop)
    assert [len(each.elbo) for each in kept[1:]] == [BLOCK, 2 * BLOCK]
    assert_same(score(known=kept[-1]), scored())


def test_rows_hang_on_those_of_their_block_alone():
    shorter = score(rows=BLOCK + 20)
    assert_same(first(shorter, BLOCK), first(scored(), BLOCK))


def test_every_block_has_codes_of_its_own():
    model, prior = small_pair("standard")
    same = torch.from_numpy(digits().test.x[:1]).expand(2 * BLOCK, -1, -1, -1)
    with torch.no_grad():
        found = importance_sampling(model, prior(model.posterior), same, samples=2).elbo
    assert len(found.unique()) == 2 * BLOCK


# Keeping on disk


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(publishing, "KEEP_EVERY_SECONDS", -1.0)


def stop_after(opened, folder, reports, samples=3):
    left = reports

    def report(stage, done, total):
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(opened, digits(), folder, samples=samples, parts=("likelihood",), report=report)


def assert_equal_arrays(a, b):
    assert a.keys() == b.keys()
    for name, values in a.items():
        np.testing.assert_array_equal(values, b[name])


@pytest.mark.usefixtures("always")
def test_a_stopped_measurement_goes_on_and_ends_as_if_it_had_not_been(opened, tmp_path):
    whole, arrays, _ = run(opened, tmp_path / "whole")
    folder = tmp_path / "stopped"
    stop_after(opened, folder, 3)
    assert [path.name for path in folder.iterdir()] == [PARTIAL]
    metrics, again, done = run(opened, folder)
    assert [count for _, count, _ in done] == [2 * BLOCK, 3 * BLOCK, 250]
    assert {total for _, _, total in done} == {250}
    assert metrics == whole
    assert_equal_arrays(again, arrays)
    assert {path.name for path in folder.iterdir()} == {METRICS, LIKELIHOOD}
    assert checkpoint.read_metrics(folder) == checkpoint.read_metrics(tmp_path / "whole")


def test_nothing_is_kept_before_its_time(opened, tmp_path):
    stop_after(opened, tmp_path / "stopped", 3)
    assert list((tmp_path / "stopped").iterdir()) == []


def partial(opened, **changes):
    """Write what a run has kept, with values that no run would find."""
    columns = {name: np.full(2 * BLOCK, 77.0) for name in Likelihood._fields}
    facts = {"hash": opened.hash, "asked": np.array([3, 250])} | columns | changes
    stream = io.BytesIO()
    np.savez_compressed(
        stream, **{name: value for name, value in facts.items() if value is not None}
    )
    return stream.getvalue()


def test_what_is_gone_on_with_is_what_was_kept(opened, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / PARTIAL).write_bytes(partial(opened))
    _, arrays, done = run(opened, folder)
    assert done[0][1] == 2 * BLOCK
    assert (arrays["elbo"][: 2 * BLOCK] == 77).all()
    assert (arrays["elbo"][2 * BLOCK :] != 77).all()


OTHERS = {
    "other weights": {"hash": "0" * 16},
    "other samples": {"asked": np.array([4, 250])},
    "another split": {"asked": np.array([3, 251])},
    "nothing asked": {"asked": np.zeros(0, int)},
    "no hash": {"hash": None},
    "nothing said of what was asked": {"asked": None},
    "no bound": {"elbo": None},
    "columns of unequal length": {"kl": np.full(BLOCK, 77.0)},
    "a table": {"elbo": np.full((2 * BLOCK, 1), 77.0)},
    "a number": {"elbo": np.array(77.0)},
    "a word for each": {"log_likelihood": np.full(2 * BLOCK, "77")},
    "more rows than there are": {name: np.full(6 * BLOCK, 77.0) for name in Likelihood._fields},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS.keys())
def test_what_was_kept_of_another_run_is_passed_over(opened, tmp_path, changes):
    assert_passed_over(opened, tmp_path, partial(opened, **changes))


@pytest.mark.parametrize("size", [0, 100, 600])
def test_a_damaged_file_of_a_stopped_run_is_passed_over(opened, tmp_path, size):
    assert_passed_over(opened, tmp_path, partial(opened)[:size])


def assert_passed_over(opened, tmp_path, content):
    expected, arrays, _ = run(opened, tmp_path / "fresh")
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / PARTIAL).write_bytes(content)
    metrics, again, done = run(opened, folder)
    assert done[0][1] == BLOCK
    assert metrics == expected
    assert_equal_arrays(again, arrays)
    assert not (folder / PARTIAL).exists()


@pytest.mark.usefixtures("always")
def test_measuring_another_part_leaves_a_stopped_likelihood_to_be_gone_on_with(opened, tmp_path):
    folder = tmp_path / "stopped"
    stop_after(opened, folder, 3)
    run(opened, folder, parts=("units",))
    assert run(opened, folder)[2][0][1] == 2 * BLOCK
