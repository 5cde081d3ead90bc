"""Where do codes have to go to be the prior? An exact assignment of codes to as many fresh ones.

Like any distance between samples, its cost stands beside that of the prior from itself at the
same size: with n codes it is not 0 even where the laws are equal.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

MOST_CODES = 1000
"""Most codes on a side: the assignment takes a time that grows with their cube."""

FEWEST = 20
NULL_REPEATS = 3


class Assigned(NamedTuple):
    """For each code the row of its partner, and the root mean square distance between them."""

    partner: Int[np.ndarray, " codes"]
    distance: float


class Transport(NamedTuple):
    """An optimal assignment of codes to samples of the prior, and that of the prior to itself.

    `null` is the mean distance of independent samples of the prior from one another.
    """

    codes: Float[np.ndarray, "codes latent"]
    partners: Float[np.ndarray, "codes latent"]
    distance: float
    null: float


def assign(
    codes: Float[np.ndarray, "codes latent"], others: Float[np.ndarray, "codes latent"]
) -> Assigned:
    """Pair codes with as many others so that the sum of squared distances is least.

    The root mean square is the 2-Wasserstein distance between the two samples.

    References:
        Computational optimal transport (Peyré and Cuturi, 2019), section 2.2.
        https://arxiv.org/abs/1803.00567
        On implementing 2D rectangular assignment algorithms (Crouse, 2016).
    """
    from scipy.optimize import linear_sum_assignment

    a, b = codes.astype(np.float64), others.astype(np.float64)
    square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    _, partner = linear_sum_assignment(square)
    apart = ((a - b[partner]) ** 2).sum(1)
    return Assigned(partner, float(np.sqrt(apart.mean())))


def transport(
    codes: Float[np.ndarray, "codes latent"],
    draw: Callable[[int, int], Float[np.ndarray, "n latent"]],
    *,
    size: int | None = None,
    seed: int = 0,
) -> Transport:
    """Assign codes to fresh samples of a prior.

    Args:
        codes: The codes, at most `MOST_CODES`.
        draw: Draws so many codes of the prior with a seed.
        size: Units that are compared, the first ones; all of them by default.
        seed: Seed of the samples.
    """
    n = len(codes)
    fresh = [draw(n, seed + repeat) for repeat in range(NULL_REPEATS + 1)]
    found = assign(codes[:, :size], fresh[0][:, :size])
    nulls = [assign(other[:, :size], fresh[0][:, :size]).distance for other in fresh[1:]]
    return Transport(codes, fresh[0][found.partner], found.distance, float(np.mean(nulls)))
