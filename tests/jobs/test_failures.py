"""A job that fails says so in one sentence."""

import pytest

from explorer import checkpoint, jobs
from explorer.errors import JobError
from tests.support.jobs import an_order, folder_of, order_of, work


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
