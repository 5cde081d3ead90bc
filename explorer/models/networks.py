"""The gated networks of the VampPrior paper, and the output heads of decoders."""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from explorer.distributions import BINS, DiscretisedLogistic
from explorer.interfaces import Posterior

LOG_VARIANCE_BOUNDS = (-6.0, 2.0)
"""Clamp of the log variance of q and of p(z1|z2)."""

LOG_SCALE_BOUNDS = (-6.0, 2.0)
"""Bounds of the learned log standard deviation of a Gaussian likelihood."""

LOGISTIC_BOUNDS = (-4.5, 0.0)
"""Bounds of the log scale of a discretised logistic likelihood."""


class GatedDense(nn.Module):
    """(W_h x + b_h) * sigmoid(W_g x + b_g), as one matrix product.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5.1. https://arxiv.org/abs/1705.07120
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)
        _draw_he_normal(self.linear.weight)

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Apply the layer."""
        return nn.functional.glu(self.linear(x), dim=-1)


class GatedConv(nn.Module):
    """A convolution gated by another, computed as one."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 2 * outputs, kernel, stride, kernel // 2)

    def forward(
        self, x: Float[Tensor, "*batch channels height width"]
    ) -> Float[Tensor, "*batch outputs rows columns"]:
        """Apply the layer."""
        return nn.functional.glu(at_pixels(self.conv, x), dim=-3)


def at_pixels(
    layer: Callable[[Tensor], Tensor], x: Float[Tensor, "*batch channels height width"]
) -> Float[Tensor, "*batch outputs rows columns"]:
    """Apply an image layer with any number of leading batch axes."""
    out = layer(x.reshape(-1, *x.shape[-3:]))
    return out.reshape(*x.shape[:-3], *out.shape[1:])


def gated_stack(inputs: int, hidden: tuple[int, ...]) -> nn.Sequential:
    """Chain gated dense layers."""
    sizes = (inputs, *hidden)
    return nn.Sequential(*(GatedDense(a, b) for a, b in itertools.pairwise(sizes)))


class DenseEncoder(nn.Sequential):
    """Gated dense layers on flattened samples."""

    def __init__(self, shape: tuple[int, ...], hidden: tuple[int, ...]) -> None:
        super().__init__(*gated_stack(math.prod(shape), hidden))

    def forward(self, x: Float[Tensor, "batch *sample"]) -> Float[Tensor, "batch hidden"]:
        """Apply the layers."""
        return super().forward(x.flatten(1))


WIDE = ((7, 1), (3, 2), (5, 1), (3, 2), (3, 1))
NARROW = ((3, 1), (3, 2), (3, 1), (3, 2), (3, 1))
"""Kernel and stride of the five layers of a convolutional encoder, for top and bottom."""


def gated_encoder(
    shape: tuple[int, ...], channels: tuple[int, ...], layers: tuple[tuple[int, int], ...]
) -> tuple[nn.Sequential, int]:
    """Build gated convolutions that halve an image twice; return them and their output size.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), supplementary, "convHVAE".
        https://arxiv.org/abs/1705.07120
    """
    sizes = (shape[0], *channels)
    chain = [
        GatedConv(a, b, kernel, stride)
        for (a, b), (kernel, stride) in zip(itertools.pairwise(sizes), layers, strict=True)
    ]
    side = [math.ceil(math.ceil(length / 2) / 2) for length in shape[1:]]
    return nn.Sequential(*chain, nn.Flatten()), channels[-1] * side[0] * side[1]


def gated_pictures(
    inputs: int, shape: tuple[int, ...], channels: tuple[int, ...]
) -> nn.Sequential:
    """Map a row to one feature map of the image's size, followed by gated convolutions."""
    chain = [GatedConv(a, b, 3) for a, b in itertools.pairwise((1, *channels))]
    height, width = shape[1:]
    return nn.Sequential(
        GatedDense(inputs, height * width), nn.Unflatten(-1, (1, height, width)), *chain
    )


def dense(inputs: int, outputs: int) -> nn.Linear:
    """Build a linear layer with the paper's He-normal initialisation."""
    layer = nn.Linear(inputs, outputs)
    _draw_he_normal(layer.weight)
    return layer


def _draw_he_normal(weight: Float[Tensor, "outputs inputs"]) -> None:
    if not weight.is_meta:  # of which shapes are asked only, and drawing takes longest
        nn.init.normal_(weight, std=math.sqrt(2 / weight.shape[1]))


class DiagonalGaussian(nn.Module):
    """Maps features to a diagonal Gaussian with clamped log variance."""

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.loc = dense(inputs, latent)
        self.log_variance = dense(inputs, latent)

    def forward(self, hidden: Float[Tensor, "*batch hidden"]) -> Posterior:
        """Return the Gaussian."""
        log_variance = nn.functional.hardtanh(self.log_variance(hidden), *LOG_VARIANCE_BOUNDS)
        return Posterior(self.loc(hidden), (0.5 * log_variance).exp())


class BernoulliHead(nn.Module):
    """p(x|z) for binary pixels; kept in logits, since a saturated sigmoid has log 0 = -inf."""

    def __init__(self, inputs: int, shape: tuple[int, ...], pictures: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.logits = projection(inputs, shape, pictures)

    def forward(self, hidden: Float[Tensor, "*batch_and_hidden"]) -> Distribution:
        """Return the likelihood."""
        logits = project(self.logits, hidden, self.shape)
        return Independent(
            Bernoulli(logits=logits, validate_args=False), len(self.shape), validate_args=False
        )


class GaussianHead(nn.Module):
    """p(x|z) for real values, with one learned scale per coordinate shared by all samples."""

    def __init__(self, inputs: int, shape: tuple[int, ...], pictures: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.loc = projection(inputs, shape, pictures)
        self.log_scale = nn.Parameter(torch.zeros(math.prod(shape)))

    def forward(self, hidden: Float[Tensor, "*batch_and_hidden"]) -> Distribution:
        """Return the likelihood."""
        loc = project(self.loc, hidden, self.shape)
        scale = self.log_scale.clamp(*LOG_SCALE_BOUNDS).exp().reshape(self.shape).expand_as(loc)
        return Independent(
            Normal(loc, scale, validate_args=False), len(self.shape), validate_args=False
        )


class LogisticHead(nn.Module):
    """p(x|z) for 8-bit pixels: location and scale of a discretised logistic per pixel.

    With `reference` its masses are those of the published code, for comparable numbers.
    """

    def __init__(
        self,
        inputs: int,
        shape: tuple[int, ...],
        pictures: bool = False,
        *,
        reference: bool = False,
    ) -> None:
        super().__init__()
        self.shape, self.reference = shape, reference
        self.loc = projection(inputs, shape, pictures)
        self.log_scale = projection(inputs, shape, pictures)

    def forward(self, hidden: Float[Tensor, "*batch_and_hidden"]) -> Distribution:
        """Return the likelihood."""
        half = 0.5 / BINS
        loc = project(self.loc, hidden, self.shape).sigmoid().clamp(half, 1 - half)
        log_scale = nn.functional.hardtanh(
            project(self.log_scale, hidden, self.shape), *LOGISTIC_BOUNDS
        )
        return Independent(
            DiscretisedLogistic(loc, log_scale, self.reference),
            len(self.shape),
            validate_args=False,
        )


def projection(inputs: int, shape: tuple[int, ...], pictures: bool) -> nn.Module:
    """Build the last layer: from a row to all values, or from channels to each pixel's value."""
    return nn.Conv2d(inputs, shape[0], 1) if pictures else dense(inputs, math.prod(shape))


def project(
    layer: nn.Module, hidden: Float[Tensor, "*batch_and_hidden"], shape: tuple[int, ...]
) -> Float[Tensor, "*batch_and_sample"]:
    """Apply the last layer."""
    if isinstance(layer, nn.Conv2d):
        return at_pixels(layer, hidden)
    out: Tensor = layer(hidden)
    return out.unflatten(-1, shape)


LikelihoodName = Literal["bernoulli", "gaussian", "logistic", "logistic-reference"]
HEADS: dict[str, Callable[..., nn.Module]] = {
    "bernoulli": BernoulliHead,
    "gaussian": GaussianHead,
    "logistic": LogisticHead,
    "logistic-reference": partial(LogisticHead, reference=True),
}
"""Maps input size, sample shape and whether it is an image to a decoder's output head."""
