"""Matching, replayed: where codes were during training, and how far from their reference."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from explorer.checkpoint import Checkpoint
from explorer.errors import CheckpointError
from explorer.interfaces import AbstractModel, LatentPrior
from explorer.metrics.alignment import sliced_distance

FILE = "matched.npz"
CODES = 500
"""Training samples whose codes are followed."""

GRID = 9
"""Codes a side of the decoded plane."""

_WIDE = 2.5
"""Half the side of the decoded plane, in standard deviations of the reference."""

_VALUES = 100
"""Largest number of values of a sample whose plane is kept at every epoch."""

_MOST_FRAMES = 64


@dataclass(frozen=True)
class Replay:
    """A run of matching in a few frames.

    `codes` and `planes` are kept in two dimensions only; `planes` are decoded on `grid`, row by
    row, pixels in 255ths. Distances are squared sliced Wasserstein distances between
    as many codes and reference samples, in variances of the reference.
    """

    epochs: Int[np.ndarray, " frames"]
    distance: Float[np.ndarray, " frames"]
    null: float
    null_high: float
    labels: Int[np.ndarray, " codes"]
    codes: Float[np.ndarray, "frames codes 2"] | None
    planes: UInt8[np.ndarray, "frames cells *sample"] | None


def grid(prior: LatentPrior) -> Float[Tensor, "cells 2"]:
    """Return the codes of the decoded plane: a square around the reference, top row first."""
    z = prior.draw(4096, seed=0).z
    centre, reach = z.mean(0), _WIDE * z.std(0)
    ticks = torch.linspace(-1, 1, GRID)
    columns, rows = torch.meshgrid(ticks, ticks.flip(0), indexing="xy")
    return centre + reach * torch.stack([columns.flatten(), rows.flatten()], 1).to(z)


@torch.no_grad()
def plane(
    model: AbstractModel, prior: LatentPrior
) -> UInt8[Tensor, "cells channels height width"] | None:
    """Decode the plane; None if there is none, or its pictures are none or too large to keep."""
    if model.space.size != 2:
        return None
    x = model.likelihood(grid(prior)).mean
    if x.ndim != 4 or x[0].numel() > _VALUES:
        return None
    return (255 * x).round().clamp(0, 255).to(torch.uint8)


def arrays(
    frames: dict[int, Tensor],
    planes: dict[int, Tensor],
    prior: LatentPrior,
    labels: Int[np.ndarray, " codes"],
) -> dict[str, np.ndarray]:
    """Measure each frame beside the null, and return what the file holds.

    Args:
        frames: Codes by epoch.
        planes: Decoded planes by epoch.
        prior: The reference.
        labels: Classes of the codes; -1 where they are not known.
    """
    epochs = sorted(frames)
    n = len(labels)
    drawn = prior.draw(21 * n, seed=1).z.detach().cpu().split(n)
    unit = float(torch.cat(drawn).var(0).mean())
    null = [sliced_distance(drawn[0], other) / unit for other in drawn[1:]]
    found = [sliced_distance(frames[epoch].cpu(), drawn[0]) / unit for epoch in epochs]
    kept: dict[str, np.ndarray] = {
        "epochs": np.array(epochs, np.int32),
        "distance": np.array(found, np.float32),
        "null": np.array([np.mean(null), np.quantile(null, 0.95)], np.float32),
        "labels": labels.astype(np.int16),
    }
    if frames[epochs[0]].shape[1] == 2:
        kept["codes"] = torch.stack([frames[e] for e in epochs]).half().cpu().numpy()
    if planes.keys() == frames.keys():
        kept["planes"] = torch.stack([planes[e] for e in epochs]).cpu().numpy()
    return kept


def read(opened: Checkpoint) -> Replay | None:
    """Read the replay of a checkpoint; None if there is none, or it is damaged."""
    try:
        kept = opened.arrays(FILE)
    except CheckpointError:
        return None
    try:
        epochs, distance, null = kept["epochs"], kept["distance"], kept["null"]
        labels, codes, planes = kept["labels"], kept.get("codes"), kept.get("planes")
    except KeyError:
        return None
    frames = len(epochs)
    sound = (
        0 < frames <= _MOST_FRAMES
        and epochs.shape == distance.shape == (frames,)
        and null.shape == (2,)
        and labels.ndim == 1
        and 0 < len(labels) <= CODES
        and bool(np.isfinite(distance).all() and np.isfinite(null).all())
        and (codes is None or codes.shape == (frames, len(labels), 2))
        and (codes is None or bool(np.isfinite(codes).all()))
    )
    if not sound or opened.config.sketch is None:
        return None
    cells = (frames, GRID**2, *opened.config.sketch.shape)
    if planes is not None and (planes.shape != cells or planes.dtype != np.uint8):
        planes = None
    return Replay(
        epochs,
        distance,
        float(null[0]),
        float(null[1]),
        labels,
        None if codes is None else codes.astype(np.float32),
        planes,
    )
