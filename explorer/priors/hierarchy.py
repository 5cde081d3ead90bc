"""The prior of a two-level model: a learned one on top, the decoder's conditional below."""

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.interfaces import (
    Components,
    Conditional,
    Draw,
    LatentPrior,
    Posterior,
    Scale,
    Seed,
    each_level,
    noise,
)

_OTHER = 0x10_0000
"""Seed offset of the lower level's noise, which would otherwise repeat the top's."""


class HierarchicalPrior(LatentPrior):
    """p(z) = p(z2) p(z1|z2); a code is z2, the top, followed by z1, the bottom.

    Args:
        upper: p(z2).
        size: Length of z2.
        conditional: Maps z2 to the Gaussian p(z1|z2).

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), equations 12-14. https://arxiv.org/abs/1705.07120
    """

    def __init__(self, upper: LatentPrior, size: int, conditional: Conditional) -> None:
        self.upper, self.size, self._conditional = upper, size, conditional
        self.has_density, self.dial = upper.has_density, upper.dial

    def below(self, z: Float[Tensor, "*batch level"]) -> Posterior:
        """Return p(z1|z2)."""
        return self._conditional(z)

    def levels(self, z: Float[Tensor, "*batch latent"]) -> tuple[LatentPrior | Posterior, ...]:
        """Return p(z2) and p(z1|z2)."""
        return self.upper, self.below(z[..., : self.size])

    def log_prob(self, z: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate log p(z2) + log p(z1|z2) in nats."""
        upper, lower = z[..., : self.size], z[..., self.size :]
        return self.upper.log_prob(upper) + self.below(upper).log_prob(lower)

    def draw(
        self, n: int, *, scale: Scale = 1.0, seed: Seed = 0, component: int | None = None
    ) -> Draw:
        """Draw z2 from its prior at the first scale, then z1 given z2 at the second."""
        (upper_scale, lower_scale), (upper_seed, lower_seed) = (
            each_level(scale, 2),
            each_level(seed, 2),
        )
        top = self.upper.draw(n, scale=upper_scale, seed=upper_seed, component=component)
        return Draw(self.descend(top.z, scale=lower_scale, seed=lower_seed), top.component)

    def descend(
        self, top: Float[Tensor, "batch level"], *, scale: float = 1.0, seed: int = 0
    ) -> Float[Tensor, "batch latent"]:
        """Draw z1 given z2: what the bottom adds to what the top has decided."""
        p = self.below(top)
        assert p.scale is not None
        eps = noise(len(top), p.loc.shape[-1], seed + _OTHER).to(top)
        return torch.cat([top, p.loc + scale * p.scale * eps], -1)

    def components(self) -> Components | None:
        """Return the top's components, each with the level below at its mean."""
        upper = self.upper.components()
        if upper is None:
            return None
        lower = self.below(upper.loc)
        assert lower.scale is not None
        return Components(
            upper.log_weights,
            torch.cat([upper.loc, lower.loc], -1),
            torch.cat([upper.scale, lower.scale], -1),
        )

    def responsibilities(
        self, z: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch components"] | None:
        """Evaluate p(k|z) = p(k|z2): given z2, the bottom does not depend on the component."""
        return self.upper.responsibilities(z[..., : self.size])
