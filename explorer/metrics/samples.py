"""Fidelity and diversity of samples: precision, recall, density, coverage, Vendi score."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

NEIGHBOURS = 5
FEATURES = 50
LEAST_VARIANCE = 1e-4
_ROWS = 1000
GROUPS = 20


class Prdc(NamedTuple):
    """Precision and density measure fidelity, recall and coverage diversity."""

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(
    real: Float[np.ndarray, "samples features"],
    fake: Float[np.ndarray, "others features"],
    neighbours: int = NEIGHBOURS,
) -> Prdc:
    """Compare two sets of features by the balls around points up to their k-th neighbours.

    Args:
        real: Features of data.
        fake: Features of samples.
        neighbours: k; a point is not its own neighbour.

    References:
        Improved precision and recall metric (Kynkaanniemi et al., 2019). https://arxiv.org/abs/1904.06991
        Reliable fidelity and diversity metrics (Naeem et al., 2020). https://arxiv.org/abs/2002.09797
    """
    return prdc_and_errors(real, fake, neighbours)[0]


def prdc_and_errors(
    real: Float[np.ndarray, "samples features"],
    fake: Float[np.ndarray, "others features"],
    neighbours: int = NEIGHBOURS,
    *,
    radius: Float[np.ndarray, " samples"] | None = None,
) -> tuple[Prdc, Prdc]:
    """Compare two sets as `prdc` does, with the standard errors over the draw of the samples.

    Errors are those of the jackknife over 20 groups of samples, given the data. Unlike the spread
    of a few repeated draws, which is itself uncertain by a third, they use every sample.

    Args:
        real: Features of data.
        fake: Features of samples.
        neighbours: k; a point is not its own neighbour.
        radius: The radii of `real`, where they are known from an earlier comparison.

    References:
        The jackknife, the bootstrap and other resampling plans (Efron, 1982), section 3.
    """
    real_radius = radii(real, neighbours) if radius is None else radius
    fake_radius = radii(fake, neighbours)
    groups = _groups(len(fake))
    inside_real = np.zeros(len(fake), np.int64)
    reached = np.zeros(len(fake), bool)
    recalled, covered = (np.zeros(len(groups) + 1, np.int64) for _ in range(2))
    for start in range(0, len(real), _ROWS):
        rows = slice(start, start + _ROWS)
        distance = _distances(real[rows], fake)
        inside = distance < real_radius[rows, None]
        inside_real += inside.sum(0)
        reached |= (distance <= real_radius[rows, None]).any(0)
        recalled += _hit(distance <= fake_radius, groups)
        covered += _hit(inside, groups)
    share = 1 / len(real)
    found = [
        (float(reached.mean()), _without(reached, groups)),
        (float(recalled[0] * share), recalled[1:] * share),
        (
            float(inside_real.sum() / (neighbours * len(fake))),
            _without(inside_real, groups) / neighbours,
        ),
        (float(covered[0] * share), covered[1:] * share),
    ]
    return Prdc(*(value for value, _ in found)), Prdc(*(jackknife(left) for _, left in found))


def jackknife(left: Float[np.ndarray, " groups"]) -> float:
    """Return the standard error of an estimate from its values without each group in turn."""
    g = len(left)
    return float(np.sqrt((g - 1) / g * ((left - left.mean()) ** 2).sum()))


def coverage_under_null(real: int, fake: int, neighbours: int = NEIGHBOURS) -> float:
    """Return the expected coverage if data and samples have the same distribution.

    References:
        Reliable fidelity and diversity metrics (Naeem et al., 2020), appendix. https://arxiv.org/abs/2002.09797
    """
    log_missed = sum(
        math.log(real - i) - math.log(real + fake - i) for i in range(1, neighbours + 1)
    )
    return 1 - math.exp(log_missed)


def vendi_score(features: Float[np.ndarray, "samples features"]) -> float:
    """Return the effective number of distinct samples under the cosine kernel; 1 if identical.

    It grows with the number of samples: compare only at equal n.

    References:
        The Vendi score (Friedman and Dieng, 2023), definition 3.1. https://arxiv.org/abs/2210.02410
    """
    unit = _unit(features)
    return _vendi(unit.T @ unit if unit.shape[1] < len(unit) else unit @ unit.T, len(unit))


def vendi_error(features: Float[np.ndarray, "samples features"]) -> float:
    """Return the standard error of the Vendi score over the draw of the samples."""
    unit = _unit(features)
    starts = _groups(len(unit))
    parts = np.split(unit, starts[1:])
    whole = unit.T @ unit
    return jackknife(
        np.array([_vendi(whole - part.T @ part, len(unit) - len(part)) for part in parts])
    )


def _unit(
    features: Float[np.ndarray, "samples features"],
) -> Float[np.ndarray, "samples features"]:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.maximum(norms, 1e-12)).astype(np.float64)


def _vendi(kernel: Float[np.ndarray, "size size"], n: int) -> float:
    eigenvalues = np.linalg.eigvalsh(kernel / n)
    positive = eigenvalues[eigenvalues > 1e-12]
    return float(np.exp(-(positive * np.log(positive)).sum()))


class WhitenedComponents:
    """Features for these measures: principal components of the reference, with unit variance.

    Components with less than 1e-4 of the first one's variance are dropped: whitened,
    the rounding noise of smooth data would weigh as much as its shape. `size` is their number: 0
    if the reference does not vary.

    Args:
        reference: Samples in data units that define the components.
        features: Maximum number of components.
    """

    def __init__(
        self, reference: Float[np.ndarray, "samples *sample"], features: int = FEATURES
    ) -> None:
        from sklearn.decomposition import PCA

        flat = reference.reshape(len(reference), -1)
        kept = min(features, flat.shape[1], len(flat) - 1)
        with np.errstate(invalid="ignore"):  # 0 / 0 where the reference does not vary
            self._pca = PCA(kept, whiten=True, svd_solver="full").fit(flat.astype(np.float64))
        variance = self._pca.explained_variance_
        self.size = int((variance > LEAST_VARIANCE * variance.max(initial=0)).sum())

    def __call__(
        self, x: Float[np.ndarray, "others *sample"]
    ) -> Float[np.ndarray, "others features"]:
        """Project samples."""
        return self._pca.transform(x.reshape(len(x), -1).astype(np.float64))[:, : self.size]


def _groups(n: int) -> Int[np.ndarray, " groups"]:
    """Return where each group of samples starts."""
    count = min(GROUPS, n)
    return np.arange(count) * n // count


def _hit(
    inside: Bool[np.ndarray, "rows others"], groups: Int[np.ndarray, " groups"]
) -> Int[np.ndarray, " cases"]:
    """Count the rows that a sample hits: any sample, then any one outside of each group."""
    hits = np.add.reduceat(inside, groups, axis=1, dtype=np.int64)
    total = hits.sum(1, keepdims=True)
    return np.concatenate([(total > 0).sum(0), (total > hits).sum(0)])


def _without(
    values: Bool[np.ndarray, " others"] | Int[np.ndarray, " others"],
    groups: Int[np.ndarray, " groups"],
) -> Float[np.ndarray, " groups"]:
    """Return the mean of values without each group in turn."""
    sums = np.add.reduceat(values, groups, dtype=np.int64)
    sizes = np.diff(np.append(groups, len(values)))
    return (sums.sum() - sums) / (len(values) - sizes)


def radii(
    points: Float[np.ndarray, "samples features"], k: int = NEIGHBOURS
) -> Float[np.ndarray, " samples"]:
    """Return each point's distance to its k-th neighbour."""
    parts = []
    for start in range(0, len(points), _ROWS):
        rows = slice(start, start + _ROWS)
        parts.append(np.partition(_distances(points[rows], points), k, axis=1)[:, k])
    return np.concatenate(parts)


def _distances(
    a: Float[np.ndarray, "rows features"], b: Float[np.ndarray, "columns features"]
) -> Float[np.ndarray, "rows columns"]:
    a, b = a.astype(np.float64), b.astype(np.float64)
    square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(square, 0))
