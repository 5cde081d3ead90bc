"""Runs of training as jobs: one at a time, a bounded number waits, stopped ones go on."""

import json
import time

import pytest

from explorer import jobs, recording, runs, steering
from explorer.errors import JobError, TrainingError
from tests.support.jobs import PATIENCE, put
from tests.support.runs import recipe


def until(order, states):
    end = time.monotonic() + PATIENCE
    while True:
        job = jobs.find(order)
        if job.last.state in states:
            return job
        assert time.monotonic() < end, job
        time.sleep(0.05)


def begun(slug, **changes):
    runs.begin(recipe(**changes), slug)
    return jobs.order_of(slug)


@pytest.mark.slow
def test_a_run_trains_in_a_process_of_its_own_and_the_next_waits_for_it():
    one = begun("one", epochs=50_000, patience=50_000, average=0)
    runs.begin(recipe({"kind": "ae"}, epochs=2), "other")
    other = jobs.order_of("other")
    jobs.start(one)
    while not recording.steps(runs.folder_of("one")):
        until(one, ("running",))
    jobs.start(other)
    end = time.monotonic() + PATIENCE
    while jobs.find(other).last.stage != "waits for another run":
        assert time.monotonic() < end
        time.sleep(0.05)
    steering.ask(runs.folder_of("one"), steering.Wish(order="turn", knob="beta", value=2))
    while not steering.kept(runs.folder_of("one")):
        assert time.monotonic() < end
        time.sleep(0.05)
    jobs.stop(one)
    assert until(one, ("stopped", "failed")).last.state == "stopped"
    step = recording.steps(runs.folder_of("one"))[-1]
    assert (runs.folder_of("one") / "training" / "state.safetensors").is_file()
    assert until(other, ("done", "failed")).last.state == "done"
    assert runs.published("other").is_dir()
    jobs.start(one)
    while recording.steps(runs.folder_of("one"))[-1] <= step:
        assert time.monotonic() < end
        time.sleep(0.05)
    jobs.stop(one)
    assert until(one, ("stopped", "failed")).last.state == "stopped"


def test_a_ninth_run_does_not_wait(monkeypatch):
    monkeypatch.setattr(jobs, "MOST_WAITING", 2)
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda *given, **further: None)
    for slug in ("a", "b", "c"):
        put(begun(slug), jobs.Line(time=time.time(), state="waiting"))
    with pytest.raises(JobError, match="2 runs wait already"):
        jobs.start(begun("d"))


def test_runs_are_named_like_models_and_never_twice(tmp_path, shelf):
    for name in ("../up", "", "a b", "CON", "x" * 81, ".line"):
        with pytest.raises(TrainingError, match=r"\.$"):
            runs.begin(recipe(), name)
        with pytest.raises(TrainingError):
            runs.read(name)
    (shelf / "taken").mkdir()
    with pytest.raises(TrainingError):
        runs.begin(recipe(), "taken")
    runs.begin(recipe(), "mine")
    with pytest.raises(TrainingError, match="choose another name"):
        runs.begin(recipe(), "mine")
    assert runs.free_name("mine") == "mine-2"
    assert runs.free_name("taken") == "taken-2"
    assert runs.names() == ["mine"]


def test_a_damaged_run_says_so_in_one_sentence():
    path = runs.begin(recipe(), "torn") / runs.ORDER
    for content in (b"", b"{", b"[]", b"\xff", json.dumps({"recipe": {}}).encode()):
        path.write_bytes(content)
        with pytest.raises(TrainingError, match="is damaged; start another"):
            runs.read("torn")
