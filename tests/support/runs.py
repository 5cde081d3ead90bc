"""Short runs of training, whole or killed."""

import dataclasses
import json
from functools import cache

import numpy as np
import pytest

from explorer import checkpoint, training
from explorer.config import RunConfig
from explorer.data import DigitsConfig

EPOCHS = 6


@cache
def digits():
    """A tenth of the digits is enough to see whether training does what it says."""
    from pathlib import Path

    whole = DigitsConfig().load(Path())
    few = {name: whole.split(name).take(np.arange(60)) for name in ("valid", "test")}
    return dataclasses.replace(whole, train=whole.train.take(np.arange(120)), **few)


def recipe(model=None, prior=None, objective=None, **changes):
    kind = (model or {}).get("kind", "vae")
    default = None if kind == "ae" else {"kind": "vamp", "components": 4, "mean": 0.3}
    dense = {"kind": "vae", "latent": 2, "hidden": [8]}
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": model if "top" in (model or {}) else dense | (model or {}),
            "prior": prior or default,
            "objective": objective or {"warmup": {"kind": "linear", "epochs": 3}},
            "training": {
                "epochs": EPOCHS,
                "batch": 40,
                "learning_rate": 0.01,
                "decay": "cosine",
                "average": 0.9,
                "corruption": 0.2,
                "half": False,
            }
            | changes,
        }
    )


def weights(folder):
    opened = checkpoint.load(folder)
    found = {f"model.{name}": value for name, value in opened.model.state_dict().items()}
    if opened.prior is not None:
        found |= {f"prior.{name}": value for name, value in opened.prior.state_dict().items()}
    return found


def log(folder):
    lines = (folder / training.WORK / training.LOG).read_text().splitlines()
    return [{**json.loads(line), "seconds": 0} for line in lines]


def assert_same_run(one, other):
    assert (one / checkpoint.WEIGHTS).read_bytes() == (other / checkpoint.WEIGHTS).read_bytes()
    assert log(one) == log(other)
    assert checkpoint.load(one).hash == checkpoint.load(other).hash


class _Killed(Exception):
    pass


def killing(epoch):
    def report(progress):
        if progress.epoch == epoch:
            raise _Killed

    return report


def killed_run(folder, config, epoch=4):
    """Train until the report of an epoch raises; the state of the epoch before is stored."""
    with pytest.raises(_Killed):
        training.train(config, digits(), folder, report=killing(epoch))


def trained(folder, config):
    training.train(config, digits(), folder)
    return checkpoint.load(folder)


TWO_LEVELS = {"kind": "hvae", "top": 2, "bottom": 3, "hidden": [8]}
