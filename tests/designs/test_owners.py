"""Projects belong to an owner: nobody else sees or changes them, and old ones stay."""

import sqlite3
from contextlib import closing

import pytest

from explorer.designs import database
from explorer.designs.candidates import Store
from tests.support.picks import assert_whole, key_of, keys, made, some, state_of
from tests.support.sentences import refused

ANNE, BEN = "https://login.example|anne", "https://login.example|ben"

VERSION_2 = """
PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE earlier (
    id INTEGER NOT NULL, name TEXT NOT NULL, created FLOAT NOT NULL,
    PRIMARY KEY (id), UNIQUE (name)
);
INSERT INTO earlier SELECT id, name, created FROM project;
DROP TABLE project;
ALTER TABLE earlier RENAME TO project;
PRAGMA user_version = 2;
COMMIT;
"""
"""Makes a store that knows no owners, as the schema of version 2 had it."""


@pytest.fixture
def anne(store):
    return store.of(ANNE)


@pytest.fixture
def hers(anne):
    """A project of hers with two picks, one of them marked."""
    project = anne.projects()[0].id
    anne.keep(project, some(1, 2))
    anne.mark(project, [key_of(1)], stars=3)
    return project


def test_everybody_begins_with_a_shortlist_of_their_own(store, anne):
    names = [[(item.name, item.picks) for item in one.projects()] for one in (store, anne)]
    assert names == [[("Shortlist", 0)]] * 2
    assert store.projects()[0].id != anne.projects()[0].id
    assert anne.projects() == anne.projects()
    assert store.totals() == (0, 2)


def test_two_owners_may_use_the_same_name(store, anne):
    assert anne.add_project("Wings") != store.add_project("Wings")
    assert anne.add_project("Wings") == anne.add_project(" Wings ")
    assert [item.name for item in store.projects()] == ["Shortlist", "Wings"]


@pytest.mark.parametrize("owner", ["", BEN], ids=["who need not log in", "another"])
def test_nobody_else_sees_or_changes_a_project(store, anne, hers, owner):
    other = store.of(owner)
    before = state_of(anne, hers)
    assert hers not in [item.id for item in other.projects()]
    assert (other.picks(hers), other.origins(hers), other.history(hers)) == ([], [], [])
    assert other.mark(hers, [key_of(1)], removed=True) is None
    assert other.undo(hers) is None
    (change, *_) = anne.history(hers)
    assert other.undo(hers, change.batch) is None
    other.measured({key_of(1): {"thickness": 12.0}}, "{}")
    with refused(said="does not exist"):
        other.keep(hers, some(3))
    assert state_of(anne, hers) == before
    assert anne.picks(hers)[0].properties == {}


def test_a_key_of_somebody_else_is_replaced_and_both_picks_are_kept(store, anne, hers):
    anne.mark(hers, [key_of(1)], removed=True)
    (pick,) = store.keep(1, [(key_of(1), made("mine"))], {key_of(1): {"notes": "mine"}})
    assert pick.key != key_of(1)
    assert pick.notes == "mine"
    assert keys(anne.picks(hers, removed=True)) == [key_of(1)]
    assert keys(anne.keep(hers, some(1))) == [key_of(1)]


@pytest.mark.parametrize("projects", [1, 3])
def test_a_store_without_owners_is_that_of_who_need_not_log_in(path, projects):
    with closing(Store(path)) as store:
        for number in range(2, projects + 1):
            store.add_project(f"Project {number}")
        store.keep(projects, some(1, 2, 3))
        store.mark(projects, [key_of(2)], notes="as it was", removed=True)
        before = (store.projects(), state_of(store, projects), store.history(projects))
    with closing(sqlite3.connect(path)) as bare:
        bare.executescript(VERSION_2)
    with closing(Store(path)) as store:
        assert (store.projects(), state_of(store, projects), store.history(projects)) == before
        assert keys(store.keep(projects, some(1, 9))) == [key_of(1), key_of(9)]
        mine = store.of(ANNE)
        assert [item.picks for item in mine.projects()] == [0]
        assert mine.add_project("Shortlist") == mine.projects()[0].id
    assert_whole(path)
    with closing(sqlite3.connect(path)) as bare:
        assert bare.execute("PRAGMA user_version").fetchone() == (database.VERSION,)
        bare.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            bare.execute("DELETE FROM project")
    with closing(sqlite3.connect(path.with_name(f"{path.name}.version-2"))) as copy:
        assert copy.execute("SELECT count(*) FROM pick").fetchone() == (3,)
