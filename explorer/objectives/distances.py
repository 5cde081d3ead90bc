"""Distances between two samples of codes, with gradients, to match distributions by."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

DistanceName = Literal["sliced", "mmd"]

MULTIPLES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Widths of the seven kernels, in those of the median one."""


def sliced_distance(
    a: Float[Tensor, "samples latent"],
    b: Float[Tensor, "samples latent"],
    directions: Float[Tensor, "projections latent"],
) -> Float[Tensor, ""]:
    """Estimate the squared sliced 2-Wasserstein distance of two sets of equal size.

    Between isotropic Gaussians it is |m - n|^2 / d + (s - t)^2. Two sets from one distribution are
    about 6/n times its variance apart.

    Args:
        a: Codes.
        b: As many others.
        directions: Directions of any length.

    References:
        Sliced and Radon Wasserstein barycenters of measures (Bonneel et al., 2015), section 3.
        Sliced Wasserstein auto-encoders (Kolouri et al., 2019). https://arxiv.org/abs/1804.01947
    """
    unit = directions / directions.norm(dim=1, keepdim=True)
    one, other = ((codes @ unit.T).sort(0).values for codes in (a, b))
    return (one - other).pow(2).mean()


def kernel_distance(
    a: Float[Tensor, "samples latent"], b: Float[Tensor, "others latent"], width: float
) -> Float[Tensor, ""]:
    """Estimate MMD^2 without bias by the sum of seven inverse multiquadric kernels.

    Each is C / (C + r^2) with C = `width` times 0.1 to 10. The estimate may be negative.

    Args:
        a: Codes.
        b: Others.
        width: 2 d s^2, with s^2 the variance of a unit of the reference.

    References:
        A kernel two-sample test (Gretton et al., 2012), lemma 6.
        Wasserstein auto-encoders (Tolstikhin et al., 2018), section 4. https://arxiv.org/abs/1711.01558
    """

    def mean(one: Tensor, other: Tensor, *, same: bool) -> Tensor:
        square = torch.cdist(one, other).pow(2) if not same else _squares(one)
        kernel = sum(
            (c * width / (c * width + square) for c in MULTIPLES), torch.zeros_like(square)
        )
        if not same:
            return kernel.mean()
        n = len(one)
        return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))

    return mean(a, a, same=True) + mean(b, b, same=True) - 2 * mean(a, b, same=False)


def _squares(codes: Float[Tensor, "samples latent"]) -> Float[Tensor, "samples samples"]:
    """Return squared distances within a set; `cdist` has no gradient where one is 0."""
    norms = codes.pow(2).sum(1)
    return (norms[:, None] + norms - 2 * codes @ codes.T).clamp(min=0)
