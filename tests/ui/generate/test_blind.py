"""The blind test: fair to both sides, told at the end, stored once, and shown beside density."""

import numpy as np
import pytest

from explorer.data.dataset import SplitData
from explorer.designs import trials
from explorer.metrics.blind import PAIRS
from explorer.ui import cache
from explorer.ui.picks import service
from tests.support.engines import CURVES, PIXELS
from tests.support.pages import open_page, press, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def engine(slug=PIXELS):
    return cache.engine(next(entry for entry in cache.entries() if entry.slug == slug))


def stored():
    project, _ = service.current()
    return service.store().trials(project.id, engine().checkpoint.hash)


@pytest.mark.parametrize(("slug", "basis"), [(PIXELS, "original"), (CURVES, "decoded")])
def test_pairs_are_of_the_seed_and_say_what_stands_for_data(no_data, slug, basis):
    drawn, told_basis = cache.blind_pairs(engine(slug), 0)
    assert told_basis == basis
    assert drawn.x.shape[:2] == (PAIRS, 2)
    assert len(np.unique(drawn.x.reshape(2 * PAIRS, -1), axis=0)) == 2 * PAIRS
    cache.blind_pairs.clear()
    again, _ = cache.blind_pairs(engine(slug), 0)
    np.testing.assert_array_equal(again.x, drawn.x)
    other, _ = cache.blind_pairs(engine(slug), 1)
    assert (other.x != drawn.x).any()


def test_samples_of_binary_data_are_binary(monkeypatch, no_data):
    from types import SimpleNamespace

    from explorer.ui.cache import blind

    x = (np.random.default_rng(0).random((40, 1, 8, 8)) < 0.4).astype(np.float32)
    data = SimpleNamespace(dynamic=False, test=SplitData(x, None, np.arange(40)))
    monkeypatch.setattr(blind, "originals", lambda engine: data)
    cache.blind_pairs.clear()
    drawn, basis = cache.blind_pairs(engine(), 0)
    cache.blind_pairs.clear()
    assert basis == "original"
    assert set(np.unique(drawn.x)) == {0.0, 1.0}  # grey would give a sample away


@pytest.mark.slow
def test_a_whole_test_is_stored_once_and_shown_beside_density(no_data):
    app = open_page("generate", model=PIXELS)
    app = press(app, "generate_blind_start")
    assert "Which of these two is data?" in told(app)
    truth = "".join("L" if left else "R" for left in cache.blind_pairs(engine(), 0)[0].left)
    wrong = truth[:5].translate(str.maketrans("LR", "RL"))
    begun = {"hash": engine().checkpoint.hash, "seed": 0, "answers": wrong + truth[5:18]}
    app.session_state["generate_blind"] = begun
    app.run()
    for place in (18, 19):
        assert f"Pair {place + 1} of {PAIRS}" in told(app)
        assert "recognised" not in told(app)
        assert stored() == []
        app = press(app, f"generate_blind_{'left' if truth[place] == 'L' else 'right'}")
    assert "15 of 20" in told(app)
    (one,) = stored()
    assert (one.correct, one.basis, one.seed) == (15, "original", 0)
    values = [item.value for item in app.metric]
    assert "75 %" in values
    assert "95 % interval 53 to 89 %" in told(app)
    app = press(app, "generate_blind_start")  # twenty others
    assert app.session_state["generate_blind"]["seed"] == 1
    app = press(app, "generate_blind_stop")
    assert stored() == [one]
    table = open_page("evaluate", of="digits", group="samples").dataframe[0].value
    found = table.loc[table["Told apart"] != "–", "Told apart"]
    assert list(found.dropna()) == ["75 % (53 to 89 %, n = 20)"]
    assert trials.score(stored())[:2] == (15, 20)


def test_a_second_press_for_one_pair_is_none(monkeypatch):
    import streamlit as st

    from explorer.ui.generate import blind

    state = {"generate_blind": {"hash": "x", "seed": 0, "answers": "L"}}
    monkeypatch.setattr(st, "session_state", state)
    blind._answer(engine(), "R", 0)
    assert state["generate_blind"]["answers"] == "L"
    blind._answer(engine(), "R", 1)
    assert state["generate_blind"]["answers"] == "LR"
