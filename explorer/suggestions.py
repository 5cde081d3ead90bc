"""Recipes that fit data, a wish and the time one has, measured on this machine."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from explorer.config import RunConfig
from explorer.data import DataSet
from explorer.registry import DataConfig
from explorer.sketch import PixelSketch
from explorer.training_loop import Run

Pace = Literal["minute", "ten", "best"]

MINUTES: dict[Pace, int] = {"minute": 1, "ten": 10, "best": 60}
"""Minutes of training that are aimed at; the last is a limit, as it ends by itself before."""

PRIORS = ("standard", "mog", "vamp", "xvae", "none")
"""Priors that are offered: the last is a plain autoencoder's."""

_TIMED, _REPEATS, _PATIENCE = 12, 5, 4.0
_SMALL, _LARGE = 200, 1100
_BATCH = 100


def suggest(
    config: DataConfig,
    data: DataSet,
    prior: str,
    latent: int,
    pace: Pace,
    source: str = "",
) -> RunConfig:
    """Suggest a recipe; its epochs take about the time that is given, as measured here.

    Args:
        config: The data, as a recipe names them.
        data: The same, loaded.
        prior: One of `PRIORS`.
        latent: Latent units.
        pace: The time one has.
        source: The autoencoder whose codes an X-VAE takes its prior from.

    Raises:
        RecipeError: If the data do not fit.
    """
    given: dict[str, Any] = {
        "data": config.model_dump(),
        "model": _model(data, prior, latent, pace),
        "prior": _prior(data, prior, pace, source),
        "training": {
            "batch": _batch(data),
            "learning_rate": 1e-3,
            "average": 0.99 if len(data.train) < 20_000 else 0.998,
            "weight_decay": 0.01,
        },
    }
    draft = RunConfig.model_validate(given).settled(data)
    seconds = seconds_per_epoch(draft, data)
    epochs = int(np.clip(0.85 * 60 * MINUTES[pace] / seconds, 1, 5000))
    given["model"] = draft.model.model_dump()
    if prior != "none":
        given["objective"] = {"warmup": {"kind": "linear", "epochs": max(1, epochs // 10)}}
    given["training"] |= {
        "epochs": epochs,
        "patience": max(20, epochs // 4) if pace == "best" else epochs,
        "decay": "cosine",
    }
    return RunConfig.model_validate(given).settled(data).model_copy(update={"sketch": None})


def seconds_per_epoch(config: RunConfig, data: DataSet) -> float:
    """Train a few batches, and tell how long an epoch takes on this machine, in seconds."""
    batch = config.training.batch
    few = min(len(data.train), _TIMED * batch)
    less = replace(data, train=data.train.take(np.arange(few)))
    state = torch.random.get_rng_state()
    try:
        with tempfile.TemporaryDirectory() as folder:
            longer = config.training.model_copy(update={"epochs": 1000, "patience": 1000})
            run = Run(
                config.model_copy(update={"training": longer}),
                less,
                Path(folder),
                torch.device("cpu"),
            )
            started = time.perf_counter()
            spent = []
            for progress in run.epochs():
                spent.append(progress.seconds)
                if progress.epoch > _REPEATS or time.perf_counter() - started > _PATIENCE:
                    break
            start = time.perf_counter()
            run.validate()
            held_out = time.perf_counter() - start
    finally:
        torch.random.set_rng_state(state)
    each = np.diff(spent) if len(spent) > 1 else np.array(spent)  # the first one is slow
    batches, all_batches = -(-few // batch), -(-len(data.train) // batch)
    return float(max(np.median(each) - held_out, 1e-4)) / batches * all_batches + held_out


def words(config: RunConfig, data: DataSet, pace: Pace) -> str:
    """Say what a recipe trains, and for how long."""
    epochs, n = config.training.epochs, len(data.train)
    end = ", or until validation has not improved for long" if pace == "best" else ""
    return (
        f"{config.model.words[0].upper()}{config.model.words[1:]}; {epochs:,} epochs of {n:,} "
        f"samples, about {_minutes(MINUTES[pace])} as timed on this machine{end}."
    )


def _minutes(minutes: int) -> str:
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _batch(data: DataSet) -> int:
    return int(np.clip(len(data.train) // 8, 8, _BATCH))


def _model(data: DataSet, prior: str, latent: int, pace: Pace) -> dict[str, Any]:
    values = int(np.prod(data.sketch.shape))
    pictures = isinstance(data.sketch, PixelSketch) and min(data.sketch.shape[1:]) >= 16
    if pictures and values > _LARGE and pace != "minute":
        small = {"channels": (8, 8, 16, 16, 6), "decoder_channels": (16, 16), "width": 100}
        return {"kind": "convae" if prior == "none" else "convvae", "latent": latent, **small}
    width = 100 if values < _SMALL else 300
    return {"kind": "ae" if prior == "none" else "vae", "latent": latent, "hidden": (width, width)}


def _prior(data: DataSet, prior: str, pace: Pace, source: str) -> dict[str, Any] | None:
    if prior == "none":
        return None
    if prior == "xvae":
        return {"kind": "xvae", "source": source}
    if prior == "standard":
        return {"kind": "standard"}
    count = int(np.clip(len(data.train) // 10, 4, 100 if pace == "minute" else 300))
    if prior == "mog":
        return {"kind": "mog", "components": count}
    x = data.train.x[:1000]
    return {
        "kind": "vamp",
        "components": count,
        "mean": round(float(x.mean()), 3),
        "spread": round(max(0.02, 0.3 * float(x.std())), 3),
    }
