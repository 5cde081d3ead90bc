"""Fitting: codes in, a checkpoint with the same networks and another prior out."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from explorer import checkpoint, publishing, settings, slugs
from explorer.checkpoint import Checkpoint
from explorer.config import FittedConfig, RunConfig
from explorer.data import DataSet, FilesConfig
from explorer.data.named import load_named
from explorer.errors import LevelError, TrainingError
from explorer.fitting import learning
from explorer.fitting.codes import Codes, codes_of
from explorer.fitting.kinds import DEFAULT, KINDS, TITLES, Kind, why_not
from explorer.interfaces import AbstractPrior, AbstractPriorConfig
from explorer.priors import (
    CodeMixtureConfig,
    CodeMixturePrior,
    FlowConfig,
    FullGaussianConfig,
    FullGaussianPrior,
    GaussianPrior,
    SecondStageConfig,
    SphereConfig,
    StandardConfig,
    VampConfig,
    VampDataConfig,
    XVAEConfig,
)
from explorer.priors.mixture import require_spread

MOST_COMPONENTS = 50
_FLOOR = 0.05
_ENCODING = 1 / 3
"""Share of the time that encoding may take."""

Report = Callable[[str, int, int], None]


def fit_prior(
    model: str | Path | Checkpoint,
    kind: str = DEFAULT,
    *,
    name: str | None = None,
    data: DataSet | None = None,
    seed: int = 14,
    minutes: float = 3.0,
    importance_samples: int = 100,
    folder: str | Path | None = None,
    report: Report = lambda stage, done, total: None,
) -> Checkpoint:
    """Fit a prior to the codes of a trained model, and write both as a checkpoint of its own.

    The networks stay as they were. Codes are one draw of each training datum's posterior, or its
    code where that is a point, so that the prior is fitted to the aggregated posterior.

    Args:
        model: A checkpoint, its name or its folder.
        kind: `standard` is N(0, I) as it is; `moments` mean and standard deviation per unit
            (X-VAE); `covariance` all covariances (Ledoit and Wolf); `mixture` as many diagonal
            Gaussians as BIC chooses; `hypersphere` uniform on the sphere of the codes' mean radius
            (no density); `flow` a neural spline flow; `second-stage` a VAE on the codes (its
            density is bounded only); `vamp` a mixture of the encoder's posteriors: at learned
            pseudo-inputs, or, for a model without derivatives, at chosen training data.
        name: Name of the new model; by default that of the model and the kind.
        data: Its data set; read if it is not given.
        seed: Seed of the draws and of the fit.
        minutes: Time for encoding and fitting, after which what is learned is taken as it is.
        importance_samples: Importance samples per test sample.
        folder: Folder of checkpoints; by default that of the user.
        report: Called with a stage, the number of steps done, and their total.

    Raises:
        TrainingError: If the codes are too few or all alike, or the kind is unknown or does not
            fit the model.
        LevelError: If the model has two levels.
        DataError: If the data cannot be read.

    References:
        X-VAE (arXiv 2607.01275), for the idea: the prior of an autoencoder's codes.
        From variational to deterministic autoencoders (Ghosh et al., 2020), section 4, for
        densities fitted afterwards. https://arxiv.org/abs/1903.12436
    """
    opened = model if isinstance(model, Checkpoint) else checkpoint.load(model)
    chosen = next((item for item in KINDS if item == kind), None)
    if chosen is None:
        raise TrainingError(f"{str(kind)[:40]!r} cannot be fitted; choose {', '.join(KINDS)}.")
    if len(opened.model.space.levels) > 1:
        raise LevelError(
            f"{opened.slug} has two levels, which were trained together; "
            "choose a model with one to fit a prior to its codes."
        )
    if reason := why_not(opened.config, chosen):
        raise TrainingError(f"{TITLES[chosen]} cannot be fitted to {opened.slug}: {reason}")
    target = _target(name or name_of(opened, chosen), folder)
    if data is None:
        data = load_named(opened.config.data, settings.current().data)
    report("encoding", 0, 0)
    origin = origin_of(opened)
    until = time.monotonic() + 60 * minutes
    codes = codes_of(opened, data, seed, 60 * minutes * _ENCODING)
    config, prior, words = fitted(codes, chosen, opened, seed, until, report)
    workshop = target.parent / f".{target.name}.part"
    shutil.rmtree(workshop, ignore_errors=True)
    part = workshop / target.name
    part.mkdir(parents=True)
    recipe = RunConfig.model_validate(
        opened.config.model_dump()
        | {
            "prior": config.model_dump(),
            "training": opened.config.training.model_dump() | {"half": False, "bits": None},
            "fitted": FittedConfig(
                source=origin[0],
                source_hash=origin[1],
                samples=len(codes),
                seed=seed,
                words=words,
            ).model_dump(),
        }
    )
    checkpoint.save(opened.model, prior, _beside(recipe, opened, part), part)
    checkpoint.write_fingerprint(part, opened.config.data.fingerprint(data))
    publishing.publish(part, data, samples=importance_samples, report=report)
    if target.exists():
        shutil.rmtree(target)
    part.rename(target)
    shutil.rmtree(workshop, ignore_errors=True)
    return checkpoint.load(target)


def name_of(opened: Checkpoint, kind: Kind) -> str:
    """Return what a model with a fitted prior is called unless it is named."""
    return f"{origin_of(opened)[0][: slugs.LONGEST - 20]}-fit-{kind}"


def origin_of(opened: Checkpoint) -> tuple[str, str]:
    """Return slug and hash of the model with these networks before any prior was fitted to it."""
    known = opened.config.fitted
    if known is not None and known.source_hash is not None:
        return known.source, known.source_hash
    return opened.slug, opened.hash


def fitted(
    codes: Codes, kind: Kind, opened: Checkpoint, seed: int, until: float, report: Report
) -> tuple[AbstractPriorConfig, AbstractPrior, str]:
    """Fit one kind of prior; return its config, the prior, and how it was fitted in a sentence.

    Args:
        codes: The codes.
        kind: The kind.
        opened: The model.
        seed: Seed of the fit.
        until: Time, by `time.monotonic`, at which what is learned is taken as it is.
        report: Called with a stage, the number of steps done, and their total.

    Raises:
        TrainingError: If the codes are too few or all alike.
    """
    require_spread(codes.z)
    report(f"fitting: {kind}", 0, 0)
    if kind in ("flow", "second-stage", "vamp"):
        return _learned(codes, kind, opened, seed, until, report)
    space, sketch = opened.model.space, opened.config.sketch
    assert sketch is not None
    slug, digest = origin_of(opened)
    source = {"source": slug, "source_hash": digest}
    after = _after(codes, opened)
    if kind == "standard":
        plain = StandardConfig()
        return plain, plain.build(space, sketch), "The prior N(0, I) was set afterwards."
    if kind == "moments":
        gaussian = GaussianPrior(space.size)
        floored = tuple(gaussian.fit(codes.z, _FLOOR))
        moments = XVAEConfig(**source, floor=_FLOOR, floored=floored)
        return moments, gaussian, f"{after}: their mean and standard deviation, unit by unit."
    if kind == "covariance":
        full = FullGaussianPrior(space.size)
        shrinkage = full.fit(codes.z)
        return (
            FullGaussianConfig(**source, shrinkage=shrinkage),
            full,
            f"{after}: their mean and covariance, shrunk by {shrinkage:.2g} (Ledoit and Wolf).",
        )
    if kind == "hypersphere":
        centre = codes.z.mean(0, dtype=np.float64)
        radii = np.linalg.norm(codes.z - centre, axis=1)
        radius = float(f"{radii.mean():.6g}")
        around = SphereConfig(radius=radius)
        sphere = around.build(space, sketch)
        assert sphere.centre is not None
        sphere.centre.copy_(torch.from_numpy(centre))
        # The mean is the centre: the pole is where the codes reach farthest in one direction.
        sphere.turn(torch.from_numpy(_principal(codes.z - centre))[None])
        return (
            around,
            sphere,
            f"{after}: uniform on the sphere about their mean, of their mean radius, "
            f"{radius:.3g}, from which their radii differ by {radii.std():.2g} (standard "
            "deviation); it has no density.",
        )
    most = max(1, min(MOST_COMPONENTS, len(np.unique(codes.z, axis=0)) // 5))
    mixture = CodeMixturePrior(space.size, most)
    count = mixture.fit_by_criterion(codes.z, seed, until)
    return (
        CodeMixtureConfig(**source, components=count),
        mixture,
        f"{after}: {count} Gaussian{'' if count == 1 else 's'}, as many as BIC chooses of at most "
        f"{most}.",
    )


def _learned(
    codes: Codes, kind: Kind, opened: Checkpoint, seed: int, until: float, report: Report
) -> tuple[AbstractPriorConfig, AbstractPrior, str]:
    after = _after(codes, opened)
    if kind == "flow":
        splines = FlowConfig(standardised=True)
        found = learning.flow(splines, opened, codes, seed, until, report)
        return splines, found.prior, f"{after}: a flow, {_steps(found)}."
    if kind == "second-stage":
        stage = SecondStageConfig()
        found = learning.second_stage(stage, opened, codes, seed, until, report)
        return (
            stage,
            found.prior,
            f"{after}: a second VAE, {found.steps:,} steps of Adam; log p(z) of held-out codes is "
            f"bounded only: at least {found.held_out:.2f} nats.",
        )
    count = learning.components_of(codes, opened.model)
    if opened.model.differentiable:
        inputs = VampConfig(components=count)
        found = learning.pseudo_inputs(inputs, opened, codes, seed, until, report)
        return (
            inputs,
            found.prior,
            f"{after}: {count} pseudo-inputs, learned with the encoder as it is, {_steps(found)}.",
        )
    data = VampDataConfig(components=count, weighted=True)
    found = learning.chosen_data(data, codes, seed, until, report)
    return (
        data,
        found.prior,
        f"{after}: the posteriors of {count} training data, weighted by expectation maximisation; "
        f"held-out codes have {found.held_out:.2f} nats.",
    )


def _principal(apart: Float[np.ndarray, "codes latent"]) -> Float[np.ndarray, " latent"]:
    """Return the first principal direction, its largest value positive."""
    _, axes = np.linalg.eigh(apart.T @ apart)
    axis = axes[:, -1]
    found: Float[np.ndarray, " latent"] = axis * np.sign(axis[np.abs(axis).argmax()])
    return found.astype(np.float32)


def _after(codes: Codes, opened: Checkpoint) -> str:
    return f"The prior was fitted afterwards to {len(codes):,} codes of `{origin_of(opened)[0]}`"


def _steps(found: learning.Learned) -> str:
    return f"{found.steps:,} steps of Adam; held-out codes have {found.held_out:.2f} nats"


def _beside(recipe: RunConfig, opened: Checkpoint, part: Path) -> RunConfig:
    """Take along samples that lie beside the weights, so that no recipe names another's folder."""
    own = opened.folder.resolve() / checkpoint.SAMPLES
    if not isinstance(recipe.data, FilesConfig) or Path(recipe.data.path) != own:
        return recipe
    shutil.copyfile(own, part / checkpoint.SAMPLES)
    here = recipe.data.model_copy(update={"path": checkpoint.SAMPLES})
    return recipe.model_copy(update={"data": here})


def _target(name: str, folder: str | Path | None) -> Path:
    place = settings.current().user / "checkpoints" if folder is None else Path(folder)
    target = place / name
    shipped = settings.current().checkpoints
    slugs.require(target, [item.name for item in shipped.iterdir()] if folder is None else ())
    return target
