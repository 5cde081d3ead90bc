"""A prior for a model that has none, or another one: fitted to its codes, the model as it was."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float

from explorer import checkpoint, publishing, settings, slugs
from explorer.checkpoint import Checkpoint
from explorer.config import FittedConfig, RunConfig
from explorer.data import DataSet
from explorer.data.named import load_named
from explorer.errors import LevelError, TrainingError
from explorer.interfaces import AbstractPrior, AbstractPriorConfig
from explorer.metrics.latent import encode
from explorer.priors import (
    CodeMixtureConfig,
    CodeMixturePrior,
    FlowConfig,
    FlowPrior,
    FullGaussianConfig,
    FullGaussianPrior,
    GaussianPrior,
    StandardConfig,
    XVAEConfig,
)
from explorer.priors.mixture import require_spread

Kind = Literal["standard", "moments", "covariance", "mixture", "flow"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Priors that can be fitted, from the plainest to the most flexible."""

MOST_CODES = 50_000
MOST_COMPONENTS = 50
_FLOOR = 0.05
_FLOW_STEPS, _FLOW_BATCH, _FLOW_RATE = 4000, 512, 2e-3
_CHECK_EACH, _PATIENCE = 100, 8

Report = Callable[[str, int, int], None]


def fit_prior(
    model: str | Path | Checkpoint,
    kind: str = "mixture",
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
            Gaussians as BIC chooses; `flow` a neural spline flow.
        name: Name of the new model; by default that of the model and the kind.
        data: Its data set; read if it is not given.
        seed: Seed of the draws and of the fit.
        minutes: Time after which a flow is taken as it is.
        importance_samples: Importance samples per test sample.
        folder: Folder of checkpoints; by default that of the user.
        report: Called with a stage, the number of steps done, and their total.

    Raises:
        TrainingError: If the codes are too few or all alike, or the kind is unknown.
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
    target = _target(name or name_of(opened.slug, chosen), folder)
    if data is None:
        data = load_named(opened.config.data, settings.current().data)
    report("encoding", 0, 0)
    codes = codes_of(opened, data, seed)
    config, prior, words = fitted(codes, chosen, opened, seed, minutes, report)
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
                source=opened.slug,
                source_hash=opened.hash,
                samples=len(codes),
                seed=seed,
                words=words,
            ).model_dump(),
        }
    )
    checkpoint.save(opened.model, prior, recipe, part)
    checkpoint.write_fingerprint(part, opened.config.data.fingerprint(data))
    publishing.publish(part, data, samples=importance_samples, report=report)
    if target.exists():
        shutil.rmtree(target)
    part.rename(target)
    shutil.rmtree(workshop, ignore_errors=True)
    return checkpoint.load(target)


def name_of(slug: str, kind: Kind) -> str:
    """Return what a model with a fitted prior is called unless it is named."""
    return f"{slug[: slugs.LONGEST - 20]}-fit-{kind}"


def codes_of(opened: Checkpoint, data: DataSet, seed: int) -> Float[np.ndarray, "codes latent"]:
    """Draw one code of each training datum, of at most 50,000 drawn at random."""
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(data.train))[:MOST_CODES])
    x = data.train.x[rows]
    if data.dynamic:
        x = (generator.random(x.shape, np.float32) < x).astype(np.float32)
    q = encode(opened.model, torch.from_numpy(x))
    with torch.inference_mode():
        return q.sample(torch.Generator().manual_seed(seed)).numpy()


def fitted(
    codes: Float[np.ndarray, "codes latent"],
    kind: Kind,
    opened: Checkpoint,
    seed: int,
    minutes: float,
    report: Report,
) -> tuple[AbstractPriorConfig, AbstractPrior, str]:
    """Fit one kind of prior; return its config, the prior, and how it was fitted in a sentence."""
    require_spread(codes)
    space, sketch = opened.model.space, opened.config.sketch
    assert sketch is not None
    source = {"source": opened.slug, "source_hash": opened.hash}
    after = f"The prior was fitted afterwards to {len(codes):,} codes of `{opened.slug}`"
    report(f"fitting: {kind}", 0, 0)
    if kind == "standard":
        plain = StandardConfig()
        return plain, plain.build(space, sketch), "The prior N(0, I) was set afterwards."
    if kind == "moments":
        gaussian = GaussianPrior(space.size)
        floored = tuple(gaussian.fit(codes, _FLOOR))
        moments = XVAEConfig(**source, floor=_FLOOR, floored=floored)
        return moments, gaussian, f"{after}: their mean and standard deviation, unit by unit."
    if kind == "covariance":
        full = FullGaussianPrior(space.size)
        shrinkage = full.fit(codes)
        return (
            FullGaussianConfig(**source, shrinkage=shrinkage),
            full,
            f"{after}: their mean and covariance, shrunk by {shrinkage:.2g} (Ledoit and Wolf).",
        )
    if kind == "mixture":
        different = len(np.unique(codes, axis=0))
        most = max(1, min(MOST_COMPONENTS, different // 5))
        mixture = CodeMixturePrior(space.size, most)
        count = mixture.fit_by_criterion(codes, seed)
        return (
            CodeMixtureConfig(**source, components=count),
            mixture,
            f"{after}: {count} Gaussians, as many as BIC chooses of at most {most}.",
        )
    settings_of = FlowConfig(standardised=True)
    flow = settings_of.build(space, sketch)
    steps, held_out = _fit_flow(flow, codes, seed, minutes, report)
    return (
        settings_of,
        flow,
        f"{after}: a flow, {steps:,} steps of Adam; held-out codes have {held_out:.2f} nats.",
    )


def _fit_flow(
    prior: FlowPrior,
    codes: Float[np.ndarray, "codes latent"],
    seed: int,
    minutes: float,
    report: Report,
) -> tuple[int, float]:
    """Fit a flow by maximum likelihood, and keep it where a tenth held out is most probable."""
    prior.standardise(codes)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(codes), generator=generator)
    z = torch.from_numpy(codes)[order]
    held_out, train = z[: max(1, len(z) // 10)], z[max(1, len(z) // 10) :]
    optimiser = torch.optim.Adam(prior.parameters(), _FLOW_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _FLOW_STEPS)
    law = prior(lambda x: None)
    best, kept, worse, done = -np.inf, None, 0, 0
    until = time.monotonic() + 60 * minutes
    for step in range(_FLOW_STEPS + 1):
        if step % _CHECK_EACH == 0:
            with torch.no_grad():
                now = float(prior(lambda x: None).log_prob(held_out).mean())
            worse = 0 if now > best else worse + 1
            if now > best:
                best, done = now, step
                kept = {name: value.clone() for name, value in prior.state_dict().items()}
            if worse >= _PATIENCE or step == _FLOW_STEPS or time.monotonic() > until:
                break
            report("fitting: flow", step, _FLOW_STEPS)
        rows = torch.randint(len(train), (min(_FLOW_BATCH, len(train)),), generator=generator)
        law = prior(lambda x: None)
        loss = -law.log_prob(train[rows]).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(prior.parameters(), 5.0)
        optimiser.step()
        schedule.step()
    if kept is None:
        raise TrainingError(
            "No flow can be fitted to these codes; choose covariance or mixture instead."
        )
    prior.load_state_dict(kept)
    prior.requires_grad_(False)
    return done, best


def _target(name: str, folder: str | Path | None) -> Path:
    place = settings.current().user / "checkpoints" if folder is None else Path(folder)
    target = place / name
    shipped = settings.current().checkpoints
    slugs.require(target, [item.name for item in shipped.iterdir()] if folder is None else ())
    return target
