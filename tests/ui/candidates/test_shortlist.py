"""The Candidates page: it shows, filters, measures, finds and records stored picks."""

import sqlite3

import numpy as np
import pytest

from explorer import Engine, load, settings
from explorer.designs import aerodynamics, geometry
from explorer.designs.candidates import FILE, Store
from explorer.designs.properties import Conditions, parse
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import detail, judged, shortlist
from tests.support import pages
from tests.support.candidates import AIRFOILS, keep
from tests.support.engines import PIXELS, engine_of
from tests.support.pages import address, press, told

DIGITS = "digits-vae-vamp-16"
NEEDS_NEURALFOIL = pytest.mark.skipif(
    not aerodynamics.available(), reason="needs NeuralFoil: the extra airfoil"
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def open_page(**parameters):
    return pages.open_page("candidates", **parameters)


def tables(app):
    return " ".join(item.proto.body for item in app.get("html"))


def test_an_empty_shortlist_says_how_the_first_pick_is_made():
    app = open_page(model=AIRFOILS)
    assert not app.exception
    assert "Nothing is picked yet" in told(app)
    assert "press K" in told(app)


def test_picks_of_several_data_sets_lie_in_one_project(store):
    keep(store, AIRFOILS, 3)
    keep(store, DIGITS, 3)
    app = open_page(model=AIRFOILS, at=5, chosen="1,2,5")
    assert not app.exception
    assert "1 of them are from other data sets" in told(app)


def test_what_the_page_measures_is_stored_with_the_pick(store):
    keep(store)
    assert not open_page(model=AIRFOILS).exception
    stored = store.picks(1)[2].properties[Conditions().model_dump_json()]
    sketch = store.picks(1)[2].source.model.sketch
    shown = store.picks(1)[2].shown[None]
    found = geometry.SectionGeometry().measure(shown, sketch, Conditions())
    assert stored["thickness"] == pytest.approx(float(found["thickness"][0]))


@NEEDS_NEURALFOIL
def test_other_flow_is_another_measurement_beside_the_first(store):
    keep(store)
    open_page(model=AIRFOILS)
    open_page(model=AIRFOILS, alpha=8, reynolds=300000)
    known = store.picks(1)[0].properties
    assert len(known) == 2
    low, high = (known[Conditions(alpha=a, reynolds=r).model_dump_json()]["cl"]
                 for a, r in ((4, 1e6), (8, 3e5)))  # fmt: skip
    assert high > low


def test_filters_leave_what_they_say(store):
    keep(store)
    store.mark(1, [f"{AIRFOILS}-0-1"], verdict="keep", stars=4, tags=["thin"])
    assert "Pick 2" in told(open_page(model=AIRFOILS, show="keep"))
    assert "Pick 2" in told(open_page(model=AIRFOILS, stars=3))
    assert "Pick 2" in told(open_page(model=AIRFOILS, tag="thin"))
    app = open_page(model=AIRFOILS, show="reject")
    assert "No picks match these filters" in told(app)


def test_constraints_count_and_hide(store):
    keep(store, n=8)
    engine = Engine(load(AIRFOILS), "cpu")
    drawn = engine.sample(8, 0.7, 0)
    thick = geometry.SectionGeometry().measure(drawn.x, engine.sketch, Conditions())["thickness"]
    sound = np.array([not fault for fault in geometry.faults(drawn.x, engine.sketch)])
    met = int(((thick >= 11) & sound).sum())
    assert 0 < met < 8
    app = open_page(model=AIRFOILS, limits="thickness>=11")
    assert f"{met} of 8 are valid and meet the constraints." in told(app)
    app = open_page(model=AIRFOILS, limits="thickness>=11", hide=1)
    assert f"{met} of {met} are valid and meet the constraints." in told(app)


def test_sorting_by_a_property_puts_the_largest_first(store):
    keep(store)
    app = open_page(model=AIRFOILS, sort="thickness")
    text = Conditions().model_dump_json()
    largest = max(store.picks(1), key=lambda pick: pick.properties[text]["thickness"])
    assert f"Pick {largest.number}" in told(app)


def test_notes_and_tags_are_stored_as_they_are_typed(store):
    keep(store)
    app = open_page(model=AIRFOILS, at=3)
    app.text_area(key=f"candidates_{AIRFOILS}-0-2_notes").set_value("=thin nose").run()
    assert store.picks(1)[2].notes == "=thin nose"
    assert not app.exception


def test_a_pick_is_a_kulfan_section_and_another_geometry_is_recorded_and_undone(store):
    keep(store)
    app = open_page(model=AIRFOILS, at=1)
    choice = app.selectbox(key=f"candidates_{AIRFOILS}-0-0_treatment")
    assert choice.value == store.picks(1)[0].treatment == "kulfan"
    smooth = store.picks(1)[0].properties[Conditions().model_dump_json()]["reversals"]
    choice.set_value("").run()
    assert store.picks(1)[0].treatment == ""
    assert "as decoded" in store.history(1)[0].words
    rough = store.picks(1)[0].properties[Conditions().model_dump_json()]["reversals"]
    assert rough > 3 * max(smooth, 1)
    press(app, "candidates_undo")
    assert store.picks(1)[0].treatment == "kulfan"


def test_a_removed_pick_leaves_and_comes_back(store):
    keep(store)
    app = open_page(model=AIRFOILS, at=2)
    press(app, f"candidates_{AIRFOILS}-0-1remove")
    assert [pick.number for pick in store.picks(1)] == [1, 3, 4, 5, 6]
    press(app, "candidates_undo")
    assert len(store.picks(1)) == 6


def test_a_new_project_is_opened_and_picks_go_there(store):
    keep(store)
    app = open_page(model=AIRFOILS)
    app.text_input(key="candidates_name").set_value("Tail  planes")
    press(app, "candidates_create")
    assert address(app)["project"] == "2"
    assert [item.name for item in store.projects()] == ["Shortlist", "Tail planes"]
    assert "Nothing is picked yet" in told(app)


def test_a_link_with_wrong_values_falls_back_with_a_notice(store):
    keep(store)
    app = open_page(model=AIRFOILS, limits="thickness>>12", stars=9, chosen="1,x", project=77)
    assert not app.exception
    assert not app.error
    words = " ".join(item.value for item in app.warning)
    assert all(name in words for name in ("constraints", "stars", "compared picks", "project"))
    assert "Pick 1" in told(app)


def test_a_written_view_reads_back_equal(store):
    keep(store)
    app = open_page(model=AIRFOILS, at=2, chosen="3,1", limits="thickness>=9", sort="camber",
                    find="like", x="camber", y="area")  # fmt: skip
    found = address(app)
    assert found["at"] == "2"
    assert found["chosen"] == "3,1"
    assert found["limits"] == "thickness>=9"
    assert (found["x"], found["y"], found["find"]) == ("camber", "area", "like")


def test_a_store_of_a_newer_version_is_one_sentence_and_other_pages_stay_open(user):
    Store(user / FILE).close()
    with sqlite3.connect(user / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    app = open_page(model=AIRFOILS)
    assert not app.exception
    assert "newer version" in app.error[0].value
    other = app.switch_page(str(settings.beside("pages") / "generate.py")).run()
    assert not other.exception
    assert not other.error


@NEEDS_NEURALFOIL
def test_two_sections_are_compared_with_their_polars(store):
    keep(store)
    app = open_page(model=AIRFOILS, chosen="1,2")
    assert not app.exception
    assert "Thickness" in tables(app)
    app = open_page(model=AIRFOILS, chosen="1,2", tab="polars")
    assert not app.exception
    assert "NeuralFoil (xxxlarge), Re 1,000,000" in told(app)


def test_pictures_are_compared_by_their_differences(store):
    keep(store, DIGITS)
    app = open_page(model=DIGITS, chosen="1,2,4")
    assert not app.exception
    assert "|Pick 2 − Pick 1|" in told(app)


TABS = {
    "at=2": "Pick 2",
    "chosen=1,2": "candidates_overlay",
    "chosen=1,2&tab=pick": "Pick 1",
    "find=far": "candidates_search_start",
    "chosen=1,2&find=push&x=cd": "candidates_push_start",
    "x=cd&y=cl": "picks not dominated",
    "tab=tradeoffs": "picks not dominated",
}
"""What a link opens beside the cards; those without a tab are of earlier releases."""


@pytest.mark.parametrize("link", TABS)
def test_a_link_opens_its_tab_and_nothing_else(store, link):
    keep(store)
    app = open_page(model=AIRFOILS, **dict(part.split("=") for part in link.split("&")))
    assert not app.exception
    assert not app.warning
    keys = [item.proto.id for item in (*app.button, *app.get("plotly_chart"))]
    shown = f"{told(app)} {keys}"
    assert [words for words in {*TABS.values()} if words in shown] == [TABS[link]]


def test_the_second_pick_that_is_chosen_opens_the_comparison(store):
    keep(store)
    app = open_page(model=AIRFOILS, at=1, chosen="1")
    assert "Pick 1" in told(app)
    app.segmented_control(key="candidates_tab").set_value("compare").run()
    assert address(app)["tab"] == "compare"
    assert "Choose two to six cards" in told(app)
    view = CandidatesView(chosen=(1,), at=1)
    changes = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortlist, "commit", lambda **given: changes.update(given))
        shortlist._focus([], engine_of(PIXELS), view, 2, (1, 2))
    assert changes == {"at": 2, "chosen": (1, 2), "tab": "compare"}


def test_a_card_says_why_its_pick_is_invalid_or_which_constraint_it_violates(store):
    keep(store)
    items = judged.measure_picks(store, store.projects()[0], Conditions())
    thick = items[0].values["thickness"]
    bounds = parse(f"thickness>={thick + 1:.1f},camber>=-9")
    (reason,) = shortlist._reasons(items[0], bounds)
    assert reason == f"Thickness {thick:.1f} %, not ≥ {thick + 1:.1f} %"
    broken = items[0]._replace(fault="its surfaces cross at 43 % of the chord")
    assert shortlist._reasons(broken, bounds) == (
        "Invalid: its surfaces cross at 43 % of the chord",
    )


def test_one_word_for_each_state_also_of_what_earlier_releases_stored(store):
    keep(store)
    store.mark(1, [f"{AIRFOILS}-0-0"], verdict="keep", stars=4)
    store.mark(1, [f"{AIRFOILS}-0-1"], verdict="reject")
    app = open_page(model=AIRFOILS, at=1)
    assert "- Rejected\n- 4 stars, kept\n- Added (6 picks)" in told(app)
    assert "**Pick 1** · Kept" in told(app)
    assert store.undo(1) == "rejected"


def test_a_component_is_told_where_there_are_several():
    single, several = (load(slug).hash for slug in (AIRFOILS, DIGITS))
    assert not detail._told(0, single)
    assert detail._told(0, several)
    assert not detail._told(0, "of a model that is missing")
    assert detail._told(3, "of a model that is missing")


def test_twelve_far_apart_says_what_it_did(store):
    keep(store, DIGITS)
    store.mark(1, [f"{DIGITS}-0-1"], verdict="reject")
    app = open_page(model=DIGITS, find="far")
    press(app, "candidates_search_start")
    assert "2,000 drawn from the prior at scale 1, seed 0 →" in told(app)
    assert "unlike the 1 rejected" in told(app)
    assert not app.exception


@pytest.mark.parametrize("find", ["like", "between"])
def test_more_is_found_from_picks(store, find):
    keep(store, DIGITS)
    app = open_page(model=DIGITS, find=find, at=2, chosen="1,2")
    assert not app.exception
    assert ("in a different random direction" if find == "like" else "Twelve equal steps") in told(
        app
    )


def test_a_pushed_property_is_shown_before_and_after(store):
    keep(store, DIGITS)
    app = open_page(model=DIGITS, find="push", at=1)
    app.selectbox(key="candidates_push_length").set_value(20)
    press(app, "candidates_push_start")
    assert not app.exception
    assert "20 of 20 generations of 48 designs" in told(app)
    assert "Found" in tables(app)
