"""What an evaluation measures, and in which form every part of it reports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoint import Checkpoint, Metric, Metrics
from explorer.data import DataSet
from explorer.interfaces import AbstractModel, LatentPrior
from explorer.metrics.draws import draw_data
from explorer.metrics.likelihood import Likelihood

REPEATS = 5
MOST_SAMPLES = 10_000
FEWEST_CODES = 20
"""Fewest codes, or features, from which a distribution can be estimated."""

Report = Callable[[str, int, int], None]


class Evaluation(NamedTuple):
    """Metrics for metrics.json and arrays for likelihood.npz, in the order of the test split."""

    metrics: Metrics
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True)
class Subject:
    """The subject of an evaluation: a model with its prior, the test samples, and all settings."""

    opened: Checkpoint
    model: AbstractModel
    prior: LatentPrior
    data: DataSet
    x: Tensor
    samples: int
    seed: int
    known: Likelihood | None
    keep: Callable[[Likelihood], None]
    report: Report
    known_draws: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        """Whether there are a KL and log p(x): two densities, and posteriors with a spread."""
        return self.divergent and self.opened.config.model.has_likelihood

    @property
    def divergent(self) -> bool:
        """Whether there is a KL of posteriors to the prior."""
        return self.prior.has_density and self.opened.config.model.stochastic

    def drawn(self, n: int, seed: int, *, binary: bool) -> Float[np.ndarray, "samples *sample"]:
        """Draw samples of the prior; binary ones, which are small, are kept for other parts."""
        if (n, seed) not in self.known_draws:
            x = draw_data(self.model, self.prior, n, seed, binary=binary)
            if not binary:
                return x
            self.known_draws[n, seed] = x.astype(np.uint8)
        return self.known_draws[n, seed].astype(np.float32)


def mean_of(
    values: Tensor, unit: str, seed: int | None = None, samples: int | None = None
) -> Metric:
    """Return the mean over the test samples with its standard error."""
    n = len(values)
    error = float(values.double().std() / np.sqrt(n)) if n > 1 else None
    return Metric(
        value=float(values.double().mean()), se=error, n=n, seed=seed, unit=unit, samples=samples
    )


def error_of(found: Tensor, *, likelihood: bool, seed: int | None = None) -> Evaluation:
    """Return log p(x|z) at one code of each sample, or the squared error in place of it."""
    if not likelihood:
        mean = mean_of(
            -found, "squared, summed over values", seed, 1 if seed is not None else None
        )
        return Evaluation({"squared_error": mean}, {"squared_error": array_of(-found)})
    mean = mean_of(found, "nats", seed, 1 if seed is not None else None)
    return Evaluation({"reconstruction": mean}, {"reconstruction": array_of(found)})


def units_of(active: Tensor, n: int) -> Metric:
    """Count active units."""
    return Metric(value=float(active.sum()), n=n, unit=f"of {len(active)} units")


def array_of(values: Float[Tensor, " any"]) -> Float[np.ndarray, " any"]:
    """Return what likelihood.npz keeps."""
    return values.cpu().float().numpy()
