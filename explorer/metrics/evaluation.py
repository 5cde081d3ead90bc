"""All numbers of a card, measured on the very weights that are shipped."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoint import Checkpoint, Metric, Metrics
from explorer.data import DataSet
from explorer.errors import TrainingError
from explorer.interfaces import AbstractModel, LatentPrior
from explorer.metrics.latent import (
    active_units,
    drawn_density,
    encode,
    kl_per_unit,
    posterior_means,
    prior_variance,
)
from explorer.metrics.likelihood import importance_sampling
from explorer.metrics.samples import NEIGHBOURS, WhitenedComponents, prdc, vendi_score

REPEATS = 5
MOST_SAMPLES = 10_000


class Evaluation(NamedTuple):
    """Metrics for metrics.json and arrays for likelihood.npz, in the order of the test split."""

    metrics: Metrics
    arrays: dict[str, np.ndarray]


def evaluate(
    opened: Checkpoint,
    data: DataSet,
    *,
    samples: int = 500,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Evaluation:
    """Measure a checkpoint on its test split.

    Args:
        opened: The checkpoint.
        data: Its data set.
        samples: Importance samples per test sample.
        limit: Only so many test samples, drawn at random by the seed: test files may be ordered.
        seed: Seed of everything drawn.
        device: cpu or cuda.
        report: Called with a stage, what is done of it, and its whole.
    """
    if opened.config.sketch != data.sketch:
        raise TrainingError(
            f"{opened.slug} was trained on another form of these data; train it again."
        )
    rows = np.arange(len(data.test))
    if limit is not None and limit < len(rows):
        rows = np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))
    x = torch.from_numpy(data.test.x[rows]).to(device)
    model = opened.model.to(device)
    q = encode(model, x)
    if opened.prior is None:
        with torch.inference_mode():
            reconstruction = torch.cat(
                [
                    model.likelihood(z).log_prob(part)
                    for z, part in zip(q.loc.split(2000), x.split(2000), strict=True)
                ]
            )
        metrics = {
            "reconstruction": _mean(reconstruction, "nats"),
            "active_units": _units(
                active_units(q.loc, float(q.loc.var(0, correction=0).max())), len(x)
            ),
        }
        return Evaluation(metrics, {"reconstruction": _array(reconstruction)})
    with torch.inference_mode():
        prior = model.latent_prior(opened.prior.to(device))
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report("log-likelihood", done, len(x))

    scores = importance_sampling(model, prior, x, samples=samples, seed=seed, report=advance)
    metrics = {
        "log_likelihood": _mean(scores.log_likelihood, "nats", seed, samples),
        "elbo": _mean(scores.elbo, "nats", seed, samples),
        "reconstruction": _mean(scores.reconstruction, "nats", seed, samples),
        "kl": _mean(scores.kl, "nats", seed, samples),
        "effective_samples": _mean(scores.effective, "samples", seed, samples),
    }
    means, variance = posterior_means(model, x), prior_variance(prior)
    metrics |= _active(model, means, variance, len(x))
    metrics |= _fidelity(model, prior, data, seed, report)
    units = kl_per_unit(model, prior, x, seed)
    arrays = {
        "log_likelihood": _array(scores.log_likelihood),
        "elbo": _array(scores.elbo),
        "kl_per_unit": _array(units),
        "variance_per_unit": _array(means.var(0, correction=0) / variance),
        "log_prior": _array(drawn_density(model, prior, x, seed)),
        "rows": rows.astype(np.int32),
    }
    return Evaluation(metrics, arrays)


def draw_data(
    model: AbstractModel,
    prior: LatentPrior,
    n: int,
    seed: int,
    *,
    binary: bool,
    scale: float = 1.0,
) -> Float[np.ndarray, "samples *sample"]:
    """Draw samples as the data are: binary where they are binary, means of p(x|z) elsewhere."""
    draws = []
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        for z in prior.draw(n, seed=seed, scale=scale).z.split(2000):
            mean = model.likelihood(z).mean.cpu()
            draws.append(torch.bernoulli(mean, generator=generator) if binary else mean)
    return torch.cat(draws).numpy()


def _fidelity(
    model: AbstractModel,
    prior: LatentPrior,
    data: DataSet,
    seed: int,
    report: Callable[[str, int, int], None],
) -> Metrics:
    """Compare samples with test data, and training data with test data for the null row."""
    n = min(len(data.test), MOST_SAMPLES)
    if n <= 2 * NEIGHBOURS:
        return {}  # too few for balls to a fifth neighbour
    chosen = np.random.default_rng(seed).permutation(len(data.test))[:n]
    real = data.test.x[chosen]
    features = WhitenedComponents(real)
    reference = features(real)
    binary = bool(((real == 0) | (real == 1)).all())
    rows, nulls = [], []
    for repeat in range(REPEATS):
        fake = features(draw_data(model, prior, n, seed + repeat, binary=binary))
        rows.append((*prdc(reference, fake), vendi_score(fake)))
        if repeat < 2:
            nulls.append(null_row(data, features, reference, n, seed + repeat))
        report("fidelity and diversity", repeat + 1, REPEATS)
    values, null = np.array(rows), np.mean(nulls, 0)
    names = ("precision", "recall", "density", "coverage", "vendi")
    return {
        name: Metric(
            value=float(values[:, column].mean()),
            se=float(values[:, column].std(ddof=1) / np.sqrt(REPEATS)),
            n=n,
            seed=seed,
            unit="samples" if name == "vendi" else "share",
            samples=REPEATS * n,
            null=float(null[column]),
        )
        for column, name in enumerate(names)
    }


def null_row(
    data: DataSet,
    features: WhitenedComponents,
    reference: Float[np.ndarray, "samples features"],
    n: int,
    seed: int,
) -> tuple[float, ...]:
    """Measure training data in the samples' place: what perfection scores."""
    generator = np.random.default_rng(seed)
    chosen = generator.choice(len(data.train), n, replace=len(data.train) < n)
    train = data.train.x[chosen]
    if data.dynamic:
        train = (generator.random(train.shape, np.float32) < train).astype(np.float32)
    other = features(train)
    return (*prdc(reference, other), vendi_score(other))


def _mean(
    values: Tensor, unit: str, seed: int | None = None, samples: int | None = None
) -> Metric:
    n = len(values)
    error = float(values.double().std() / np.sqrt(n)) if n > 1 else None
    return Metric(
        value=float(values.double().mean()), se=error, n=n, seed=seed, unit=unit, samples=samples
    )


def _units(active: Tensor, n: int) -> Metric:
    return Metric(value=float(active.sum()), n=n, unit=f"of {len(active)} units")


def _active(
    model: AbstractModel,
    means: Float[Tensor, "batch latent"],
    variance: Float[Tensor, " latent"],
    n: int,
) -> Metrics:
    """Count active units, relative to the prior's variance and absolute, and level by level."""
    relative, absolute = active_units(means, variance), active_units(means)
    found = {
        "active_units": _units(relative, n),
        "active_units_absolute": _units(absolute, n),
    }
    if len(model.space.levels) > 1:
        for level in model.space.levels:
            own = slice(level.start, level.stop)
            found[f"active_units_{level.name}"] = _units(relative[own], n)
            found[f"active_units_absolute_{level.name}"] = _units(absolute[own], n)
    return found


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().float().numpy()
