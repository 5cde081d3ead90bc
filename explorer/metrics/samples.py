"""Fidelity and diversity of samples: precision, recall, density, coverage, Vendi score."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

NEIGHBOURS = 5
FEATURES = 50
LEAST_VARIANCE = 1e-4
_ROWS = 1000


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
    real_radius, fake_radius = _radii(real, neighbours), _radii(fake, neighbours)
    inside_real = np.zeros(len(fake), np.int64)
    reached = np.zeros(len(fake), bool)
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for start in range(0, len(real), _ROWS):
        rows = slice(start, start + _ROWS)
        distance = _distances(real[rows], fake)
        inside_real += (distance < real_radius[rows, None]).sum(0)
        reached |= (distance <= real_radius[rows, None]).any(0)
        recalled[rows] = (distance <= fake_radius).any(1)
        covered[rows] = (distance < real_radius[rows, None]).any(1)
    return Prdc(
        precision=float(reached.mean()),
        recall=float(recalled.mean()),
        density=float(inside_real.sum() / (neighbours * len(fake))),
        coverage=float(covered.mean()),
    )


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
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = (features / np.maximum(norms, 1e-12)).astype(np.float64)
    kernel = unit.T @ unit if unit.shape[1] < len(unit) else unit @ unit.T
    eigenvalues = np.linalg.eigvalsh(kernel / len(unit))
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


def _radii(points: Float[np.ndarray, "samples features"], k: int) -> Float[np.ndarray, " samples"]:
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
