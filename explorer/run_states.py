"""The stored state of a training run: one file, from which a killed run goes on bit by bit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from explorer import checkpoint
from explorer.config import RunConfig
from explorer.data import DataSet, FilesConfig, Fingerprint
from explorer.errors import TrainingError

WORK = "training"
STATE, LOG = "state.safetensors", "log.jsonl"


def write(
    folder: Path,
    facts: Mapping[str, object],
    tensors: Mapping[str, Tensor],
    log: list[dict[str, Any]],
) -> None:
    """Write a state, and the log beside it for other programs to read."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    checkpoint.write(
        folder / STATE, serialise(whole, {"facts": json.dumps({**facts, "log": log})})
    )
    lines = "".join(json.dumps(line) + "\n" for line in log)
    checkpoint.write(folder / LOG, lines.encode())


def read(out: Path, device: torch.device) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the facts and tensors of a run.

    Raises:
        TrainingError: If there is no state, or it is damaged.
    """
    path = out / WORK / STATE
    if not path.is_file():
        raise TrainingError(f"There is nothing to resume in {out}; omit --resume to start.")
    try:
        with safe_open(path, framework="pt", device=str(device)) as stored:
            facts = json.loads(stored.metadata()["facts"])
            if not isinstance(facts, dict):
                raise ValueError("its facts are none")
            return facts, {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{path} is damaged ({error}); omit --resume to start again."
        ) from error


def begun(
    path: Path, facts: dict[str, Any], config: RunConfig, data: DataSet, fingerprint: Fingerprint
) -> RunConfig:
    """Return the recipe that a run was begun with, if it is this one and of these data.

    Raises:
        TrainingError: If it is another, or the data have changed.
    """
    stored = RunConfig.model_validate(facts["recipe"])  # fills in newer fields
    if isinstance(stored.data, FilesConfig) and "data" not in facts:
        stored = stored.model_copy(
            update={"data": stored.data.model_copy(update={"split_rule": 1})}
        )
    was, now = stored.model_dump(mode="json"), config.model_dump(mode="json")
    for recipe in (now, was):
        for free in ("epochs", "patience", "init", "turns"):
            recipe["training"].pop(free, None)
        (recipe["training"]["pretraining"] or {}).pop("explained", None)
        for settled, _ in data.settled:  # where they differ, so does the fingerprint
            recipe["data"].pop(settled, None)
    if now != was:
        rule, current = was["data"].get("split_rule"), now["data"].get("split_rule")
        raise TrainingError(
            f"{path} is of a run whose files were read by an earlier rule; "
            f'set "split_rule": {rule} in the recipe\'s data to resume it.'
            if rule != current
            else f"{path} belongs to a different recipe; choose another --out, or start again."
        )
    if "data" in facts:
        change = Fingerprint.model_validate(facts["data"]).difference(fingerprint)
        if change:
            raise TrainingError(
                f"The data have changed since this run began ({change}); "
                "restore them, or omit --resume to start again."
            )
    return stored


def named(prefix: str, tensors: Mapping[str, Tensor] | Mapping[int, Tensor]) -> dict[str, Tensor]:
    """Put tensors below a prefix."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors below a prefix, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): value
        for name, value in tensors.items()
        if name.startswith(start)
    }


def slots(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name the tensors of an optimiser's state."""
    return {
        f"{index}.{name}": value
        for index, own in optimiser.state_dict()["state"].items()
        for name, value in own.items()
    }


def fill(optimiser: torch.optim.Optimizer, stored: Mapping[str, Tensor]) -> None:
    """Give an optimiser its stored state."""
    found: dict[int, dict[str, Tensor]] = {}
    for name, value in stored.items():
        index, slot = name.split(".")
        found.setdefault(int(index), {})[slot] = value.cpu() if slot == "step" else value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": found})
