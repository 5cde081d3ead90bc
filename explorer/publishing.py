"""Everything that turns weights into a publishable checkpoint: metrics, atlas, preview, card."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from explorer import checkpoint, drawing, sections
from explorer.checkpoint import Checkpoint, Metrics
from explorer.data import DataSet
from explorer.data.identity import SPLITS
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.metrics import evaluate
from explorer.metrics.likelihood import Likelihood
from explorer.metrics.matching import NAMES
from explorer.metrics.measures import PARTS, Part
from explorer.metrics.tradeoff import Tradeoff, measure_tradeoff, read_tradeoff
from explorer.models import OnnxConfig
from explorer.naming import PRIORS
from explorer.objectives import MatchingConfig
from explorer.priors import XVAEConfig
from explorer.projection import build_atlas, save_atlas
from explorer.reference import build_reference, save_reference

PREVIEW_TILES, PREVIEW_COLUMNS, PREVIEW_SIDE = 24, 8, 56

PARTIAL = "likelihood-partial.npz"
KEEP_EVERY_SECONDS = 30

STAGES = "stage-*.json"
"""Recipes of a checkpoint's earlier training stages, first to last."""


def publish(
    folder: Path,
    data: DataSet,
    *,
    samples: int = 500,
    device: str = "cpu",
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Checkpoint:
    """Evaluate the weights in a folder; write metrics, likelihoods, atlas, preview and card."""
    opened = checkpoint.load(folder)
    measure(opened, data, folder, samples=samples, device=device, anew=True, report=report)
    project(opened, data, folder, report=lambda stage: report(stage, 0, 0))
    checkpoint.write(folder / checkpoint.PREVIEW, preview(opened))
    opened = checkpoint.load(folder)
    checkpoint.write(folder / checkpoint.CARD, card(opened).encode())
    return opened


def measure(
    opened: Checkpoint,
    data: DataSet,
    folder: Path,
    *,
    samples: int = 500,
    limit: int | None = None,
    device: str = "cpu",
    parts: tuple[Part, ...] = PARTS,
    anew: bool = False,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Metrics:
    """Evaluate, and write metrics.json and likelihood.npz into a folder.

    The likelihoods so far are saved beside them every half minute, so that an interrupted run
    can be resumed. Parts that are not measured stay as they were, unless it is done `anew`, as
    for new weights. With a `limit` only so many test samples, drawn at random, are used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / PARTIAL
    drawn = limit is not None and limit < len(data.test)
    asked = np.array([samples, limit, 1] if drawn else [samples, len(data.test)])
    saved = time.monotonic()

    def keep(found: Likelihood) -> None:
        nonlocal saved
        if time.monotonic() - saved > KEEP_EVERY_SECONDS:
            saved = time.monotonic()
            columns = {name: part.cpu().numpy() for name, part in found._asdict().items()}
            checkpoint.write(partial, _packed(hash=opened.hash, asked=asked, **columns))

    found = evaluate(
        opened,
        data,
        samples=samples,
        limit=limit,
        device=device,
        parts=parts,
        known=_stopped(partial, opened.hash, asked),
        keep=keep,
        report=report,
    )
    metrics, arrays = found.metrics, found.arrays
    if not anew:
        # Nothing of before is left of the usual parts once all of them are measured.
        kept = NAMES if set(PARTS) <= set(parts) else ("",)
        numbers = _numbers_in(opened.folder) | _numbers_in(folder)
        known = _arrays_for(opened, folder, found.arrays)
        metrics = {k: v for k, v in numbers.items() if k.startswith(kept)} | metrics
        arrays = {k: v for k, v in known.items() if k.startswith(kept)} | arrays
    checkpoint.write(folder / checkpoint.LIKELIHOOD, _packed(**arrays))
    checkpoint.write_metrics(folder, metrics)
    if "likelihood" in parts:
        partial.unlink(missing_ok=True)
    return found.metrics


def _numbers_in(folder: Path) -> Metrics:
    """Return the metrics stored in a folder itself, without the user's overrides."""
    try:
        return checkpoint.read_metrics(folder)
    except CheckpointError:
        return {}


def _arrays_for(
    opened: Checkpoint, folder: Path, now: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the arrays known so far, if they are of the same data.

    Results in the user folder hide the shipped ones, so they start from these.
    """
    places = [folder] if folder == opened.folder else [folder, opened.folder]
    for place in places:
        try:
            known = checkpoint.read_arrays(place / checkpoint.LIKELIHOOD)
        except CheckpointError:
            continue
        same = "test" not in known or "test" not in now or known["test"] == now["test"]
        if known and same:
            return known
    return {}


def _stopped(path: Path, digest: str, asked: np.ndarray) -> Likelihood | None:
    """Read the likelihoods of an interrupted run, if it is the same run."""
    if not path.is_file():
        return None
    try:
        known = checkpoint.read_arrays(path)
        columns = [known[name] for name in Likelihood._fields]
        same = str(known["hash"]) == digest and np.array_equal(known["asked"], asked)
    except (CheckpointError, KeyError):
        return None
    fit = all(
        part.ndim == 1 and part.dtype.kind == "f" and len(part) == len(columns[0]) <= asked[1]
        for part in columns
    )
    return Likelihood(*map(torch.from_numpy, columns)) if same and fit else None


def _packed(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def project(
    opened: Checkpoint,
    data: DataSet,
    folder: Path,
    report: Callable[[str], None] = lambda stage: None,
) -> None:
    """Build the atlas, and what samples are compared with, and write both into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.write(
        folder / checkpoint.ATLAS, save_atlas(build_atlas(opened, data, report=report))
    )
    refer(opened, data, folder, report)


def refer(
    opened: Checkpoint,
    data: DataSet,
    folder: Path,
    report: Callable[[str], None] = lambda stage: None,
) -> None:
    """Build what a model's samples are compared with, and write it into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = build_reference(opened, data, report=report)
    if found is not None:
        checkpoint.write(folder / checkpoint.REFERENCE, save_reference(found, opened.hash))


def trade(
    opened: Checkpoint,
    data: DataSet,
    folder: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Tradeoff:
    """Measure the diversity–fidelity curve, saving every scale; an interrupted run is resumed."""
    folder.mkdir(parents=True, exist_ok=True)

    def keep(curve: Tradeoff) -> None:
        content = _packed(hash=opened.hash, **curve._asdict())
        checkpoint.write(folder / checkpoint.TRADEOFF, content)

    return measure_tradeoff(opened, data, known=read_tradeoff(opened), keep=keep, report=report)


def preview(opened: Checkpoint) -> bytes:
    """Draw a preview: samples of the prior, or an autoencoder's decoded codes."""
    engine = Engine(opened, "cpu")
    if engine.has_prior:
        x = engine.sample(PREVIEW_TILES, seed=0).x
    else:
        codes = opened.arrays(checkpoint.ATLAS)["codes"].astype(np.float32)
        x = engine.decode(codes[:: max(1, len(codes) // PREVIEW_TILES)][:PREVIEW_TILES])
    x = drawing.on_paper(sections.shaped(x, engine.sketch), engine.sketch)
    return drawing.png(
        drawing.grid(drawing.thumbnails(x, engine.sketch, PREVIEW_SIDE), PREVIEW_COLUMNS)
    )


def card(opened: Checkpoint) -> str:
    """Write a checkpoint's card in Markdown: what it is, its metrics, how they were measured."""
    config, training = opened.config, opened.config.training
    prior = config.prior.kind if config.prior else "none"
    lines = [
        f"# {opened.slug}",
        "",
        f"{config.data.words}. {PRIORS[prior]}. {config.model.latent} latent units; "
        f"{config.model.words}; "
        + (
            f"{config.model.likelihood} likelihood."
            if config.model.has_likelihood
            else "trained by squared error, without a likelihood."
        ),
        "",
        "| Measure | Value | Standard error | n | Samples | Seed | Unit | Real vs. real |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for name, metric in opened.metrics.items():
        cells = (
            name.replace("_", " "),
            f"{metric.value:.4g}" if abs(metric.value) < 10 else f"{metric.value:.2f}",
            "" if metric.se is None else f"{metric.se:.2g}",
            str(metric.n),
            "" if metric.samples is None else str(metric.samples),
            "" if metric.seed is None else str(metric.seed),
            metric.unit,
            "" if metric.null is None else f"{metric.null:.3g}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    score = opened.metrics.get("log_likelihood")
    depth = f" --samples {score.samples}" if score and score.samples else ""
    if score and opened.fingerprint and score.n < opened.fingerprint.test.n:
        depth += f" --limit {score.n}"
    lines += [
        "",
        f"Measured on the test split with exactly these weights (hash `{opened.hash}`): "
        f"`latent-explorer evaluate {opened.slug}{depth}`.",
        f"Trained with `latent-explorer train checkpoints/{opened.slug}/config.json` "
        f"(seed {training.seed}, batch {training.batch}, at most {training.epochs} epochs).",
    ]
    if isinstance(config.model, OnnxConfig):
        lines[-1] = _origin_words(config.model)
    elif config.fitted is not None:
        source = config.fitted
        lines[-1] = f"Its networks are those of `{source.source}` (hash `{source.source_hash}`)."
    if config.fitted is not None and config.fitted.words:
        lines.append(config.fitted.words)
    if isinstance(config.objective, MatchingConfig):
        lines.append(config.objective.words)
    lines.append(_data_words(opened))
    if opened.pseudo:
        lines.append(
            "The Bernoulli likelihood of values other than 0 and 1 is a pseudo-likelihood: "
            "it is no log p(x), and is compared with none."
        )
    if training.init:
        earlier = ", ".join(f"`{path.name}`" for path in sorted(opened.folder.glob(STAGES)))
        where = f"; recipes of earlier stages: {earlier}" if earlier else ""
        lines.append(f"Initialised from the weights of {training.init}{where}.")
    if isinstance(config.prior, XVAEConfig) and config.fitted is None:
        floored = ", ".join(map(str, config.prior.floored)) or "none"
        lines.append(
            f"Prior fitted to the codes of `{config.prior.source}`; units raised to the floor: "
            f"{floored}."
        )
    lines += [
        "",
        "Log-likelihoods are importance-sampled lower bounds in nats (densities of standardised",
        "coordinates for curves). Precision, recall, density, coverage (k = 5) and Vendi score",
        "compare samples with the test split on at most 50 whitened principal components (none",
        "with under 1e-4 of the first one's variance), over five seeds; the last column has",
        "training data in place of samples (validation data for Fréchet and kernel distances).",
    ]
    return "\n".join(lines) + "\n"


def _origin_words(model: OnnxConfig) -> str:
    said = f"Trained elsewhere ({model.origin or 'of unknown origin'}), and kept as ONNX graphs"
    if model.difference is None:
        return f"{said}."
    return f"{said}; decoded values differ from the original by at most {model.difference:.1g}."


def _data_words(opened: Checkpoint) -> str:
    return f"{_split_words(opened)} {opened.config.data.preparation}".rstrip()


def _split_words(opened: Checkpoint) -> str:
    known = opened.fingerprint
    if known is None:
        return "Its data were not recorded; samples are split by their position in the files."
    parts = ", ".join(
        f"{name} {split.n:,} (`{split.digest[:8]}`)"
        for name in SPLITS
        for split in [getattr(known, name)]
    )
    return f"Samples, with their fingerprint in `{checkpoint.FINGERPRINT}`: {parts}."
