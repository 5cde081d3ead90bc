"""The same recipe gives the same weights, stopped or not."""

import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from explorer import checkpoint, training
from tests.support.runs import (
    EPOCHS,
    TWO_LEVELS,
    _Killed,
    assert_same_run,
    digits,
    killed_run,
    killing,
    log,
    recipe,
    weights,
)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    for name in ("one", "other"):
        training.train(recipe(), digits(), tmp_path / name)
        torch.rand(3)
    assert_same_run(tmp_path / "one", tmp_path / "other")


def test_another_seed_gives_other_weights(tmp_path):
    for seed in (1, 2):
        training.train(recipe(epochs=1, seed=seed), digits(), tmp_path / str(seed))
    one, other = (weights(tmp_path / str(seed)) for seed in (1, 2))
    assert any(not torch.equal(one[name], other[name]) for name in one)


MATCHED = {"kind": "dmvae"}
SMALL = {"width": 8, "depth": 1, "before": 3, "every": 2}
BY_SCORE = {"kind": "matching", "distance": "score", "network": SMALL}

RESUMED = {
    "vamp": recipe(),
    "mog without average": recipe(prior={"kind": "mog", "components": 3}, average=0),
    "standard, gradients normalised": recipe(
        prior={"kind": "standard"}, normalise_gradients=True, weight_decay=0.1
    ),
    "autoencoder": recipe({"kind": "ae"}, shift=1, prior_learning_rate=0.001),
    "flow": recipe(prior={"kind": "flow", "transforms": 2, "hidden": [8], "bins": 4}),
    "two levels on data": recipe(TWO_LEVELS, prior={"kind": "vamp-data", "components": 5}),
    "pixel by pixel": recipe(
        {
            "kind": "pixelhvae",
            "top": 2,
            "bottom": 2,
            "channels": [2, 2, 2, 2, 2],
            "width": 6,
            "decoder_channels": 3,
            "decoder_layers": 2,
        },
        prior={"kind": "vamp-weighted", "components": 3, "mean": 0.3},
    ),
    "matched with a queue": recipe(
        MATCHED, {"kind": "standard"}, {"kind": "matching", "queue": 70}
    ),
    "matched by score on a sphere": recipe(MATCHED | {"noise": 0}, {"kind": "sphere"}, BY_SCORE),
    "matched to a reference that moves": recipe(MATCHED, {"kind": "ema", "points": 50}, BY_SCORE),
    "matched with a network of the reference": recipe(
        MATCHED,
        {"kind": "noised", "reference": {"kind": "standard"}, "t": None},
        BY_SCORE | {"network": SMALL | {"exact": False}},
        freeze="trunk",
        pretraining={"steps": 3, "batch": 16},
    ),
}


@pytest.mark.parametrize("config", RESUMED.values(), ids=RESUMED.keys())
@pytest.mark.usefixtures("save_always")
def test_a_resumed_run_equals_one_that_was_not_stopped(tmp_path, config):
    training.train(config, digits(), tmp_path / "whole")
    killed_run(tmp_path / "killed", config)
    assert len(log(tmp_path / "killed")) == 3
    assert not (tmp_path / "killed" / checkpoint.WEIGHTS).exists()
    torch.manual_seed(99)
    training.train(config, digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    for name in ("whole", "killed"):
        assert len(log(tmp_path / name)) == EPOCHS


@pytest.mark.usefixtures("save_always")
@pytest.mark.fault
def test_a_run_killed_twice_still_equals(tmp_path):
    training.train(recipe(), digits(), tmp_path / "whole")
    killed_run(tmp_path / "killed", recipe(), epoch=2)
    with pytest.raises(_Killed):
        training.train(recipe(), digits(), tmp_path / "killed", resume=True, report=killing(5))
    training.train(recipe(), digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    one, other = (
        checkpoint.read_arrays(tmp_path / name / checkpoint.SNAPSHOTS)
        for name in ("whole", "killed")
    )
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


SCRIPT = """
import os, signal, sys
from pathlib import Path
from explorer import training, training_loop
from tests.support.runs import digits, recipe

training_loop.SAVE_EVERY_SECONDS = -1

def report(progress):
    if progress.epoch == 4:
        os.kill(os.getpid(), signal.SIGKILL)

training.train(recipe(), digits(), Path(sys.argv[1]), report=report)
"""


@pytest.mark.slow
@pytest.mark.fault
def test_a_run_killed_from_outside_goes_on_to_the_same_weights(tmp_path, pytestconfig):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed")]
    ended = subprocess.run(
        command, cwd=pytestconfig.rootpath, capture_output=True, timeout=120, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    training.train(recipe(), digits(), tmp_path / "killed", resume=True)
    training.train(recipe(), digits(), tmp_path / "whole")
    assert (tmp_path / "killed" / checkpoint.WEIGHTS).read_bytes() == (
        tmp_path / "whole" / checkpoint.WEIGHTS
    ).read_bytes()


def test_resuming_an_ended_run_changes_nothing(tmp_path):
    training.train(recipe(epochs=2), digits(), tmp_path)
    before = (tmp_path / checkpoint.WEIGHTS).read_bytes()
    training.train(recipe(epochs=2), digits(), tmp_path, resume=True)
    assert (tmp_path / checkpoint.WEIGHTS).read_bytes() == before
    assert len(log(tmp_path)) == 2


def test_the_progress_that_is_reported_is_the_one_in_the_log(tmp_path):
    seen = []
    training.train(recipe(epochs=3), digits(), tmp_path, report=seen.append)
    assert [progress.epoch for progress in seen] == [1, 2, 3]
    assert [progress.beta for progress in seen] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [line["valid_elbo"] for line in log(tmp_path)] == pytest.approx(
        [progress.valid_elbo for progress in seen], abs=1e-4
    )
    assert seen[-1].best == max(progress.valid_elbo for progress in seen)


def test_the_first_epoch_can_be_resumed(tmp_path):
    seen = []

    def stop(progress):
        seen.append((tmp_path / "run" / training.WORK / training.STATE).is_file())
        if len(seen) == 2:
            raise _Killed

    with pytest.raises(_Killed):
        training.train(recipe(epochs=3), digits(), tmp_path / "run", report=stop)
    assert seen == [False, True]
    training.train(recipe(epochs=3), digits(), tmp_path / "run", resume=True)
    training.train(recipe(epochs=3), digits(), tmp_path / "whole")
    assert_same_run(tmp_path / "run", tmp_path / "whole")
