"""A Gaussian with a full covariance: it also knows how units go together."""

import math
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from explorer import papers
from explorer.interfaces import (
    AbstractPrior,
    AbstractPriorConfig,
    Components,
    Dial,
    Draw,
    Encode,
    LatentPrior,
    LatentSpace,
    Scale,
    Seed,
    each_level,
    noise,
)
from explorer.papers import Paper
from explorer.priors.mixture import require_spread
from explorer.sketch import CurveSketch, PixelSketch

_DIAL = Dial(
    "the spread about the mean",
    r"z = \mu + s\,L\,\varepsilon,\quad L L^\top = \Sigma,\quad \varepsilon \sim \mathcal N(0, I)",
    "the mean",
)


class LatentFullGaussian(LatentPrior):
    """N(loc, L L^T), in double precision where it is evaluated.

    Args:
        loc: Its mean.
        factor: L, lower triangular with a positive diagonal.
    """

    dial = _DIAL

    def __init__(
        self, loc: Float[Tensor, " latent"], factor: Float[Tensor, "latent latent"]
    ) -> None:
        self.loc, self.factor = loc, factor

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats."""
        factor = self.factor.double()
        apart = (z.double() - self.loc.double()).unsqueeze(-1)
        white = torch.linalg.solve_triangular(factor, apart, upper=False).squeeze(-1)
        volume = factor.diagonal().log().sum() + 0.5 * len(self.loc) * math.log(2 * math.pi)
        density: Tensor = -0.5 * white.pow(2).sum(-1) - volume
        return density.to(z.dtype)

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw z = loc + scale * L * noise; there are no components, so all indices are 0."""
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        eps = noise(n, len(self.loc), own).to(self.loc)
        return Draw(self.loc + factor * (eps @ self.factor.T), torch.zeros(n, dtype=torch.int64))

    def components(self) -> Components | None:
        """Return None: components have no covariance between units."""
        return None

    def denoised(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"]:
        """Evaluate E[z | t z + (1 - t) e = x] along the principal axes.

        References:
            Pattern recognition and machine learning (Bishop, 2006), equations 2.113-2.117.
        """
        axes, lengths, _ = torch.linalg.svd(self.factor)
        variance = lengths.pow(2)
        gain = t * variance / (t.pow(2) * variance + (1 - t).pow(2))
        return self.loc + (gain * ((x - t * self.loc) @ axes)) @ axes.T


class FullGaussianPrior(AbstractPrior):
    """A Gaussian with a full covariance that is not trained: fitted to codes, or given.

    Its factor is stored as the logarithm of the diagonal and what lies below, so that whatever a
    file holds is a covariance.
    """

    loc: Tensor
    log_diagonal: Tensor
    below: Tensor

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent))
        self.register_buffer("log_diagonal", torch.zeros(latent))
        self.register_buffer("below", torch.zeros(latent, latent))

    def fit(self, codes: Float[np.ndarray, "samples latent"]) -> float:
        """Set mean and covariance to those of codes, shrunk towards a multiple of the identity.

        Returns:
            The shrinkage, 0 to 1.

        Raises:
            TrainingError: If the codes are all alike.

        References:
            A well-conditioned estimator for large-dimensional covariance matrices (Ledoit and
            Wolf, 2004), for the shrinkage.
        """
        from sklearn.covariance import LedoitWolf

        require_spread(codes)
        # Units of unlike scale would be shrunk to one: each is divided by its own.
        spread = np.maximum(codes.std(0), 1e-6 * float(codes.std(0).max())).astype(np.float64)
        found = LedoitWolf().fit(codes.astype(np.float64) / spread)
        self.take(codes.mean(0, dtype=np.float64), spread[:, None] * found.covariance_ * spread)
        return float(found.shrinkage_)

    def take(
        self,
        mean: Float[np.ndarray, " latent"],
        covariance: Float[np.ndarray, "latent latent"],
    ) -> None:
        """Set mean and covariance.

        Raises:
            numpy.linalg.LinAlgError: If the covariance is not positive definite.
        """
        factor = np.linalg.cholesky(covariance)
        self.loc.copy_(torch.from_numpy(mean))
        self.log_diagonal.copy_(torch.from_numpy(np.log(np.diag(factor))))
        self.below.copy_(torch.from_numpy(np.tril(factor, -1)))

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentFullGaussian:
        """Return the Gaussian."""
        return LatentFullGaussian(
            self.loc, self.below.tril(-1) + torch.diag(self.log_diagonal.exp())
        )


class FullGaussianConfig(AbstractPriorConfig):
    """The empirical Gaussian of codes with all covariances, shrunk as Ledoit and Wolf do."""

    title: ClassVar[str] = "Full covariance"
    references: ClassVar[tuple[Paper, ...]] = (papers.XVAE, papers.LEDOIT_WOLF)
    fixed: ClassVar[bool] = True
    kind: Literal["gaussian"] = "gaussian"
    source: str = Field(max_length=100, description="Slug of the checkpoint with the codes.")
    source_hash: str | None = Field(
        None, max_length=64, description="Its hash, filled in by training."
    )
    shrinkage: float | None = Field(
        None, ge=0, le=1, description="Share of the identity, filled in by the fit."
    )

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> FullGaussianPrior:
        """Build the prior, to be fitted to codes."""
        return FullGaussianPrior(space.size)
