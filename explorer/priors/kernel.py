"""References known by samples only: kernel densities on codes, of features or of a file."""

import math
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from explorer import papers
from explorer.distributions import DiagonalMixture
from explorer.errors import TrainingError
from explorer.interfaces import (
    AbstractPrior,
    AbstractPriorConfig,
    Components,
    Dial,
    Encode,
    LatentSpace,
)
from explorer.papers import Paper
from explorer.priors.mixture import LatentMixture, require_spread, uniform_log_weights
from explorer.sketch import CurveSketch, PixelSketch

MOST_POINTS = 4096
_BANDWIDTHS = tuple(0.02 * 1.25**step for step in range(24))
"""Candidates, in standard deviations of each unit: from 0.02 to 3.4."""

_HELD_OUT = 2000
"""Codes by whose likelihood the bandwidth is chosen."""


class LatentKernel(LatentMixture):
    """A mixture with one component per stored code, all of one width; the codes stand for data.

    Its components are not told: there are thousands, and none of them was learned.
    """

    varies_at_rest = True
    dial = Dial(
        "the bandwidth",
        r"k \sim \mathrm{uniform},\qquad z = c_k + s\,h \odot \varepsilon,"
        r"\quad \varepsilon \sim \mathcal N(0, I)",
        "a code of the reference itself",
    )

    def components(self) -> Components | None:
        """Return None: the components are data."""
        return None

    def responsibilities(self, z: Float[Tensor, "*batch latent"]) -> None:
        """Return None: the components are data."""
        return


class KernelPrior(AbstractPrior):
    """A Gaussian kernel density on given codes, its bandwidth chosen by held-out likelihood.

    References:
        Density estimation for statistics and data analysis (Silverman, 1986), section 3.4.4.
    """

    points: Tensor
    scale: Tensor

    def __init__(self, latent: int, count: int) -> None:
        super().__init__()
        self.register_buffer("points", torch.zeros(count, latent))
        self.register_buffer("scale", torch.ones(latent))

    @torch.no_grad()
    def fit(self, codes: Float[np.ndarray, "samples latent"], seed: int) -> int:
        """Take at most as many codes as there are places, and choose the bandwidth by others.

        Up to a fifth of the codes, and at least one, are held out.

        Args:
            codes: Samples of the reference.
            seed: Seed of the choice.

        Returns:
            The number of codes taken.

        Raises:
            TrainingError: If there are fewer than two codes, or they are all alike.
        """
        if len(codes) < 2:
            raise TrainingError(
                "A reference needs at least two codes, and this one has "
                f"{len(codes)}; give a sample of it."
            )
        require_spread(codes)
        order = np.random.default_rng(seed).permutation(len(codes))
        held = codes[order[: max(1, min(_HELD_OUT, len(codes) // 5))]]
        taken = codes[order[len(held) :][: len(self.points)]]
        rows = torch.from_numpy(np.ascontiguousarray(taken)).float()
        spread = torch.from_numpy(codes.std(0)).float()
        spread = spread.clamp(min=1e-3 * float(spread.max()))
        weights = uniform_log_weights(len(rows), rows)
        test = torch.from_numpy(np.ascontiguousarray(held)).float()
        found = [
            float(
                DiagonalMixture(weights, rows, (h * spread).expand_as(rows)).log_prob(test).mean()
            )
            for h in _BANDWIDTHS
        ]
        like = self.points
        self.points = rows.to(like)
        self.scale.copy_(_BANDWIDTHS[int(np.argmax(found))] * spread)
        return len(rows)

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentKernel:
        """Return the density."""
        weights = uniform_log_weights(len(self.points), self.points)
        return LatentKernel(weights, self.points, self.scale.expand_as(self.points))


class _KernelConfig(AbstractPriorConfig):
    fixed: ClassVar[bool] = True
    points: int = Field(MOST_POINTS, ge=1, le=MOST_POINTS, description="Most codes it is made of.")

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> KernelPrior:
        """Build the prior, to be fitted to codes."""
        return KernelPrior(space.size, self.points)


class FeaturesConfig(_KernelConfig):
    """The distribution of another encoder's codes, as of one trained without a decoder."""

    title: ClassVar[str] = "Features"
    references: ClassVar[tuple[Paper, ...]] = (papers.SIMCLR,)
    kind: Literal["features"] = "features"
    source: str = Field(max_length=100, description="Slug of the checkpoint with the encoder.")
    source_hash: str | None = Field(
        None, max_length=64, description="Its hash, filled in by training."
    )


class BottleneckConfig(FeaturesConfig):
    """The distribution of codes behind a bottleneck that was trained on a frozen encoder."""

    title: ClassVar[str] = "Bottleneck"
    kind: Literal["bottleneck"] = "bottleneck"  # type: ignore[assignment]


class FileReferenceConfig(_KernelConfig):
    """The distribution of the rows of an array."""

    title: ClassVar[str] = "File"
    kind: Literal["file"] = "file"
    path: str = Field(max_length=1000, description="A .npy or .npz file of n x d numbers.")
    content: str | None = Field(
        None, max_length=64, description="SHA-256 of its numbers, filled in by training."
    )


class MovingConfig(_KernelConfig):
    """The whitened codes of the model itself, averaged over its past: it anchors nothing."""

    title: ClassVar[str] = "Moving average"
    kind: Literal["ema"] = "ema"

    @property
    def has_density(self) -> bool:
        """No: it moves with the model."""
        return False


def whitened(
    codes: Float[np.ndarray, "samples latent"],
) -> Float[np.ndarray, "samples latent"]:
    """Rotate codes to their principal axes, and scale each to mean 0 and variance 1."""
    centred = codes - codes.mean(0)
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    scale = strength / math.sqrt(len(codes))
    floor = 1e-6 * float(scale.max()) or 1.0
    white: np.ndarray = centred @ axes.T / np.maximum(scale, floor)
    return white.astype(np.float32)
