"""Distributions that torch lacks: mixtures of diagonal Gaussians, and the discretised logistic."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints

LOG_TWO_PI = math.log(2 * math.pi)
_ONE = torch.Size()
BINS = 256
"""Values of an 8-bit pixel."""
_FLOOR, _SMALL = 1e-7, 1e-5


class DiagonalMixture(Distribution):
    """sum_k w_k N(loc_k, diag scale_k^2).

    Args:
        log_weights: Logarithms of the weights, which must sum to one.
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


class DiscretisedLogistic(Distribution):
    """A logistic density integrated over bins of width 1/256, for 8-bit pixels.

    A pixel's value is in [0, 1]; its bin is floor(256 x), at most 255.

    Args:
        loc: Location of the logistic, in [0, 1].
        log_scale: Logarithm of its scale.
        reference: Follow the published code: the tails beyond the outer bins are not added to
            them, so the masses sum to less than one, and 1e-7 is added to each. Otherwise
            the outer bins extend to infinity and the masses sum to one.

    References:
        Improving variational inference with inverse autoregressive flow (Kingma et al., 2016),
        section 5.2 and appendix C. https://arxiv.org/abs/1606.04934
        NVAE (Vahdat and Kautz, 2020), for the stable logarithms. https://arxiv.org/abs/2007.03898
    """

    arg_constraints = {}  # noqa: RUF012 - the type torch declares
    support = constraints.unit_interval
    has_rsample = False

    def __init__(
        self,
        loc: Float[Tensor, "*shape"],
        log_scale: Float[Tensor, "*shape"],
        reference: bool = False,
    ) -> None:
        self.loc, self.log_scale, self.reference = loc, log_scale, reference
        super().__init__(batch_shape=loc.shape, validate_args=False)

    def log_prob(self, value: Float[Tensor, "*shape"]) -> Float[Tensor, "*batch"]:
        """Evaluate the log mass of each value's bin, in nats; shapes broadcast."""
        index = (value * BINS).floor().clamp(0, BINS - 1)
        inverse = (-self.log_scale).exp()
        upper = ((index + 1) / BINS - self.loc) * inverse
        lower = (index / BINS - self.loc) * inverse
        mass = upper.sigmoid() - lower.sigmoid()
        if self.reference:
            return (mass + _FLOOR).log()
        middle = ((index + 0.5) / BINS - self.loc) * inverse
        softplus = torch.nn.functional.softplus
        density = middle - self.log_scale - 2 * softplus(middle) - math.log(BINS)
        inner = torch.where(mass > _SMALL, mass.clamp(min=_SMALL).log(), density)
        inner = torch.where(index == 0, -softplus(-upper), inner)
        return torch.where(index == BINS - 1, -softplus(lower), inner)

    @property
    def mean(self) -> Float[Tensor, "*shape"]:
        """The logistic's location, ignoring the truncation by the bins."""
        return self.loc

    @torch.no_grad()
    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = _ONE) -> Tensor:
        """Draw bin midpoints with torch's global generator."""
        uniform = torch.rand(torch.Size(sample_shape) + self.loc.shape).to(self.loc)
        value = self.loc + self.log_scale.exp() * torch.logit(uniform, 1e-6)
        return ((value * BINS).floor().clamp(0, BINS - 1) + 0.5) / BINS
