"""All metrics of a checkpoint, measured on exactly the weights that ship, part by part."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from explorer.checkpoint import Checkpoint, Metrics, without_pseudo
from explorer.data import DataSet
from explorer.devices import at_once
from explorer.errors import TrainingError
from explorer.interfaces import AbstractModel
from explorer.metrics.latent import active_units, encode
from explorer.metrics.likelihood import Likelihood
from explorer.metrics.matching import flow_measures
from explorer.metrics.measures import MEASURES, ON_REQUEST, PARTS, Part
from explorer.metrics.subject import Evaluation, Report, Subject, error_of, units_of

SENTINELS: dict[str, str] = {
    "likelihood": "reconstruction",
    "units": "active_units_absolute",
    "fidelity": "density",
    "alignment": "mmd",
    "features": "frechet_distance",
    "smoothness": "smoothness",
    "matching": "c2st",
    "downstream": "flow_precision",
}
"""For each part, a metric that only it measures."""


PER_SAMPLE = ("rows", "ids", "log_likelihood", "elbo", "log_prior")
"""Arrays with one value per test sample, in the order of the test split."""


INSTEAD = {"reconstruction": "squared_error"}
"""What stands in place of a sentinel where there is no likelihood."""


def lacking(
    metrics: Metrics, *, has_prior: bool = True, differentiable: bool = True
) -> tuple[Part, ...]:
    """Return the parts to measure next: those not yet measured, first the usual ones.

    All usual ones if nothing is missing. Without a prior only its codes' generation is measured.
    """
    usual = PARTS if has_prior else ()
    if not differentiable:
        usual = tuple(part for part in usual if part != "smoothness")
    on_request: tuple[Part, ...] = ON_REQUEST if has_prior else ("downstream",)
    for parts in (usual, on_request):
        absent = tuple(part for part in parts if not any_of(SENTINELS[part]) & metrics.keys())
        if absent:
            return absent
    return usual or on_request


def any_of(sentinel: str) -> set[str]:
    """Return the names under which a metric may stand: its own, or what stands in place of it."""
    return {sentinel, f"pseudo_{sentinel}", INSTEAD.get(sentinel, sentinel)}


def evaluate(
    opened: Checkpoint,
    data: DataSet,
    *,
    samples: int = 500,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    parts: tuple[Part, ...] = PARTS,
    known: Likelihood | None = None,
    keep: Callable[[Likelihood], None] = lambda found: None,
    report: Report = lambda stage, done, total: None,
) -> Evaluation:
    """Evaluate a checkpoint on its test split.

    Args:
        opened: The checkpoint.
        data: Its data set.
        samples: Importance samples per test sample.
        limit: Use only this many test samples, drawn at random: test files may be ordered. A
            larger number adds to the samples of a smaller one.
        seed: Seed of everything drawn.
        device: cpu or cuda.
        parts: What to measure; by default everything but what is measured on request.
        known: Likelihoods of an interrupted run.
        keep: Called with the likelihoods so far.
        report: Called with a stage, the number of steps done, and their total.
    """
    sketch = opened.config.sketch
    if sketch is None or not sketch.fits(data.sketch):
        raise TrainingError(
            f"{opened.slug} was trained on data of another format; train it again."
        )
    rows = np.arange(len(data.test))
    if limit is not None and limit < len(rows):
        rows = np.random.default_rng(seed).permutation(rows)[:limit]
    x = torch.from_numpy(data.test.x[rows]).to(device)
    model = opened.model.to(device)
    if opened.prior is None:
        found = _autoencoder(model, x, likelihood=opened.config.model.has_likelihood)
        numbers, arrays = found.metrics, _identity(opened, data, rows, ()) | found.arrays
        if "downstream" in parts:
            flow = flow_measures(opened, data, n=len(x), seed=seed, device=device, report=report)
            numbers, arrays = numbers | flow.metrics, arrays | flow.arrays
        return Evaluation(numbers, arrays)
    with torch.no_grad():
        prior = model.latent_prior(opened.prior.to(device))
    subject = Subject(opened, model, prior, data, x, samples, seed, known, keep, report)
    metrics: Metrics = {}
    arrays = _identity(opened, data, rows, parts)
    for part in parts:
        found = MEASURES[part](subject)
        metrics |= found.metrics
        arrays |= found.arrays
    order = np.argsort(rows)
    return Evaluation(
        without_pseudo(metrics) if opened.pseudo else metrics,
        {name: each[order] if name in PER_SAMPLE else each for name, each in arrays.items()},
    )


def _identity(
    opened: Checkpoint, data: DataSet, rows: np.ndarray, parts: tuple[Part, ...]
) -> dict[str, np.ndarray]:
    """Say which samples were measured: rows of which split, and their numbers in changing data.

    Rows are those of the likelihoods; other parts leave them as they were.
    """
    config = opened.config.data
    found = {"test": np.array(config.fingerprint(data).test.digest)}
    if "likelihood" in parts:
        found["rows"] = rows.astype(np.int32)
        if not config.fixed:
            found["ids"] = data.test.ids[rows].astype(np.int64)
    return found


def _autoencoder(model: AbstractModel, x: Tensor, *, likelihood: bool) -> Evaluation:
    """Evaluate a plain autoencoder: its reconstruction and its units."""
    q = encode(model, x)
    rows = at_once(model, 2000)
    with torch.inference_mode():
        reconstruction = torch.cat(
            [
                model.likelihood(z).log_prob(part)
                for z, part in zip(q.loc.split(rows), x.split(rows), strict=True)
            ]
        )
    largest = float(q.loc.var(0, correction=0).max())
    metrics, arrays = error_of(reconstruction, likelihood=likelihood)
    units = {"active_units": units_of(active_units(q.loc, largest), len(x))}
    return Evaluation(metrics | units, arrays)
