"""A reference on a surface: the uniform distribution on a sphere."""

import math
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from explorer import papers
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
)
from explorer.papers import Paper
from explorer.sketch import CurveSketch, PixelSketch

_STEPS = 64
_NEARLY_PARALLEL = 1e-6


class LatentSphere(LatentPrior):
    """Uniform on a sphere: of radius sqrt(d), on which N(0, I) concentrates as d grows, or given.

    It has no density in R^d. The scale turns each code from the pole (0) to its place (1); beyond
    1 there is nothing.

    Args:
        pole: A unit vector: in its direction all codes are at scale 0.
        radius: Distance of all codes from the centre; by default sqrt(d).
        centre: The centre; by default the origin.
    """

    has_density = False
    dial = Dial(
        "the angle from the pole",
        r"u = g / |g|,\quad g \sim \mathcal N(0, I),\qquad z = c + r\, "
        r"\frac{\sin((1 - s)\,\theta)\, p + \sin(s\,\theta)\, u}{\sin\theta},"
        r"\quad \cos\theta = p \cdot u",
        "the pole p, where most codes of data are",
        1.0,
    )

    def __init__(
        self,
        pole: Float[Tensor, " latent"],
        radius: float | None = None,
        centre: Float[Tensor, " latent"] | None = None,
    ) -> None:
        self.pole = pole
        self.radius = math.sqrt(len(pole)) if radius is None else radius
        self.centre = torch.zeros_like(pole) if centre is None else centre

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Raise an error: codes on a sphere have no density in space."""
        raise NoDensityError(
            "Codes on a sphere have no density in the space around it; "
            "choose a model with another prior to compare densities."
        )

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw places on the sphere, and turn them towards the pole along great circles."""
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        pole = self.pole
        raw = noise(n, len(pole), own).to(pole)
        place = raw / raw.norm(dim=1, keepdim=True)
        where = torch.zeros(n, dtype=torch.int64)
        if factor >= 1:
            return Draw(self.centre + self.radius * place, where)
        along = (place @ pole)[:, None]
        across = place - along * pole
        length = across.norm(dim=1, keepdim=True)
        angle = max(factor, 0.0) * torch.atan2(length, along)
        side = across / length.clamp(min=_NEARLY_PARALLEL)
        turned = angle.cos() * pole + angle.sin() * side
        return Draw(self.centre + self.radius * turned, where)

    def components(self) -> Components | None:
        """Return None: there are none."""
        return None

    def denoised(
        self, x: Float[Tensor, "batch latent"], t: Float[Tensor, "batch 1"]
    ) -> Float[Tensor, "batch latent"]:
        """Evaluate E[z | t z + (1 - t) e = x]: the mean of a von Mises-Fisher distribution.

        Its concentration is t r |x - t c| / (1 - t)^2, its direction that of x - t c.

        References:
            Directional statistics (Mardia and Jupp, 2000), equation 9.3.4.
        """
        x = x - t * self.centre
        length = x.norm(dim=1, keepdim=True)
        concentration = t * self.radius * length / (1 - t).pow(2)
        mean: Tensor = self.radius * _resultant(concentration, len(self.pole)) / length
        return self.centre + mean * x


def _resultant(kappa: Float[Tensor, "batch 1"], dimensions: int) -> Float[Tensor, "batch 1"]:
    """Evaluate I_{d/2}(k) / I_{d/2-1}(k) by its continued fraction, from an upper bound far down.

    References:
        Computation of modified Bessel functions and their ratios (Amos, 1974), equations 3 and 11.
    """
    order = dimensions / 2 + _STEPS
    k = kappa.double().clamp(min=1e-12)
    ratio = k / (order - 0.5 + ((order + 0.5) ** 2 + k.pow(2)).sqrt())
    for _ in range(_STEPS):
        order -= 1
        ratio = 1 / (2 * order / k + ratio)
    return ratio.to(kappa)


class SpherePrior(AbstractPrior):
    """The uniform distribution on a sphere; training sets its pole to where most codes are.

    Args:
        latent: Length of a code.
        radius: Its radius, about a centre that is fitted with it; by default sqrt(d), about the
            origin.
    """

    pole: Tensor
    centre: Tensor | None

    def __init__(self, latent: int, radius: float | None = None) -> None:
        super().__init__()
        self.radius = radius
        self.register_buffer("pole", torch.eye(latent)[0])
        self.register_buffer("centre", None if radius is None else torch.zeros(latent))

    @torch.no_grad()
    def turn(self, codes: Float[Tensor, "samples latent"]) -> None:
        """Set the pole to the direction of the codes' mean."""
        mean = codes.mean(0)
        if bool(mean.norm() > 0):
            self.pole.copy_(mean / mean.norm())

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentSphere:
        """Return the distribution."""
        return LatentSphere(self.pole, self.radius, self.centre)


class SphereConfig(AbstractPriorConfig):
    """The uniform distribution on the sphere of radius sqrt(d), or of a `radius` about codes."""

    title: ClassVar[str] = "Sphere"
    references: ClassVar[tuple[Paper, ...]] = (papers.WAE,)
    fixed: ClassVar[bool] = True
    kind: Literal["sphere"] = "sphere"
    radius: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Its radius, filled in where it is fitted to codes; by default sqrt(d).",
    )

    @property
    def has_density(self) -> bool:
        """No: codes lie on a surface."""
        return False

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> SpherePrior:
        """Build the prior."""
        return SpherePrior(space.size, self.radius)
