"""What the choice of a reference buys: arms trained and measured alike, under several seeds.

Every arm ends after the same number of epochs. Those that start from another's weights train for
the second half only; a base of the same seed has trained for the first. Only what begins behind
the bottleneck has a half more, the frozen encoder's own. By score the model moves at each fifth
step.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from explorer import checkpoint, publishing, settings, training
from explorer.checkpoint import Metric
from explorer.config import RunConfig
from explorer.data import DataSet
from explorer.errors import CheckpointError, TrainingError
from explorer.interfaces import Frozen
from explorer.registry import DataConfig

BASES = ("autoencoder", "features", "bottleneck")
"""Trained first: by reconstruction; by contrast, then the decoder; a bottleneck behind that."""

_WITH_SOURCE = ("gmm", "features", "bottleneck")


class Arm(NamedTuple):
    """One way of training: from which base, under which prior, for which objective."""

    base: str | None
    prior: str | None
    distance: str | None = None


def _arms() -> dict[str, Arm]:
    found = {
        "ae": Arm("autoencoder", None),
        "frozen-features": Arm("features", None),
        "vae-standard": Arm(None, "standard"),
        "vae-xvae": Arm(None, "xvae"),
        "vae-vamp": Arm(None, "vamp"),
        "features-by-reconstruction": Arm("features", "features", "none"),
        "pixels-to-features": Arm("autoencoder", "features", "sliced"),
        "standard-mmd": Arm("autoencoder", "standard", "mmd"),
    }
    for prior in ("standard", "gmm", "sphere", "features", "bottleneck"):
        base = prior if prior in BASES else "autoencoder"
        for distance in ("sliced", "score"):
            found[f"{prior}-{distance}"] = Arm(base, prior, distance)
    return found


ARMS = _arms()
"""All arms by name: baselines, controls, and every reference by both methods."""

CUT_FIRST = ("standard-mmd", "sphere-score", "sphere-sliced")
"""Arms that are left for last, so that they are those that a short study lacks."""


class Plan(Frozen):
    """What a study trains, and for how long."""

    data: DataConfig
    latent: int = 16
    hidden: tuple[int, ...] = (300, 300)
    noise: float = 0.3
    """Standard deviation of a matched code: a deterministic one cannot fill the prior's space."""
    weight: float = 500
    """Of a two-sample distance; a score has its own."""
    epochs: int = 120
    batch: int = 512
    seeds: tuple[int, ...] = (1, 2, 3)


class Result(Frozen):
    """The metrics of one arm under one seed, and what they were measured with."""

    arm: str
    seed: int
    hash: str
    seconds: float
    metrics: dict[str, Metric]


Report = Callable[[str, int, int], None]


def run(
    plan: Plan,
    data: DataSet,
    folder: Path,
    *,
    arms: Sequence[str] = tuple(ARMS),
    hours: float = 6.0,
    report: Report = lambda stage, done, total: None,
) -> list[Result]:
    """Train and measure what is not known yet; stop before an arm once the time is used up.

    Models are kept with the user's own, where every page opens them. A run that was killed goes on
    with the arm it was at.

    Args:
        plan: What to train.
        data: Its data.
        folder: Where `results.json` is kept.
        arms: Names of arms.
        hours: Time for all.
        report: Called with an arm, the number of arms that are done, and their total.

    Raises:
        TrainingError: If an arm is not known, or the folder holds results of another plan.
    """
    if unknown := set(arms) - set(ARMS):
        raise TrainingError(f"There is no arm “{min(unknown)}”; choose from {', '.join(ARMS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    known = read(folder, plan)
    have = {(one.arm, one.seed) for one in known}
    order = sorted(arms, key=lambda arm: arm in CUT_FIRST)
    wanted = [(arm, seed) for arm in order for seed in plan.seeds]
    started = time.monotonic()
    for done, (arm, seed) in enumerate(wanted):
        report(f"{arm}, seed {seed}", done, len(wanted))
        if (arm, seed) in have:
            continue
        if time.monotonic() - started > 3600 * hours:
            break
        known.append(_measured(plan, data, arm, seed))
        _write(folder, plan, known)
    return known


def read(folder: Path, plan: Plan) -> list[Result]:
    """Read the results of a plan so far; none if there are none.

    Raises:
        TrainingError: If they are of another plan, or damaged.
    """
    path = folder / "results.json"
    if not path.is_file():
        return []
    try:
        kept = json.loads(path.read_text())
        before = Plan.model_validate(kept["plan"])
        results = [Result.model_validate(one) for one in kept["results"]]
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is damaged; move it away to start anew.") from error
    if before.model_copy(update={"seeds": plan.seeds}) != plan:
        raise TrainingError(f"{path} is of another plan; choose another --out.")
    return results


def table(results: Sequence[Result], names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a row for each arm: its name, its seeds, and each metric's mean and spread."""
    rows = []
    for arm in dict.fromkeys(one.arm for one in results):
        own = [one for one in results if one.arm == arm]
        cells = [arm, str(len(own))]
        for name in names:
            values = [one.metrics[name].value for one in own if name in one.metrics]
            spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}" if values else "–")
        rows.append(tuple(cells))
    return rows


def recipe(plan: Plan, arm: str, seed: int) -> RunConfig:
    """Return the recipe of an arm."""
    chosen, half = ARMS[arm], max(1, plan.epochs // 2)
    matched = chosen.distance is not None
    kind = "dmvae" if matched else "ae" if chosen.prior is None else "vae"
    objective: dict[str, Any] = {}
    if matched:
        objective = {"kind": "matching", "weight": 0}
        if chosen.distance != "none":
            objective = {"kind": "matching", "distance": chosen.distance}
        if chosen.distance in ("sliced", "mmd"):
            objective["weight"] = plan.weight
    given = _common(plan, seed, half if chosen.base else plan.epochs)
    given["model"] |= {"kind": kind} | ({"noise": plan.noise} if matched else {})
    if chosen.prior is not None:
        prior: dict[str, Any] = {"kind": chosen.prior}
        if chosen.prior in _WITH_SOURCE:
            base = "bottleneck" if chosen.prior == "bottleneck" else "features"
            prior["source"] = slug(plan, base, seed)
        elif chosen.prior == "xvae":
            prior["source"] = slug(plan, "autoencoder", seed)
        given["prior"] = prior
    if objective:
        given["objective"] = objective
    if arm == "frozen-features":
        given["training"]["freeze"] = "encoder"
    return RunConfig.model_validate(given)


def base_recipe(plan: Plan, base: str, seed: int) -> RunConfig:
    """Return the recipe of what arms start from."""
    given = _common(plan, seed, max(1, plan.epochs // 2))
    given["model"]["kind"] = "ae"
    if base == "features":
        given["training"] |= {"pretraining": {"kind": "simclr"}, "freeze": "encoder"}
    if base == "bottleneck":
        given["training"]["freeze"] = "trunk"
    return RunConfig.model_validate(given)


def slug(plan: Plan, name: str, seed: int) -> str:
    """Name the model of an arm or a base."""
    return f"study-{plan.data.kind}-{name}-{plan.latent}-{seed}"


def _common(plan: Plan, seed: int, epochs: int) -> dict[str, Any]:
    return {
        "data": plan.data.model_dump(),
        "model": {"latent": plan.latent, "hidden": plan.hidden},
        "training": {
            "seed": seed,
            "epochs": epochs,
            "patience": epochs,
            "batch": plan.batch,
            "learning_rate": 1e-3,
            "average": 0.99,
            "weight_decay": 0.01,
            "decay": "cosine",
        },
    }


def _trained(
    config: RunConfig, data: DataSet, name: str, init: checkpoint.Checkpoint | None
) -> checkpoint.Checkpoint:
    """Train a model, go on with it, or open it if it is finished."""
    folder = settings.current().user / "checkpoints" / name
    if not (folder / checkpoint.WEIGHTS).is_file():
        resume = (folder / training.WORK / training.STATE).is_file()
        training.train(config, data, folder, resume=resume, init=init)
    return checkpoint.load(folder)


def _base(plan: Plan, data: DataSet, base: str, seed: int) -> checkpoint.Checkpoint:
    start = _base(plan, data, "features", seed) if base == "bottleneck" else None
    return _trained(base_recipe(plan, base, seed), data, slug(plan, base, seed), start)


def _measured(plan: Plan, data: DataSet, arm: str, seed: int) -> Result:
    """Train an arm, and measure its codes and what a flow makes of them."""
    chosen, start = ARMS[arm], time.monotonic()
    needed = {chosen.base, *_sources(chosen)} - {None}
    opened = {name: _base(plan, data, str(name), seed) for name in sorted(map(str, needed))}
    init = opened[chosen.base] if chosen.base else None
    model = _trained(recipe(plan, arm, seed), data, slug(plan, arm, seed), init)
    metrics = publishing.measure(
        model, data, model.folder, samples=1, parts=("likelihood", "matching", "downstream")
    )
    seconds = round(time.monotonic() - start, 1)
    return Result(arm=arm, seed=seed, hash=model.hash, seconds=seconds, metrics=metrics)


def _sources(arm: Arm) -> tuple[str, ...]:
    if arm.prior == "xvae":
        return ("autoencoder",)
    if arm.prior in _WITH_SOURCE:
        return ("bottleneck",) if arm.prior == "bottleneck" else ("features",)
    return ()


def _write(folder: Path, plan: Plan, results: Sequence[Result]) -> None:
    kept = {
        "plan": plan.model_dump(mode="json"),
        "results": [one.model_dump(mode="json", exclude_none=True) for one in results],
    }
    try:
        content = (json.dumps(kept, indent=1) + "\n").encode()
        checkpoint.write(folder / "results.json", content)
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written ({error.strerror}).") from error
