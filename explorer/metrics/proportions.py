"""The uncertainty of a share: an interval that also holds near 0 and 1."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

CONFIDENT = 1.959964
"""Standard errors on either side of a 95 % interval."""


class Interval(NamedTuple):
    """A share, and the bounds of its interval."""

    share: float
    low: float
    high: float


def wilson(
    share: Float[np.ndarray, " shares"], n: int, errors: float = 1.0
) -> tuple[Float[np.ndarray, " shares"], Float[np.ndarray, " shares"]]:
    """Return the bounds of proportions by Wilson's score interval.

    Args:
        share: The proportions, 0 to 1.
        n: Number of trials behind each.
        errors: Reach of the interval in standard errors.

    References:
        Probable inference, the law of succession, and statistical inference (Wilson, 1927).
        https://doi.org/10.1080/01621459.1927.10502953
    """
    square = errors**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = errors * np.sqrt(share * (1 - share) / n + square / (4 * n**2)) / (1 + square / n)
    return middle - reach, middle + reach


def share_of(successes: int, n: int) -> Interval:
    """Return the share of successes with its 95 % interval."""
    share = successes / n
    low, high = wilson(np.array([share]), n, CONFIDENT)
    return Interval(share, max(0.0, float(low[0])), min(1.0, float(high[0])))
