"""Confirmed picks survive kills and concurrent writers, exactly once."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from itertools import count

import pytest

from explorer.designs import database
from explorer.designs.candidates import FILE, Store
from tests.support.api import drawn_wish, post
from tests.support.engines import PIXELS, engine_of
from tests.support.load import times
from tests.support.picks import PATIENCE, assert_whole, holding, key_of, keys, some
from tests.support.sentences import refused

# Killed


WRITERS = """
import json, os, random, signal, sys, time
from pathlib import Path
import numpy as np
from explorer.designs.candidates import Store
from explorer.designs.picks import Model, PickSource
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
                    (key, PickSource(model, code, sample, key, "generate", "", "0.1"))
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
        capture_output=True, text=True, timeout=times(PATIENCE), check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.load
@pytest.mark.slow
@pytest.mark.fault
def test_what_a_killed_writer_had_confirmed_is_there_once_and_nothing_by_halves(path):
    kills = times(60)
    told = apart(WRITERS, path, kills)
    assert [line for line in told if line.startswith("!")] == []
    assert len(told) >= kills // 2
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
    assert len(batches) <= len(told) + kills


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


@pytest.mark.load
@pytest.mark.slow
@pytest.mark.fault
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

    for _ in range(times(2)):
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
    assert len(found) > 10


# Several at once


CROWD = """
import json, os, sys, time
from pathlib import Path
import numpy as np
from explorer.designs.candidates import Store
from explorer.designs.picks import Model, PickSource
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
                (mine, PickSource(model, code, sample, mine, "generate", "", "0.1")),
                (shared, PickSource(model, code, sample, f"shared {n}", "generate", "", "0.1")),
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


@pytest.mark.slow
@pytest.mark.load
@pytest.mark.fault
def test_processes_that_write_at_once_lose_nothing_and_double_nothing(path):
    writers, each = 4, times(12)
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
        undone = 0
        while store.undo(1):
            undone += 1
        assert (undone, store.picks(1)) == (3 * writers * each, [])


@pytest.mark.load
def test_threads_may_share_a_store_and_change_what_others_change(path, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 60.0)  # six at once, on whatever machine
    n = times(8)
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
        assert sorted(words) == ["3 stars (20 picks)"] + ["added"] * 14
        assert keys(one.picks(1)) == [key_of(n) for n in range(6)]


@pytest.mark.load
def test_one_state_is_seen_whatever_others_write_meanwhile(path):
    with closing(Store(path)) as one, closing(Store(path)) as other:
        one.keep(1, some(*range(10)))
        done = threading.Event()

        def flip():
            for turn in range(times(40)):
                one.mark(1, [key_of(n) for n in range(10)], stars=1 + turn % 2)
            done.set()

        with ThreadPoolExecutor(1) as crowd:
            flipping = crowd.submit(flip)
            while not done.is_set() and not flipping.done():
                assert len({pick.stars for pick in other.picks(1)}) == 1
            flipping.result()


def test_a_writer_waits_for_another(store, path):
    with holding(path, 0.3):
        began = time.monotonic()
        store.keep(1, some(1))
        assert time.monotonic() - began > 0.15
    assert keys(store.picks(1)) == [key_of(1)]


def test_a_writer_that_waits_in_vain_says_so_and_all_can_still_be_read(path, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.1)
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


@pytest.mark.load
def test_a_new_store_that_many_open_at_once_is_made_once(tmp_path):
    for turn in range(times(5)):
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
