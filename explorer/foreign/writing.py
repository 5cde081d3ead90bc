"""A pair of graphs, made a whole checkpoint: probed, measured, mapped, and put in its place."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from explorer import checkpoint, publishing, settings, slugs
from explorer.checkpoint import Checkpoint
from explorer.config import FittedConfig, RunConfig, TrainingConfig
from explorer.data import AbstractDataConfig, DataSet
from explorer.errors import ExportError
from explorer.foreign.given import prior_of
from explorer.inference import Engine
from explorer.interfaces import AbstractPrior, AbstractPriorConfig
from explorer.metrics.latent import encode
from explorer.models import OnnxConfig
from explorer.models.onnx import OnnxModel
from explorer.models.spatial import FITTED_ON
from explorer.priors import FullGaussianConfig, FullGaussianPrior
from explorer.runtime import verdicts

Report = Callable[[str, int, int], None]

TOLERANCE = 1 / 255
"""Largest difference of a decoded value to the original that is accepted, in data units."""

COMPARED = 256
"""Codes whose decoded values are compared with the original."""


@dataclass(frozen=True)
class Foreign:
    """A foreign model, ready to be written.

    Args:
        graphs: Content of encoder.onnx and decoder.onnx.
        model: What is known about them; the digests are filled in.
        recipe: The data set as pages will find it.
        data: The data set.
        prior: "standard", "covariance", "none" or parameters.
        noise: Scale of p(x|z), one or one per value; None to fit it.
        original: Decodes rows of codes by the original network, if that is at hand.
    """

    graphs: tuple[bytes, bytes]
    model: OnnxConfig
    recipe: AbstractDataConfig
    data: DataSet
    prior: str | Mapping[str, Any]
    noise: float | np.ndarray | None = None
    original: Callable[[Tensor], Tensor] | None = None


def target_of(name: str, folder: Path | None, *, replace: bool) -> Path:
    """Return where a model of a name is written.

    Raises:
        SlugError: If no link could name it.
        ExportError: If there is one already.
    """
    place = settings.current().user / "checkpoints" if folder is None else Path(folder)
    target = place / name
    shipped = settings.current().checkpoints
    slugs.require(target, [item.name for item in shipped.iterdir()] if folder is None else ())
    if target.exists() and not replace:
        raise ExportError(
            f"{target} exists; choose another name, or say `replace=True` (`--replace`)."
        )
    return target


def workshop(target: Path) -> Path:
    """Return an empty folder of the same name in which a checkpoint is put together."""
    place = target.parent / f".{target.name}.part"
    shutil.rmtree(place, ignore_errors=True)
    folder = place / target.name
    folder.mkdir(parents=True)
    return folder


def write(
    foreign: Foreign,
    folder: Path,
    target: Path,
    *,
    samples: int,
    report: Report = lambda stage, done, total: None,
) -> Checkpoint:
    """Write a checkpoint whole, and move it into its place.

    Raises:
        CheckpointError: If the graphs do not pass their probe.
        ExportError: If they differ from the original.
    """
    report("probing the networks", 0, 0)
    sketch, latent = foreign.data.sketch, foreign.model.latent
    for name, content in zip(verdicts.NAMES, foreign.graphs, strict=True):
        checkpoint.write(folder / name, content)
    digests = {
        name.removesuffix(".onnx"): hashlib.sha256(content).hexdigest()
        for name, content in zip(verdicts.NAMES, foreign.graphs, strict=True)
    }
    model_config = foreign.model.model_copy(update=digests)
    model = model_config.build(sketch)
    model.attach(folder)
    train = torch.from_numpy(_some(foreign.data.train.x, FITTED_ON))
    if model.spatial is not None:
        share = model.fit_components(train)
        model_config = model_config.model_copy(update={"explained": float(f"{share:.6f}")})
    if foreign.noise is not None:
        given = torch.as_tensor(foreign.noise, dtype=torch.float32)
        model.noise_scale.copy_(given.expand_as(model.noise_scale))
    elif model.noise_scale.ndim:
        model.fit_noise(train)
    if foreign.original is not None:
        away = difference(model, foreign.original, model.posterior(train[:COMPARED]).loc)
        if away > TOLERANCE:
            raise ExportError(
                f"The ONNX graphs differ from the networks by {away:.2g} of the range of values; "
                "the decoder may draw random numbers: let it return a mean."
            )
        model_config = model_config.model_copy(update={"difference": float(f"{away:.2g}")})
    config_prior: AbstractPriorConfig | None = None
    prior: AbstractPrior | None = None
    fitted = None
    if foreign.prior == "covariance":
        config_prior, prior, fitted = _covariance(model, foreign.data, target.name)
    elif foreign.prior != "none":
        chosen = _standard(model) if foreign.prior == "standard" else foreign.prior
        config_prior, prior = prior_of(chosen, target.name, latent, sketch)
        if model_config.deterministic or foreign.prior != "standard":
            fitted = FittedConfig(source=target.name, words="Given with the model.")
    config = RunConfig(
        data=foreign.recipe,
        model=model_config,
        prior=config_prior,
        training=TrainingConfig(half=False),
        sketch=sketch,
        fitted=fitted,
    )
    checkpoint.save(model, prior, config, folder)
    checkpoint.write_fingerprint(folder, foreign.recipe.fingerprint(foreign.data))
    return publish(folder, target, foreign.data, samples=samples, report=report)


def usual_prior(config: OnnxConfig) -> str:
    """Return the prior of a foreign model that comes without one."""
    if config.code is not None:
        return "covariance"
    return "none" if config.deterministic else "standard"


def _standard(model: OnnxModel) -> str | Mapping[str, Any]:
    """Return N(0, I) in the units of the space: about the mean, if these are components."""
    if model.spatial is None:
        return "standard"
    return {
        "mean": -model.spatial.mean @ model.spatial.basis,
        "scale": np.ones(model.space.size),
    }


def _covariance(
    model: OnnxModel, data: DataSet, name: str
) -> tuple[AbstractPriorConfig, AbstractPrior, FittedConfig]:
    """Fit a Gaussian with all covariances to the codes of the training data."""
    x = torch.from_numpy(_some(data.train.x, FITTED_ON))
    q = encode(model, x)
    codes = q.sample(torch.Generator().manual_seed(0)).numpy()
    prior = FullGaussianPrior(model.space.size)
    shrinkage = prior.fit(codes)
    components = "" if model.spatial is None else f", on {codes.shape[1]} principal components"
    words = (
        f"The prior was fitted afterwards to {len(codes):,} codes{components}: their mean and "
        f"covariance, shrunk by {shrinkage:.2g} (Ledoit and Wolf)."
    )
    config = FullGaussianConfig(source=name, shrinkage=shrinkage)
    return config, prior, FittedConfig(source=name, samples=len(codes), words=words)


def publish(
    folder: Path, target: Path, data: DataSet, *, samples: int, report: Report
) -> Checkpoint:
    """Measure and map a checkpoint, and move it into its place."""
    Engine(checkpoint.load(folder), "cpu")
    publishing.publish(folder, data, samples=samples, report=report)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    folder.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(folder.parent, ignore_errors=True)
    return checkpoint.load(target)


def difference(
    model: OnnxModel,
    original: Callable[[Tensor], Tensor],
    codes: Float[Tensor, "codes latent"],
) -> float:
    """Return the largest difference of decoded values, in data units."""
    config = model.config
    found = model.likelihood(codes).mean.flatten(1)
    with torch.no_grad():
        whole = codes if model.spatial is None else model.spatial.whole(codes)
        expected = original(whole).flatten(1)
    if config.logits:
        expected = expected.sigmoid()
    else:
        low, high = config.range
        expected = (expected - low) / (high - low)
    if config.likelihood in ("bernoulli", "logistic"):
        expected = expected.clamp(0, 1)
        found = found.clamp(0, 1)
    return float((found - expected).abs().max())


def _some(x: np.ndarray, most: int) -> np.ndarray:
    if len(x) <= most:
        return x
    return x[np.sort(np.random.default_rng(0).permutation(len(x))[:most])]
