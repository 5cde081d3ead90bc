"""Does the prior match the codes of data? Aggregated posterior vs. prior, by four measures."""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.interfaces import LatentPrior, Posterior, noise
from explorer.metrics.samples import jackknife
from explorer.objectives import distances, unit_kl

PERMUTATIONS = 200
PROJECTIONS = 200
_DIRECTIONS = 0x51_1CED
CODES = 1000
"""Codes per side; the kernel matrix grows with their square."""

_GROUPS = 20


class Discrepancy(NamedTuple):
    """Squared maximum mean discrepancy, and the fraction of permutations that reach it."""

    value: float
    p_value: float


def discrepancy(
    a: Float[Tensor, "samples latent"],
    b: Float[Tensor, "others latent"],
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Discrepancy:
    """Estimate MMD^2 without bias, with inverse multiquadric kernels of seven widths.

    The kernel is the sum of C / (C + r^2) over C = 2 d s^2 times 0.1 to 10, with s^2 the mean
    variance of a unit of `b`. The estimate may be negative. Cost: the square of the codes.

    Args:
        a: Codes, for example of data.
        b: Reference codes, for example of the prior.
        permutations: Number of random permutations for the p-value.
        seed: Seed of the permutations.

    References:
        A kernel two-sample test (Gretton et al., 2012), lemma 6.
        Wasserstein auto-encoders (Tolstikhin et al., 2018), section 4. https://arxiv.org/abs/1711.01558
    """
    both = torch.cat([a, b]).double()
    width = 2 * both.shape[1] * float(b.double().var(0).mean())
    square = torch.cdist(both, both).pow(2)
    kernel = torch.zeros_like(square)
    for multiple in distances.MULTIPLES:
        constant = multiple * width
        kernel += constant / (constant + square)
    kernel.fill_diagonal_(0)
    n, total = len(a), len(both)
    generator = torch.Generator().manual_seed(seed)
    sides = torch.zeros(total, permutations + 1, dtype=torch.float64)
    sides[:n, 0] = 1
    for column in range(1, permutations + 1):
        sides[torch.randperm(total, generator=generator)[:n], column] = 1
    other = 1 - sides
    ours, theirs = (kernel @ sides), (kernel @ other)
    m = total - n
    values = (
        (sides * ours).sum(0) / (n * (n - 1))
        + (other * theirs).sum(0) / (m * (m - 1))
        - 2 * (sides * theirs).sum(0) / (n * m)
    )
    reached = int((values[1:] >= values[0]).sum())
    return Discrepancy(float(values[0]), (1 + reached) / (1 + permutations))


def combined(p_values: Float[np.ndarray, " draws"]) -> tuple[float, float]:
    """Combine the p-values of several draws into one, with its standard error over them.

    By the Cauchy combination, whose small values hold however the draws depend on each other, as
    those of codes of the same data do; the error is the jackknife's.

    References:
        Cauchy combination test (Liu and Xie, 2020), theorem 1. https://arxiv.org/abs/1808.09011
    """
    scores = np.tan((0.5 - np.clip(p_values, 1e-15, 1 - 1e-15)) * math.pi)
    value = 0.5 - math.atan(scores.mean()) / math.pi
    if len(scores) == 1:
        return value, 0.0
    left = (scores.sum() - scores) / (len(scores) - 1)
    return value, jackknife(0.5 - np.arctan(left) / math.pi)


def sliced_distance(
    a: Float[Tensor, "samples latent"],
    b: Float[Tensor, "samples latent"],
    *,
    projections: int = PROJECTIONS,
    seed: int = 0,
) -> float:
    """Estimate the squared sliced 2-Wasserstein distance between two sets of equal size.

    It is the mean, over directions, of the mean squared difference of sorted projections. Two sets
    from one distribution are about 6/n times the variance apart, so compare it to that null.

    Args:
        a: Codes.
        b: As many other codes.
        projections: Number of directions, uniform on the sphere.
        seed: Seed of the directions.

    References:
        Sliced and Radon Wasserstein barycenters of measures (Bonneel et al., 2015), section 3.
    """
    # A stream of its own: codes of a prior drawn with the same seed would be the directions.
    directions = noise(projections, a.shape[1], seed ^ _DIRECTIONS).double()
    return float(distances.sliced_distance(a.double(), b.double(), directions))


def two_sample_accuracy(
    a: Float[np.ndarray, "samples latent"], b: Float[np.ndarray, "others latent"], seed: int = 0
) -> float:
    """Return the held-out accuracy of a classifier between two sets.

    A small network is trained on half of the codes and tested on the other: 0.5 is the best a
    prior can score.

    References:
        Revisiting classifier two-sample tests (Lopez-Paz and Oquab, 2017). https://arxiv.org/abs/1610.06545
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    x = np.concatenate([a, b])
    y = np.repeat([0, 1], [len(a), len(b)])
    order = np.random.default_rng(seed).permutation(len(x))
    half = len(order) // 2
    train, test = order[:half], order[half:]
    scaler = StandardScaler().fit(x[train])
    network = MLPClassifier((64,), alpha=1e-2, max_iter=200, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its best so far is what is tested
        network.fit(scaler.transform(x[train]), y[train])
    right = network.predict(scaler.transform(x[test])) == y[test]
    return float(right.mean())


def accuracy_error(found: Sequence[float], n: int) -> float:
    """Return the standard error of a mean accuracy over repeated draws of codes and splits.

    A single test's binomial error leaves out the draw of the codes and the training of the
    classifier; the spread of repetitions has both. It is at least the binomial error of all tests.

    Args:
        found: Accuracy of each repetition.
        n: Codes per side; half of all are tested on.
    """
    mean, count = float(np.mean(found)), len(found)
    spread = float(np.var(found, ddof=1)) if count > 1 else 0.0
    return math.sqrt(max(spread, mean * (1 - mean) / n) / count)


def misalignment(
    q: Posterior, prior: LatentPrior
) -> tuple[float, Float[Tensor, " latent"]] | None:
    """Return the cost of a diagonal Gaussian prior relative to the best one for these posteriors.

    With m and s^2 the moments of the aggregated posterior it is KL(N(m, s^2) || p), which equals
    the mean KL under p minus the mean KL under N(m, s^2).

    Returns:
        Nats in total and per unit; None if the prior is not a single Gaussian.
    """
    components = prior.components()
    if components is None or len(components) > 1 or q.scale is None:
        return None
    mean = q.loc.mean(0)
    spread = (q.scale.pow(2).mean(0) + q.loc.var(0, correction=0)).sqrt()
    units = unit_kl(Posterior(mean[None], spread[None]), prior)
    assert units is not None
    return float(units.sum()), units[0]


class Misalignment(NamedTuple):
    """The cost of a diagonal Gaussian prior in nats, its standard error, and that of each unit."""

    value: float
    error: float
    units: Float[Tensor, " latent"]


def misalignment_of_all(q: Posterior, prior: LatentPrior) -> Misalignment | None:
    """Estimate `misalignment` for the posteriors of all data, of which these are a sample.

    The moments of n posteriors miss those of all: the cost comes out too high, by about 1/n nats
    per unit, which is a third of a small one at 2,000. The delete-a-group jackknife takes that
    off and tells the error. A cost of nearly nothing may come out negative.

    References:
        Notes on bias in estimation (Quenouille, 1956), equation 3.
    """
    whole = misalignment(q, prior)
    g = min(_GROUPS, len(q.loc))
    if whole is None or g < 2:
        return None
    group = torch.arange(len(q.loc)) % g
    left = []
    for number in range(g):
        rows = group != number
        scale = None if q.scale is None else q.scale[rows]
        part = misalignment(Posterior(q.loc[rows], scale), prior)
        assert part is not None
        left.append(part[1])
    units = torch.stack(left)
    corrected = g * whole[1] - (g - 1) * units.mean(0)
    return Misalignment(float(corrected.sum()), jackknife(units.sum(1).cpu().numpy()), corrected)
