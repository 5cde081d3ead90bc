"""A reference with noise on it: the law of t R + (1 - t) e, as on the way of a diffusion."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from explorer import papers
from explorer.distributions import DiagonalMixture
from explorer.errors import NoDensityError
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
    uniforms,
)
from explorer.papers import Paper
from explorer.priors.gaussian import StandardConfig, XVAEConfig
from explorer.priors.kernel import BottleneckConfig, FeaturesConfig, FileReferenceConfig
from explorer.priors.mixture import CodeMixtureConfig, LatentMixture
from explorer.priors.sphere import SphereConfig
from explorer.sketch import CurveSketch, PixelSketch

_NODES = 16
_NOISE, _TIME = 0x20_0000, 0x30_0000
"""Offsets of seeds: noise and time are independent of the draw of the reference."""


class LatentNoised(LatentPrior):
    """t R + (1 - t) e with e from N(0, I): at t = 1 the reference, at t = 0 N(0, I).

    Of a mixture with means m and variances v it is one with t m and t^2 v + (1 - t)^2, and so of a
    kernel density, too.

    Without a t, each code has its own, uniform in (0, 1): one of 16 Gauss-Legendre nodes, drawn by
    its weight, so that density and samples are of one law. The scale multiplies e only.

    Args:
        reference: R.
        t: Time, or None.
    """

    varies_at_rest = True
    dial = Dial(
        "the noise added to the reference",
        r"z = t\,r + (1 - t)\,s\,\varepsilon,\qquad r \sim R,"
        r"\quad \varepsilon \sim \mathcal N(0, I)",
        "a sample of the reference, times t",
    )

    def __init__(self, reference: LatentPrior, t: float | None) -> None:
        self.reference = reference
        if t is None:
            nodes, weights = np.polynomial.legendre.leggauss(_NODES)
            self.times, self.shares = (1 + nodes) / 2, weights / 2
        else:
            self.times, self.shares = np.array([t]), np.ones(1)
        self.density = self._mixture()
        """The law as one mixture; None if the reference is none."""
        self.has_density = self.density is not None

    def _mixture(self) -> LatentMixture | None:
        """Return the law as one mixture; None if the reference is not a mixture."""
        if not isinstance(self.reference, LatentMixture):
            return None
        base = self.reference.mixture
        at = [
            (float(t), math.log(share)) for t, share in zip(self.times, self.shares, strict=True)
        ]
        return LatentMixture(
            torch.cat([base.log_weights + log_share for _, log_share in at]),
            torch.cat([t * base.loc for t, _ in at]),
            torch.cat([((t * base.scale).pow(2) + (1 - t) ** 2).sqrt() for t, _ in at]),
        )

    def at(self, t: float) -> "LatentNoised":
        """Return the law at another time; a code of a seed keeps its reference and its noise."""
        return LatentNoised(self.reference, t)

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z) in nats: over t by quadrature.

        Raises:
            NoDensityError: If the reference is not a mixture of Gaussians.
        """
        if self.density is None:
            raise NoDensityError(
                "This noised reference has no density in closed form; "
                "choose a model with another prior to compare densities."
            )
        mixture, count = self.density.mixture, len(self.density.mixture.loc) // len(self.times)
        # One time after the other: a kernel density has thousands of components at each.
        parts = [
            DiagonalMixture(*part).log_prob(z)
            for part in zip(
                *(each.split(count) for each in (mixture.log_weights, mixture.loc, mixture.scale)),
                strict=True,
            )
        ]
        return parts[0] if len(parts) == 1 else torch.stack(parts).logsumexp(0)

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw t z + (1 - t) scale e, with z from the reference at scale 1."""
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        z = self.reference.draw(n, seed=own).z
        edges = torch.from_numpy(self.shares.cumsum())
        index = torch.searchsorted(edges, uniforms(n, own ^ _TIME)).clamp(max=len(edges) - 1)
        t = torch.from_numpy(self.times).to(z)[index.to(z.device), None]
        e = noise(n, z.shape[1], own ^ _NOISE).to(z)
        return Draw(t * z + (1 - t) * factor * e, torch.zeros(n, dtype=torch.int64))

    def components(self) -> Components | None:
        """Return None: the components of the reference are blurred."""
        return None

    def denoised(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"] | None:
        """Evaluate E[z | t z + (1 - t) e = x] if there is a density."""
        return None if self.density is None else self.density.denoised(x, t)


class NoisedPrior(AbstractPrior):
    """Another prior, with noise."""

    def __init__(self, reference: AbstractPrior, t: float | None) -> None:
        super().__init__()
        self.reference, self.t = reference, t

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentNoised:
        """Return the law."""
        return LatentNoised(self.reference(posterior), self.t)


Noisable = Annotated[
    StandardConfig
    | XVAEConfig
    | CodeMixtureConfig
    | SphereConfig
    | FeaturesConfig
    | BottleneckConfig
    | FileReferenceConfig,
    Field(discriminator="kind"),
]


class NoisedConfig(AbstractPriorConfig):
    """A reference on the path of a diffusion: t R + (1 - t) e."""

    title: ClassVar[str] = "Noised"
    references: ClassVar[tuple[Paper, ...]] = (papers.FLOW_MATCHING,)
    fixed: ClassVar[bool] = True
    kind: Literal["noised"] = "noised"
    reference: Noisable
    t: float | None = Field(
        0.8, ge=0, le=1, description="Time; null draws one for each code, uniform in (0, 1)."
    )

    @property
    def has_density(self) -> bool:
        """Whether the reference has one."""
        return self.reference.has_density

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> NoisedPrior:
        """Build the prior."""
        return NoisedPrior(self.reference.build(space, sketch), self.t)
