"""Named directions: made from two groups, kept in the store, taken over from the files before."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import numpy as np
import pytest
from pydantic import ValidationError

from explorer.designs import directions
from explorer.designs.candidates import FILE, Store
from explorer.designs.directions import Direction, between
from explorer.errors import DirectionError, ExplorerError


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / FILE)
    yield opened
    opened.close()


def assert_one_sentence(error):
    assert "\n" not in str(error)
    assert str(error).endswith(".")


DIGEST = "ab12"


def direction(name="up", **changes):
    facts = {"name": name, "vector": (1.0, -2.0), "a": "A", "b": "B", "n_a": 3, "n_b": 4}
    return Direction.model_validate(facts | changes)


def test_a_direction_goes_from_one_mean_to_the_other():
    a, b = np.array([[1, 2], [3, 4]], np.float32), np.array([[0, 1]], np.float32)
    found = between("  up ", a, b, ("the sevens", "x" * 300))
    assert (found.name, found.vector) == ("up", (2.0, 2.0))
    assert (found.a, len(found.b), found.n_a, found.n_b) == ("the sevens", 200, 2, 1)


def test_groups_that_give_no_direction_are_refused():
    a, none = np.ones((3, 2), np.float32), np.empty((0, 2), np.float32)
    for one, other in ((a, none), (none, a), (none, none)):
        with pytest.raises(DirectionError, match="at least one code") as caught:
            between("up", one, other, ("A", "B"))
        assert_one_sentence(caught.value)
    with pytest.raises(DirectionError, match="same mean") as caught:
        between("up", a, a[:1], ("A", "B"))
    assert_one_sentence(caught.value)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "a\x00b", "a\tb", "\x1b[31m"])
def test_a_direction_needs_a_name_of_one_line(name):
    a, b = np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)
    with pytest.raises(DirectionError, match="1 to 60 characters") as caught:
        between(name, a, b, ("A", "B"))
    assert_one_sentence(caught.value)


@pytest.mark.parametrize("name", ["x" * 60, "é 日本", "<b>", "..", "a,b:c|d", "-"])
def test_any_other_name_will_do(store, name):
    store.save_direction(DIGEST, direction(name))
    assert [item.name for item in store.directions(DIGEST, 2)] == [name]


@pytest.mark.parametrize("value", [np.nan, np.inf, 2e6])
def test_a_direction_is_finite(value):
    with pytest.raises(ValidationError):
        direction(vector=(1.0, float(value)))


def test_directions_come_back_oldest_first_and_are_removed_by_name(store):
    assert store.directions(DIGEST, 2) == []
    store.remove_direction(DIGEST, 2, "up")
    saved = [direction("up"), direction("down", vector=(0.1, 1e-7)), direction("Up")]
    for item in saved:
        store.save_direction(DIGEST, item)
    assert store.directions(DIGEST, 2) == saved
    assert store.directions("cd34", 2) == []
    store.remove_direction(DIGEST, 2, "up")
    store.remove_direction(DIGEST, 2, "nothing")
    assert store.directions(DIGEST, 2) == saved[1:]


def test_directions_of_another_length_are_not_listed(store):
    store.save_direction(DIGEST, direction())
    assert store.directions(DIGEST, 3) == []


def test_a_name_is_taken_unless_it_is_the_same_direction(store):
    store.save_direction(DIGEST, direction())
    store.save_direction(DIGEST, direction())
    with pytest.raises(DirectionError, match="choose another name") as caught:
        store.save_direction(DIGEST, direction(vector=(9.0, 9.0)))
    assert_one_sentence(caught.value)
    assert store.directions(DIGEST, 2) == [direction()]


def test_directions_are_bounded(store, monkeypatch):
    monkeypatch.setattr(directions, "MOST", 2)
    store.save_direction(DIGEST, direction("a"))
    store.save_direction(DIGEST, direction("b"))
    store.save_direction(DIGEST, direction("b"))
    with pytest.raises(DirectionError, match="remove one first") as caught:
        store.save_direction(DIGEST, direction("c"))
    assert_one_sentence(caught.value)
    assert len(store.directions(DIGEST, 2)) == 2


SAVE = """
import sys
from pathlib import Path
from explorer.designs.candidates import Store
from explorer.designs.directions import Direction
store = Store(Path(sys.argv[2]))
for k in range(20):
    name = f"{sys.argv[1]}-{k}"
    store.save_direction(
        "ab12", Direction(name=name, vector=(1.0, 2.0), a="A", b="B", n_a=1, n_b=1)
    )
"""


@pytest.mark.slow
def test_two_processes_and_two_threads_that_save_at_once_lose_nothing(store):
    failed = []

    def save(who):
        try:
            for k in range(20):
                store.save_direction(DIGEST, direction(f"{who}-{k}"))
        except ExplorerError as error:
            failed.append(error)

    child = subprocess.Popen([sys.executable, "-c", SAVE, "process", store.path])
    while not store.directions(DIGEST, 2) and child.poll() is None:
        time.sleep(0.002)
    threads = [threading.Thread(target=save, args=(f"thread{k}",)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert child.wait(60) == 0
    assert not failed
    names = {item.name for item in store.directions(DIGEST, 2)}
    assert names == {f"{who}-{k}" for who in ("process", "thread0", "thread1") for k in range(20)}


def test_a_removed_direction_is_only_marked_and_its_name_is_free_again(store):
    store.save_direction(DIGEST, direction())
    store.remove_direction(DIGEST, 2, "up")
    other = direction(vector=(3.0, 4.0))
    store.save_direction(DIGEST, other)
    assert store.directions(DIGEST, 2) == [other]
    with closing(sqlite3.connect(store.path)) as bare:
        rows = bare.execute("SELECT name, removed FROM direction ORDER BY id").fetchall()
    assert rows == [("up", 1), ("up", 0)]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"{}", b"[1]", b"\xff", b"[" * 10**5, b'[{"name":"a"}]', b" " * 4_000_001]
    + [
        json.dumps([direction().model_dump() | {"vector": vector}]).encode()
        for vector in ([], [1e9])
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_damaged_file_of_the_version_before_is_told_and_left_as_it_is(tmp_path, content):
    folder = tmp_path / "directions"
    folder.mkdir()
    (folder / f"{DIGEST}.json").write_bytes(content)
    (folder / "cd34.json").write_text(json.dumps([direction().model_dump()]))
    store = Store(tmp_path / FILE)
    assert store.directions(DIGEST, 2) == []
    assert store.directions("cd34", 2) == [direction()]
    store.close()
    told = directions.damage(folder, DIGEST)
    assert "move it away" in told.lower()
    assert directions.damage(folder, "cd34") == ""
    assert (folder / f"{DIGEST}.json").read_bytes() == content
