"""The gated dense networks of the VampPrior paper, and the heads that end a decoder."""

import itertools
import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

LOG_SCALE_BOUNDS = (-6.0, 2.0)
"""Smallest and largest learned log standard deviation of a Gaussian likelihood."""


class GatedDense(nn.Module):
    """(W_h x + b_h) * sigmoid(W_g x + b_g), both products in one.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5.1. https://arxiv.org/abs/1705.07120
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)
        nn.init.normal_(self.linear.weight, std=math.sqrt(2 / inputs))

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Apply the layer."""
        return nn.functional.glu(self.linear(x), dim=-1)


def gated_stack(inputs: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """Chain gated dense layers."""
    sizes = (inputs, *hidden)
    return nn.Sequential(*(GatedDense(a, b) for a, b in itertools.pairwise(sizes)))


def dense(inputs: int, outputs: int) -> nn.Linear:
    """Make a linear layer with the paper's He-normal weights."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=math.sqrt(2 / inputs))
    return layer


class BernoulliHead(nn.Module):
    """p(x|z) for binary pixels; stays in logits, since a saturated sigmoid has log 0 = -inf."""

    def __init__(self, inputs: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.logits = dense(inputs, math.prod(shape))

    def forward(self, hidden: Float[Tensor, "*batch hidden"]) -> Distribution:
        """Return the likelihood."""
        logits = self.logits(hidden).unflatten(-1, self.shape)
        return Independent(
            Bernoulli(logits=logits, validate_args=False), len(self.shape), validate_args=False
        )


class GaussianHead(nn.Module):
    """p(x|z) for real numbers, with one learned scale per coordinate shared by all samples."""

    def __init__(self, inputs: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.loc = dense(inputs, math.prod(shape))
        self.log_scale = nn.Parameter(torch.zeros(math.prod(shape)))

    def forward(self, hidden: Float[Tensor, "*batch hidden"]) -> Distribution:
        """Return the likelihood."""
        loc = self.loc(hidden).unflatten(-1, self.shape)
        scale = self.log_scale.clamp(*LOG_SCALE_BOUNDS).exp().reshape(self.shape).expand_as(loc)
        return Independent(
            Normal(loc, scale, validate_args=False), len(self.shape), validate_args=False
        )


LikelihoodName = Literal["bernoulli", "gaussian"]
HEADS: dict[str, type[BernoulliHead] | type[GaussianHead]] = {
    "bernoulli": BernoulliHead,
    "gaussian": GaussianHead,
}
