"""Fidelity and diversity over the scale: the trade-off curve, with standard errors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.checkpoint import TRADEOFF, Checkpoint
from explorer.data import DataSet
from explorer.errors import CheckpointError, DataError, NoDensityError
from explorer.metrics.draws import draw_data, is_binary, null_row
from explorer.metrics.samples import NEIGHBOURS, WhitenedComponents, prdc, vendi_score

MEASURES = ("precision", "recall", "density", "coverage", "vendi")
SCALES = tuple(round(0.2 * step, 1) for step in range(11))
REPEATS = 5
MOST = 2000


class Tradeoff(NamedTuple):
    """The curve: measures at each scale with standard errors over seeds, and a null row.

    `null` puts training data in place of samples; n samples are compared with n test samples.
    """

    scales: Float[np.ndarray, " scales"]
    values: Float[np.ndarray, "scales measures"]
    errors: Float[np.ndarray, "scales measures"]
    null: Float[np.ndarray, " measures"]
    n: int
    repeats: int
    seed: int

    @property
    def complete(self) -> bool:
        """Whether every scale has been measured."""
        return len(self.scales) == len(SCALES)


def measure_tradeoff(
    opened: Checkpoint,
    data: DataSet,
    *,
    known: Tradeoff | None = None,
    seed: int = 0,
    keep: Callable[[Tradeoff], None] = lambda curve: None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Tradeoff:
    """Measure samples of the prior against test data, scale by scale.

    Args:
        opened: The checkpoint.
        data: Its data set.
        known: An unfinished curve, whose scales are not measured again.
        seed: First of five seeds.
        keep: Called with the curve so far after every scale, so that nothing is lost.
        report: Called with the number of scales done and their total.

    Raises:
        NoDensityError: If the model has no prior.
        DataError: If there are too few test samples, or they are all alike.
    """
    if opened.prior is None:
        raise NoDensityError(
            f"{opened.slug} has no prior to sample from; choose a model with one."
        )
    n = min(len(data.test), MOST)
    if n <= 2 * NEIGHBOURS:
        raise DataError(f"{n} test samples are too few for a curve; give at least 11.")
    model = opened.model
    prior = model.latent_prior(opened.prior)
    chosen = np.random.default_rng(seed).permutation(len(data.test))[:n]
    real = data.test.x[chosen]
    features = WhitenedComponents(real)
    if features.size == 0:
        raise DataError(f"All {n:,} test samples are alike; give data that vary.")
    reference = features(real)
    binary = is_binary(real)
    null = np.mean([null_row(data, features, reference, n, seed + k) for k in range(2)], 0)
    if known is not None and (known.n, known.repeats, known.seed) != (n, REPEATS, seed):
        known = None  # measured with other settings
    rows = {} if known is None else {scale: row for row, scale in enumerate(known.scales.tolist())}
    values, errors, done = [], [], []
    for scale in SCALES:
        if known is not None and scale in rows:
            values.append(known.values[rows[scale]])
            errors.append(known.errors[rows[scale]])
        else:
            found = []
            for repeat in range(REPEATS):
                drawn = draw_data(model, prior, n, seed + repeat, binary=binary, scale=scale)
                fake = features(drawn)
                found.append((*prdc(reference, fake), vendi_score(fake)))
            values.append(np.mean(found, 0))
            errors.append(np.std(found, 0, ddof=1) / np.sqrt(REPEATS))
        done.append(scale)
        curve = Tradeoff(
            np.array(done), np.array(values), np.array(errors), null, n, REPEATS, seed
        )
        if known is None or len(done) > len(known.scales):
            keep(curve)
        report(len(done), len(SCALES))
    return curve


def read_tradeoff(opened: Checkpoint) -> Tradeoff | None:
    """Read the curve of a checkpoint, possibly unfinished; None if there is none.

    Raises:
        CheckpointError: If the file is damaged.
    """
    found = opened.arrays(TRADEOFF)
    if not found or str(found.get("hash", "")) != opened.hash:
        return None
    count = found["scales"].size if "scales" in found else 0
    shapes = {
        "scales": (count,),
        "values": (count, len(MEASURES)),
        "errors": (count, len(MEASURES)),
        "null": (len(MEASURES),),
        "n": (),
        "repeats": (),
        "seed": (),
    }
    for name, shape in shapes.items():
        value = found.get(name)
        if (
            value is None
            or value.shape != shape
            or value.dtype.kind not in "fiu"
            or not np.isfinite(value).all()
        ):
            raise CheckpointError(f"{TRADEOFF} is damaged ({name}); remove it and measure again.")
    scales, values, errors, null = (
        found[name].astype(float) for name in ("scales", "values", "errors", "null")
    )
    n, repeats, seed = (int(found[name]) for name in ("n", "repeats", "seed"))
    if min(n, repeats) < 1 or not set(scales.tolist()) <= set(SCALES):
        raise CheckpointError(f"{TRADEOFF} is damaged (scales); remove it and measure again.")
    return Tradeoff(scales, values, errors, null, n, repeats, seed)
