"""Densities torch lacks: a mixture of diagonal Gaussians whose density is two matrix products."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints

LOG_TWO_PI = math.log(2 * math.pi)
_ONE = torch.Size()


class DiagonalMixture(Distribution):
    """sum_k w_k N(loc_k, diag scale_k^2).

    Args:
        log_weights: Logarithms of the weights; they must sum to one.
        loc: Means.
        scale: Standard deviations.
    """

    arg_constraints = {}  # noqa: RUF012 - the type torch declares
    support = constraints.real_vector
    has_rsample = False

    def __init__(
        self,
        log_weights: Float[Tensor, " components"],
        loc: Float[Tensor, "components latent"],
        scale: Float[Tensor, "components latent"],
    ) -> None:
        self.log_weights, self.loc, self.scale = log_weights, loc, scale
        super().__init__(event_shape=loc.shape[-1:], validate_args=False)

    def component_log_prob(
        self, z: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch components"]:
        """Evaluate log N(z; loc_k, scale_k^2) for every component, in float64.

        (z - m)^2 / s^2 is expanded into matrix products, which cost a hundredth of the direct form
        but cancel: in float32 the error reaches 1.5e-3 nats at a log variance of -6, in float64
        4e-12.
        """
        loc, scale, z = self.loc.double(), self.scale.double(), z.double()
        precision = scale.pow(-2)
        square = (
            z.pow(2) @ precision.T - 2 * z @ (loc * precision).T + (loc.pow(2) * precision).sum(-1)
        )
        return -0.5 * (square + loc.shape[-1] * LOG_TWO_PI) - scale.log().sum(-1)

    def log_prob(self, value: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch"]:
        """Evaluate the density in nats."""
        joint = self.component_log_prob(value) + self.log_weights.double()
        return joint.logsumexp(-1).to(value.dtype)

    def responsibilities(
        self, z: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch components"]:
        """Evaluate p(k|z)."""
        return (self.component_log_prob(z) + self.log_weights.double()).softmax(-1).to(z.dtype)

    @property
    def mean(self) -> Float[Tensor, " latent"]:
        """The mean of the mixture."""
        return self.log_weights.exp() @ self.loc

    @property
    def variance(self) -> Float[Tensor, " latent"]:
        """The variance of the mixture, per unit."""
        return self.log_weights.exp() @ (self.scale.pow(2) + (self.loc - self.mean).pow(2))

    @torch.no_grad()
    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = _ONE) -> Tensor:
        """Draw from the mixture with torch's global generator."""
        shape = torch.Size(sample_shape)
        index = torch.multinomial(self.log_weights.exp(), max(shape.numel(), 1), replacement=True)
        index = index[: shape.numel()].reshape(shape)
        return self.loc[index] + self.scale[index] * torch.randn_like(self.loc[index])
