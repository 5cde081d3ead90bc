"""Checkpoints written by hand."""

import io

import numpy as np
import torch

from explorer.checkpoint import Metric, save
from explorer.config import RunConfig

PIXELS = {"kind": "pixels", "height": 8, "width": 8}

CURVE = {"kind": "curve", "x": [0.0, 0.5, 1.0], "loc": [0.0, 0.1, 0.0], "scale": [1.0, 2.0, 0.5]}

LONGEST_REASON = 500


def recipe(model=None, prior=None, sketch=None, **training):
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]} | (model or {}),
            "prior": prior or {"kind": "vamp", "components": 3},
            "training": training,
            "sketch": sketch or PIXELS,
        }
    )


def write_checkpoint(folder, config=None, seed=0):
    config = config or recipe()
    torch.manual_seed(seed)
    model, prior = config.build()
    save(model, prior, config, folder)
    return model, prior


def metric(value=1.0, **more):
    return Metric(value=value, n=10, unit="nats", **more)


def npz(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()
