"""A job runs once, outlives its starter and is resumed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from explorer import checkpoint, jobs
from explorer.metrics.tradeoff import SCALES, read_tradeoff
from tests.support.jobs import (
    PATIENCE,
    ended,
    folder_of,
    lines_of,
    order_of,
    pid_of,
    running,
    states_of,
    until,
    work,
)


@pytest.mark.slow
def test_a_curve_ends_among_the_users_results(digits, tmp_path):
    assert read_tradeoff(digits) is None
    order = order_of(digits)
    first = jobs.start(order)
    assert first.active
    assert jobs.start(order).order == order
    job = until(order, ended)
    assert (job.last.state, job.share) == ("done", 1)
    assert (tmp_path / "user" / "results" / digits.hash / checkpoint.TRADEOFF).is_file()
    assert read_tradeoff(digits).complete
    assert states_of(order).count("waiting") == 1
    assert states_of(order)[-1] == "done"


START = """
import sys, time
from pathlib import Path
from explorer.jobs import Order, start
order = Order.model_validate_json(sys.argv[1])
Path(sys.argv[2]).touch()
while len(sys.argv) > 3 and not Path(sys.argv[3]).exists():
    time.sleep(0.002)
start(order)
import os
os._exit(0)
"""


def starter(order, *files):
    return subprocess.Popen(
        [sys.executable, "-c", START, order.model_dump_json(), *map(str, files)], env=os.environ
    )


@pytest.mark.slow
def test_two_processes_that_order_the_same_at_once_let_it_run_once(slow, tmp_path):
    order = order_of(slow)
    child = starter(order, tmp_path / "ready", tmp_path / "go")
    while not (tmp_path / "ready").exists():
        time.sleep(0.002)
    (tmp_path / "go").touch()
    jobs.start(order)
    assert child.wait(PATIENCE) == 0
    assert until(order, ended).last.state == "done"
    lines = lines_of(order)
    assert sum(line["stage"] == "reading" for line in lines) == 1
    done = [line["done"] for line in lines if line["stage"] == "scales"]
    assert done == sorted(set(done))


@pytest.mark.slow
@pytest.mark.fault
def test_a_job_outlives_its_starter_and_death_by_the_system_is_seen(slow, tmp_path):
    order = order_of(slow, "evaluate", samples=5000)
    child = starter(order, tmp_path / "ready")
    assert child.wait(PATIENCE) == 0
    until(order, running)
    worker = pid_of(order)
    assert worker != child.pid
    assert os.getsid(worker) != os.getsid(0)
    os.kill(worker, signal.SIGKILL)
    job = until(order, ended)
    assert job.last.state == "stopped"
    assert states_of(order)[-1] == "running"  # it had no time to say so itself
    jobs.start(order)
    until(order, running)
    assert pid_of(order) != worker
    jobs.stop(order)
    assert until(order, ended).last.state == "stopped"
    assert states_of(order)[-1] == "stopped"


@pytest.mark.slow
def test_a_stopped_curve_keeps_its_scales_and_goes_on_without_measuring_them_again(slow):
    order = order_of(slow)
    jobs.start(order)
    until(order, lambda job: job.last.stage == "scales" and job.last.done >= 1)
    jobs.stop(order)
    assert until(order, ended).last.state == "stopped"
    known = read_tradeoff(slow)
    finished = len(known.scales)
    assert 1 <= finished < len(SCALES)
    marked = known._replace(values=np.full_like(known.values, 0.125))
    path = checkpoint.results_folder(slow.hash) / checkpoint.TRADEOFF
    with path.open("wb") as stream:
        np.savez(stream, hash=slow.hash, **marked._asdict())
    jobs.start(order)
    assert until(order, ended).last.state == "done"
    curve = read_tradeoff(slow)
    assert curve.complete
    assert (curve.values[:finished] == 0.125).all()
    assert (curve.values[finished:] != 0.125).all()


@pytest.mark.slow
def test_a_job_that_is_being_done_is_left_alone_by_another_process(digits, monkeypatch):
    order = order_of(digits)
    calls = []

    def once(opened, data, order, report):
        calls.append(order)
        command = [sys.executable, "-m", "explorer.jobs", str(folder_of(order))]
        assert (
            subprocess.run(command, timeout=PATIENCE, check=False, env=os.environ).returncode == 0
        )
        assert states_of(order) == ["waiting", "running"]

    monkeypatch.setitem(jobs.WORK, "tradeoff", once)
    assert work(order).last.state == "done"
    assert calls == [order]
    assert states_of(order) == ["waiting", "running", "done"]
