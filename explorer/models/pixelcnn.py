"""A PixelCNN: each pixel given the preceding ones and an unmasked condition.

The likelihood is evaluated in one pass where the pixels are known, and sampled pixel by pixel
where they are not; sampling caches the activations of each layer, so that a pixel costs one
column of each layer instead of the whole image, and computes pixels that do not depend on each
other together.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, constraints

from explorer.models.networks import at_pixels

_ONE = torch.Size()
_TAPS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))
"""Rows and columns of a 3 x 3 kernel before its centre, and the centre."""

_SKEWED = ((3, 1), (2, 1), (1, 1), (1, 0), (0, 0))
"""The same taps in sampling: how many steps ago they were computed, and how many rows above."""

_STEPS = 4


class MaskedConv(nn.Conv2d):
    """A 3 x 3 convolution that sees no later pixel, and the current one only if `own` is true.

    References:
        Pixel recurrent neural networks (van den Oord et al., 2016), section 3.4, masks A and B.
        https://arxiv.org/abs/1601.06759
    """

    def __init__(self, inputs: int, outputs: int, *, own: bool) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        self.taps = _TAPS if own else _TAPS[:-1]

    def forward(
        self, input: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch outputs height width"]:
        """Apply the layer."""
        kernel = torch.zeros_like(self.weight)
        for row, column in self.taps:
            kernel[:, :, row, column] = self.weight[:, :, row, column]
        return nn.functional.conv2d(input, kernel, padding=1)

    def matrices(self) -> Float[Tensor, "taps inputs outputs"]:
        """Return the unmasked weights as one matrix per tap."""
        return torch.stack([self.weight[:, :, row, column].T for row, column in self.taps])


class PixelCNN(nn.Module):
    """Masked convolutions, each with batch normalisation and ReLU, over x and a condition.

    Args:
        shape: Shape of an image with one channel.
        condition: Number of unmasked feature maps of the condition.
        channels: Channels of each layer.
        layers: Number of layers, the first of which does not see the current pixel.

    References:
        Conditional image generation with PixelCNN decoders (van den Oord et al., 2016).
        https://arxiv.org/abs/1606.05328
    """

    def __init__(self, shape: tuple[int, ...], condition: int, channels: int, layers: int) -> None:
        super().__init__()
        assert shape[0] == 1, "images of one channel"
        self.shape = shape
        self.condition = nn.Conv2d(condition, channels, 3, padding=1, bias=False)
        self.masked = nn.ModuleList(
            MaskedConv(channels if layer else 1, channels, own=layer > 0)
            for layer in range(layers)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(layers))
        self.logits = nn.Conv2d(channels, 1, 1)

    def forward(self, maps: Float[Tensor, "*batch maps height width"]) -> "Sequential":
        """Return p(x|maps)."""
        return Sequential(self, maps)

    def read(
        self, x: Float[Tensor, "batch 1 height width"], maps: Float[Tensor, "batch maps h w"]
    ) -> Float[Tensor, "batch 1 height width"]:
        """Return the logits of all pixels of given images, each given the preceding ones."""
        hidden = self.masked[0](x) + self.condition(maps)
        for layer, norm in enumerate(self.norms):
            if layer:
                hidden = self.masked[layer](hidden)
            hidden = norm(hidden).relu()
        out: Tensor = self.logits(hidden)
        return out

    @torch.no_grad()
    def paint(
        self,
        maps: Float[Tensor, "batch maps height width"],
        uniform: Float[Tensor, "batch height width"] | None = None,
    ) -> Float[Tensor, "batch 1 height width"]:
        """Sample an image pixel by pixel, caching the layers' earlier outputs.

        A pixel needs the row above only up to one column to its right, so that all pixels with
        the same column + 2 * row are computed at once: 82 steps instead of 784 at 28 x 28.

        Args:
            maps: The condition.
            uniform: A number in [0, 1) per pixel, which is set if its probability exceeds it.
                If absent, each pixel takes its probability as value, and later ones see that.
        """
        n, _, height, width = maps.shape
        layers = [layer for layer in self.masked if isinstance(layer, MaskedConv)]
        factors, offsets = zip(*(_affine(norm) for norm in self.norms), strict=True)
        kernels = [
            layer.matrices() * factor for layer, factor in zip(layers, factors, strict=True)
        ]
        given = self.condition(maps).permute(2, 3, 0, 1) * factors[0] + offsets[0]
        head = self.logits.weight.reshape(1, -1).T
        bias = self.logits.bias
        assert bias is not None
        # Each layer's inputs in the last four steps, by row, with a row of zeros on either side.
        seen = [maps.new_zeros(_STEPS, height + 2, n, layer.in_channels) for layer in layers]
        picture = maps.new_zeros(height, width, n)
        chances = None if uniform is None else uniform.permute(1, 2, 0)
        for step in range(width + 2 * (height - 1)):
            first, stop = max(0, (step - width + 2) // 2), min(height - 1, step // 2) + 1
            for store in seen:  # the columns beside the image
                store[step % _STEPS, [first, stop + 1]] = 0
            if first == stop:
                continue
            row = torch.arange(first, stop, device=maps.device)
            column = step - 2 * row
            out = given[row, column].reshape(len(row) * n, -1)
            for layer, kernel in enumerate(kernels):
                inputs = [
                    seen[layer][(step - ago) % _STEPS, first + 1 - up : stop + 1 - up].flatten(
                        0, 1
                    )
                    for ago, up in _SKEWED[: len(kernel)]
                ]
                if layer:
                    out = torch.addmm(offsets[layer], inputs[0], kernel[0])
                    for part, weights in zip(inputs[1:], kernel[1:], strict=True):
                        out.addmm_(part, weights)
                else:
                    out.addmm_(torch.cat(inputs, -1), kernel.flatten(0, 1))
                out.relu_()
                if layer + 1 < len(kernels):
                    seen[layer + 1][step % _STEPS, first + 1 : stop + 1] = out.unflatten(
                        0, (-1, n)
                    )
            chance = torch.addmm(bias, out, head).sigmoid_().reshape(len(row), n)
            if chances is not None:
                chance = (chances[row, column] < chance).to(chance)
            picture[row, column] = chance
            seen[0][step % _STEPS, first + 1 : stop + 1, :, 0] = chance
        return picture.permute(2, 0, 1)[:, None].contiguous()


class Sequential(Distribution):
    """p(x) = prod_i p(x_i | x_before, condition), for binary images.

    Args:
        network: The PixelCNN.
        maps: Its condition.
    """

    arg_constraints = {}  # noqa: RUF012 - the type torch declares
    support = constraints.boolean
    has_rsample = False

    def __init__(self, network: PixelCNN, maps: Float[Tensor, "*batch maps height width"]) -> None:
        self.network, self.maps = network, maps
        super().__init__(maps.shape[:-3], torch.Size(network.shape), validate_args=False)

    def log_prob(self, value: Float[Tensor, "*shape channels height width"]) -> Tensor:
        """Evaluate the log-probability of given images in nats, in one pass."""
        batch = torch.broadcast_shapes(value.shape[:-3], self.batch_shape)
        x = value.expand(*batch, *value.shape[-3:])
        maps = self.maps.expand(*batch, *self.maps.shape[-3:])
        logits = self.network.read(
            x.reshape(-1, *x.shape[-3:]), maps.reshape(-1, *maps.shape[-3:])
        ).reshape(x.shape)
        return Bernoulli(logits=logits, validate_args=False).log_prob(x).sum((-3, -2, -1))

    @property
    def mean(self) -> Float[Tensor, "*batch channels height width"]:
        """Each pixel's probability given the probabilities of the preceding ones.

        The true mean has no closed form; this stand-in needs no sampling.
        """
        return at_pixels(self.network.paint, self.maps)

    def paint(
        self, uniform: Float[Tensor, "*batch height width"]
    ) -> Float[Tensor, "*batch channels height width"]:
        """Draw images from given uniform numbers, one per pixel."""
        flat = self.network.paint(
            self.maps.reshape(-1, *self.maps.shape[-3:]), uniform.reshape(-1, *uniform.shape[-2:])
        )
        return flat.reshape(*self.batch_shape, *flat.shape[1:])

    @torch.no_grad()
    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = _ONE) -> Tensor:
        """Draw images with torch's global generator."""
        batch = torch.Size(sample_shape) + self.batch_shape
        maps = self.maps.expand(*batch, *self.maps.shape[-3:])
        uniform = torch.rand(*batch, *self.maps.shape[-2:]).to(maps)
        return Sequential(self.network, maps).paint(uniform)


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return factor and offset of a batch normalisation in evaluation mode."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    return factor, norm.bias - norm.running_mean * factor
