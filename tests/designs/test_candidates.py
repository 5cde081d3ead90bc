"""What was picked is kept: through kills, other writers and undo; what goes home comes back."""

import asyncio
import base64
import csv
import dataclasses
import functools
import importlib.util
import io
import json
import os
import random
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import urllib.request
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import ezdxf
import numpy as np
import pytest
import sqlalchemy as sql
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from explorer import checkpoint, drawing
from explorer import settings as places
from explorer.data.airfoils import naca_section, parse_coordinates, resample
from explorer.designs import candidates, export, formats, geometry, tables
from explorer.designs.candidates import FILE, Store
from explorer.designs.measuring import measure
from explorer.designs.picks import (
    MOST_NAME,
    MOST_NOTES,
    MOST_TAGS,
    Model,
    Pick,
    PickSource,
    Project,
)
from explorer.designs.properties import Measured, Property, parse
from explorer.errors import ExportError, StoreError
from explorer.inference import Engine
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import scale_strip
from explorer.ui import cache
from explorer.ui.api import address as api_address
from explorer.ui.api import answers as api_answers
from explorer.ui.candidates import transfer
from explorer.ui.picks import requests, service
from tests.test_cli import cli
from tests.ui.api.test_routes import APP, Answer, ask

PIXELS, CURVES, PLAIN = "digits-vae-vamp-2", "airfoils-vae-vamp-8", "digits-ae-2"
SKETCH = PixelSketch(height=8, width=8)
LINE = CurveSketch(x=(0.0, 0.5, 1.0), loc=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))
DIGEST = "ab" * 8
PATIENCE = 120


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("DATA", "CHECKPOINTS"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("NO_COLOR", "1")


@functools.cache
def engine_of(slug):
    return Engine(checkpoint.load(slug), "cpu")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shelf" / FILE


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()


def model_of(sketch=SKETCH, digest=DIGEST, slug=PIXELS, data="digits"):
    return Model(digest, slug, data, sketch)


def made(origin="here", **facts):
    plain = {
        "model": model_of(),
        "code": np.zeros(2, np.float32),
        "sample": np.zeros(SKETCH.shape, np.float32),
        "page": "generate",
        "view": "?model=one",
        "library": "0.1",
    }
    return PickSource(origin=origin, **plain | facts)


def key_of(number):
    return f"key-{number:08d}"


def some(*numbers):
    return [(key_of(number), made(f"origin {number}")) for number in numbers]


def keys(picks):
    return [pick.key for pick in picks]


def state_of(store, project=1):
    """All that is known of a project's picks, in plain values."""
    return [
        (pick.key, pick.number, pick.stars, pick.verdict, pick.notes, pick.tags, pick.treatment,
         pick.removed)
        for removed in (False, True)
        for pick in store.picks(project, removed)
    ]  # fmt: skip


def assert_same_bits(found, expected):
    assert (found.dtype, found.shape) == (np.float32, expected.shape)
    assert found.tobytes() == np.ascontiguousarray(expected, np.float32).tobytes()


def assert_same_made(found, expected):
    for field in dataclasses.fields(PickSource):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        if field.name in ("code", "sample"):
            assert_same_bits(ours, theirs)
        else:
            assert ours == theirs, field.name


def assert_one_sentence(error):
    words = str(error)
    assert words.endswith("."), words
    assert len(words.splitlines()) == 1, words
    assert len(words) < 500, words
    assert "Traceback" not in words


@contextmanager
def refused(kind=StoreError, said=""):
    with pytest.raises(kind) as caught:
        yield
    assert_one_sentence(caught.value)
    assert said in str(caught.value)


# One shelf, one visitor


FRESH = {"stars": 0, "verdict": "", "notes": "", "tags": (), "treatment": ""}
TAGS = st.lists(st.sampled_from(["thin", "two words", "Ä", "'; DROP TABLE pick"]), unique=True)
SAID = st.fixed_dictionaries(
    {},
    optional={
        "stars": st.integers(0, 5),
        "verdict": st.sampled_from(["", "keep", "reject"]),
        "notes": st.text(max_size=20),
        "tags": TAGS.map(tuple),
        "treatment": st.sampled_from(["", "smoothed"]),
        "removed": st.booleans(),
    },
)


class Shelf(RuleBasedStateMachine):
    """Two projects in a store, and beside them the same in plain dictionaries."""

    which, few = st.integers(0, 1), st.integers(0, 5)

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / FILE)
        self.projects = (1, self.store.add_project("Another"))
        self.known = ({}, {})
        self.done = ([], [])

    def change(self, which, events, key, **after):
        pick = self.known[which][key]
        new = {name: value for name, value in after.items() if pick[name] != value}
        if new:
            events.append((key, {name: pick[name] for name in new}))
            pick.update(new)

    @rule(which=which, items=st.lists(st.tuples(few, few), max_size=4))
    def keep(self, which, items):
        known, wanted, expected, events = self.known[which], [], set(), []
        for number, place in items:
            key, origin = f"project-{which}-key-{number}", f"origin {place}"
            same = [name for name in known if name == key or known[name]["origin"] == origin]
            if len(same) > 1:
                continue  # two answer to it: either will do
            wanted.append((key, made(origin)))
            if not same:
                known[key] = FRESH | {"number": len(known) + 1, "origin": origin, "removed": True}
                same = [key]
            self.change(which, events, same[0], removed=False)
            expected.add(same[0])
        kept = self.store.keep(self.projects[which], wanted)
        assert set(keys(kept)) == expected
        assert len(kept) == len(expected)
        if events:
            self.done[which].append(events)

    @rule(which=which, numbers=st.lists(few, max_size=4), said=SAID)
    def mark(self, which, numbers, said):
        events = []
        wanted = [f"project-{which}-key-{number}" for number in numbers]
        for key in dict.fromkeys(wanted):
            if key in self.known[which]:
                self.change(which, events, key, **said)
        batch = self.store.mark(self.projects[which], wanted, **said)
        assert (batch is not None) == bool(events)
        if events:
            self.done[which].append(events)

    @rule(which=which)
    def undo(self, which):
        words = self.store.undo(self.projects[which])
        assert (words is not None) == bool(self.done[which])
        if self.done[which]:
            for key, before in self.done[which].pop():
                self.known[which][key].update(before)

    @rule()
    def open_again(self):
        self.store.close()
        self.store = Store(Path(self.folder.name) / FILE)

    @invariant()
    def agrees(self):
        counts = [project.picks for project in self.store.projects()]
        assert counts == [sum(not pick["removed"] for pick in known.values())
                          for known in self.known]  # fmt: skip
        for project, known, done in zip(self.projects, self.known, self.done, strict=True):
            expected = sorted(
                (pick["removed"], pick["number"], key, *(pick[name] for name in FRESH))
                for key, pick in known.items()
            )
            found = [
                (removed, pick.number, pick.key, *(getattr(pick, name) for name in FRESH))
                for removed in (False, True)
                for pick in self.store.picks(project, removed)
            ]
            assert found == expected
            there = {(pick["origin"], key) for key, pick in known.items() if not pick["removed"]}
            assert sorted(self.store.origins(project)) == sorted(there)
            left = [change for change in self.store.history(project, 500) if not change.undone]
            assert [change.picks for change in left] == [len(events) for events in done[::-1]]

    def teardown(self):
        with self.folder, closing(self.store):
            for project in self.projects:
                while self.store.undo(project):
                    pass
                assert self.store.picks(project) == []
                for pick in self.store.picks(project, removed=True):
                    assert {name: getattr(pick, name) for name in FRESH} == FRESH


def test_any_changes_are_those_of_a_plain_model_and_undone_to_the_beginning():
    # A sequence is short enough to be read as it is; to shorten it would take minutes.
    phases = (Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        Shelf,
        settings=settings(max_examples=20, stateful_step_count=14, deadline=None, phases=phases),
    )


def test_a_change_of_many_picks_is_undone_as_one(store):
    store.keep(1, some(1, 2, 3))
    before = state_of(store)
    assert store.mark(1, [key_of(n) for n in (1, 2, 3)], stars=4, notes="good", tags=["a"])
    assert {pick.stars for pick in store.picks(1)} == {4}
    assert store.undo(1) == "4 stars, notes, tags (3 picks)"
    assert state_of(store) == before
    assert store.undo(1) == "kept (3 picks)"
    assert store.picks(1) == []
    assert store.undo(1) is None


def test_undo_leaves_alone_what_another_change_has_put_over_it(store):
    store.keep(1, some(1, 2))
    first = store.mark(1, [key_of(1), key_of(2)], stars=3, verdict="keep")
    store.mark(1, [key_of(2)], stars=5)
    store.undo(1, first)
    one, two = store.picks(1)
    assert (one.stars, one.verdict) == (0, "")
    assert (two.stars, two.verdict) == (5, "")


def test_a_certain_change_is_undone_past_others(store):
    store.keep(1, some(1))
    first = store.mark(1, [key_of(1)], stars=3)
    store.mark(1, [key_of(1)], notes="later")
    assert store.undo(1, first) == "3 stars"
    assert store.undo(1, first) is None
    assert store.undo(1, "no such change") is None
    (pick,) = store.picks(1)
    assert (pick.stars, pick.notes) == (0, "later")


def test_changes_undone_in_another_order_still_bring_back_the_first_state(store):
    store.keep(1, some(1))
    before = state_of(store)
    first = store.mark(1, [key_of(1)], stars=3)
    second = store.mark(1, [key_of(1)], stars=4)
    store.undo(1, first)
    store.undo(1, second)
    store.undo(1, first)
    assert state_of(store) == before


def test_a_value_that_came_again_is_another_changes_and_bars_nothing(store):
    store.keep(1, some(1))
    first, *_ = (store.mark(1, [key_of(1)], stars=stars) for stars in (3, 4, 3))
    assert store.undo(1, first) is None
    assert store.picks(1)[0].stars == 3
    told = [store.undo(1) for _ in range(5)]
    assert told == ["3 stars", "4 stars", "3 stars", "kept", None]
    assert store.picks(1, True)[0].stars == 0


def test_a_change_that_is_undone_in_part_is_told_as_undone_when_all_of_it_is(store):
    store.keep(1, some(1, 2))
    first = store.mark(1, [key_of(1), key_of(2)], stars=3)
    store.mark(1, [key_of(2)], stars=5)
    store.undo(1, first)
    assert [change.undone for change in store.history(1)] == [False, False, False]
    assert [store.undo(1), store.undo(1)] == ["5 stars", "3 stars"]
    assert [change.undone for change in store.history(1)] == [True, True, False]


def test_what_is_said_with_a_keep_is_one_change_with_it_and_of_new_picks_only(store):
    said = {key_of(n): {"stars": n, "notes": f"note {n}", "tags": ["a"]} for n in (1, 2)}
    store.keep(1, some(2))
    kept = store.keep(1, some(1, 2, 3), said)
    assert [(pick.key, pick.stars, pick.notes) for pick in kept] == [
        (key_of(2), 0, ""), (key_of(1), 1, "note 1"), (key_of(3), 0, ""),
    ]  # fmt: skip
    assert [change.picks for change in store.history(1)] == [2, 1]
    assert store.undo(1) == "kept (2 picks)"
    assert keys(store.picks(1)) == [key_of(2)]
    assert {(pick.stars, pick.notes, pick.tags) for pick in store.picks(1, True)} == {(0, "", ())}


def test_what_is_said_out_of_bounds_with_a_keep_keeps_nothing(store):
    with refused(said="0 to 5 stars"):
        store.keep(1, some(1, 2), {key_of(2): {"stars": 6}})
    assert (store.picks(1), store.picks(1, True), store.history(1)) == ([], [], [])


def test_history_tells_what_was_done_newest_first_and_what_was_undone(store):
    store.keep(1, some(1, 2))
    store.mark(1, [key_of(1)], stars=1)
    store.mark(1, [key_of(2)], verdict="reject", removed=True)
    store.undo(1)
    told = [(change.words, change.picks, change.undone) for change in store.history(1)]
    assert told == [("rejected, removed", 1, True), ("1 star", 1, False), ("kept", 2, False)]
    assert len(store.history(1, 2)) == 2
    assert store.history(store.add_project("Another")) == []


def test_what_changes_nothing_is_no_change(store):
    store.keep(1, some(1))
    assert store.mark(1, [key_of(1)], stars=0, verdict="", notes="", tags=[]) is None
    assert store.mark(1, [key_of(1)]) is None
    assert store.mark(1, [], stars=5) is None
    assert store.mark(1, ["nobody"], stars=5) is None
    assert len(store.history(1)) == 1


def test_a_pick_is_marked_in_its_own_project_only(store):
    store.keep(1, some(1))
    assert store.mark(store.add_project("Another"), [key_of(1)], stars=5) is None
    assert store.picks(1)[0].stars == 0


def test_neither_a_key_nor_an_origin_is_kept_twice(store):
    (first,) = store.keep(1, [(key_of(1), made("here"))])
    (again,) = store.keep(1, [(key_of(1), made("elsewhere"))])
    (same,) = store.keep(1, [(key_of(2), made("here"))])
    assert (first.key, again.key, same.key) == (key_of(1),) * 3
    twice = store.keep(1, [(key_of(3), made("new")), (key_of(4), made("new"))] + some(5) * 2)
    assert keys(twice) == [key_of(3), key_of(5)]
    assert [pick.number for pick in store.picks(1)] == [1, 2, 3]


def test_the_same_origin_may_be_in_two_projects(store):
    other = store.add_project("Another")
    store.keep(1, [(key_of(1), made("here"))])
    (kept,) = store.keep(other, [(key_of(2), made("here"))])
    assert (kept.key, kept.number) == (key_of(2), 1)


@pytest.mark.parametrize("key", [key_of(1), key_of(2)], ids=["key", "origin"])
def test_what_was_removed_comes_back_when_it_is_kept_again(store, key):
    store.keep(1, some(1))
    store.mark(1, [key_of(1)], stars=2, removed=True)
    assert store.origins(1) == []
    (back,) = store.keep(1, [(key, made("origin 1"))])
    assert (back.key, back.number, back.stars, back.removed) == (key_of(1), 1, 2, False)
    assert store.undo(1) == "kept again"
    assert store.picks(1) == []


def test_a_pick_that_comes_back_by_its_key_is_noted_in_its_own_project(store):
    other = store.add_project("Another")
    store.keep(1, some(1))
    store.mark(1, [key_of(1)], removed=True)
    store.keep(other, some(1))
    assert store.picks(other) == []
    assert store.history(other) == []
    while store.undo(1):
        pass
    assert store.picks(1) == []


def test_the_number_of_a_removed_pick_is_not_given_again(store):
    store.keep(1, some(1, 2))
    store.mark(1, [key_of(2)], removed=True)
    (third,) = store.keep(1, some(3))
    assert third.number == 3
    assert third.title == "Pick 3"


def test_weights_that_were_renamed_go_by_the_name_they_had_when_they_were_picked_from(store):
    for number, slug in ((1, "before"), (2, "after")):
        store.keep(1, [(key_of(number), made(f"{number}", model=model_of(slug=slug)))])
    assert [pick.source.model.slug for pick in store.picks(1)] == ["before", "after"]


def test_the_same_weights_drawn_otherwise_are_refused_or_kept_but_never_confused(store):
    store.keep(1, some(1))
    small = PixelSketch(height=4, width=4)
    other = made("other", model=model_of(small), sample=np.ones(small.shape, np.float32))
    with suppress(StoreError):
        (kept,) = store.keep(1, [(key_of(2), other)])
        assert_same_made(kept.source, other)
    assert_same_made(store.picks(1)[0].source, made("origin 1"))


# Bounds


def _unchecked():
    """Load the store past the type checker, which forbids what a store must refuse by itself."""
    where = places.PACKAGE / "designs" / "candidates.py"
    spec = importlib.util.spec_from_file_location("unchecked_candidates", where)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Store


BEYOND = {
    "six stars": ({"stars": 6}, "0 to 5 stars"),
    "less than no stars": ({"stars": -1}, "0 to 5 stars"),
    "an unknown verdict": ({"verdict": "maybe"}, "kept, rejected or undecided"),
    "notes without end": ({"notes": "n" * (MOST_NOTES + 1)}, "4,000 characters"),
    "too many tags": ({"tags": [f"tag {n}" for n in range(MOST_TAGS + 1)]}, "12 tags"),
    "a tag too long": ({"tags": ["a", "t" * 41]}, "40 characters"),
    "an unknown treatment": ({"treatment": "sharpened"}, "smoothed or as decoded"),
}


@pytest.mark.parametrize(("said", "why"), BEYOND.values(), ids=BEYOND.keys())
def test_what_is_out_of_bounds_is_refused_in_one_sentence_and_changes_nothing(path, said, why):
    with closing(_unchecked()(path)) as store:
        store.keep(1, some(1))
        before = state_of(store)
        with pytest.raises(StoreError) as caught:
            store.mark(1, [key_of(1)], **{"stars": 1} | said)
        assert_one_sentence(caught.value)
        assert why in str(caught.value)
        assert state_of(store) == before


def test_what_is_just_within_bounds_is_kept(store):
    store.keep(1, some(1))
    tags = [f"{n:02d}" + "t" * 38 for n in range(MOST_TAGS)]
    store.mark(1, [key_of(1)], stars=5, notes="\N{BAT}" * MOST_NOTES, tags=tags)
    (pick,) = store.picks(1)
    assert (pick.stars, pick.notes, list(pick.tags)) == (5, "\N{BAT}" * MOST_NOTES, tags)


def test_tags_are_words_each_once(store):
    store.keep(1, some(1))
    store.mark(1, [key_of(1)], tags=["  thin ", "two\n words", "thin", "", " "])
    assert store.picks(1)[0].tags == ("thin", "two words")


@pytest.mark.parametrize("name", ["", " \t\n", "n" * (MOST_NAME + 1)])
def test_a_project_without_a_name_or_with_too_long_a_one_is_refused(store, name):
    with refused(said="1 to 60 characters"):
        store.add_project(name)
    assert [project.name for project in store.projects()] == ["Shortlist"]


def test_a_project_of_a_known_name_is_found(store):
    number = store.add_project("n" * MOST_NAME)
    assert store.add_project(f"  {'n' * MOST_NAME} ") == number
    assert store.add_project(" short   list ") not in (1, number)
    assert store.add_project("Shortlist") == 1
    assert len(store.projects()) == 3


def test_nothing_is_kept_in_a_project_that_is_not_there(store):
    with refused(said="This project does not exist"):
        store.keep(99, some(1))
    assert store.picks(99) == []


def test_a_full_project_takes_no_more_and_none_by_halves(store, monkeypatch):
    monkeypatch.setattr(candidates, "MOST_PICKS", 3)
    store.keep(1, some(1, 2))
    with refused(said="start another"):
        store.keep(1, some(3, 4))
    assert keys(store.picks(1)) == [key_of(1), key_of(2)]
    assert len(store.keep(1, some(1, 2, 3))) == 3
    assert len(store.history(1)) == 2
    assert keys(store.keep(store.add_project("Another"), some(4))) == [key_of(4)]


# There and back through the file


FINITE = st.floats(-1e6, 1e6, width=32)
ODD = [0.0, -0.0, 1e-45, -1e-45, 1.1754942e-38, 3.0e-41, 1e6, -1e6, 0.1, 1 / 3]


def numbers(shape):
    n = int(np.prod(shape))
    return st.lists(FINITE, min_size=n, max_size=n).map(
        lambda values: np.array(values, np.float32).reshape(shape)
    )


@functools.cache
def section_sketch():
    return checkpoint.load(CURVES).config.sketch


def drawn_section(seed):
    return np.random.default_rng(seed).normal(0, 0.5, 128).astype(np.float32)


COLOUR = PixelSketch(height=2, width=3, channels=3)
RAMP = np.linspace(0, 1, 64, dtype=np.float32).reshape(SKETCH.shape)
KINDS = [
    (COLOUR, "aa", numbers(COLOUR.shape)),
    (SKETCH, DIGEST, st.just(RAMP)),
    (LINE, "0", numbers(LINE.shape)),
]


@st.composite
def anything(draw, kinds=KINDS):
    """Whatever a pick can be made of; made outside, since the type checker draws lots."""
    sketch, digest, samples = draw(st.sampled_from(kinds))
    return {
        "origin": draw(st.text(min_size=1, max_size=30)),
        "model": (sketch, digest),
        "code": draw(st.integers(1, 5).flatmap(numbers)),
        "sample": draw(samples),
        "page": draw(st.text(max_size=40)),
        "view": draw(st.text(max_size=60)),
        "library": draw(st.text(max_size=40)),
        "component": draw(st.none() | st.integers(0, 9999)),
        "scale": draw(st.none() | st.floats(0, 100)),
        "seed": draw(st.none() | st.integers(0, 2**31 - 1)),
        "labels": draw(st.none() | st.lists(st.integers(-9, 9), max_size=4).map(tuple)),
    }


def made_of(facts):
    return made(**facts | {"model": model_of(*facts["model"], data="data of mine")})


def with_code(*values):
    return {"origin": "o", "model": (SKETCH, DIGEST), "code": np.array(values, np.float32)}


WORDS = st.text(max_size=40)
TOLD = st.fixed_dictionaries(
    {
        "stars": st.integers(0, 5),
        "verdict": st.sampled_from(["", "keep", "reject"]),
        "notes": st.text(max_size=80)
        | st.sampled_from(
            ["'\"\n\r\n\t\\", "\N{BAT}\N{COMBINING ACUTE ACCENT}\u202e\x00\x1b", "="]
        ),
        "tags": st.lists(
            WORDS.map(lambda tag: " ".join(tag.split())).filter(bool), max_size=4, unique=True
        ).map(tuple),
    }
)


@pytest.fixture(scope="module")
def shelves(tmp_path_factory):
    """Two stores of one file: one writes, the other reads."""
    file = tmp_path_factory.mktemp("shelves") / FILE
    with closing(Store(file)) as one, closing(Store(file)) as other:
        yield one, other


@given(anything(), TOLD)
@example(with_code(*ODD), {"notes": "'; DROP TABLE pick; --"})
@example(with_code(np.nan, np.inf, -np.inf), {})
@settings(max_examples=60, deadline=None)
def test_every_field_of_a_pick_comes_back_bit_by_bit(shelves, facts, told):
    one, other = shelves
    given_made = made_of(facts)
    project, key = one.add_project(uuid.uuid4().hex), uuid.uuid4().hex
    (kept,) = one.keep(project, [(key, given_made)])
    one.mark(project, [key], **told)
    (found,) = other.picks(project)
    assert_same_made(kept.source, given_made)
    assert_same_made(found.source, given_made)
    assert {name: getattr(found, name) for name in told} == told
    assert (found.key, found.number, found.removed) == (key, 1, False)
    assert abs(found.created - time.time()) < 60


def test_properties_are_remembered_by_their_conditions_and_are_no_change(store):
    store.keep(1, some(1, 2))
    store.measured({key_of(1): {"ink": 0.1, "stroke": np.nan, "big": np.inf}}, "one")
    store.measured({key_of(1): {"ink": 1 / 3}, "nobody": {"ink": 1.0}}, "other")
    store.measured({key_of(1): {"ink": 0.25}}, "one")
    store.measured({}, "one")
    one, two = store.picks(1)
    known = {"ink": 0.25, "stroke": np.nan, "big": np.nan}
    np.testing.assert_equal(one.properties, {"one": known, "other": {"ink": 1 / 3}})
    assert two.properties == {}
    assert len(store.history(1)) == 1


# Killed


WRITERS = """
import json, os, random, signal, sys, time
from pathlib import Path
import numpy as np
from explorer.designs.candidates import Store
from explorer.designs.picks import Made, Model
from explorer.sketch import PixelSketch

path, kills = Path(sys.argv[1]), int(sys.argv[2])
sketch = PixelSketch(height=8, width=8)
model = Model("ab" * 8, "digits-vae-vamp-2", "digits", sketch)
code, sample = np.zeros(2, np.float32), np.zeros(sketch.shape, np.float32)


def keep(name, tell):
    try:
        store = Store(path)
        project = store.add_project(name)
        for n in range(1, 10**6):
            batch, size = os.urandom(8).hex(), 1 + n % 3
            store.keep(
                project,
                [
                    (key, Made(model, code, sample, key, "generate", "", "0.1"))
                    for key in (f"{batch}-{k}-{size}" for k in range(size))
                ],
            )
            os.write(tell, f"{batch}-{size}\\n".encode())
    except BaseException as error:
        os.write(tell, f"! {error!r}\\n".encode())
    finally:
        os._exit(0)


chance, told = random.Random(0), []
for kill in range(kills):
    ear, mouth = os.pipe()
    writer = os.fork()
    if not writer:
        os.close(ear)
        keep(f"Writer {kill}", mouth)
    os.close(mouth)
    # Every other one is killed as it opens the store or soon after, the rest amid their picks.
    heard = os.read(ear, 4096) if kill % 2 else b""
    time.sleep(chance.uniform(0.003, 0.04))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    while part := os.read(ear, 65536):
        heard += part
    os.close(ear)
    told += heard.decode().splitlines()
print(json.dumps(told))
"""


def apart(code, *words):
    """Run a script in a process of its own, and read what it says."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_whole(path):
    """Check a file as SQLite does, and that each pick was noted."""
    with closing(sqlite3.connect(path)) as bare:
        assert bare.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert bare.execute("PRAGMA foreign_key_check").fetchall() == []
        lost = "SELECT count(*) FROM pick WHERE id NOT IN (SELECT pick FROM event)"
        assert bare.execute(lost).fetchone() == (0,)


@pytest.mark.slow
def test_what_a_killed_writer_had_confirmed_is_there_once_and_nothing_by_halves(path):
    told = apart(WRITERS, path, 200)
    assert [line for line in told if line.startswith("!")] == []
    assert len(told) >= 100
    assert_whole(path)
    with closing(Store(path)) as store:
        projects = store.projects()
        found = [key for project in projects for _, key in store.origins(project.id)]
        most = max(projects, key=lambda project: project.picks)
        assert [pick.number for pick in store.picks(most.id)] == list(range(1, most.picks + 1))
    assert len(set(found)) == len(found)
    batches = {}
    for key in found:
        batch, number, size = key.split("-")
        batches.setdefault(f"{batch}-{size}", set()).add(int(number))
    assert len(set(told)) == len(told)
    assert set(told) <= set(batches)
    for name, members in batches.items():
        assert members == set(range(int(name.split("-")[1])))
    assert len(batches) <= len(told) + 200


@contextmanager
def running(user):
    """Run the app as a user does, in a group of processes that can be killed as one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "explorer.cli", "--host", "127.0.0.1", "--port", str(port)]
    with (user / "server.log").open("a") as log:
        process = subprocess.Popen(
            [*command, "--no-browser"], cwd=user, start_new_session=True, stdout=log, stderr=log,
            env=os.environ | {"LATENT_EXPLORER_USER": str(user)},
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and process.poll() is None:
                with (
                    suppress(OSError),
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=5),
                ):
                    break
                time.sleep(0.05)
            else:
                pytest.fail((user / "server.log").read_text())
            yield address, process
        finally:
            kill(process)
            process.wait(PATIENCE)


def kill(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def send(address, items):
    """Post picks over HTTP; return the keys that are stored."""
    request = urllib.request.Request(
        f"{address}/api/picks",
        json.dumps({"items": items}).encode(),
        {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        facts = json.load(answer)
    assert facts["refused"] == []
    return [item["key"] for item in facts["saved"]]


@pytest.mark.slow
def test_what_a_killed_server_had_confirmed_is_there_once_and_the_rest_may_be_sent_again(
    tmp_path, monkeypatch
):
    user, only = tmp_path / "user", tmp_path / "checkpoints"
    user.mkdir()
    only.mkdir()
    (only / PIXELS).symlink_to(engine_of(PIXELS).checkpoint.folder)
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(only))
    fresh = count()
    chance = random.Random(0)
    confirmed, pending = [], []

    def visit(address, alive):
        """Send two picks at a time until nobody answers; return those left without an answer."""
        while True:
            items = [drawn_wish(tile=next(fresh)) for _ in range(2)]
            try:
                confirmed.extend(send(address, items))
            except (OSError, HTTPException):
                return items
            alive.set()

    for _ in range(5):
        with running(user) as (address, process), ThreadPoolExecutor(3) as visitors:
            for items in pending:
                confirmed += send(address, items)
            alive = threading.Event()
            visits = [visitors.submit(visit, address, alive) for _ in range(3)]
            assert alive.wait(PATIENCE)
            time.sleep(chance.uniform(0.02, 0.4))
            kill(process)
            pending = [visit.result() for visit in visits]
    assert_whole(user / FILE)
    for items in pending:
        confirmed += [item["key"] for item in post("/api/picks", {"items": items}).json["saved"]]
    assert len(confirmed) == len(set(confirmed)) == next(fresh)
    with closing(Store(user / FILE)) as store:
        found = store.picks(1)
    assert sorted(keys(found)) == sorted(confirmed)
    assert len({pick.source.origin for pick in found}) == len(found)
    assert len(found) > 30


# Several at once


CROWD = """
import json, os, sys, time
from pathlib import Path
import numpy as np
from explorer.designs.candidates import Store
from explorer.designs.picks import Made, Model
from explorer.sketch import PixelSketch

path, writers, each = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
sketch = PixelSketch(height=8, width=8)
model = Model("ab" * 8, "digits-vae-vamp-2", "digits", sketch)
code, sample = np.zeros(2, np.float32), np.zeros(sketch.shape, np.float32)


def work(writer):
    store = Store(path)
    for n in range(each):
        mine, shared = f"writer-{writer}-{n}", f"shared-{writer}-{n}"
        store.keep(
            1,
            [
                (mine, Made(model, code, sample, mine, "generate", "", "0.1")),
                (shared, Made(model, code, sample, f"shared {n}", "generate", "", "0.1")),
            ],
        )
        store.mark(1, [mine], stars=1 + n % 5, notes=mine)
        store.mark(1, [key for origin, key in store.origins(1) if origin == f"shared {n}"],
                   tags=[f"tag {writer}"])


children = []
for writer in range(writers):
    child = os.fork()
    if not child:
        try:
            work(writer)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    children.append(child)
print(json.dumps([os.waitpid(child, 0)[1] for child in children]))
"""


def test_processes_that_write_at_once_lose_nothing_and_double_nothing(path):
    writers, each = 4, 12
    Store(path).close()
    assert apart(CROWD, path, writers, each) == [0] * writers
    assert_whole(path)
    with closing(Store(path)) as store:
        found = {pick.key: pick for pick in store.picks(1)}
        assert sorted(pick.number for pick in found.values()) == list(
            range(1, (writers + 1) * each + 1)
        )
        for writer in range(writers):
            for n in range(each):
                pick = found.pop(f"writer-{writer}-{n}")
                assert (pick.stars, pick.notes) == (1 + n % 5, pick.key)
        assert {pick.source.origin for pick in found.values()} == {
            f"shared {n}" for n in range(each)
        }
        assert all(len(pick.tags) == 1 for pick in found.values())
        changes = store.history(1, 500)
        while store.undo(1):
            changes.pop()
        assert (changes, store.picks(1)) == ([], [])


def test_threads_may_share_a_store_and_change_what_others_change(path):
    n = 8
    with closing(Store(path)) as one, closing(Store(path)) as other:

        def visit(thread):
            store = (one, other)[thread % 2]
            for turn in range(n):
                store.keep(1, some(100 * thread + turn, 999))
                store.mark(1, [key_of(999)], stars=(thread + turn) % 6)
                store.mark(1, [key_of(100 * thread + turn)], notes=f"{thread} {turn}")
                assert store.projects()[0].picks > turn

        with ThreadPoolExecutor(6) as crowd:
            list(crowd.map(visit, range(6)))
        found = {pick.key: pick.notes for pick in one.picks(1)}
        assert found == {key_of(999): ""} | {
            key_of(100 * thread + turn): f"{thread} {turn}"
            for thread in range(6)
            for turn in range(n)
        }


def test_two_who_undo_at_once_take_no_change_back_twice(path):
    with closing(Store(path)) as one, closing(Store(path)) as other:
        for number in range(20):
            one.keep(1, some(number))
        one.mark(1, [key_of(n) for n in range(20)], stars=3)
        with ThreadPoolExecutor(4) as crowd:
            words = list(crowd.map(lambda turn: (one, other)[turn % 2].undo(1), range(15)))
        assert sorted(words) == ["3 stars (20 picks)"] + ["kept"] * 14
        assert keys(one.picks(1)) == [key_of(n) for n in range(6)]


def test_one_state_is_seen_whatever_others_write_meanwhile(path):
    with closing(Store(path)) as one, closing(Store(path)) as other:
        one.keep(1, some(*range(10)))
        done = threading.Event()

        def flip():
            for turn in range(40):
                one.mark(1, [key_of(n) for n in range(10)], stars=1 + turn % 2)
            done.set()

        with ThreadPoolExecutor(1) as crowd:
            flipping = crowd.submit(flip)
            while not done.is_set() and not flipping.done():
                assert len({pick.stars for pick in other.picks(1)}) == 1
            flipping.result()


@contextmanager
def holding(path, seconds=None, how="IMMEDIATE"):
    """Hold the writer's place from another connection, for a while or until the end."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute(f"BEGIN {how}")
        timer = threading.Timer(seconds or PATIENCE, holder.execute, ["ROLLBACK"])
        timer.start()
        try:
            yield
        finally:
            if seconds is None:
                timer.cancel()
            timer.join()


def test_a_writer_waits_for_another(store, path):
    with holding(path, 0.3):
        began = time.monotonic()
        store.keep(1, some(1))
        assert time.monotonic() - began > 0.15
    assert keys(store.picks(1)) == [key_of(1)]


def test_a_writer_that_waits_in_vain_says_so_and_all_can_still_be_read(path, monkeypatch):
    monkeypatch.setattr(tables, "PATIENCE_SECONDS", 0.1)
    with closing(Store(path)) as store:
        store.keep(1, some(1))
        with holding(path):
            for act in (
                lambda: store.keep(1, some(2)),
                lambda: store.mark(1, [key_of(1)], stars=1),
                lambda: store.undo(1),
                lambda: store.add_project("Another"),
                lambda: store.measured({key_of(1): {"ink": 1.0}}, ""),
            ):
                with refused(said="by another program; try again"):
                    act()
            assert keys(store.picks(1)) == [key_of(1)]
            with closing(Store(path)) as late:
                assert keys(late.picks(1)) == [key_of(1)]
        assert len(store.keep(1, some(1, 2))) == 2


def test_whoever_opens_a_new_store_waits_for_another_that_is_making_it(path):
    path.parent.mkdir()
    with holding(path, 0.3), closing(Store(path)) as store:
        assert [project.name for project in store.projects()] == ["Shortlist"]


def test_a_new_store_that_many_open_at_once_is_made_once(tmp_path):
    for turn in range(5):
        path, start = tmp_path / f"{turn}" / FILE, threading.Barrier(6)

        def visit(number, path=path, start=start):
            start.wait()
            with closing(Store(path)) as store:
                return keys(store.keep(1, some(number)))

        with ThreadPoolExecutor(6) as crowd:
            kept = list(crowd.map(visit, range(6)))
        with closing(Store(path)) as store:
            assert [project.name for project in store.projects()] == ["Shortlist"]
            assert sorted(keys(store.picks(1))) == sorted(key for (key,) in kept)


# Out of order


def engines_of(store):
    return store._file._engine


@contextmanager
def hampered(store, pragma):
    """Let every connection of a store begin with a hindrance."""
    engine = engines_of(store)

    def hamper(connection, record):
        connection.execute(f"PRAGMA {pragma}")

    engine.dispose()
    sql.event.listen(engine, "connect", hamper)
    yield
    sql.event.remove(engine, "connect", hamper)
    engine.dispose()


def test_a_full_disk_is_said_and_leaves_all_that_was_kept(store, path):
    store.keep(1, some(1, 2))
    store.mark(1, [key_of(1)], stars=4)
    before = state_of(store)
    big = PixelSketch(height=256, width=256)
    large = made("large", model=model_of(big, "ff"), sample=np.ones(big.shape, np.float32))
    with hampered(store, "max_page_count = 1"):
        with refused(said="No space left"):
            store.keep(1, [*some(3), (key_of(4), large)])
        assert state_of(store) == before
        assert len(store.history(1)) == 2
    assert_whole(path)
    assert len(store.keep(1, [*some(3), (key_of(4), large)])) == 2


def test_a_store_that_may_not_be_written_says_so_and_can_be_read(store):
    store.keep(1, some(1))
    before = state_of(store)
    with hampered(store, "query_only = ON"):
        for act in (
            lambda: store.keep(1, some(2)),
            lambda: store.mark(1, [key_of(1)], stars=1),
            lambda: store.undo(1),
        ):
            with refused(said="is read-only"):
                act()
        assert state_of(store) == before
    assert len(store.keep(1, some(2))) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("folder", [0o755, 0o555], ids=["file", "file and folder"])
def test_a_store_without_rights_is_refused_in_one_sentence(path, folder):
    with closing(Store(path)) as store:
        store.keep(1, some(1))
    path.chmod(0o444)
    path.parent.chmod(folder)
    try:
        with refused(), closing(Store(path)) as opened:
            assert keys(opened.picks(1)) == [key_of(1)]
            opened.keep(1, some(2))
    finally:
        path.parent.chmod(0o755)
        path.chmod(0o644)
    with closing(Store(path)) as store:
        assert keys(store.picks(1)) == [key_of(1)]


def scrambled(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


DAMAGES = {
    "a text": lambda path: path.write_text("no candidates " * 1000),
    "noise": lambda path: path.write_bytes(random.Random(0).randbytes(20_000)),
    "no header": lambda path: path.write_bytes(b"\0" * 16 + path.read_bytes()[16:]),
    "half of the header": lambda path: path.write_bytes(path.read_bytes()[:50]),
    "a cut": lambda path: path.write_bytes(path.read_bytes()[:9000]),
    "scrambled pages": scrambled,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_store_is_refused_and_left_as_it_is(path, damage):
    with closing(Store(path)) as store:
        store.keep(1, some(*range(20)))
    damage(path)
    before = path.read_bytes()
    for act in (
        Store.projects,
        lambda store: store.picks(1),
        lambda store: store.keep(1, some(99)),
    ):
        with refused(said="damaged"), closing(Store(path)) as store:
            act(store)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(path):
    with closing(Store(path)) as store:
        store.keep(1, some(1))
    with closing(sqlite3.connect(path)) as bare:
        bare.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with refused(said="newer version"):
        Store(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.version-*"))


def test_a_store_below_a_file_or_on_a_folder_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("kept")
    for place in (tmp_path / "file" / FILE, tmp_path / "file" / "deeper" / FILE, tmp_path):
        with refused(said=str(tmp_path)):
            Store(place)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_store_is_made_with_the_folders_above_it(tmp_path):
    with closing(Store(tmp_path / "a" / "b" / FILE)) as store:
        assert [(project.id, project.picks) for project in store.projects()] == [(1, 0)]


def test_what_is_confirmed_is_on_the_disk(store):
    with engines_of(store).connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


# From version to version


@pytest.fixture
def old(path):
    """A store of the present version, which the tests below make an old one."""
    with closing(Store(path)) as store:
        store.keep(1, some(1, 2))
        store.mark(1, [key_of(1)], stars=3, notes="as it was")
        return state_of(store)


def next_version(monkeypatch, *steps):
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + len(steps))
    monkeypatch.setattr(tables, "MIGRATIONS", tables.MIGRATIONS + steps)


def renote(connection):
    connection.exec_driver_sql("ALTER TABLE pick ADD COLUMN colour TEXT DEFAULT 'red'")
    connection.exec_driver_sql("UPDATE pick SET notes = 'new'")


def version_of(path):
    with closing(sqlite3.connect(path)) as bare:
        return bare.execute("PRAGMA user_version").fetchone()[0]


def notes_of(path):
    with closing(sqlite3.connect(path)) as bare:
        return [notes for (notes,) in bare.execute("SELECT notes FROM pick ORDER BY number")]


def back_ups(path):
    return sorted(path.parent.glob(f"{FILE}.*[0-9]"))


def test_a_new_store_is_of_the_present_version_and_needs_no_back_up(store, path, monkeypatch):
    assert version_of(path) == tables.VERSION == len(tables.MIGRATIONS)
    assert back_ups(path) == []
    next_version(monkeypatch, renote)
    with closing(Store(path.parent / "new" / FILE)) as new:
        assert len(new.keep(1, some(1))) == 1
    assert version_of(new.path) == tables.VERSION
    assert back_ups(new.path) == []


def test_an_older_store_is_backed_up_and_then_migrated(path, old, monkeypatch):
    version = tables.VERSION
    next_version(monkeypatch, renote)
    with closing(Store(path)) as store:
        assert [pick.notes for pick in store.picks(1)] == ["new", "new"]
        assert len(store.keep(1, some(1, 2, 3))) == 3
    assert version_of(path) == tables.VERSION == version + 1
    (copy,) = back_ups(path)
    assert (version_of(copy), notes_of(copy)) == (version, ["as it was", ""])
    assert_whole(copy)
    before = copy.read_bytes()
    Store(path).close()
    assert copy.read_bytes() == before
    monkeypatch.undo()
    with closing(Store(copy)) as earlier:
        assert state_of(earlier) == old


def test_what_only_the_log_holds_yet_is_backed_up_too(path, monkeypatch):
    with closing(Store(path)) as store:
        store.keep(1, some(1, 2, 3))
        assert path.with_name(f"{FILE}-wal").stat().st_size > 0
        next_version(monkeypatch, renote)
        Store(path).close()
    (copy,) = back_ups(path)
    assert notes_of(copy) == [""] * 3


def vain(connection):
    renote(connection)
    connection.exec_driver_sql("UPDATE no_such_table SET x = 1")


def confused(connection):
    renote(connection)
    raise ZeroDivisionError


@pytest.mark.parametrize("step", [vain, confused])
@pytest.mark.parametrize("first", [(), (renote,)], ids=["first step", "second step"])
def test_a_step_that_fails_leaves_the_old_version_as_it_was(path, old, monkeypatch, first, step):
    version = tables.VERSION
    with monkeypatch.context() as later:
        next_version(later, *first, step)
        with pytest.raises((StoreError, ZeroDivisionError)) as caught:
            Store(path)
        if step is vain:
            assert_one_sentence(caught.value)
            assert isinstance(caught.value, StoreError)
    assert version_of(path) == version
    with closing(Store(path)) as store:
        assert state_of(store) == old
    with closing(sqlite3.connect(path)) as bare:
        columns = [row[1] for row in bare.execute("PRAGMA table_info(pick)")]
    assert "colour" not in columns


def test_a_store_is_migrated_once_by_those_who_open_it_at_once(path, old, monkeypatch):
    def count_up(connection):
        connection.exec_driver_sql("UPDATE pick SET stars = stars + 1")

    next_version(monkeypatch, count_up)
    start = threading.Barrier(4)

    def visit(_):
        start.wait()
        with closing(Store(path)) as store:
            return [pick.stars for pick in store.picks(1)]

    with ThreadPoolExecutor(4) as crowd:
        assert list(crowd.map(visit, range(4))) == [[4, 1]] * 4


def test_a_back_up_is_of_the_old_version_even_if_another_migrates_meanwhile(
    path, old, monkeypatch
):
    version, back_up = tables.VERSION, tables.File._back_up
    next_version(monkeypatch, renote)
    monkeypatch.setattr(tables, "PATIENCE_SECONDS", 0.1)

    def late(*given):
        monkeypatch.setattr(tables.File, "_back_up", back_up)
        with suppress(StoreError):  # it may have to wait its turn
            Store(path).close()
        return back_up(*given)

    monkeypatch.setattr(tables.File, "_back_up", late)
    Store(path).close()
    assert notes_of(path) == ["new", "new"]
    (copy,) = back_ups(path)
    assert (version_of(copy), notes_of(copy)) == (version, ["as it was", ""])


# Taking home


NOTHING = Measured((), {}, ("",))


def picked(number, given_made, **told):
    return Pick(key_of(number), number, 0.0, given_made, **told)


def packed(*picks, measured=None, project="A project"):
    return export.pack(project, picks, measured or [NOTHING] * len(picks), '{"alpha":4}', "0.1")


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(content):
    return json.loads(members(content)[export.MANIFEST])


def altered(content, change):
    """Take an export's manifest by itself, and change its JSON."""
    facts = manifest_of(content)
    change(facts)
    return json.dumps(facts).encode()


def assert_came_back(found, picks):
    assert found.broken == ()
    for item, pick in zip(found.picks, picks, strict=True):
        assert_same_made(item.source, pick.source)
        for name in ("key", "number", "stars", "verdict", "notes", "tags", "treatment"):
            assert getattr(item.entry, name) == getattr(pick, name)


@given(st.lists(st.tuples(anything(), TOLD), max_size=3), st.text(max_size=MOST_NAME))
@example([(with_code(*ODD), {"notes": "a\r\nb\x00\"',=1\u2028"})], "")
@settings(max_examples=40, deadline=None)
def test_all_that_goes_home_comes_back(given_picks, project):
    picks = [picked(n, made_of(facts), **told) for n, (facts, told) in enumerate(given_picks, 1)]
    content = packed(*picks, project=project)
    inside = members(content)
    for found in (
        export.read(content, "a.zip"),
        export.read(inside[export.MANIFEST], "manifest.json"),
    ):
        assert found.project == project
        assert_came_back(found, picks)
    for pick in picks:
        folder = f"{pick.number:03d}"
        code = np.load(io.BytesIO(inside[f"{folder}/code.npy"]), allow_pickle=False)
        assert_same_bits(code, pick.source.code)
        assert inside[f"{folder}/picture.png"].startswith(b"\x89PNG")


@given(st.integers(0, 99).map(drawn_section), TOLD, st.sampled_from(["", "smoothed"]))
@settings(max_examples=8, deadline=None)
def test_sections_that_go_home_come_back_as_decoded_smoothed_or_not(section, told, treatment):
    given_made = made(model=model_of(section_sketch(), "0123"), sample=section)
    pick = picked(7, given_made, treatment=treatment, **told)
    assert_came_back(export.read(packed(pick), "a.zip"), [pick])


def test_an_export_is_the_same_every_time():
    picks = [picked(1, made("a"), notes="x"), picked(2, made("b"), tags=("t",))]
    assert packed(*picks) == packed(*picks)


def test_properties_and_conditions_go_home_and_what_has_none_is_null():
    item = Property("lift_over", "L/D", "=m²;DROP", 1)
    found = Measured((item,), {"lift_over": np.array([np.nan])}, ("its surfaces cross",))
    other = Measured((item,), {"lift_over": np.array([-1.5])}, ("",))
    content = packed(picked(1, made("a")), picked(2, made("b")), measured=[found, other])
    one, two = manifest_of(content)["picks"]
    assert (one["properties"], one["fault"]) == ({"lift_over": None}, "its surfaces cross")
    assert (two["properties"], two["conditions"]) == ({"lift_over": -1.5}, '{"alpha":4}')
    header, *rows = table_of(content)
    assert header[-1] == "lift_over [m²DROP]"
    assert [row[-1] for row in rows] == ["", "-1.5"]
    assert [row[header.index("valid")] for row in rows] == ["0", "1"]
    assert rows[0][header.index("fault")] == "its surfaces cross"


def table_of(content):
    text = members(content)[export.TABLE].decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def is_number(text):
    with suppress(ValueError):
        float(text)
        return True
    return False


RISKY = st.builds(
    "".join,
    st.tuples(st.text(" \n\t\r\x0b\u00a0", max_size=2), st.sampled_from("=+-@\t\r"), WORDS),
)
NASTY = st.text(max_size=20) | RISKY.map(lambda text: text[:40])


@given(NASTY, st.lists(NASTY, max_size=3), NASTY, NASTY)
@example('=HYPERLINK("http://x")', ["@SUM(A1)", "+1"], "\t=1", "-2+3")
@settings(max_examples=60, deadline=None)
def test_no_cell_of_the_table_is_run_by_a_spreadsheet(notes, tags, page, data):
    pick = picked(
        1, made(model=model_of(data=data), page=page, scale=0.5), notes=notes, tags=tuple(tags)
    )
    fault = Measured((), {}, (notes[:200],))
    header, row = table_of(packed(pick, measured=[fault]))
    for cell in header + row:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or is_number(cell)
        assert not cell.lstrip().startswith(("=", "+", "-", "@")) or is_number(cell)
    said = dict(zip(header, row, strict=True))
    for name, text in (("notes", notes), ("tags", "; ".join(tags)), ("page", page)):
        assert said[name] in (text, f"'{text}")


@given(st.text(max_size=200), st.integers(1, 9999))
@settings(max_examples=20, deadline=None)
def test_an_export_unpacks_into_its_own_folder(text, number):
    pick = picked(number, made(f"../{text}", page=text[:40]), notes=text, tags=(text[:40],))
    with zipfile.ZipFile(io.BytesIO(packed(pick, project=f"../{text[:50]}"))) as archive:
        for name in archive.namelist():
            assert re.fullmatch(r"(\d{3,5}/)?[a-z]+\.(png|npy|csv|json)", name), name


@pytest.mark.parametrize("slug", ["my model", "modèle", "[red]one", "-x", "x" * 80])
def test_picks_of_any_checkpoint_go_home_whatever_its_folder_is_called(slug):
    pick = picked(1, made(model=model_of(slug=slug)))
    assert_came_back(export.read(packed(pick), "a.zip"), [pick])


def test_weights_that_were_renamed_go_home_by_the_name_they_had():
    picks = [
        picked(n, made(f"{n}", model=model_of(slug=slug)))
        for n, slug in ((1, "before"), (2, "after"), (3, "before"))
    ]
    assert_came_back(export.read(packed(*picks), "a.zip"), picks)


def test_the_same_weights_drawn_in_two_ways_go_home_as_both():
    small = PixelSketch(height=4, width=4)
    other = made("b", model=model_of(small), sample=np.ones(small.shape, np.float32))
    picks = [picked(1, made("a")), picked(2, other)]
    assert_came_back(export.read(packed(*picks), "a.zip"), picks)


def test_a_curve_that_is_no_section_is_never_smoothed():
    line = made(model=model_of(LINE, "0"), sample=np.array([1, -1, 2], np.float32))
    plain, told = (packed(picked(1, line, treatment=word)) for word in ("", "smoothed"))
    assert members(told)["001/picture.png"] == members(plain)["001/picture.png"]
    assert_came_back(export.read(told, "a.zip"), [picked(1, line, treatment="smoothed")])


# Files that are none


def a_zip(*names, method=zipfile.ZIP_DEFLATED, **contents):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x")
        for name, content in contents.items():
            archive.writestr(f"{name}.json", content)
    return stream.getvalue()


@functools.cache
def sound():
    """An export of three picks."""
    return packed(*(picked(n, made(f"origin {n}"), stars=n) for n in (1, 2, 3)))


@functools.cache
def zeros(megabytes):
    """Make a manifest of nothing but zeros, which are small as long as they are packed."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(export.MANIFEST, "w") as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(10**6))
    return stream.getvalue()


def lying(content, size):
    """Let every header claim another unpacked size."""
    told = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = told.find(mark)
        while place >= 0:
            told[place + at : place + at + 4] = struct.pack("<I", size)
            place = told.find(mark, place + 4)
    return bytes(told)


def facts_with(**changes):
    return altered(sound(), lambda facts: facts.update(changes))


NO_EXPORTS = {
    "nothing": (lambda: b"", "is empty"),
    "not JSON": (lambda: b"hello", "not an export of candidates"),
    "half of JSON": (
        lambda: members(sound())[export.MANIFEST][:-10],
        "not an export of candidates",
    ),
    "a list": (lambda: b"[]", "not an export of candidates"),
    "null": (lambda: b"null", "not an export of candidates"),
    "no text": (lambda: b"\xff\xfe\x00", "not an export of candidates"),
    "deep JSON": (lambda: b"[" * 10**5, "not an export of candidates"),
    "another format": (lambda: facts_with(format="latent-explorer strip"), "format"),
    "no format at all": (lambda: altered(sound(), lambda f: f.pop("picks")), "picks"),
    "a later version": (lambda: facts_with(version=2), "version"),
    "too many picks": (lambda: facts_with(picks=[None] * 5001), "picks"),
    "too many models": (
        lambda: facts_with(models=manifest_of(sound())["models"] * 201),
        "models",
    ),
    "picks that are no list": (lambda: facts_with(picks={"a": 1}), "picks"),
    "a field too many": (lambda: facts_with(command="rm"), "command"),
    "a model drawn like nothing": (
        lambda: altered(sound(), lambda f: f["models"][0].update(sketch={"kind": "sound"})),
        "sketch",
    ),
    "a slug that is a path": (
        lambda: altered(sound(), lambda f: f["models"][0].update(checkpoint="../x")),
        "checkpoint",
    ),
    "a project with a long name": (lambda: facts_with(project="p" * 61), "project"),
    "too large": (lambda: b" " * (export.MOST_BYTES + 1), "64 MB"),
    "an empty ZIP": (lambda: b"PK\x05\x06" + bytes(18), "no manifest.json"),
    "a ZIP without a manifest": (lambda: a_zip("candidates.csv"), "no manifest.json"),
    "a ZIP whose manifest is empty": (lambda: a_zip(manifest=""), "not an export of candidates"),
    "a ZIP whose manifest is a text": (
        lambda: a_zip(manifest="text"),
        "not an export of candidates",
    ),
    "the start of a ZIP": (lambda: b"PK", "damaged ZIP"),
    "a truncated ZIP": (lambda: sound()[:-30], "damaged ZIP"),
    "half a ZIP": (lambda: sound()[: len(sound()) // 2], "damaged ZIP"),
    "a member above": (lambda: a_zip("../x", manifest="{}"), "../x"),
    "a member far above": (lambda: a_zip("001/../../x.csv", manifest="{}"), "../../x"),
    "a member at the root": (lambda: a_zip("/etc/passwd", manifest="{}"), "/etc/passwd"),
    "a member on a drive": (lambda: a_zip("C:\\x", manifest="{}"), "C:"),
    "a member that is a program": (lambda: a_zip("001/run.exe", manifest="{}"), "run.exe"),
    "a member of two lines": (
        lambda: a_zip("a\nb.json", manifest="{}"),
        "which no export contains",
    ),
    "a long member": (lambda: a_zip("a" * 60_000, manifest="{}"), "which no export contains"),
    "an empty member": (lambda: a_zip("001/", manifest="{}"), "which no export contains"),
    "too many members": (
        lambda: a_zip(*(f"{n:05d}/code.npy" for n in range(export.MOST_MEMBERS)), manifest="{}"),
        "files; it was not exported by",
    ),
    "a bomb": (lambda: zeros(100), "too large when unpacked"),
    "a bomb that says it is small": (lambda: lying(zeros(100), 100), "damaged ZIP"),
}


@pytest.mark.parametrize(("make", "why"), NO_EXPORTS.values(), ids=NO_EXPORTS.keys())
def test_a_file_that_is_no_export_is_refused_in_one_sentence(make, why):
    with refused(ExportError, why):
        export.read(make(), "a.zip")


def test_a_name_of_many_lines_is_told_as_one():
    with refused(ExportError, "a b is empty"):
        export.read(b"", "a\nb")
    with refused(ExportError, "The file is empty"):
        export.read(b"", " \n")
    with refused(ExportError):
        export.read(b"", "x" * 10_000)


def test_a_bomb_is_not_unpacked_beyond_the_limit():
    content = zeros(300)
    assert len(content) < 2 * 10**6
    tracemalloc.start()
    try:
        with refused(ExportError, "too large when unpacked"):
            export.read(content, "a.zip")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * export.MOST_BYTES


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damage_anywhere_in_a_zip_is_refused_however_it_was_packed(method):
    whole = a_zip(manifest=members(sound())[export.MANIFEST], method=method)
    assert len(export.read(whole, "a.zip").picks) == 3
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            export.read(bytes(damaged), "a.zip")
        except ExportError as error:
            assert_one_sentence(error)


def test_a_zip_cut_anywhere_is_refused():
    content = sound()
    for length in range(0, len(content), 41):
        with refused(ExportError):
            export.read(content[:length], "a.zip")


FLIPS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize("part", ["zip", "manifest"])
@given(flips=FLIPS, cut=st.integers(0, 10**6), more=st.binary(max_size=6))
@settings(max_examples=150, deadline=None)
def test_bytes_flipped_put_in_or_left_out_are_read_or_refused(part, flips, cut, more):
    content = bytearray(sound() if part == "zip" else members(sound())[export.MANIFEST])
    for place, bits in flips:
        content[place % len(content)] ^= bits
    content[cut % len(content) : cut % len(content) + cut % 3] = more
    try:
        found = export.read(bytes(content), "a.zip")
    except ExportError as error:
        assert_one_sentence(error)
    else:
        assert len(found.picks) + len(found.broken) <= 3
        assert all("\n" not in line for line in found.broken)


def text_of(values):
    return base64.b64encode(np.array(values, "<f4").tobytes()).decode()


BROKEN = {
    "a hash nobody has": ({"hash": "cd"}, "its model is missing from"),
    "a hash that is none": ({"hash": "XY"}, "hash"),
    "a sample cut": ({"sample": text_of([0] * 63)}, "63 numbers"),
    "a sample too long": ({"sample": text_of([0] * 65)}, "65 numbers"),
    "no sample": ({"sample": ""}, "sample"),
    "a missing sample": ({"sample": ...}, "sample"),
    "a missing code": ({"code": ...}, "code"),
    "a missing number": ({"number": ...}, "number"),
    "no code": ({"code": ""}, "code"),
    "a code that is no base64": ({"code": "!!!!"}, "base64"),
    "a code that is no ASCII": ({"code": "ééé="}, "base64"),
    "half a code": ({"code": "AAA"}, "base64"),
    "five bytes of code": ({"code": base64.b64encode(bytes(5)).decode()}, "four bytes"),
    "a code that is NaN": ({"code": text_of([np.nan, 0])}, "finite"),
    "a code without end": ({"code": text_of([np.inf, 0])}, "finite"),
    "a huge code": ({"code": text_of([2e6, 0])}, "finite"),
    "a sample that is NaN": ({"sample": text_of([np.nan] * 64)}, "finite"),
    "less than no stars": ({"stars": -1}, "stars"),
    "six stars": ({"stars": 6}, "stars"),
    "half a star": ({"stars": 0.5}, "stars"),
    "an unknown verdict": ({"verdict": "maybe"}, "verdict"),
    "an unknown treatment": ({"treatment": "sharpened"}, "treatment"),
    "notes without end": ({"notes": "n" * 4001}, "notes"),
    "notes that are a number": ({"notes": 5}, "notes"),
    "too many tags": ({"tags": ["t"] * 13}, "tags"),
    "a tag too long": ({"tags": ["t" * 41]}, "tags"),
    "a key that is none": ({"key": "a b"}, "key"),
    "a key too short": ({"key": "abc"}, "key"),
    "no origin": ({"origin": ""}, "origin"),
    "a number below one": ({"number": 0}, "number"),
    "a number beyond all": ({"number": 10**4000}, "number"),
    "a scale that is NaN": ({"scale": float("nan")}, "scale"),
    "a scale without end": ({"scale": float("inf")}, "scale"),
    "a component below zero": ({"component": -1}, "component"),
    "a seed too large": ({"seed": 2**31}, "seed"),
    "a property without end": ({"properties": {"ink": float("inf")}}, "properties"),
    "a field too many": ({"command": "rm"}, "command"),
    "a field of two lines": ({"a\nb": 1}, "Extra inputs"),
}


@pytest.mark.parametrize(("changes", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_pick_is_named_and_all_others_come_in(changes, why):
    def spoil(facts):
        for name, value in changes.items():
            if value is ...:
                del facts["picks"][1][name]
            else:
                facts["picks"][1][name] = value

    found = export.read(altered(sound(), spoil), "a.json")
    assert [item.entry.number for item in found.picks] == [1, 3]
    (said,) = found.broken
    assert said.startswith("Entry 2: " if "number" in changes else "Pick 2: ") or why == "number"
    assert why in said
    assert_one_sentence(said)


@pytest.mark.parametrize("entry", [None, 5, "pick", [], {}, [[]]], ids=repr)
def test_an_entry_that_is_no_pick_is_named_by_its_place(entry):
    found = export.read(altered(sound(), lambda f: f["picks"].insert(1, entry)), "a.json")
    assert [item.entry.number for item in found.picks] == [1, 2, 3]
    (said,) = found.broken
    assert said.startswith("Entry 2: ")
    assert_one_sentence(said)


def test_all_broken_picks_are_named_in_their_order():
    def spoil(facts):
        facts["picks"][0]["stars"] = 9
        facts["picks"][2]["code"] = "!"

    found = export.read(altered(sound(), spoil), "a.json")
    assert [item.entry.number for item in found.picks] == [2]
    assert [line.partition(":")[0] for line in found.broken] == ["Pick 1", "Pick 3"]


def test_an_export_is_told_from_a_strip(tmp_path):
    for name, content, ours in (
        ("a.zip", sound(), True),
        ("a.json", members(sound())[export.MANIFEST], True),
        ("b.json", b'{"format": "latent-explorer strip"}', False),
        ("c.json", b"", False),
    ):
        (tmp_path / name).write_bytes(content)
        assert export.is_ours(tmp_path / name) == ours
    for name in ("gone.zip", "."):
        with refused(ExportError, "cannot be read"):
            export.is_ours(tmp_path / name)


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
    assert words == "3 picks of “A project” came in."
    for ours, theirs in zip(store.picks(other.id), store.picks(1), strict=True):
        assert_same_made(ours.source, theirs.source)
        for name in ("stars", "verdict", "notes", "tags", "treatment"):
            assert getattr(ours, name) == getattr(theirs, name)
    before = state_of(store, other.id)
    assert [change.picks for change in store.history(other.id)] == [3]
    good, words, _ = transfer._import(store, other, Upload(content))
    assert good
    assert words == "0 picks of “A project” came in; 3 were here already."
    assert state_of(store, other.id) == before
    good, words, _ = transfer._import(store, other, Upload(b"no export"))
    assert not good
    assert_one_sentence(words)
    assert store.undo(other.id) == "kept (3 picks)"
    assert store.picks(other.id) == []


# Geometry


def section_pick(seed=1, **told):
    engine = engine_of(CURVES)
    x = engine.sample(1, 0.7, seed)
    return picked(
        1,
        made(model=model_of(engine.sketch, "0123", CURVES, "airfoils"), code=x.z[0],
             sample=x.x[0]),
        **told,
    )  # fmt: skip


def standardised(heights):
    sketch = section_sketch()
    return ((heights - np.asarray(sketch.loc)) / np.asarray(sketch.scale)).astype(np.float32)


@pytest.mark.parametrize("code", ["0012", "2412", "23012", "6409"])
def test_a_coordinate_file_is_read_back_to_the_same_heights(code):
    heights = naca_section(code)
    files = formats.section_files(standardised(heights), section_sketch(), "Pick 1")
    found = resample(parse_coordinates(files["section.dat"].decode("ascii")))
    np.testing.assert_allclose(found, heights, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_files_of_a_decoded_section_hold_its_contour(seed):
    pick = section_pick(seed)
    inside = members(packed(pick))
    contour = geometry.contour(pick.source.sample.astype(np.float64), section_sketch())
    assert len(contour) == 129
    title, *rows = inside["001/section.dat"].decode("ascii").splitlines()
    assert title == "Pick 1"
    np.testing.assert_allclose(
        [tuple(map(float, row.split())) for row in rows], contour, atol=1e-6
    )
    points = parse_coordinates(inside["001/section.dat"].decode())
    np.testing.assert_allclose(points, contour, atol=1e-6)
    np.testing.assert_allclose(resample(points), resample(contour), atol=1e-5)
    header, *cells = csv.reader(io.StringIO(inside["001/section.csv"].decode()))
    assert header == ["x", "y"]
    np.testing.assert_allclose(np.array(cells, float), contour, atol=1e-6)


def test_a_drawing_for_cad_is_one_closed_line_through_all_points():
    pick = section_pick()
    text = members(packed(pick))["001/section.dxf"].decode()
    sheet = ezdxf.read(io.StringIO(text))
    assert not sheet.audit().has_errors
    (line,) = sheet.modelspace()
    assert line.dxftype() == "LWPOLYLINE"
    assert line.closed
    contour = geometry.contour(pick.source.sample.astype(np.float64), section_sketch())
    np.testing.assert_allclose(np.array(line.get_points("xy")), contour, atol=1e-9)


@pytest.mark.parametrize("name", ["Pick 1", "<&> ]]> \" '", "naïve \N{BAT}"])
def test_a_vector_drawing_is_sound_xml_with_all_points_in_its_frame(name):
    pick = section_pick()
    files = formats.section_files(pick.source.sample, section_sketch(), name)
    root = ElementTree.fromstring(files["section.svg"])
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.find(f"{space}title").text == f"{name}, chord 1000"
    (drawn,) = root.findall(f"{space}path")
    assert drawn.get("d").startswith("M")
    assert drawn.get("d").endswith("Z")
    points = np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawn.get("d")), float)
    contour = geometry.contour(pick.source.sample.astype(np.float64), section_sketch())
    np.testing.assert_allclose(points, contour * (1000, -1000), atol=1e-3)
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (points >= (left, top)).all()
    assert (points <= (left + width, top + height)).all()
    assert files["section.dat"].decode("ascii").splitlines()[1].split() == ["1.000000", *[
        f"{contour[0, 1]:.6f}"]]  # fmt: skip


def test_a_smoothed_pick_goes_home_smoothed_and_says_so_and_keeps_what_was_decoded():
    plain, smooth = section_pick(), section_pick(treatment="smoothed")
    fit = geometry.smoothed(plain.source.sample[None], section_sketch())[0]
    assert np.abs(fit - plain.source.sample).max() > 1e-3
    decoded, told = packed(plain), packed(smooth)
    contour = geometry.contour(fit.astype(np.float64), section_sketch())
    points = parse_coordinates(members(told)["001/section.dat"].decode())
    np.testing.assert_allclose(points, contour, atol=1e-6)
    for name in ("section.dat", "section.csv", "section.svg", "section.dxf"):
        assert members(told)[f"001/{name}"] != members(decoded)[f"001/{name}"]
    (entry,), (bare,) = manifest_of(told)["picks"], manifest_of(decoded)["picks"]
    assert entry["treatment"] == "smoothed"
    assert bare.get("treatment", "") == ""
    assert entry["sample"] == bare["sample"]
    assert base64.b64decode(entry["sample"]) == plain.source.sample.tobytes()
    header, row = table_of(told)
    assert row[header.index("treatment")] == "smoothed"


def test_pictures_have_no_geometry():
    assert set(members(sound())) == {
        "candidates.csv", "manifest.json",
        *(f"00{n}/{name}" for n in (1, 2, 3) for name in ("code.npy", "picture.png")),
    }  # fmt: skip


# By HTTP


def post(address, facts, headers=(), parts=1):
    """Post as a page of the app does, the body in so many parts."""
    body = facts if isinstance(facts, bytes) else json.dumps(facts).encode()
    said = {"content-type": "application/json", "sec-fetch-site": "same-origin"} | dict(headers)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": address,
        "raw_path": address.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in said.items() if value],
        "server": ("test", 80),
        "client": ("test", 1),
    }
    size = -(-len(body) // parts) or 1
    left = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    told = []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        told.append(message)

    # In a thread of its own: a browser's tests leave a running loop in the main one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(APP(scope, receive, send))).result()
    body = b"".join(message.get("body", b"") for message in told[1:])
    return Answer(told[0]["status"], told[0]["headers"], body)


@functools.cache
def digest_of(slug):
    return checkpoint.load(slug).hash


def wish(slug=PIXELS, **facts):
    key = uuid.uuid4().hex
    plain = {"key": key, "model": slug, "hash": digest_of(slug), "origin": f"of {key}"}
    return plain | {"page": "generate", "view": "?seed=1"} | facts


def drawn_wish(slug=PIXELS, tile=0, seed=0, component=None, scale=1.0, **facts):
    drawn = {"seed": seed, "component": component, "tile": tile, "scale": scale}
    return wish(slug, origin=f"{slug} {seed} {component} {scale} {tile}", drawn=drawn) | facts


def kept(*items, **facts):
    """Post picks that are all kept, and read them from the store."""
    answer = post("/api/picks", {"items": list(items)} | facts)
    assert answer.status == 200
    assert answer.json["refused"] == []
    assert {item["key"] for item in answer.json["saved"]} == {item["key"] for item in items}
    wanted = {item["key"]: n for n, item in enumerate(items)}
    found = [pick for pick in service.store().picks(1) if pick.key in wanted]
    return sorted(found, key=lambda pick: wanted[pick.key])


def assert_refused(answer, status):
    assert answer.status == status
    assert answer.kind == "application/json"
    assert set(answer.json) == {"why"}
    assert_one_sentence(answer.json["why"])


TILES = [
    (PIXELS, 0, 0, None, 1.0),
    (PIXELS, 37, 2**31 - 1, None, 0.35),
    (PIXELS, 63, 5, 3, 2.0),
    (CURVES, 0, 1, None, 0.0),
    (CURVES, 20, 7, None, 1.15),
    (CURVES, 5, 0, 0, 0.7),
]


@pytest.mark.parametrize(("slug", "tile", "seed", "component", "scale"), TILES)
def test_a_tile_is_kept_as_it_was_drawn_bit_by_bit(slug, tile, seed, component, scale):
    item = drawn_wish(slug, tile, seed, component, scale)
    (pick,) = kept(item)
    drawn = engine_of(slug).sample(64, scale, seed, component)
    assert_same_bits(pick.source.code, drawn.z[tile])
    assert_same_bits(pick.source.sample, drawn.x[tile])
    assert pick.source.component == drawn.component[tile]
    assert (pick.source.seed, pick.source.scale) == (seed, scale)
    assert (pick.source.origin, pick.source.page, pick.source.view) == (
        item["origin"], "generate", "?seed=1",
    )  # fmt: skip
    model = pick.source.model
    assert (model.slug, model.hash, model.sketch) == (
        slug, digest_of(slug), engine_of(slug).sketch,
    )  # fmt: skip


def test_a_tile_is_the_one_that_a_strip_shows():
    engine = engine_of(PIXELS)
    strip = scale_strip(engine, tiles=16, seed=3)
    (pick,) = kept(drawn_wish(tile=11, seed=3, scale=strip.values[26]))
    assert_same_bits(pick.source.sample, strip.samples[26, 11])


@pytest.mark.parametrize("slug", [PIXELS, CURVES, PLAIN])
def test_a_code_is_kept_and_decoded_bit_by_bit(slug):
    engine = engine_of(slug)
    z = np.random.default_rng(4).normal(size=engine.space.size).astype(np.float32)
    z[0] = 1e-45
    (pick,) = kept(wish(slug, z=text_of(z)))
    assert_same_bits(pick.source.code, z)
    assert_same_bits(pick.source.sample, engine.decode(z[None])[0])
    assert (pick.source.component, pick.source.scale, pick.source.seed) == (None, None, None)


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_point_of_the_map_is_kept_by_its_own_code(slug):
    engine = engine_of(slug)
    atlas = cache.atlas(engine)
    items = [wish(slug, place="data:12"), wish(slug, place="prototypes:3")]
    datum, prototype = kept(*items)
    assert_same_bits(datum.source.code, atlas.codes[12])
    assert_same_bits(prototype.source.code, engine.prototypes().loc[3])
    for pick in (datum, prototype):
        assert_same_bits(pick.source.sample, engine.decode(pick.source.code[None])[0])
    again = post("/api/picks", {"items": [wish(slug, place="data:12")]}).json
    assert [item["stored"] for item in again["saved"]] == [datum.key]
    assert again["count"] == 2


NO_PICKS = {
    "other weights": {"hash": "0" * 16},
    "the hash of another model": {"hash": digest_of(CURVES)},
    "a model that is not here": {"model": "gone"},
    "a model that is a path": {"model": "../../etc"},
    "neither tile nor code nor place": {"drawn": None},
    "a tile below zero": {"drawn": {"seed": 0, "tile": -1, "scale": 1.0}},
    "a tile beyond all": {"drawn": {"seed": 0, "tile": 4096, "scale": 1.0}},
    "a tile without a scale": {"drawn": {"seed": 0, "tile": 0}},
    "half a tile": {"drawn": {"seed": 0, "tile": 0.5, "scale": 1.0}},
    "a scale beyond": {"drawn": {"seed": 0, "tile": 0, "scale": 2.5}},
    "a scale that is NaN": {"drawn": {"seed": 0, "tile": 0, "scale": float("nan")}},
    "a seed too large": {"drawn": {"seed": 2**31, "tile": 0, "scale": 1.0}},
    "no such component": {"drawn": {"seed": 0, "tile": 0, "scale": 1.0, "component": 9999}},
    "a code that is no base64": {"drawn": None, "z": "!!!!"},
    "a code that is no ASCII": {"drawn": None, "z": "éé=="},
    "an empty code": {"drawn": None, "z": ""},
    "a code too short": {"drawn": None, "z": text_of([0])},
    "a code too long": {"drawn": None, "z": text_of([0, 0, 0])},
    "a code and a byte": {"drawn": None, "z": base64.b64encode(bytes(9)).decode()},
    "a code that is NaN": {"drawn": None, "z": text_of([np.nan, 0])},
    "a code without end": {"drawn": None, "z": text_of([-np.inf, 0])},
    "a code far away": {"drawn": None, "z": text_of([2e4, 0])},
    "a code without measure": {"drawn": None, "z": "A" * 8001},
    "a place beyond": {"drawn": None, "place": "data:999999"},
    "a prototype beyond": {"drawn": None, "place": "prototypes:9999"},
    "a place that is none": {"drawn": None, "place": "density:1"},
    "a place that is text": {"drawn": None, "place": "data:1; DROP TABLE pick"},
    "no origin": {"origin": ""},
    "an origin without end": {"origin": "o" * 8001},
    "a view without end": {"view": "v" * 4001},
    "a page without end": {"page": "p" * 41},
    "a key that is none": {"key": "a key"},
    "a key too short": {"key": "abc"},
    "no key": {"key": None},
    "a field too many": {"command": "rm"},
}


@pytest.mark.parametrize("changes", NO_PICKS.values(), ids=NO_PICKS.keys())
def test_what_cannot_be_kept_is_refused_by_name_and_the_rest_is_kept(changes):
    good, other = drawn_wish(tile=1), drawn_wish(tile=2)
    bad = drawn_wish(tile=0, origin="bad") | changes
    facts = post("/api/picks", {"items": [good, bad, other]}).json
    assert [item["key"] for item in facts["saved"]] == [good["key"], other["key"]]
    assert [item["number"] for item in facts["saved"]] == [1, 2]
    assert facts["count"] == 2
    (why,) = facts["refused"]
    assert why["key"] == str(bad["key"])[:64]
    assert_one_sentence(why["why"])
    assert keys(service.store().picks(1)) == [good["key"], other["key"]]


def test_nothing_but_bad_picks_leaves_no_trace():
    facts = post("/api/picks", {"items": [drawn_wish(hash="0" * 16)] * 3}).json
    assert (facts["saved"], facts["count"], len(facts["refused"])) == ([], 0, 3)
    assert service.store().history(1) == []


def test_an_autoencoder_has_no_tiles_to_be_kept():
    item = drawn_wish(PLAIN)
    facts = post("/api/picks", {"items": [item]}).json
    assert [why["key"] for why in facts["refused"]] == [item["key"]]
    assert_one_sentence(facts["refused"][0]["why"])


FOREIGN = {
    "another site": {"sec-fetch-site": "cross-site"},
    "a sister site": {"sec-fetch-site": "same-site"},
    "an odd site": {"sec-fetch-site": "SAME-ORIGIN"},
    "a form": {"content-type": "application/x-www-form-urlencoded"},
    "a text": {"content-type": "text/plain"},
    "a text that looks like it": {"content-type": "text/plain; application/json"},
    "no type": {"content-type": ""},
}


@pytest.mark.parametrize("address", ["/api/picks", "/api/picks/mark", "/api/picks/undo"])
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
def test_only_pages_of_the_app_may_write(address, headers):
    store = service.store()
    store.keep(1, some(1))
    facts = {"items": [drawn_wish()]} if address == "/api/picks" else MARK | {"stars": 5}
    assert_refused(post(address, facts, headers), 403)
    assert [(pick.key, pick.stars) for pick in store.picks(1)] == [(key_of(1), 0)]


MARK = {"project": 1, "keys": [key_of(1)]}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "none"},
        {"content-type": "application/json; charset=utf-8"},
    ],
    ids=repr,
)
def test_a_visitor_without_such_headers_may_write(headers):
    assert post("/api/picks", {"items": [drawn_wish()]}, headers).status == 200
    assert len(service.store().picks(1)) == 1


@pytest.mark.parametrize("parts", [1, 7])
def test_too_much_at_once_is_refused(parts):
    facts = {"items": [drawn_wish() | {"view": "v" * api_answers.MOST_BODY}]}
    assert_refused(post("/api/picks", facts, parts=parts), 413)
    assert service.store().picks(1) == []


def test_a_body_may_come_in_parts():
    assert post("/api/picks", {"items": [drawn_wish()]}, parts=5).json["count"] == 1


NO_BODIES = {
    "/api/picks": [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 10**5,
        b'{"items": []}',
        b'{"items": [1]}',
        b'{"items": "all"}',
        b'{"items": [{}], "command": "rm"}',
        b'{"items": [{}], "project": -1}',
        b'{"items": [{"key": "\\ud800"}]}',
        json.dumps({"items": [{}] * (requests.MOST_AT_ONCE + 1)}).encode(),
    ],
    "/api/picks/mark": [
        b"",
        b"{}",
        b'{"project": 1}',
        *(
            json.dumps(MARK | change).encode()
            for change in (
                {"stars": 6},
                {"stars": -1},
                {"verdict": "maybe"},
                {"notes": "by the keyboard"},
                {"keys": "all"},
                {"keys": ["a b"]},
                {"keys": [key_of(1)] * 5001, "stars": 1},
                {"project": "x", "stars": 1},
            )
        ),
    ],
    "/api/picks/undo": [b"", b"{}", b'{"project": null, "keys": []}'],
}


@pytest.mark.parametrize(
    ("address", "body"),
    [(address, body) for address, bodies in NO_BODIES.items() for body in bodies],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_understood_is_refused_and_changes_nothing(address, body):
    service.store().keep(1, some(1))
    before = state_of(service.store())
    assert_refused(post(address, body), 400)
    assert state_of(service.store()) == before


def test_a_pick_that_is_posted_twice_is_kept_once():
    item = drawn_wish(tile=4)
    first, again = (post("/api/picks", {"items": [item]}).json for _ in range(2))
    assert first == again
    assert first["saved"] == [
        {"key": item["key"], "stored": item["key"], "origin": item["origin"], "number": 1}
    ]
    other = drawn_wish(tile=4)
    third = post("/api/picks", {"items": [other]}).json
    assert third["saved"][0] | {"key": item["key"]} == first["saved"][0]
    assert (third["saved"][0]["key"], third["count"]) == (other["key"], 1)


def test_picks_that_are_posted_by_many_at_once_are_kept_once_each():
    items = [drawn_wish(tile=tile) for tile in range(12)]
    with ThreadPoolExecutor(4) as crowd:
        answers = list(
            crowd.map(lambda turn: post("/api/picks", {"items": items[turn:]}), range(6))
        )
    assert {answer.status for answer in answers} == {200}
    found = service.store().picks(1)
    assert sorted(keys(found)) == sorted(item["key"] for item in items)
    assert [pick.number for pick in found] == list(range(1, 13))


def test_picks_go_to_the_project_that_is_asked_for():
    other = service.store().add_project("Another")
    post("/api/picks", {"items": [drawn_wish(tile=1)], "project": 1})
    post("/api/picks", {"items": [drawn_wish(tile=2)], "project": other})
    assert [project.picks for project in service.store().projects()] == [1, 1]
    gone = post("/api/picks", {"items": [drawn_wish(tile=3)], "project": 99}).json
    assert gone["count"] == 2


def test_marks_are_stored_and_undone_and_the_count_is_told():
    store = service.store()
    store.keep(1, some(1, 2, 3))
    both = {"project": 1, "keys": [key_of(1), key_of(2)]}
    assert post("/api/picks/mark", both | {"stars": 4, "verdict": "keep"}).json == {"count": 3}
    assert [(p.stars, p.verdict) for p in store.picks(1)] == [(4, "keep")] * 2 + [(0, "")]
    assert post("/api/picks/mark", both | {"removed": True}).json == {"count": 1}
    undo = {"project": 1, "keys": []}
    facts = post("/api/picks/undo", undo).json
    assert facts == {"undone": "removed (2 picks)", "count": 3}
    assert post("/api/picks/undo", undo).json["undone"] == "4 stars, marked to keep (2 picks)"
    assert post("/api/picks/undo", undo).json == {"undone": "kept (3 picks)", "count": 0}
    assert post("/api/picks/undo", undo).json == {"undone": None, "count": 0}


def test_what_is_kept_is_told_by_where_it_came_from():
    item = drawn_wish(tile=9)
    assert ask("/api/picks/1").json == {"count": 0, "origins": []}
    post("/api/picks", {"items": [item]})
    answer = ask("/api/picks/1")
    assert answer.json == {"count": 1, "origins": [[item["origin"], item["key"]]]}
    assert "cache-control" not in answer.headers
    for number in ("x", "-1", "1.0", "9" * 40, "%D9%A3"):
        assert_refused(ask(f"/api/picks/{number}"), 404)


def test_picks_are_only_posted():
    for address in ("/api/picks/mark", "/api/picks/undo"):
        assert post("/api/picks/1", MARK).status == 405
        assert ask(address, "DELETE").status == 405
    assert ask("/api/picks").status == 405


def test_a_locked_store_is_said_and_the_pick_may_be_sent_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PATIENCE_SECONDS", 0.1)
    service.store().keep(1, some(1))
    item = drawn_wish(tile=3)
    with holding(tmp_path / "user" / FILE):
        for address, facts in (
            ("/api/picks", {"items": [item]}),
            ("/api/picks/mark", MARK | {"stars": 1}),
            ("/api/picks/undo", MARK),
        ):
            answer = post(address, facts)
            assert_refused(answer, 503)
            assert "another program" in answer.json["why"]
        assert ask("/api/picks/1").json["count"] == 1
    assert kept(item)[0].stars == 0


def test_a_store_that_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / FILE).write_text("no candidates " * 100)
    answers = [post("/api/picks", {"items": [drawn_wish()]}), ask("/api/picks/1")]
    answers += [post(f"/api/picks/{what}", MARK) for what in ("mark", "undo")]
    for answer in answers:
        assert_refused(answer, 503)
        assert "damaged" in answer.json["why"]


def test_picks_of_a_model_are_kept_whatever_was_imported_under_its_hash(store):
    foreign = PixelSketch(height=4, width=4)
    content = packed(
        picked(1, made(model=model_of(foreign, digest_of(PIXELS)),
                       sample=np.zeros(foreign.shape, np.float32)))
    )  # fmt: skip
    transfer._import(service.store(), service.store().projects()[0], Upload(content))
    (pick,) = kept(drawn_wish(tile=2))
    assert_same_bits(pick.source.sample, engine_of(PIXELS).sample(3, 1.0, 0).x[2])


# What tiles are worth


def worth_of(slug, query="", tiles=16):
    engine = engine_of(slug)
    answer = ask(api_address.address_of(engine, "worth", tiles, 3, "all") + query)
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    header, body = answer.packed
    n = 41 * tiles
    names = [item["key"] for item in header["properties"]]
    assert len(body) == n * (4 * len(names) + 1)
    values = np.frombuffer(body[:-n], "<f4").reshape(len(names), n)
    return header, dict(zip(names, values, strict=True)), np.frombuffer(body[-n:], np.uint8)


@pytest.mark.parametrize(
    ("slug", "limits"),
    [(PIXELS, ""), (PIXELS, "ink>=20,symmetry<=80"), (CURVES, ""), (CURVES, "thickness>=10")],
)
def test_what_tiles_are_worth_is_what_is_measured_of_them(slug, limits):
    engine = engine_of(slug)
    header, values, state = worth_of(slug, f"&limits={limits}")
    samples = scale_strip(engine, tiles=16, seed=3).samples
    found = measure(samples.reshape(-1, *samples.shape[2:]), engine.sketch)
    assert list(values) == [item.key for item in found.properties]
    for key, value in values.items():
        np.testing.assert_array_equal(value, found.values[key].astype(np.float32))
    np.testing.assert_array_equal(state == 2, found.meets(parse(limits)))
    np.testing.assert_array_equal(state == 0, ~found.valid)
    assert set(np.unique(state)) <= {0, 1, 2}
    assert header["constraints"] == len(parse(limits))
    assert header["curves"] == (slug == CURVES)
    if limits:
        assert {1, 2} <= set(np.unique(state))
        assert all(item["main"] for item in header["properties"] if f"{item['key']}>" in limits)


def test_an_unsound_section_is_told_from_one_that_breaks_a_constraint():
    _, values, state = worth_of(CURVES, "&limits=thickness>=10")
    assert set(np.unique(state)) == {0, 1, 2}
    crossed = values["least_gap"] < -100 * geometry.CROSSED
    np.testing.assert_array_equal(state == 0, crossed)


def test_conditions_change_what_sections_are_worth():
    _, usual, _ = worth_of(CURVES)
    _, other, _ = worth_of(CURVES, "&alpha=0&reynolds=200000")
    np.testing.assert_array_equal(usual["thickness"], other["thickness"])
    if "cl" in usual:
        sound = np.isfinite(usual["cl"]) & np.isfinite(other["cl"])
        assert sound.mean() > 0.5
        assert (usual["cl"] > other["cl"])[sound].mean() > 0.9


@pytest.mark.parametrize(
    "query",
    [
        "limits=ink",
        "limits=ink>20",
        "limits=ink>=x",
        "alpha=99",
        "reynolds=nan",
        "alpha=x",
        "limits=" + "ink>=1," * 13,
    ],
)
def test_constraints_and_conditions_that_are_none_are_absent(query):
    answer = ask(api_address.address_of(engine_of(CURVES), "worth", 4, 3, "all") + f"&{query}")
    assert answer.status == 404
    assert_one_sentence(answer.body.decode())


# Rebuilt


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; return exit code, stdout and stderr."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["latent-explorer", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.fixture
def taken(tmp_path):
    """An export of picks of both kinds, drawn, by code and from the map, one of them smoothed."""
    kept(
        drawn_wish(tile=5),
        drawn_wish(CURVES, tile=2, scale=0.7),
        wish(place="data:3"),
        wish(CURVES, z=text_of(np.linspace(-1, 1, 8))),
    )
    store = service.store()
    store.mark(1, [store.picks(1)[1].key], treatment="smoothed")
    content = packed(*store.picks(1))
    (tmp_path / "mine.zip").write_bytes(content)
    return content


def test_picks_are_rebuilt_bit_by_bit(run, taken, tmp_path):
    for name, content in (("mine.zip", taken), ("m.json", members(taken)[export.MANIFEST])):
        (tmp_path / name).write_bytes(content)
        code, out, err = run("rebuild", tmp_path / name, "--out", tmp_path / "again")
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[:4] == [f"ok Pick {n}: bit-identical" for n in (1, 2, 3, 4)]
        assert "4 of 4 picks are as exported" in lines[4]
    pictures = sorted((tmp_path / "again").iterdir())
    assert [path.name for path in pictures] == [f"pick-{n:03d}.png" for n in (1, 2, 3, 4)]
    x = engine_of(PIXELS).sample(6, 1.0, 0).x[5:]
    expected = drawing.png(drawing.thumbnails(x, engine_of(PIXELS).sketch, 224)[0])
    assert pictures[0].read_bytes() == expected


def rebuilt(run, tmp_path, content):
    path = tmp_path / "altered.json"
    path.write_bytes(content)
    return run("rebuild", path, "--out", tmp_path / "again")


def moved(content, number, by):
    """Let one value of a pick's sample be farther away, by a share of the range it is drawn in."""

    def change(facts):
        entry = facts["picks"][number - 1]
        sample = np.frombuffer(base64.b64decode(entry["sample"]), "<f4").copy()
        sketch = next(item["sketch"] for item in facts["models"] if item["hash"] == entry["hash"])
        step = by
        if sketch["kind"] == "curve":
            low, high = drawing.curve_range(CurveSketch.model_validate(sketch))
            step = by * (high - low) / sketch["scale"][40]
        sample[40] += step if sample[40] < 0.5 else -step
        entry["sample"] = text_of(sample)

    return altered(content, change)


@pytest.mark.parametrize("number", [1, 2])
def test_a_sample_two_levels_away_is_told(run, taken, tmp_path, number):
    code, out, err = rebuilt(run, tmp_path, moved(taken, number, 2 / 255))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[number - 1] == f"not Pick {number}: off by 2/255"
    assert [line for n, line in enumerate(lines[:4], 1) if n != number] == [
        f"ok Pick {n}: bit-identical" for n in (1, 2, 3, 4) if n != number
    ]
    assert "3 of 4 picks" in lines[4]


@pytest.mark.parametrize("number", [1, 2])
def test_a_sample_less_than_a_level_away_is_as_close_as_can_be(run, taken, tmp_path, number):
    code, out, _ = rebuilt(run, tmp_path, moved(taken, number, 0.5 / 255))
    assert code == 0
    assert out.splitlines()[number - 1] == f"ok Pick {number}: within 0.5/255"


def test_another_code_is_told(run, taken, tmp_path):
    def change(facts):
        facts["picks"][0]["code"] = text_of([3, -3])

    code, out, _ = rebuilt(run, tmp_path, altered(taken, change))
    assert code == 1
    assert out.startswith("not Pick 1: off by ")


def of_other_weights(facts):
    old, new = digest_of(PIXELS), "0123456789abcdef"
    for item in (*facts["models"], *facts["picks"]):
        item["hash"] = item["hash"].replace(old, new)


def of_nobody(facts):
    for item in facts["models"]:
        item["checkpoint"] = item["checkpoint"].replace(PIXELS, "nobodys-model")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (of_other_weights, "has different weights here (0123456789abcdef)"),
        (of_nobody, "nobodys-model"),
    ],
)
def test_a_model_that_is_not_here_as_it_was_is_named(run, taken, tmp_path, change, why):
    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["missing", "ok", "missing", "ok"]
    if change is of_other_weights:
        assert f"{PIXELS} has different weights here ({digest_of(PIXELS)})" in lines[0]
    else:
        assert why in lines[0]
    assert "2 of 4 picks" in lines[4]
    assert len(list((tmp_path / "again").iterdir())) == 2


def test_a_broken_pick_is_told_and_the_others_are_rebuilt(run, taken, tmp_path):
    def change(facts):
        facts["picks"][2]["stars"] = 9

    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith("broken Pick 3: stars")
    assert [line.split(":")[0] for line in lines[1:4]] == ["ok Pick 1", "ok Pick 2", "ok Pick 4"]
    assert "3 of 4 picks" in lines[4]


def longer(facts):
    facts["picks"][0]["code"] = text_of([0, 0, 0])


def shorter(facts):
    facts["picks"][0]["code"] = text_of([0])


def of_another_size(facts):
    model = next(item for item in facts["models"] if item["hash"] == digest_of(PIXELS))
    model["sketch"] |= {"height": 4, "width": 4}
    for entry in facts["picks"]:
        if entry["hash"] == digest_of(PIXELS):
            entry["sample"] = text_of([0] * 16)


def of_another_kind(facts):
    model = next(item for item in facts["models"] if item["hash"] == digest_of(CURVES))
    model["sketch"] = {"kind": "pixels", "height": 8, "width": 16}


@pytest.mark.parametrize("change", [longer, shorter, of_another_size, of_another_kind])
def test_a_code_or_a_sample_that_does_not_fit_its_model_is_told(run, taken, tmp_path, change):
    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    wrong = {longer: [1], shorter: [1], of_another_size: [1, 3], of_another_kind: [2, 4]}[change]
    assert [n for n in (1, 2, 3, 4) if lines[n - 1].startswith("not ")] == wrong
    assert f"{4 - len(wrong)} of 4 picks" in lines[4]


@pytest.mark.parametrize(
    "content",
    [b"", b"neither", b"PK neither", b"{}", b'{"format": "latent-explorer candidates"}',
     b'{"format": "latent-explorer strip"}'],
    ids=repr,
)  # fmt: skip
def test_a_file_that_is_neither_export_ends_in_one_sentence(run, tmp_path, content):
    code, out, err = rebuilt(run, tmp_path, content)
    assert (code, out) == (2, "")
    assert err.startswith("latent-explorer: ")
    assert_one_sentence(err.rstrip("\n"))
    assert not (tmp_path / "again").exists()


def test_a_file_that_is_not_there_ends_in_one_sentence(run, tmp_path):
    code, out, err = run("rebuild", tmp_path / "gone.zip")
    assert (code, out) == (2, "")
    assert_one_sentence(err.rstrip("\n"))
