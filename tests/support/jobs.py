"""Jobs, ordered and read as the app does."""

import json
import time

import pytest

from explorer import jobs, settings
from explorer.jobs import Line, Order

SHIPPED = "digits-vae-vamp-2"

PATIENCE = 120


def order_of(opened, kind="tradeoff", **changes):
    facts = {"kind": kind, "checkpoint": str(opened.folder), "hash": opened.hash} | changes
    return Order.model_validate(facts)


def an_order(**changes):
    facts = {"kind": "tradeoff", "checkpoint": "somewhere/one", "hash": "ab12"} | changes
    return Order.model_validate(facts)


def folder_of(order):
    return settings.current().user / "jobs" / order.key


def pid_of(order):
    return int((folder_of(order) / "pid").read_text())


def lines_of(order):
    log = (folder_of(order) / "log.jsonl").read_text()
    return [json.loads(line) for line in log.splitlines() if line]


def states_of(order):
    return [line["state"] for line in lines_of(order)]


def put(order, *lines):
    """Write a job by hand, as if it had got so far."""
    folder = folder_of(order)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(order.model_dump_json())
    (folder / "log.jsonl").write_text("".join(line.model_dump_json() + "\n" for line in lines))
    return folder


def now(state, **facts):
    return Line(time=time.time(), state=state, **facts)


def work(order):
    """Do a job in this process, and tell how it stands then."""
    jobs.work(put(order, now("waiting")))
    found = jobs.find(order)
    assert found is not None
    return found


def until(order, reached):
    """Watch a job until something is true of it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        job = jobs.find(order)
        if job is not None and reached(job):
            return job
        time.sleep(0.02)
    output = folder_of(order) / "output.txt"
    pytest.fail(f"{jobs.find(order)}: {output.read_text() if output.exists() else ''}")


def ended(job):
    return not job.active


def running(job):
    return job.last.state == "running"
