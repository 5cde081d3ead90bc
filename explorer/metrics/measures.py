"""The parts of an evaluation, each measuring a model with standard errors."""

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoint import Metric, Metrics
from explorer.interfaces import LatentPrior, Posterior
from explorer.metrics import alignment, features
from explorer.metrics.draws import is_binary, null_row, validation_rows
from explorer.metrics.latent import (
    active_units,
    drawn_density,
    encode,
    kl_per_unit,
    posterior_means,
    prior_variance,
)
from explorer.metrics.likelihood import importance_sampling, reconstructed
from explorer.metrics.matching import measure_downstream, measure_matching
from explorer.metrics.samples import (
    NEIGHBOURS,
    WhitenedComponents,
    prdc_and_errors,
    vendi_error,
    vendi_score,
)
from explorer.metrics.smoothness import PAIRS, path_smoothness
from explorer.metrics.subject import (
    FEWEST_CODES,
    MOST_SAMPLES,
    REPEATS,
    Evaluation,
    Subject,
    array_of,
    error_of,
    mean_of,
    units_of,
)
from explorer.metrics.surgery import Surgery, elbo_surgery
from explorer.models import PixelHVAEConfig
from explorer.sketch import PixelSketch

MOST_POSTERIORS = 2000
"""Posteriors in the aggregated posterior of the ELBO surgery."""

_ALL = slice(None)

Part = Literal[
    "likelihood",
    "units",
    "fidelity",
    "alignment",
    "features",
    "smoothness",
    "matching",
    "downstream",
]
ON_REQUEST: tuple[Part, ...] = ("matching", "downstream")
"""Parts measured only where they are named: they take a minute or more for any model."""

PARTS: tuple[Part, ...] = tuple(part for part in get_args(Part) if part not in ON_REQUEST)


def _likelihood(subject: Subject) -> Evaluation:
    """Log p(x) and the ELBO with its terms, per sample, and bits per dimension for images."""
    if not subject.scored:
        found = reconstructed(subject.model, subject.x, subject.seed)
        likelihood = subject.opened.config.model.has_likelihood
        return error_of(found, likelihood=likelihood, seed=subject.seed)
    total, done = len(subject.x), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        subject.report("log-likelihood", done, total)

    seed, samples = subject.seed, subject.samples
    scores = importance_sampling(
        subject.model,
        subject.prior,
        subject.x,
        samples=samples,
        seed=seed,
        known=subject.known,
        keep=subject.keep,
        report=advance,
    )
    metrics = {
        "log_likelihood": mean_of(scores.log_likelihood, "nats", seed, samples),
        "elbo": mean_of(scores.elbo, "nats", seed, samples),
        "reconstruction": mean_of(scores.reconstruction, "nats", seed, samples),
        "kl": mean_of(scores.kl, "nats", seed, samples),
        "effective_samples": mean_of(scores.effective, "samples", seed, samples),
    }
    discrete = subject.opened.config.model.likelihood != "gaussian"
    if discrete and isinstance(subject.data.sketch, PixelSketch):
        bits = -scores.log_likelihood / (math.prod(subject.x.shape[1:]) * math.log(2))
        metrics["bits_per_dimension"] = mean_of(bits, "bits", seed, samples)
    arrays = {
        "log_likelihood": array_of(scores.log_likelihood),
        "elbo": array_of(scores.elbo),
    }
    return Evaluation(metrics, arrays)


def _unit_wise(subject: Subject) -> Evaluation:
    """The KL of each unit, and whether it is active, level by level."""
    model, prior, x = subject.model, subject.prior, subject.x
    means, variance = posterior_means(model, x, seed=subject.seed), prior_variance(prior)
    relative, absolute = active_units(means, variance), active_units(means)
    metrics = {
        "active_units": units_of(relative, len(x)),
        "active_units_absolute": units_of(absolute, len(x)),
    }
    if len(model.space.levels) > 1:
        for level in model.space.levels:
            own = slice(level.start, level.stop)
            metrics[f"active_units_{level.name}"] = units_of(relative[own], len(x))
            metrics[f"active_units_absolute_{level.name}"] = units_of(absolute[own], len(x))
    arrays = {
        "kl_per_unit": array_of(kl_per_unit(model, prior, x, subject.seed)),
        "variance_per_unit": array_of(means.var(0, correction=0) / variance),
    }
    if prior.has_density:
        arrays["log_prior"] = array_of(drawn_density(model, prior, x, subject.seed))
    return Evaluation(metrics, arrays)


def _fidelity(subject: Subject) -> Evaluation:
    """Compare samples with test data, and training data with test data for the null row."""
    data, seed = subject.data, subject.seed
    n = min(len(subject.x), MOST_SAMPLES)
    if n <= 2 * NEIGHBOURS:
        return Evaluation({}, {})  # too few for a fifth neighbour
    chosen = np.random.default_rng(seed).permutation(len(data.test))[:n]
    real = data.test.x[chosen]
    whitened = WhitenedComponents(real)
    if whitened.size == 0:
        return Evaluation({}, {})  # test samples that are all alike have no neighbourhoods
    reference = whitened(real)
    binary = is_binary(real)
    rows, errors, nulls = [], [], []
    for repeat in range(REPEATS):
        drawn = subject.drawn(n, seed + repeat, binary=binary)
        fake = whitened(drawn)
        found, spread = prdc_and_errors(reference, fake)
        rows.append((*found, vendi_score(fake)))
        errors.append((*spread, vendi_error(fake)))
        if repeat < 2:
            nulls.append(null_row(data, whitened, reference, n, seed + repeat))
        subject.report("fidelity and diversity", repeat + 1, REPEATS)
    values, null = np.array(rows), np.mean(nulls, 0)
    error = np.sqrt(np.square(errors).mean(0) / REPEATS)
    names = ("precision", "recall", "density", "coverage", "vendi")
    metrics = {
        name: Metric(
            value=float(values[:, column].mean()),
            se=float(error[column]),
            n=n,
            seed=seed,
            unit="samples" if name == "vendi" else "share",
            samples=REPEATS * n,
            null=float(null[column]),
        )
        for column, name in enumerate(names)
    }
    return Evaluation(metrics, {})


def _alignment(subject: Subject) -> Evaluation:
    """Compare codes of test data with codes of the prior, on the level of the learned prior."""
    x, seed = subject.x, subject.seed
    if len(x) < FEWEST_CODES:
        return Evaluation({}, {})
    subject.report("alignment", 0, 0)
    chosen = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    encoded = encode(
        subject.model, x[chosen[: max(MOST_POSTERIORS, REPEATS * alignment.CODES)].to(x.device)]
    )
    size = subject.model.top.size
    q = _cut(encoded, slice(MOST_POSTERIORS))
    every, top = (
        Posterior(part.loc.cpu(), None if part.scale is None else part.scale.cpu())
        for part in (_cut(encoded, units=slice(size)), _cut(q, units=slice(size)))
    )
    own = subject.prior.levels(q.loc[:1])[0]
    assert isinstance(own, LatentPrior)
    n = min(len(top.loc), alignment.CODES)
    with torch.inference_mode():
        # A different stream from the prior's: with the same noise they would not be independent.
        first = own.draw(2 * n, seed=seed).z.cpu()[:n]
        surgery = (
            elbo_surgery(_cut(q, units=slice(size)), own, seed=seed) if subject.divergent else None
        )
        best = alignment.misalignment_of_all(every, own)
    distance, nulls, accuracy = [], [], []
    apart, p_values, apart_null = [], [], []
    for repeat in range(REPEATS):  # different data, codes, directions and splits each time
        generator = torch.Generator().manual_seed(seed + 1_000_003 + repeat)
        again = _codes(every, n, repeat, generator)
        with torch.inference_mode():
            pair = own.draw(2 * n, seed=seed + repeat).z.cpu()
        found = alignment.discrepancy(again, pair[:n], seed=seed + repeat)
        apart.append(found.value)
        p_values.append(found.p_value)
        apart_null.append(alignment.discrepancy(pair[n:], pair[:n], permutations=0).value)
        distance.append(alignment.sliced_distance(again, pair[:n], seed=seed + repeat))
        nulls.append(alignment.sliced_distance(pair[n:], pair[:n], seed=seed + repeat))
        accuracy.append(
            alignment.two_sample_accuracy(again.numpy(), pair[:n].numpy(), seed + repeat)
        )
    unit = float(first.var(0).mean())
    p_value, p_error = alignment.combined(np.array(p_values))
    metrics = _parts_of_kl(surgery, seed) | {
        "mmd": Metric(
            value=float(np.mean(apart)),
            se=float(np.std(apart, ddof=1) / np.sqrt(REPEATS)),
            n=n,
            seed=seed,
            unit="squared",
            samples=REPEATS * n,
            null=float(np.mean(apart_null)),
        ),
        "mmd_p_value": Metric(
            value=p_value,
            se=p_error,
            n=n,
            seed=seed,
            unit="share",
            samples=REPEATS * alignment.PERMUTATIONS,
        ),
        "sliced_wasserstein": Metric(
            value=float(np.mean(distance)) / unit,
            se=float(np.std(distance, ddof=1) / np.sqrt(REPEATS)) / unit,
            n=n,
            seed=seed,
            unit="squared, of the prior’s variance",
            samples=REPEATS * alignment.PROJECTIONS,
            null=float(np.mean(nulls)) / unit,
        ),
        "two_sample_accuracy": Metric(
            value=float(np.mean(accuracy)),
            se=alignment.accuracy_error(accuracy, n),
            n=n,
            seed=seed,
            unit="share",
            samples=REPEATS * n,
            null=0.5,
        ),
    }  # fmt: skip
    arrays = {}
    if best is not None:
        metrics["misalignment"] = Metric(
            value=best.value, se=best.error, n=len(every.loc), seed=seed, unit="nats"
        )
        arrays["misalignment_per_unit"] = array_of(best.units)
    return Evaluation(metrics, arrays)


def _feature_distances(subject: Subject) -> Evaluation:
    """Compare samples with test images in the features of the data set's network."""
    data, seed = subject.data, subject.seed
    kind = subject.opened.config.data.kind
    if not isinstance(data.sketch, PixelSketch) or not data.classes or kind == "files":
        return Evaluation({}, {})
    known = features.load_features(kind, data.sketch.shape, len(data.classes))
    if known is None:
        return Evaluation({}, {})
    n = min(len(subject.x), len(data.valid), MOST_SAMPLES)
    if n < FEWEST_CODES:
        return Evaluation({}, {})
    subject.report("features", 0, 0)
    chosen = np.random.default_rng(seed).permutation(len(data.test))[:n]
    real = torch.from_numpy(data.test.x[chosen])
    binary = is_binary(data.test.x[chosen])
    network = known.network
    rows = []
    for repeat in range(REPEATS):
        drawn = subject.drawn(n, seed + repeat, binary=binary)
        rows.append(features.feature_distances(network, real, torch.from_numpy(drawn), seed))
    # Not training data: the network was trained on them, which would inflate the distance.
    null = features.feature_distances(network, real, validation_rows(data, n, seed), seed)
    said = f"on features {known.hash}"
    metrics = {
        name: Metric(
            value=float(np.mean(values)),
            se=float(np.std(values, ddof=1) / np.sqrt(REPEATS)),
            n=n,
            seed=seed,
            unit=said,
            samples=REPEATS * n,
            null=bottom,
        )
        for name, values, bottom in (
            ("frechet_distance", [row.frechet for row in rows], null.frechet),
            ("kernel_distance", [row.kernel for row in rows], null.kernel),
        )
    }
    return Evaluation(metrics, {})


def _smoothness(subject: Subject) -> Evaluation:
    """Measure how evenly images change between two samples of the prior."""
    if not subject.model.differentiable or isinstance(
        subject.opened.config.model, PixelHVAEConfig
    ):
        return Evaluation({}, {})  # an autoregressive or a foreign decoder has no derivative
    subject.report("smoothness", 0, 0)
    speeds = path_smoothness(subject.model, subject.prior, PAIRS, subject.seed)
    unit = "squared change of x per whole path"
    return Evaluation({"smoothness": mean_of(speeds, unit, subject.seed, PAIRS)}, {})


MEASURES: dict[Part, Callable[[Subject], Evaluation]] = {
    "likelihood": _likelihood,
    "units": _unit_wise,
    "fidelity": _fidelity,
    "alignment": _alignment,
    "features": _feature_distances,
    "smoothness": _smoothness,
    "matching": measure_matching,
    "downstream": measure_downstream,
}


def _parts_of_kl(surgery: Surgery | None, seed: int) -> Metrics:
    """Tell the information and the marginal KL, where there is a KL."""
    if surgery is None:
        return {}
    ceiling = f"nats of at most {math.log(surgery.n):.2f}"
    return {
        "information": Metric(
            value=surgery.information, se=surgery.information_error, n=surgery.n, seed=seed,
            unit=ceiling,
        ),
        "marginal_kl": Metric(
            value=surgery.marginal, se=surgery.marginal_error, n=surgery.n, seed=seed, unit="nats"
        ),
    }  # fmt: skip


def _codes(
    q: Posterior, n: int, repeat: int, generator: torch.Generator
) -> Float[Tensor, "codes latent"]:
    """Draw codes for the n-th share of the data; where they are too few, for a part drawn again.

    No sample is taken twice: a classifier would recognise its other code where posteriors are
    narrow.
    """
    rows = torch.arange(repeat * n, (repeat + 1) * n)
    if len(q.loc) < REPEATS * n:
        rows = torch.randperm(len(q.loc), generator=generator)[:n]
    return _cut(q, rows).sample(generator)


def _cut(q: Posterior, rows: Tensor | slice = _ALL, units: slice = _ALL) -> Posterior:
    """Keep some posteriors, and some of their units."""
    scale = None if q.scale is None else q.scale[rows][:, units]
    return Posterior(q.loc[rows][:, units], scale)
