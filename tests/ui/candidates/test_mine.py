"""Own sections on the Candidates page: several at once, kept as they are, gone on from."""

import pytest

from explorer.data.airfoils import naca_section, stations
from explorer.designs import aerodynamics
from explorer.ui.panels.held_file import File
from tests.support.candidates import AIRFOILS, keep
from tests.support.pages import open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def file(code):
    points = [f"{x:.6f} {y:.6f}" for x, y in zip(stations(), naca_section(code), strict=True)]
    points.insert(64, "0.0 0.0")
    return File(f"naca{code}.dat", "\n".join([f"NACA {code}", *points]).encode())


@pytest.fixture
def app():
    opened = open_page("candidates", model=AIRFOILS, find="mine")
    opened.session_state["candidates_mine_held"] = (
        file("2412"), File("notes.dat", b"no numbers here"), file("4415"), File("void.dat", b""),
    )  # fmt: skip
    return opened.run()


def test_each_file_that_is_refused_has_its_own_sentence(app):
    assert not app.exception
    (words,) = [item.value for item in app.error]
    assert "**notes\\.dat**: " in words
    assert "give at least 14" in words
    assert "**void\\.dat**: void.dat is empty" in words
    assert app.selectbox(key="candidates_mine_shown").options == ["naca2412.dat", "naca4415.dat"]


def test_own_sections_are_kept_as_they_are_and_shown_without_a_model(app, store):
    if aerodynamics.available():
        assert "Error of its flow: CL at 4° " in told(app)
    press(app, "candidates_mine_keep")
    assert [pick.title for pick in store.picks(1)] == ["Pick 1 (naca2412.dat)"]
    press(app, "candidates_mine_keep_all")
    first, second = store.picks(1)
    assert not app.exception
    assert (first.source.name, second.source.name) == ("naca2412.dat", "naca4415.dat")
    keep(store, n=1)
    app = open_page("candidates", model=AIRFOILS, at=2)
    assert not app.exception
    assert "Own section, as given: no model made it." in told(app)
    assert app.selectbox(key=f"candidates_{second.key}_treatment").options[1] == "As given"
    for tab in ("compare", "polars", "tradeoffs"):
        app = open_page("candidates", model=AIRFOILS, at=1, chosen="1,3", tab=tab)
        assert not app.exception
        assert not app.error
    assert store.undo(1) == "added"


@pytest.mark.parametrize("find", ["like", "push"])
def test_a_search_goes_on_from_the_models_version_of_an_own_section(app, store, find):
    press(app, "candidates_mine_keep")
    app = open_page("candidates", model=AIRFOILS, at=1, find=find)
    assert not app.exception
    assert "From the model’s version of Pick 1 (naca2412.dat): RMS error 0." in told(app)
    if find == "push":
        app.selectbox(key="candidates_push_length").set_value(20)
        press(app, "candidates_push_start")
        assert not app.exception
        assert "20 of 20 generations" in told(app)
