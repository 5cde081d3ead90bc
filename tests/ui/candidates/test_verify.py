"""XFoil's second opinion on the Candidates page: asked for, kept, marked where it fails."""

import math

import numpy as np
import pytest

from explorer import sections
from explorer.designs import polars, xfoil
from explorer.designs.properties import Conditions
from explorer.ui.candidates import judged
from explorer.ui.candidates.verify import words
from tests.support.candidates import AIRFOILS, keep
from tests.support.pages import open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
FLOW = Conditions()


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
