"""A store that is full, locked, damaged or of another version says so and loses nothing."""

import os
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import numpy as np
import pytest
import sqlalchemy as sql

from explorer.designs import database, rows
from explorer.designs.candidates import FILE, Store
from explorer.errors import StoreError
from explorer.sketch import PixelSketch
from tests.support.picks import assert_whole, key_of, keys, made, model_of, some, state_of
from tests.support.sentences import assert_one_sentence, refused

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
    monkeypatch.setattr(database, "VERSION", database.VERSION + len(steps))
    monkeypatch.setattr(database, "MIGRATIONS", database.MIGRATIONS + steps)


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
    assert version_of(path) == database.VERSION == len(database.MIGRATIONS)
    assert back_ups(path) == []
    next_version(monkeypatch, renote)
    with closing(Store(path.parent / "new" / FILE)) as new:
        assert len(new.keep(1, some(1))) == 1
    assert version_of(new.path) == database.VERSION
    assert back_ups(new.path) == []


def test_an_older_store_is_backed_up_and_then_migrated(path, old, monkeypatch):
    version = database.VERSION
    next_version(monkeypatch, renote)
    with closing(Store(path)) as store:
        assert [pick.notes for pick in store.picks(1)] == ["new", "new"]
        assert len(store.keep(1, some(1, 2, 3))) == 3
    assert version_of(path) == database.VERSION == version + 1
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
    monkeypatch.setattr(database, "_settle", lambda bare: None)  # as among many writers
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
    version = database.VERSION
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
    version, back_up = database.VERSION, database.File._back_up
    next_version(monkeypatch, renote)
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.1)

    def late(*given):
        monkeypatch.setattr(database.File, "_back_up", back_up)
        with suppress(StoreError):  # it may have to wait its turn
            Store(path).close()
        return back_up(*given)

    monkeypatch.setattr(database.File, "_back_up", late)
    Store(path).close()
    assert notes_of(path) == ["new", "new"]
    (copy,) = back_ups(path)
    assert (version_of(copy), notes_of(copy)) == (version, ["as it was", ""])


def gone(path):
    path.unlink()


def other(path):
    with closing(Store(path.with_name("other.sqlite3"))) as store:
        store.keep(1, some(7))
    path.with_name("other.sqlite3").replace(path)
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


@pytest.mark.parametrize(("done", "known"), [(gone, []), (other, [key_of(7)])])
def test_what_is_kept_is_in_the_file_that_the_path_names(store, path, done, known):
    store.keep(1, some(1))
    done(path)
    kept = store.keep(1, some(2))
    assert keys(kept) == [key_of(2)]
    assert keys(store.picks(1)) == [*known, key_of(2)]
    with closing(Store(path)) as again:
        assert keys(again.picks(1)) == [*known, key_of(2)]


def test_a_file_that_goes_while_it_is_written_is_no_success(store, path, monkeypatch):
    store.keep(1, some(1))
    insert = rows.insert

    def inserted(*given):
        path.unlink()
        return insert(*given)

    monkeypatch.setattr(rows, "insert", inserted)
    with refused(said="was replaced while it was written"):
        store.keep(1, some(2))
