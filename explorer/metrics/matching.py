"""Do codes have the law of their reference, and how well can they be generated? As metrics."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer.checkpoint import Checkpoint, Metric, Metrics
from explorer.data import DataSet
from explorer.interfaces import LatentPrior, Posterior
from explorer.metrics import two_sample
from explorer.metrics.alignment import PROJECTIONS
from explorer.metrics.downstream import FEWEST, SAMPLES, Downstream, Measured, downstream
from explorer.metrics.draws import reference_codes
from explorer.metrics.latent import encode
from explorer.metrics.novelty import COPIED
from explorer.metrics.subject import FEWEST_CODES, REPEATS, Evaluation, Report, Subject
from explorer.metrics.two_sample import Compared
from explorer.models import PixelHVAEConfig

NAMES = ("c2st", "reference_", "flow_", "direct_")
"""How names of these metrics, and of their arrays, begin."""

SHARES = ("precision", "recall", "density", "coverage")
CURVES = ("frechet", *SHARES, "copies")
"""What is measured at every point of a curve."""

_ONE_SIDED = 1.645
_OTHER_STREAM = 1_000_003


def measure_matching(subject: Subject) -> Evaluation:
    """Compare drawn codes of test data with fresh ones of the reference, beside the null.

    In a hierarchy these are the codes of the top level, whose prior is learned.
    """
    x, seed = subject.x, subject.seed
    if len(x) < 2 * FEWEST_CODES:
        return Evaluation({}, {})
    subject.report("matching", 0, 0)
    n = min(len(x), 2 * two_sample.MOST_CODES)
    chosen = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:n]
    encoded = encode(subject.model, x[chosen.to(x.device)])
    size = subject.model.top.size
    scale = None if encoded.scale is None else encoded.scale[:, :size].cpu()
    top = Posterior(encoded.loc[:, :size].cpu(), scale)
    own = subject.prior.levels(encoded.loc[:1])[0]
    assert isinstance(own, LatentPrior)

    def draw(count: int, seed: int) -> Float[Tensor, "codes latent"]:
        return reference_codes(own, count, seed)

    def codes(repeat: int) -> Float[Tensor, "codes latent"]:
        # A different stream from the prior's: with the same noise they would not be independent.
        return top.sample(torch.Generator().manual_seed(seed + _OTHER_STREAM + repeat))

    # The splits of few codes are judged on by chance.
    repeats = max(1, min(REPEATS, 2 * two_sample.MOST_CODES // n))
    found = [two_sample.c2st(codes(k), draw(n, seed + k), seed=seed + k) for k in range(repeats)]
    null = []
    for k in range(REPEATS):
        pair = draw(2 * n, seed + REPEATS + k)
        null.append(two_sample.c2st(pair[:n], pair[n:], seed=seed + k).accuracy)
    sliced = two_sample.sliced(codes(0), draw, seed=seed)
    kernel = two_sample.kernel(codes(0), draw, seed=seed)
    unit = float(draw(max(n, 1000), seed).var(0).mean())
    accuracy, judged = float(np.mean([one.accuracy for one in found])), found[0].n
    metrics = {
        "c2st": Metric(
            value=accuracy,
            # Of one split: others of the same codes are not independent of it.
            se=math.sqrt(accuracy * (1 - accuracy) / judged),
            n=judged,
            seed=seed,
            unit="share",
            samples=repeats * judged,
            null=float(np.mean(null)),
            null_high=0.5 + _ONE_SIDED * found[0].null_error,
        ),
        "reference_sliced": _distance(sliced, unit, seed, "squared, of the reference’s variance"),
        "reference_mmd": _distance(kernel, 1.0, seed, "squared"),
    }
    return Evaluation(metrics, {})


def measure_downstream(subject: Subject) -> Evaluation:
    """Train flow matching on the codes, and compare what is sampled with test data."""
    return flow_measures(
        subject.opened,
        subject.data,
        n=len(subject.x),
        seed=subject.seed,
        device=subject.x.device.type,
        report=subject.report,
    )


def flow_measures(
    opened: Checkpoint, data: DataSet, *, n: int, seed: int, device: str, report: Report
) -> Evaluation:
    """Measure as `downstream` does on at most n test samples, for any model."""
    wanted = SAMPLES if n >= len(data.test) else min(n, SAMPLES)
    if min(wanted, len(data.test), len(data.valid)) < FEWEST or isinstance(
        opened.config.model, PixelHVAEConfig
    ):
        return Evaluation({}, {})  # an autoregressive decoder takes seconds for each sample
    found = downstream(opened, data, seed=seed, n=wanted, device=device, report=report)
    metrics = _metrics("flow", found, found.training[-1])
    if found.direct is not None:
        metrics |= _metrics("direct", found, found.direct)
    if found.floor is not None:
        metrics["flow_floor"] = Metric(
            value=found.floor.value,
            se=found.floor.se,
            n=found.n,
            seed=seed,
            unit=f"on features {found.network}",
            null=found.null,
        )
    return Evaluation(metrics, arrays_of(found))


def arrays_of(found: Downstream) -> dict[str, np.ndarray]:
    """Return the curves over training and over sampling steps, with their errors."""
    arrays = {
        "flow_training": np.array([point.trained for point in found.training], np.int32),
        "flow_training_loss": np.array(found.loss, np.float32),
        "flow_sampling": np.array([point.euler for point in found.sampling], np.int32),
    }
    for curve, points in (("training", found.training), ("sampling", found.sampling)):
        for name in CURVES:
            scores = [getattr(point, name) for point in points]
            if None in scores:
                continue
            values = [score.value for score in scores]
            arrays[f"flow_{curve}_{name}"] = np.array(values, np.float32)
            errors = [score.se for score in scores]
            arrays[f"flow_{curve}_{name}_error"] = np.array(errors, np.float32)
    return arrays


def _metrics(name: str, found: Downstream, point: Measured) -> Metrics:
    nulls = {**dict(zip(SHARES, found.null_prdc, strict=True)), "copies": COPIED / 100}
    metrics = {}
    for what in CURVES:
        score = getattr(point, what)
        if score is None:
            continue
        metrics[f"{name}_{what}"] = Metric(
            value=score.value,
            se=score.se,
            n=found.n,
            seed=found.seed,
            unit=f"on features {found.network}" if what == "frechet" else "share",
            samples=found.draws * found.n,
            null=found.null if what == "frechet" else nulls[what],
        )
    return metrics


def _distance(found: Compared, unit: float, seed: int, words: str) -> Metric:
    return Metric(
        value=found.value / unit,
        se=found.error / unit,
        n=found.n,
        seed=seed,
        unit=words,
        samples=two_sample.FRESH * (PROJECTIONS if "variance" in words else found.n),
        null=found.null / unit,
        null_high=found.null_high / unit,
    )
