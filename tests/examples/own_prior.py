"""A prior of your own, plugged in and proven: a Laplace distribution for each latent unit.

A package that has this module plugs it in by three lines of its `pyproject.toml`:

    [project.entry-points."latent_explorer.priors"]
    laplace = "own_prior:LaplaceConfig"

From then on recipes may say `{"kind": "laplace"}`, and every page shows what was trained with it.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Laplace

from explorer.interfaces import (
    AbstractPrior,
    AbstractPriorConfig,
    Components,
    Draw,
    Encode,
    LatentPrior,
    LatentSpace,
    Scale,
    Seed,
    each_level,
    noise,
)
from explorer.sketch import CurveSketch, PixelSketch


class LatentLaplace(LatentPrior):
    """p(z) = prod_j Laplace(z_j; loc_j, scale_j): most units near their mean, a few far out."""

    def __init__(self, loc: Tensor, scale: Tensor) -> None:
        self.law = Independent(Laplace(loc, scale, validate_args=False), 1)
        self.loc, self.scale = loc, scale

    def log_prob(self, z: Tensor) -> Tensor:
        """Evaluate log p(z) in nats."""
        return self.law.log_prob(z)

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw z = loc + scale * spread * noise, normal noise turned into Laplace noise."""
        (factor,), (own,) = each_level(scale, 1), each_level(seed, 1)
        normal = noise(n, len(self.loc), own).double()
        tail = 2 * torch.special.ndtr(-normal.abs())
        spread = -normal.sign() * tail.log()
        z = self.loc + factor * self.scale * spread.to(self.loc)
        return Draw(z, torch.zeros(n, dtype=torch.int64))

    def components(self) -> Components | None:
        """Return None: it is no mixture of Gaussians."""
        return None


class LaplacePrior(AbstractPrior):
    """A Laplace prior whose means and spreads are trained with the model."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(latent))
        self.log_scale = nn.Parameter(torch.zeros(latent))

    def forward(self, posterior: Encode, labels: Tensor | None = None) -> LatentLaplace:
        """Return p(z)."""
        return LatentLaplace(self.loc, self.log_scale.exp())


class LaplaceConfig(AbstractPriorConfig):
    """A Laplace distribution for each latent unit."""

    title: ClassVar[str] = "Laplace"
    kind: Literal["laplace"] = "laplace"

    def build(self, space: LatentSpace, sketch: PixelSketch | CurveSketch) -> LaplacePrior:
        """Make the untrained prior."""
        return LaplacePrior(space.size)


def main() -> None:
    """Prove it: density, sampler, gradients, batches and file, on models of one and two levels."""
    from explorer.testing import check_prior

    check_prior(LaplaceConfig())
    print("The Laplace prior keeps every law.")


if __name__ == "__main__":
    main()
