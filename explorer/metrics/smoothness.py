"""Smoothness of the decoder: the speed of decoded images along straight paths."""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.interfaces import AbstractModel, LatentPrior, uniforms

PAIRS = 256
_AT_ONCE = 64


def path_speeds(
    model: AbstractModel,
    ends: Float[Tensor, "pairs 2 latent"],
    times: Float[Tensor, " pairs"],
) -> Float[Tensor, " pairs"]:
    """Evaluate |d/dt G(a + t (b - a))|^2 of the decoder's mean G, exactly, in forward mode.

    The usual finite difference suffers from cancellation in single precision.

    Args:
        model: A model in evaluation mode.
        ends: Pairs of codes.
        times: Position on each path, 0 to 1.

    References:
        A style-based generator architecture for GANs (Karras et al., 2019), section 4.1, of whose
        path length this is the limit, in data units. https://arxiv.org/abs/1812.04948
    """

    def speed(pair: Tensor, time: Tensor) -> Tensor:
        way = pair[1] - pair[0]
        moved: Tensor = torch.func.jvp(
            lambda z: model.likelihood(z).mean, (pair[0] + time * way,), (way,)
        )[1]
        return moved.pow(2).sum()

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # raised by torch itself on first use
        return torch.cat(
            [
                torch.stack([speed(p, t) for p, t in zip(a, b, strict=True)])
                for a, b in zip(ends.split(_AT_ONCE), times.split(_AT_ONCE), strict=True)
            ]
        )


def path_smoothness(
    model: AbstractModel, prior: LatentPrior, pairs: int = PAIRS, seed: int = 0
) -> Float[Tensor, " pairs"]:
    """Return the squared speed at a random point of the line between two prior samples."""
    z = prior.draw(2 * pairs, seed=seed).z
    times = uniforms(pairs, seed).to(z)
    return path_speeds(model, z.reshape(pairs, 2, -1), times)
