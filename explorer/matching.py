"""Matching a model to a reference that was drawn by hand: from strokes to a trained checkpoint."""

import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from explorer import checkpoint, publishing, settings, training
from explorer.checkpoint import Checkpoint
from explorer.config import RunConfig
from explorer.data import DataSet
from explorer.data.drawn import Stroke
from explorer.errors import CheckpointError, TrainingError
from explorer.training_loop import Progress

POINTS = 2000
REACH = 2.5
"""Half the side of the sheet, in units of a code."""

EPOCHS = 400
LIVE = "live.npz"

_THINNEST = 0.02
"""Least width of a stroke, as a fraction of the sheet's side."""

Report = Callable[[str, int, int], None]


def points_of(strokes: Sequence[Stroke]) -> Float[np.ndarray, "points 2"]:
    """Sample a drawing as a density: even along each stroke, Gaussian across it.

    A dot counts as a stroke that is as long as it is wide.

    Args:
        strokes: The strokes, in fractions of the sheet, y downwards.

    Returns:
        Codes within the sheet, the same for the same drawing.

    Raises:
        TrainingError: If nothing is drawn.
    """
    if not strokes:
        raise TrainingError("Nothing is drawn yet; draw where the codes shall go.")
    lines = [np.array(stroke.points, np.float64) for stroke in strokes]
    lengths = [
        max(stroke.width, _THINNEST, float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()))
        for line, stroke in zip(lines, strokes, strict=True)
    ]
    generator = np.random.default_rng(0)
    share = np.array(lengths) / sum(lengths)
    which = generator.choice(len(lines), POINTS, p=share)
    found = np.empty((POINTS, 2))
    for k, (line, stroke) in enumerate(zip(lines, strokes, strict=True)):
        rows = np.flatnonzero(which == k)
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        arc = np.concatenate([[0.0], steps.cumsum()])
        at = generator.uniform(0, arc[-1], len(rows))
        place = np.stack([np.interp(at, arc, line[:, axis]) for axis in (0, 1)], 1)
        width = max(stroke.width, _THINNEST) / 3
        found[rows] = place + width * generator.standard_normal((len(rows), 2))
    found = np.clip(found, 0, 1)
    return (REACH * np.stack([2 * found[:, 0] - 1, 1 - 2 * found[:, 1]], 1)).astype(np.float32)


def keep(codes: Float[np.ndarray, "points 2"]) -> str:
    """Write codes into the user folder; return the name of the drawing, a hash of them."""
    name = hashlib.sha256(codes.tobytes()).hexdigest()[:12]
    path = file_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    np.save(stream, codes)
    checkpoint.write(path, stream.getvalue())
    return name


def file_of(name: str) -> Path:
    """Return the file of a drawing."""
    return settings.current().user / "references" / f"drawn-{name}.npy"


def folder_of(name: str) -> Path:
    """Return the folder of the model that is matched to a drawing."""
    return settings.current().user / "checkpoints" / f"drawn-{name}"


def match(start: Checkpoint, data: DataSet, name: str, report: Report, live: Path) -> None:
    """Match the codes of an autoencoder to a drawing, and publish the model without measuring it.

    Args:
        start: An autoencoder of two units, whose weights the model begins with.
        data: Its data.
        name: Of the drawing.
        report: Called with a stage, the number of epochs done, and their total.
        live: Where the state is written that can be watched.

    Raises:
        TrainingError: If the autoencoder does not have two units.
    """
    config, folder = recipe(start, name), folder_of(name)

    def progress(now: Progress) -> None:
        report("epoch", now.epoch, now.epochs)

    def watch(epoch: int, codes: np.ndarray, plane: np.ndarray | None) -> None:
        kept = {"epoch": np.array(epoch), "codes": codes.astype(np.float16)}
        if plane is not None:
            kept["plane"] = plane
        stream = io.BytesIO()
        np.savez(stream, **kept)  # type: ignore[arg-type]
        checkpoint.write(live, stream.getvalue())

    place = file_of(name).parent
    training.train(config, data, folder, init=start, beside=place, report=progress, watch=watch)
    opened = checkpoint.load(folder)
    publishing.project(opened, data, folder, report=lambda stage: report(stage, 0, 0))
    checkpoint.write(folder / checkpoint.PREVIEW, publishing.preview(opened))
    checkpoint.write(folder / checkpoint.CARD, publishing.card(opened).encode())


def recipe(start: Checkpoint, name: str) -> RunConfig:
    """Return the recipe of a model that begins as an autoencoder and is matched to a drawing."""
    model = start.config.model
    if model.latent != 2 or model.kind != "ae":
        raise TrainingError(
            f"{start.slug} is no dense autoencoder of two units, which a drawing needs."
        )
    return RunConfig.model_validate(
        {
            "data": start.config.data.model_dump(),
            "model": model.model_dump() | {"kind": "dmvae", "noise": 0.1},
            "prior": {"kind": "file", "path": file_of(name).name},
            "objective": {"kind": "matching"},
            "training": {
                "epochs": EPOCHS,
                "batch": 500,
                "learning_rate": 1e-3,
                "average": 0.99,
                "weight_decay": 0.02,
                "patience": EPOCHS,
            },
        }
    )


def watched(
    live: Path,
) -> tuple[int, Float[np.ndarray, "codes 2"], UInt8[np.ndarray, "cells *sample"] | None] | None:
    """Read the state of a running match; None before its first."""
    try:
        kept = checkpoint.read_arrays(live)
        epoch, codes = int(kept["epoch"]), kept["codes"].astype(np.float32)
    except (CheckpointError, KeyError, TypeError, ValueError):
        return None
    return (epoch, codes, kept.get("plane")) if codes.ndim == 2 and codes.shape[1] == 2 else None
