"""Orders are bounded, and the same order is the same job."""

import pytest
from pydantic import ValidationError

from explorer import jobs
from explorer.jobs import Job, Line
from tests.support.jobs import an_order


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
    assert set(jobs.TITLES) == {*jobs.WORK, "train"}
