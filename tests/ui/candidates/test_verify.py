"""XFoil's second opinion on the Candidates page: asked for, kept, marked where it fails."""

import math
import time

import numpy as np
import pytest

from explorer import sections
from explorer.designs import aerodynamics, polars, xfoil
from explorer.designs.properties import Conditions
from explorer.ui.candidates import judged, pushed, verify
from explorer.ui.candidates.verify import words
from tests.support.candidates import AIRFOILS, keep
from tests.support.pages import open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
FLOW, TWO = Conditions(), Conditions.parse("a8@300000")
NEEDS_NEURALFOIL = pytest.mark.skipif(
    not aerodynamics.available(), reason="needs NeuralFoil: the extra airfoil"
)


@pytest.fixture
def opinions(monkeypatch):
    """Let XFoil find every second section's drag, and fail for the others."""
    asked = []

    def evaluate_all(contours, angles, reynolds, **transition):
        for index, points in enumerate(contours):
            for alpha in angles[index]:
                asked.append((points, float(alpha), reynolds))
                point = xfoil.FAILED if index % 2 else xfoil.Point(0.8, 0.01, -0.1)
                yield index, float(alpha), point

    monkeypatch.setattr(xfoil, "available", lambda: True)
    monkeypatch.setattr(xfoil, "evaluate_all", evaluate_all)
    return asked


def test_all_picks_are_verified_once_and_the_results_are_kept(store, opinions):
    keep(store)
    app = open_page("candidates", model=AIRFOILS)
    press(app, "candidates_verify")
    assert not app.exception
    picks = store.picks(1)
    assert len(opinions) == len(picks)
    for pick, (points, alpha, reynolds) in zip(picks, opinions, strict=True):
        own = sections.outline(pick.source.sample, pick.source.model.sketch, "kulfan")
        np.testing.assert_array_equal(points, own)
        assert (alpha, reynolds) == (4.0, 1e6)
        assert list(polars.known(pick, FLOW)) == [4.0]
    assert not any(button.key == "candidates_verify" for button in app.button)
    assert "Not converged: Pick 2" in told(app)
    items = judged.measure_picks(store, store.projects()[0], FLOW)
    assert words(items[0]) == ("XFoil L/D 80.0",)
    assert words(items[1]) == ("XFoil did not converge",)
    assert items[0].values["xfoil_cd"] == 0.01
    assert math.isnan(items[1].values["xfoil_cd"])
    assert {prop.key for prop in items[0].properties} > {"xfoil_cl", "xfoil_cd", "xfoil_ld"}


def test_another_geometry_or_flow_is_not_verified_by_it(store, opinions):
    keep(store)
    press(open_page("candidates", model=AIRFOILS), "candidates_verify")
    (first, *_) = store.picks(1)
    assert polars.known(first, FLOW)
    assert not polars.known(first, Conditions(reynolds=2e6))
    store.mark(1, [first.key], treatment="")
    assert not polars.known(store.picks(1)[0], FLOW)


def test_where_xfoil_is_absent_the_page_says_how_to_get_it(store, monkeypatch):
    monkeypatch.setattr(xfoil, "available", lambda: False)
    keep(store)
    app = open_page("candidates", model=AIRFOILS)
    assert not app.exception
    assert "apt install xfoil" in told(app)
    assert not any(button.key == "candidates_verify" for button in app.button)


def push(app):
    app.selectbox(key="candidates_push_length").set_value(20)
    return press(app, "candidates_push_start")


@NEEDS_NEURALFOIL
def test_a_push_is_verified_by_itself_marked_and_taken_back(store, opinions):
    keep(store)
    app = push(open_page("candidates", model=AIRFOILS, find="push", at=3, flow="a8@300000"))
    assert not app.exception
    assert "at least 0.3 % of the chord between the surfaces ahead of its last 5 %" in told(app)
    assert "**Mean L/D " in told(app)
    assert "Worse: " in told(app)
    (start, result) = ("8°, Re 300,000:** NeuralFoil’s largest", "XFoil did not converge for the")
    assert start in told(app)
    assert told(app).count(result) == 2
    assert [asked[1:] for asked in opinions] == [(4.0, 1e6)] * 2 + [(8.0, 3e5)] * 2
    charts = {chart.proto.id.split("-")[-1] for chart in app.get("plotly_chart")}
    assert {"candidates_pushed_overlay", "candidates_pushed_polar_alpha"} <= charts
    assert "⚠ Worse" in " ".join(item.proto.body for item in app.get("html"))
    first = app.session_state[pushed._FOUND]
    push(app)
    assert len(app.session_state[pushed._FOUND]) == 2
    press(app, "candidates_push_undo")
    assert app.session_state[pushed._FOUND] == first
    press(app, "candidates_push_undo")
    assert "Searches around the pick" in told(app)


def test_a_search_waits_for_xfoil_only_so_long(monkeypatch):
    monkeypatch.setattr(verify, "PATIENCE", 0.2)
    monkeypatch.setattr(xfoil, "evaluate", lambda *given, **more: time.sleep(0.6))
    began = time.monotonic()
    found = verify.opinions([np.zeros((3, 2))] * 2, [[1.0, 2.0], [3.0, np.nan]], TWO)
    assert time.monotonic() - began < 0.5
    assert found == ((None, None), (None, xfoil.FAILED))
