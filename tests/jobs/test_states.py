"""How a job stands is read from its log, whatever happened to it."""

import os
import signal
import subprocess
import sys
import time

import pytest
from filelock import FileLock

from explorer import jobs
from explorer.jobs import Line
from tests.support.jobs import PATIENCE, an_order, folder_of, now, put, states_of


def test_a_job_never_started_is_none():
    assert jobs.find(an_order()) is None
    assert jobs.jobs() == []
    jobs.stop(an_order())
    assert not folder_of(an_order()).exists()


def test_a_job_is_running_while_its_lock_is_held_and_stopped_after():
    order = an_order()
    folder = put(order, now("waiting"), now("running", done=1, total=4, stage="scales"))
    with FileLock(folder / "lock"):
        assert jobs.find(order).last.state == "running"
    job = jobs.find(order)
    assert (job.last.state, job.last.done) == ("stopped", 1)


def test_a_job_may_wait_for_its_process_but_not_for_ever():
    put(an_order(), now("waiting"))
    put(an_order(hash="cd"), Line(time=time.time() - 60, state="waiting"))
    assert jobs.find(an_order()).active
    assert jobs.find(an_order(hash="cd")).last.state == "stopped"


def test_an_active_job_is_not_started_again(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("it was started"))
    order = an_order()
    folder = put(order, now("waiting"))
    assert jobs.start(order).last.state == "waiting"
    jobs._append(folder, now("running"))
    with FileLock(folder / "lock"):
        assert jobs.start(order).last.state == "running"
    assert states_of(order) == ["waiting", "running"]


@pytest.mark.parametrize("state", ["done", "stopped", "failed"])
def test_a_job_that_has_ended_can_be_started_again(monkeypatch, state):
    commands = []

    class Child:
        pid = 2**22 + 5

        def __init__(self, command, **_):
            commands.append(command)

        def poll(self):
            return 0

        kill = wait = poll

    monkeypatch.setattr(subprocess, "Popen", Child)
    order = an_order()
    put(order, now("waiting"), now(state))
    assert jobs.start(order).last.state == "waiting"
    assert len(commands) == 1
    assert commands[0][-1] == str(folder_of(order))


def test_a_job_is_stopped_before_it_could_say_that_it_runs():
    order = an_order()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        try:
            (put(order, now("waiting")) / "pid").write_text(str(child.pid))
            jobs.stop(order)
            assert child.wait(PATIENCE) == -signal.SIGTERM
        finally:
            child.kill()
    assert jobs.find(order).last.state == "stopped"


@pytest.mark.parametrize("pid", [None, "", "a word", str(2**22 + 5)])
def test_a_process_that_cannot_be_named_stops_nobody(pid):
    order = an_order()
    folder = put(order, now("waiting"))
    if pid is not None:
        (folder / "pid").write_text(pid)
    jobs.stop(order)
    assert states_of(order) == ["waiting"]


def test_a_job_that_has_ended_is_not_stopped():
    order = an_order()
    (put(order, now("done")) / "pid").write_text(str(os.getpid()))
    jobs.stop(order)
    assert states_of(order) == ["done"]


def test_active_jobs_come_first_and_then_the_latest():
    for number, (state, age) in enumerate(
        [("done", 500), ("running", 400), ("failed", 100), ("waiting", 5), ("stopped", 300)]
    ):
        put(an_order(hash=f"{number}"), Line(time=time.time() - age, state=state))
    with FileLock(folder_of(an_order(hash="1")) / "lock"):
        assert [job.order.hash for job in jobs.jobs()] == ["3", "1", "2", "4", "0"]
        assert [job.active for job in jobs.jobs()] == [True, True, False, False, False]


def test_the_list_is_bounded(monkeypatch):
    monkeypatch.setattr(jobs, "KEPT", 3)
    for number in range(5):
        put(an_order(hash=f"{number}"), Line(time=float(number), state="done"))
    assert [job.order.hash for job in jobs.jobs()] == ["4", "3", "2"]


GOOD = Line(time=7, state="done").model_dump_json().encode() + b"\n"

DAMAGES = {
    "no order": ("job.json", None),
    "an empty order": ("job.json", b""),
    "half an order": ("job.json", b'{"kind":"trade'),
    "an order of another kind": (
        "job.json",
        b'{"kind":"shell","checkpoint":"a","hash":"ab","samples":1}',
    ),
    "an order with more": (
        "job.json",
        b'{"kind":"atlas","checkpoint":"a","hash":"ab","samples":1,"then":"rm"}',
    ),
    "an order of bytes": ("job.json", b"\xff\xfe\x00"),
    "an order nested deeply": ("job.json", b"[" * 100_000),
    "no log": ("log.jsonl", None),
    "an empty log": ("log.jsonl", b""),
    "half a line": ("log.jsonl", GOOD + b'{"time":17'),
    "half a line alone": ("log.jsonl", b'{"ti'),
    "a line of bytes": ("log.jsonl", GOOD + b"\xff\n"),
    "a line of zeros": ("log.jsonl", GOOD + bytes(4096)),
    "an empty line": ("log.jsonl", GOOD + b"\n"),
    "an unknown state": ("log.jsonl", b'{"time":1,"state":"resting"}\n'),
    "a count below zero": ("log.jsonl", b'{"time":1,"state":"done","done":-1}\n'),
    "a time that is none": ("log.jsonl", b'{"time":NaN,"state":"running"}\n'),
    "a time without end": ("log.jsonl", b'{"time":1e999,"state":"running"}\n'),
}


@pytest.mark.parametrize(("name", "content"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_job_stops_no_other_from_being_listed(name, content):
    sound = an_order(hash="50")
    put(sound, now("done"))
    path = put(an_order(), now("done")) / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert sound in [job.order for job in jobs.jobs()]
    damaged = jobs.find(an_order())
    assert damaged is None or not damaged.active


@pytest.mark.parametrize("name", ["job.json", "log.jsonl"])
def test_a_folder_in_the_place_of_a_file_stops_nothing(name):
    folder = put(an_order(), now("done"))
    (folder / name).unlink()
    (folder / name).mkdir()
    (folder.parent / "a-file").write_text("no job")
    assert jobs.jobs() == []


def test_of_a_long_log_only_the_end_is_read(monkeypatch):
    monkeypatch.setattr(jobs, "_MOST_BYTES", 300)
    order = an_order()
    lines = [now("running", done=k, total=99, stage="scales") for k in range(50)]
    put(order, *lines, now("failed", stage="Why."))
    assert jobs.find(order).last.stage == "Why."
