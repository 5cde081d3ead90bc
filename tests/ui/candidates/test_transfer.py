"""An archive can be imported into a project through the page."""

import io

import ezdxf
import numpy as np
import pytest
from ezdxf import bbox

from explorer.designs import polars, xfoil
from explorer.designs.picks import Project
from explorer.sketch import PixelSketch
from explorer.ui.candidates import transfer
from explorer.ui.picks import service
from tests.support.api import drawn_wish, kept
from tests.support.archives import FLOW, members, packed, picked
from tests.support.candidates import AIRFOILS, keep
from tests.support.engines import PIXELS, digest_of, engine_of
from tests.support.pages import open_page, press
from tests.support.picks import (
    assert_same_bits,
    assert_same_made,
    key_of,
    made,
    model_of,
    some,
    state_of,
)
from tests.support.sections import verified_pick
from tests.support.sentences import assert_one_sentence


class Upload(io.BytesIO):
    """What the browser hands over."""

    name = "mine.zip"


def test_picks_come_back_into_another_project_with_all_that_was_said(store):
    store.keep(1, some(1, 2, 3))
    store.mark(1, [key_of(2)], stars=4, verdict="keep", notes="ü\n=1", tags=["a", "b c"])
    content = packed(*store.picks(1))
    other = Project(store.add_project("Another"), "Another", 0)
    good, words, broken = transfer._import(store, other, Upload(content))
    assert (good, broken) == (True, ())
    assert words == "Imported 3 picks from “A project”."
    for ours, theirs in zip(store.picks(other.id), store.picks(1), strict=True):
        assert_same_made(ours.source, theirs.source)
        for name in ("stars", "verdict", "notes", "tags", "treatment"):
            assert getattr(ours, name) == getattr(theirs, name)
    before = state_of(store, other.id)
    assert [change.picks for change in store.history(other.id)] == [3]
    good, words, _ = transfer._import(store, other, Upload(content))
    assert good
    assert words == "Imported 0 picks from “A project” (3 already present)."
    assert state_of(store, other.id) == before
    good, words, _ = transfer._import(store, other, Upload(b"no export"))
    assert not good
    assert_one_sentence(words)
    assert store.undo(other.id) == "added (3 picks)"
    assert store.picks(other.id) == []


def test_picks_of_a_model_are_kept_whatever_was_imported_under_its_hash(store):
    foreign = PixelSketch(height=4, width=4)
    content = packed(
        picked(1, made(model=model_of(foreign, digest_of(PIXELS)),
                       sample=np.zeros(foreign.shape, np.float32)))
    )  # fmt: skip
    transfer._import(service.store(), service.store().projects()[0], Upload(content))
    (pick,) = kept(drawn_wish(tile=2))
    assert_same_bits(pick.source.sample, engine_of(PIXELS).sample(3, 1.0, 0).x[2])


def test_what_xfoil_found_is_imported_too_and_never_replaced(store):
    pick = verified_pick()
    content = packed(pick, conditions=FLOW)
    project = store.projects()[0]
    transfer._import(store, project, Upload(content))
    (ours,) = store.picks(project.id)
    np.testing.assert_equal(polars.known(ours, FLOW), polars.known(pick, FLOW))
    later = xfoil.as_stored(4.0, xfoil.Point(0.6, 0.008, -0.05))
    store.measured({ours.key: later}, polars.stored_under(ours, FLOW))
    transfer._import(store, project, Upload(content))
    (again,) = store.picks(project.id)
    assert polars.known(again, FLOW)[4.0].cl == 0.6


@pytest.mark.slow
def test_many_picks_are_packed_first_and_again_when_something_changes(store, monkeypatch):
    monkeypatch.setattr(transfer, "AT_ONCE", 1)
    keep(store)
    app = open_page("candidates", model=AIRFOILS)
    app.number_input(key="candidates_chord").set_value(250.0).run()
    press(app, "candidates_pack")
    assert not app.exception
    inside = members(app.session_state["candidates_packed"][1])
    space = ezdxf.read(io.StringIO(inside["shortlist-01/shortlist-01.dxf"].decode())).modelspace()
    assert bbox.extents(space.query('*[layer=="SECTION"]')).size.x == pytest.approx(250, abs=0.01)
    assert "shortlist-01/shortlist-01.pdf" in inside
    app.run()
    assert "candidates_pack" not in {button.key for button in app.button}
    app.checkbox(key="candidates_pages").set_value(False).run()
    assert "candidates_pack" not in {button.key for button in app.button}
    app.checkbox(key="candidates_pages").set_value(True).run()
    app.number_input(key="candidates_chord").set_value(300.0).run()
    assert "candidates_pack" in {button.key for button in app.button}
