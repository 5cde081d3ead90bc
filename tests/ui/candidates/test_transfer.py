"""An archive can be imported into a project through the page."""

import io

import numpy as np

from explorer.designs.picks import Project
from explorer.sketch import PixelSketch
from explorer.ui.candidates import transfer
from explorer.ui.picks import service
from tests.support.api import drawn_wish, kept
from tests.support.archives import packed, picked
from tests.support.engines import PIXELS, digest_of, engine_of
from tests.support.picks import (
    assert_same_bits,
    assert_same_made,
    key_of,
    made,
    model_of,
    some,
    state_of,
)
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
