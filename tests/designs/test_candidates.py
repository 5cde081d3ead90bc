"""Picks are stored with marks, undo and limits, and read back bit for bit."""

import importlib.util
import tempfile
import time
import uuid
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from explorer import settings as places
from explorer.designs import candidates
from explorer.designs.candidates import FILE, Store
from explorer.designs.picks import MOST_NAME, MOST_NOTES, MOST_TAGS
from explorer.errors import StoreError
from explorer.sketch import PixelSketch
from tests.support.load import times
from tests.support.picks import (
    ODD,
    TOLD,
    anything,
    assert_same_made,
    key_of,
    keys,
    made,
    made_of,
    model_of,
    some,
    state_of,
    with_code,
)
from tests.support.sentences import assert_one_sentence, refused

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
        "treatment": st.sampled_from(["", "smoothed", "kulfan"]),
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


@pytest.mark.load
def test_any_changes_are_those_of_a_plain_model_and_undone_to_the_beginning():
    # A sequence is short enough to be read as it is; to shorten it would take minutes.
    phases = (Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        Shelf,
        settings=settings(
            max_examples=times(10), stateful_step_count=14, deadline=None, phases=phases
        ),
    )


def test_a_change_of_many_picks_is_undone_as_one(store):
    store.keep(1, some(1, 2, 3))
    before = state_of(store)
    assert store.mark(1, [key_of(n) for n in (1, 2, 3)], stars=4, notes="good", tags=["a"])
    assert {pick.stars for pick in store.picks(1)} == {4}
    assert store.undo(1) == "4 stars, notes, tags (3 picks)"
    assert state_of(store) == before
    assert store.undo(1) == "added (3 picks)"
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
    assert told == ["3 stars", "4 stars", "3 stars", "added", None]
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
    assert store.undo(1) == "added (2 picks)"
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
    assert told == [("rejected, removed", 1, True), ("1 star", 1, False), ("added", 2, False)]
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
    assert store.undo(1) == "added again"
    assert store.picks(1) == []


@pytest.mark.parametrize("removed", [True, False])
def test_what_is_acknowledged_is_kept_here_even_if_another_project_knows_its_key(store, removed):
    other = store.add_project("Another")
    store.keep(1, some(1))
    store.mark(1, [key_of(1)], removed=removed)
    (kept,) = store.keep(other, some(1))
    assert [pick.key for pick in store.picks(other)] == [kept.key]
    assert kept.key != key_of(1)
    assert len(store.picks(1)) == (0 if removed else 1)


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
    "an unknown treatment": ({"treatment": "sharpened"}, "Kulfan section or as decoded"),
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
