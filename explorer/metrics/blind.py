"""The blind test: pairs of a datum and a sample, of which a person says which is the datum."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

PAIRS = 20


class Pairs(NamedTuple):
    """Pairs of samples, left and right, and whether the datum is on the left."""

    x: Float[np.ndarray, "pairs 2 *sample"]
    left: Bool[np.ndarray, " pairs"]


def pairs(
    real: Float[np.ndarray, "pairs *sample"], made: Float[np.ndarray, "pairs *sample"], seed: int
) -> Pairs:
    """Pair data with samples; the datum is on the left in half of the pairs, in random order.

    Args:
        real: The data.
        made: The samples.
        seed: Seed of the order.
    """
    n = len(real)
    left = np.random.default_rng(seed).permutation(np.arange(n) < n // 2)
    sided = left.reshape(-1, *[1] * (real.ndim - 1))
    return Pairs(np.stack([np.where(sided, real, made), np.where(sided, made, real)], 1), left)
