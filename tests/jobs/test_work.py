"""What a job finds lies among the user's results, step by step."""

import os
import signal
import time
from functools import partial

import pytest
from filelock import FileLock

from explorer import checkpoint, jobs, publishing, sampler
from explorer.data import DigitsConfig
from explorer.metrics import evaluate, likelihood
from explorer.projection import load_atlas
from tests.support.jobs import folder_of, lines_of, now, order_of, states_of, work


@pytest.mark.slow
def test_an_evaluation_is_laid_over_the_shipped_numbers(digits):
    assert digits.metrics == {}
    job = work(order_of(digits, "evaluate", samples=3))
    assert job.last.state == "done"
    found = checkpoint.load(digits.folder).metrics
    assert found["log_likelihood"].samples == 3
    assert (checkpoint.results_folder(digits.hash) / checkpoint.LIKELIHOOD).is_file()
    assert not (digits.folder / checkpoint.METRICS).exists()


@pytest.mark.slow
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


def test_a_flow_is_fitted_once_and_kept_among_the_users_results(digits, monkeypatch):
    monkeypatch.setattr(jobs.sampler, "fit", partial(sampler.fit, steps=20, batch=32))
    order = order_of(digits, "flow")
    job = work(order)
    assert job.last.state == "done", job.last.stage
    assert job.title == "Flow on the codes of mine"
    assert sampler.load(digits).facts.steps == 20
    assert not (digits.folder / checkpoint.FLOW).exists()
    told = [(line["stage"], line["done"], line["total"]) for line in lines_of(order)]
    assert ("flow on codes", 20, 20) in told


def test_progress_is_told_in_lines(digits, monkeypatch):
    order = order_of(digits)
    seen, clock = [], [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])

    def half(opened, data, order, report):
        report("scales", 5, 10)  # so soon after the first line it is not worth one
        clock[0] += 0.25
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
