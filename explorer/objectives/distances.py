"""Distances between two samples of codes, with gradients, to match distributions by."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx

KernelName = Literal["imq", "rbf"]

MULTIPLES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Widths of the seven inverse multiquadric kernels, in those of the median one."""

BANDWIDTHS = (0.5, 1.0, 2.0, 4.0)
"""Bandwidths of the four Gaussian kernels, in the root of half the mean squared distance."""


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
    a: Float[Tensor, "samples latent"],
    b: Float[Tensor, "others latent"],
    variance: float,
    kernel: KernelName = "imq",
) -> Float[Tensor, ""]:
    """Estimate MMD^2 without bias by a sum of kernels of several widths.

    `imq` are C / (C + r^2) with C = 2 d s^2 times 0.1 to 10, `rbf` are exp(-r^2 / (2 h^2)) with
    h^2 = d s^2 times 1/4, 1, 4 and 16. The estimate may be negative.

    Args:
        a: Codes.
        b: Others.
        variance: s^2, the variance of a unit of the reference.
        kernel: Which kernels.

    References:
        A kernel two-sample test (Gretton et al., 2012), lemma 6.
        Wasserstein auto-encoders (Tolstikhin et al., 2018), section 4. https://arxiv.org/abs/1711.01558
    """
    spread = a.shape[1] * variance

    def value(square: Tensor) -> Tensor:
        if kernel == "imq":
            found: Tensor = _Quadrics.apply(square, 2 * spread)
            return found
        parts = [(-square / (2 * h**2 * spread)).exp() for h in BANDWIDTHS]
        return torch.stack(parts).sum(0)

    def within(one: Tensor) -> Tensor:
        found, n = value(_squares(one, one)), len(one)
        return (found.sum() - found.diagonal().sum()) / (n * (n - 1))

    return within(a) + within(b) - 2 * value(_squares(a, b)).mean()


class _Quadrics(torch.autograd.Function):
    """The sum of seven inverse multiquadrics, with its derivative found on the way.

    Left to autograd, each would keep matrices of its own: the step took half as long again.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, square: Tensor, width: float) -> Tensor:
        """Return the sum over C = `width` times 0.1 to 10 of C / (C + r^2)."""
        total, slope = torch.zeros_like(square), torch.zeros_like(square)
        for multiple in MULTIPLES:
            share = (square / (multiple * width)).add_(1).reciprocal_()
            total += share
            if ctx.needs_input_grad[0]:  # type: ignore[attr-defined]
                slope.addcmul_(share, share, value=-1 / (multiple * width))
        ctx.save_for_backward(slope)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *above: Tensor) -> tuple[Tensor, None]:
        """Multiply by the derivative -C / (C + r^2)^2."""
        (slope,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return above[0] * slope, None


def _squares(
    codes: Float[Tensor, "samples latent"], others: Float[Tensor, "others latent"]
) -> Float[Tensor, "samples others"]:
    """Return squared distances; `cdist` has no gradient where one is 0, and a slow one."""
    return torch.addmm(
        codes.pow(2).sum(1)[:, None] + others.pow(2).sum(1), codes, others.T, alpha=-2
    ).clamp(min=0)
