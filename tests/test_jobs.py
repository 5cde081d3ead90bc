"""A job outlives the process that started it, runs once, and keeps its results."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from filelock import FileLock
from pydantic import ValidationError

from explorer import checkpoint, jobs, publishing, settings
from explorer.config import RunConfig
from explorer.data import DigitsConfig
from explorer.errors import JobError
from explorer.jobs import Job, Line, Order
from explorer.metrics import evaluate, likelihood
from explorer.metrics.tradeoff import SCALES, read_tradeoff
from explorer.projection import load_atlas

SHIPPED = "digits-vae-vamp-2"
PATIENCE = 120


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("DATA", "DEVICE", "CHECKPOINTS"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)
    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.set_num_threads(threads)
    for job in jobs.jobs():
        if job.last.state == "running":
            os.kill(pid_of(job.order), signal.SIGKILL)
    for child in jobs._CHILDREN:
        child.kill()
        child.wait()
    jobs._CHILDREN.clear()


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


@pytest.fixture
def digits(tmp_path):
    """The shipped model in the user's own folder, without what was measured on it."""
    shipped = checkpoint.load(SHIPPED).folder
    folder = tmp_path / "user" / "checkpoints" / "mine"
    folder.mkdir(parents=True)
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS):
        shutil.copy(shipped / name, folder / name)
    return checkpoint.load(folder)


@pytest.fixture
def slow(tmp_path):
    """A model with so much test data that its jobs take seconds."""
    pictures = np.random.default_rng(0).integers(0, 256, (8_000, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", pictures)
    config = RunConfig.model_validate(
        {
            "data": {"kind": "files", "path": str(tmp_path / "x.npy")},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]},
            "prior": {"kind": "mog", "components": 3},
            "training": {"epochs": 1},
            "sketch": {"kind": "pixels", "height": 4, "width": 4},
        }
    )
    torch.manual_seed(0)
    return checkpoint.load(checkpoint.save(*config.build(), config, tmp_path / "slow"))


# In a process of its own


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


# What it does


def test_an_evaluation_is_laid_over_the_shipped_numbers(digits):
    assert digits.metrics == {}
    job = work(order_of(digits, "evaluate", samples=3))
    assert job.last.state == "done"
    found = checkpoint.load(digits.folder).metrics
    assert found["log_likelihood"].samples == 3
    assert (checkpoint.results_folder(digits.hash) / checkpoint.LIKELIHOOD).is_file()
    assert not (digits.folder / checkpoint.METRICS).exists()


def test_a_stopped_evaluation_keeps_its_likelihoods_and_goes_on_with_them(digits, monkeypatch):
    order = order_of(digits, "evaluate", samples=3)
    weigh, weighed = likelihood._weigh, []

    def counted(model, prior, rows, *arguments):
        if len(weighed) == 2:
            weighed.append(0)
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
            pytest.fail("it went on")
        weighed.append(len(rows))
        return weigh(model, prior, rows, *arguments)

    monkeypatch.setattr(likelihood, "_weigh", counted)
    monkeypatch.setattr(publishing, "KEEP_EVERY_SECONDS", -1.0)
    assert work(order).last.state == "stopped"
    results = checkpoint.results_folder(digits.hash)
    assert [path.name for path in results.iterdir()] == [publishing.PARTIAL]
    done = [line["done"] for line in lines_of(order) if line["stage"] == "log-likelihood"]
    jobs._append(folder_of(order), now("waiting"))
    jobs.work(folder_of(order))
    assert jobs.find(order).last.state == "done"
    assert sum(weighed) == 250
    again = [line["done"] for line in lines_of(order) if line["stage"] == "log-likelihood"]
    assert again[len(done) :][-1] == 250
    found = checkpoint.load(digits.folder)
    fresh = evaluate(digits, DigitsConfig().load(results), samples=3, parts=("likelihood",))
    assert fresh.metrics.items() <= found.metrics.items()
    assert not (results / publishing.PARTIAL).exists()


def test_a_map_is_read_back_from_the_users_results(digits):
    assert load_atlas(digits) is None
    order = order_of(digits, "atlas")
    assert work(order).last.state == "done"
    atlas = load_atlas(digits)
    assert atlas.hash == digits.hash
    assert not (digits.folder / checkpoint.ATLAS).exists()


def test_progress_is_told_in_lines(digits, monkeypatch):
    order = order_of(digits)
    seen = []

    def half(opened, data, order, report):
        report("scales", 5, 10)  # so soon after the first line it is not worth one
        time.sleep(0.25)
        report("scales", 6, 10)
        with FileLock(folder_of(order) / "unrelated"):
            seen.append(jobs.find(order))

    monkeypatch.setitem(jobs.WORK, "tradeoff", half)
    work(order)
    (job,) = seen
    assert (job.active, job.share, job.last.stage) == (True, 0.6, "scales")
    assert [line["done"] for line in lines_of(order)] == [0, 0, 6, 1]


def test_a_request_to_stop_ends_a_job_in_order(digits, monkeypatch):
    order = order_of(digits)

    def interrupted(opened, data, order, report):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        pytest.fail("it went on")

    monkeypatch.setitem(jobs.WORK, "tradeoff", interrupted)
    assert work(order).last.state == "stopped"
    assert states_of(order) == ["waiting", "running", "stopped"]


# How it fails


def assert_failed_in_one_sentence(job, words):
    assert job.last.state == "failed"
    assert words in job.last.stage
    assert job.last.stage.endswith(".")
    assert len(job.last.stage.splitlines()) == 1
    assert not job.active


def test_a_job_on_weights_that_have_changed_says_so(digits):
    job = work(order_of(digits, hash="0" * 16))
    assert_failed_in_one_sentence(job, "has changed since")


def test_a_job_without_its_data_names_what_is_missing():
    job = work(order_of(checkpoint.load("airfoils-vae-vamp-8")))
    assert_failed_in_one_sentence(job, "uiuc_dat.zip")


def test_a_job_without_its_checkpoint_says_so(tmp_path):
    job = work(an_order(checkpoint=str(tmp_path / "gone")))
    assert_failed_in_one_sentence(job, "There is no checkpoint")


def test_a_curve_of_an_autoencoder_says_that_it_has_no_prior():
    job = work(order_of(checkpoint.load("digits-ae-2")))
    assert_failed_in_one_sentence(job, "has no prior")


def test_an_error_of_ours_names_the_file_that_holds_it(digits, monkeypatch):
    def wrong(opened, data, order, report):
        raise ZeroDivisionError

    monkeypatch.setitem(jobs.WORK, "tradeoff", wrong)
    order = order_of(digits)
    with pytest.raises(ZeroDivisionError):
        work(order)
    job = jobs.find(order)
    assert_failed_in_one_sentence(job, "ZeroDivisionError")
    assert str(folder_of(order) / "output.txt") in job.last.stage
    assert not jobs._alive(folder_of(order))


def test_a_job_that_cannot_be_written_says_so_in_one_sentence(tmp_path):
    (tmp_path / "user").write_text("a file")
    with pytest.raises(JobError, match=r"^The job could not be started \([^\n]+\)\.$"):
        jobs.start(an_order())


# How it stands


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


# Orders


def test_a_key_hangs_on_kind_and_weights_and_on_samples_of_an_evaluation_alone():
    assert an_order(samples=1).key == an_order(samples=9).key
    assert an_order(checkpoint="elsewhere").key == an_order().key
    assert an_order(kind="atlas", samples=1).key == an_order(kind="atlas", samples=9).key
    evaluations = {an_order(kind="evaluate", samples=samples).key for samples in (1, 9)}
    others = {an_order().key, an_order(kind="atlas").key, an_order(hash="ab13").key}
    assert len(evaluations | others) == 5
    assert all(len(key) == 16 and key.isalnum() for key in evaluations | others)


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": ""},
        {"hash": "../../etc"},
        {"hash": "AB12"},
        {"hash": "ab12\n"},
        {"hash": "a" * 65},
        {"samples": 0},
        {"samples": 5001},
        {"samples": 10**30},
        {"kind": "shell"},
        {"checkpoint": "x" * 1001},
        {"command": "rm"},
    ],
    ids=str,
)
def test_an_order_out_of_bounds_is_refused(changes):
    with pytest.raises(ValidationError):
        an_order(**changes)


def test_a_job_says_what_it_does_to_which_model():
    job = Job(order=an_order(), last=Line(time=0, state="running", done=9, total=3))
    assert job.title == "Diversity–fidelity curve of one"
    assert job.share == 1
    assert set(jobs.TITLES) == set(jobs.WORK)
