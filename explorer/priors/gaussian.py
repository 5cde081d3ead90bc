"""Single-Gaussian priors: the standard normal, and X-VAE's, fitted to autoencoder codes."""

from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from explorer import papers
from explorer.interfaces import AbstractPrior, AbstractPriorConfig, Encode, LatentSpace
from explorer.papers import Paper
from explorer.priors.mixture import LatentMixture, require_spread
from explorer.sketch import CurveSketch, PixelSketch


class GaussianPrior(AbstractPrior):
    """A diagonal Gaussian that is not trained: N(0, I), or the moments of given codes.

    References:
        Auto-encoding variational Bayes (Kingma and Welling, 2014), section 3. https://arxiv.org/abs/1312.6114
        X-VAE (arXiv 2607.01275): the prior has the moments of a pretrained autoencoder's codes.
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent))
        self.register_buffer("scale", torch.ones(latent))

    def fit(self, codes: Float[np.ndarray, "samples latent"], floor: float) -> list[int]:
        """Set mean and standard deviation (ddof 0) to those of an autoencoder's codes.

        A unit inactive in the autoencoder would make the KL explode, so standard deviations
        are raised to at least `floor` times the median one.

        Args:
            codes: Codes of the training split.
            floor: Smallest standard deviation, as a fraction of the median one.

        Returns:
            The units whose standard deviation was raised to the floor.

        Raises:
            TrainingError: If the codes are all alike.
        """
        require_spread(codes)
        spread = codes.std(0)
        least = floor * (float(np.median(spread)) or float(spread.max()))
        self.loc.copy_(torch.from_numpy(codes.mean(0)))
        self.scale.copy_(torch.from_numpy(np.maximum(spread, least)))
        return [int(unit) for unit in np.flatnonzero(spread < least)]

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentMixture:
        """Return the Gaussian."""
        return LatentMixture(self.loc.new_zeros(1), self.loc[None], self.scale[None])


class StandardConfig(AbstractPriorConfig):
    """The standard normal prior N(0, I)."""

    title: ClassVar[str] = "Standard normal"
    fixed: ClassVar[bool] = True
    kind: Literal["standard"] = "standard"

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> GaussianPrior:
        """Build the prior."""
        return GaussianPrior(space.size)


class XVAEConfig(AbstractPriorConfig):
    """X-VAE's prior: the empirical Gaussian of a pretrained autoencoder's codes."""

    title: ClassVar[str] = "X-VAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.XVAE,)
    fixed: ClassVar[bool] = True
    kind: Literal["xvae"] = "xvae"
    source: str = Field(max_length=100, description="Slug of the autoencoder's checkpoint.")
    source_hash: str | None = Field(
        None, max_length=64, description="Its hash, filled in by training."
    )
    floor: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Smallest standard deviation, as a fraction of the median one.",
    )
    floored: tuple[int, ...] = Field(
        (), max_length=512, description="Floored units, filled in by training."
    )

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> GaussianPrior:
        """Build the prior, to be fitted to codes."""
        return GaussianPrior(space.size)
