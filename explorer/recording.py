"""The record of a run: its curves, and once a second what the model makes of the same noise.

It is written while a model trains, by the run itself, and takes at most a twenty-fifth of its
time. Frames are thinned evenly, so that a record of any length stays within bounds; states from
which the run can be branched are kept beside it.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import ValidationError
from torch import Tensor

from explorer import checkpoint
from explorer.distributions import DiagonalMixture
from explorer.errors import CheckpointError, TrainingError
from explorer.interfaces import AbstractModel, Frozen, LatentPrior
from explorer.regions import RARE, level_of
from explorer.run_states import STATE, WORK
from explorer.strips import pack, samples_strip
from explorer.training_loop import Progress, Run

RECORD = "record"
CURVES, META, KEPT = "curves.jsonl", "meta.bin", "kept"

SAMPLES, RECONSTRUCTED, PSEUDO = 16, 10, 16
"""Pictures in a frame: samples with fixed noise, data reconstructed, pseudo-inputs."""

MOST_FRAMES, MOST_FRAME_BYTES, MOST_STATE_BYTES, MOST_STATES = 240, 50_000_000, 150_000_000, 12
SECONDS = 1.0
_SHARE = 25
_STATE_SECONDS = 5.0
_CODES, _HELD_OUT, _GRID, _PLANE, _DRAWN = 500, 300, 48, 9, 1000
_MOST_LINES = 20_000
_MOST_CURVE_BYTES = 20_000_000


class Point(Frozen):
    """A point of the curves, after some batches: means over data of one split, in nats."""

    step: int
    split: str
    reconstruction: float
    kl: float


class Recorder:
    """Writes the record of a run; where that fails, the run goes on without.

    Args:
        out: The run's folder.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.folder = out, out / WORK / RECORD
        self.seconds, self.failed = SECONDS, False
        self._due = self._curve_due = self._state_due = 0.0

    def begin(self, run: Run) -> None:
        """Write what stays the same, and forget what a killed run recorded after its state."""
        self._try(self._begin, run)

    def look(self, run: Run) -> None:
        """Write a frame if one is due."""
        self._try(self._look, run)

    def epoch(self, run: Run, progress: Progress) -> None:
        """Write the validation's terms after an epoch, and keep a state now and then."""
        self._try(self._epoch, run, progress)

    def _try(self, write: Callable[..., None], *given: object) -> None:
        """Write, unless that has failed before, as on a full disk."""
        if self.failed:
            return
        try:
            write(*given)
        except (OSError, RuntimeError, ValueError, ArithmeticError, NotImplementedError) as error:
            self.failed = True
            logging.getLogger(__name__).warning("The record ends here: %s", error)

    def _begin(self, run: Run) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        forget(self.out, run.step)
        x = run.data.train.x[run.followed[:RECONSTRUCTED]]
        labels = run.data.train.labels
        header: dict[str, object] = {"batches": run.batches, "epochs": run.options.epochs}
        header["panel"], body = samples_strip(x, run.data.sketch).panel
        if labels is not None:
            header["labels"] = labels[run.followed[:_CODES]].tolist()
        checkpoint.write(self.folder / META, pack(header, body))
        self._due = 0.0
        self._look(run)

    def _look(self, run: Run) -> None:
        start = time.monotonic()
        if start >= self._curve_due:
            self._curve(run)
            self._curve_due = start + self.seconds
        if start < self._due:
            return
        checkpoint.write(self.folder / f"{run.step:09d}.bin", frame(run))
        self._thin()
        now = time.monotonic()
        self._due = start + max(self.seconds, _SHARE * (now - start))

    def _epoch(self, run: Run, progress: Progress) -> None:
        reconstruction, kl = run.validated
        self._line(Point(step=run.step, split="valid", reconstruction=reconstruction, kl=kl))
        if time.monotonic() > self._state_due:
            run.store()
            _keep_state(self.out, progress.epoch)
            self._state_due = time.monotonic() + _STATE_SECONDS

    def _curve(self, run: Run) -> None:
        reconstruction, kl, count = run.tally.tolist()
        run.tally.zero_()
        if count:
            self._line(
                Point(
                    step=run.step,
                    split="train",
                    reconstruction=reconstruction / count,
                    kl=kl / count,
                )
            )

    def _line(self, point: Point) -> None:
        with (self.folder / CURVES).open("ab", buffering=0) as stream:
            stream.write((point.model_dump_json() + "\n").encode())

    def _thin(self) -> None:
        """Drop frames while there are too many, so that those left are evenly apart."""
        known = steps(self.out)
        size = (self.folder / f"{known[-1]:09d}.bin").stat().st_size
        for step in superfluous(known, min(MOST_FRAMES, max(16, MOST_FRAME_BYTES // size))):
            (self.folder / f"{step:09d}.bin").unlink(missing_ok=True)


@torch.no_grad()
def frame(run: Run) -> bytes:
    """Describe a run as it is now: a header, and what it decodes, panel by panel."""
    network = run.chosen()
    training = network.training
    network.eval()
    try:
        prior = network.prior
        return _frame(run, network.model, network.model.latent_prior(prior) if prior else None)
    finally:
        network.train(training)


def _frame(run: Run, model: AbstractModel, prior: LatentPrior | None) -> bytes:
    rows = torch.from_numpy(run.followed[:_CODES]).to(run.device)
    q = model.posterior(run.train_x[rows]).flat()
    sketch = run.data.sketch
    pictures: dict[str, Tensor] = {}
    if prior is not None:
        z = prior.draw(SAMPLES, seed=0).z
        pictures["samples"] = model.likelihood(z).mean
    pictures["reconstructed"] = model.likelihood(q.loc[:RECONSTRUCTED]).mean
    network = run.chosen()
    inputs = network.prior.pseudo_inputs() if network.prior is not None else None
    if inputs is not None:
        pictures["pseudo"] = inputs[:PSEUDO]
    header: dict[str, Any] = {
        "step": run.step,
        "epoch": run.step / run.batches,
        "seconds": round(run.seconds, 1),
        "beta": run.beta,
        "activity": _finite(q.loc.var(0, unbiased=False)),
        "panels": {},
    }
    bodies: list[bytes] = []
    offset = 0

    def add(name: str, panel: dict[str, object], body: bytes) -> None:
        nonlocal offset
        header["panels"][name] = {**panel, "offset": offset, "bytes": len(body)}
        bodies.append(body)
        offset += len(body)

    for name, x in pictures.items():
        add(name, *samples_strip(x.float().cpu().numpy(), sketch).panel)
    if prior is not None and model.space.size == 2:
        window, parts = _plane(run, model, prior, q.loc, q.scale)
        header["window"] = window
        for name, values in parts.items():
            add(name, {}, values)
        add("plane", *samples_strip(_decoded(model, window, q.loc), sketch).panel)
    return pack(header, b"".join(bodies))


def _plane(
    run: Run,
    model: AbstractModel,
    prior: LatentPrior,
    loc: Float[Tensor, "codes 2"],
    scale: Float[Tensor, "codes 2"] | None,
) -> tuple[list[float], dict[str, bytes]]:
    """Return the window of the plane, and codes, prior and holes on it as bytes."""
    drawn = prior.draw(_DRAWN, seed=1).z
    both = torch.cat([loc, drawn]).cpu().numpy()
    low, high = np.quantile(both, [0.005, 0.995], axis=0)
    centre, reach = (low + high) / 2, 0.58 * float((high - low).max()) + 1e-3
    x = np.linspace(centre[0] - reach, centre[0] + reach, _GRID, dtype=np.float32)
    y = np.linspace(centre[1] + reach, centre[1] - reach, _GRID, dtype=np.float32)
    window = [float(x[0]), float(x[-1]), float(y[-1]), float(y[0])]
    unit = (loc.cpu().numpy() - [x[0], y[-1]]) / (2 * reach)
    parts = {"codes": (65535 * unit.clip(0, 1)).astype("<u2").tobytes()}
    if prior.has_density:
        grid = torch.from_numpy(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)).to(loc)
        height = np.exp(prior.log_prob(grid).double().cpu().numpy())
        levels = [level_of(height[None], share) for share in (0.99, 0.9, 0.5)]
        shade = sum((height >= level).astype(np.uint8) for level in levels)
        if scale is not None:
            uniform = loc.new_full((len(loc),), -float(np.log(len(loc))))
            mixture = DiagonalMixture(uniform, loc, scale)
            held = (
                model.posterior(run.valid_x[:_HELD_OUT])
                .flat()
                .sample(torch.Generator(run.device).manual_seed(0))
            )
            floor = torch.quantile(mixture.log_prob(held), RARE)
            hole = (mixture.log_prob(grid) < floor).cpu().numpy() & (height >= levels[0])
            shade = np.where(hole, shade + 4, shade)
        parts["density"] = np.asarray(shade, np.uint8).tobytes()
    return window, parts


def _decoded(
    model: AbstractModel, window: list[float], like: Tensor
) -> Float[np.ndarray, "cells *sample"]:
    """Decode the middles of the cells of the plane, top row first."""
    place = (np.arange(_PLANE) + 0.5) / _PLANE
    x = window[0] + place * (window[1] - window[0])
    y = window[3] - place * (window[3] - window[2])
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)
    decoded: np.ndarray = model.likelihood(torch.from_numpy(grid).to(like)).mean.cpu().numpy()
    return decoded


def superfluous(known: list[int], most: int) -> list[int]:
    """Choose which of some numbers to drop, those whose neighbours are nearest to each other.

    Args:
        known: The numbers, in increasing order.
        most: How many to leave; the first and the last always are.
    """
    left, gone = list(known), []
    while len(left) > max(most, 2):
        gaps = [left[k + 1] - left[k - 1] for k in range(1, len(left) - 1)]
        gone.append(left.pop(1 + int(np.argmin(gaps))))
    return gone


def steps(out: Path) -> list[int]:
    """List the steps of the frames of a record, in order."""
    return _numbers(out / WORK / RECORD, ".bin")


def read_frame(out: Path, step: int) -> bytes:
    """Read a frame as the browser unpacks it.

    Raises:
        CheckpointError: If there is none.
    """
    return _read(out / WORK / RECORD / f"{step:09d}.bin")


def read_meta(out: Path) -> bytes:
    """Read what stays the same over a record.

    Raises:
        CheckpointError: If nothing is recorded yet.
    """
    return _read(out / WORK / RECORD / META)


def header_of(packed: bytes) -> dict[str, Any]:
    """Parse the header of a frame, or of what stays the same."""
    size = int.from_bytes(packed[:4], "little")
    header: dict[str, Any] = json.loads(packed[4 : 4 + size])
    return header


def curves(out: Path, start: int = 0) -> tuple[list[Point], int]:
    """Read the curves of a record.

    Args:
        out: The run's folder.
        start: Bytes that are known already; where the record has become shorter, all are read.

    Returns:
        Points, and the number of bytes known then.
    """
    path = out / WORK / RECORD / CURVES
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            stream.seek(start if start <= size else 0)
            text = stream.read(_MOST_CURVE_BYTES)
            end = stream.tell() - len(text) + text.rfind(b"\n") + 1
    except OSError:
        return [], 0
    lines = text[: text.rfind(b"\n") + 1].splitlines()
    stride = max(1, len(lines) // _MOST_LINES)
    found = []
    for line in lines[::stride]:
        try:
            found.append(Point.model_validate_json(line))
        except ValidationError:
            continue
    return found, end


def forget(out: Path, step: int) -> None:
    """Drop what was recorded after a step: the run goes on from there."""
    folder = out / WORK / RECORD
    for late in steps(out):
        if late > step:
            (folder / f"{late:09d}.bin").unlink(missing_ok=True)
    lines = [point for point in curves(out)[0] if point.step <= step]
    text = "".join(point.model_dump_json() + "\n" for point in lines)
    checkpoint.write(folder / CURVES, text.encode())


def states(out: Path) -> list[int]:
    """List the epochs from which a run can be branched."""
    return _numbers(out / WORK / KEPT, ".safetensors")


def state_of(out: Path, epoch: int) -> Path:
    """Return the file of a state that was kept.

    Raises:
        TrainingError: If it was not.
    """
    if epoch not in states(out):
        raise TrainingError(f"The state after epoch {epoch} was not kept; choose another epoch.")
    return out / WORK / KEPT / f"{epoch:06d}.safetensors"


def _keep_state(out: Path, epoch: int) -> None:
    """Link the stored state, which later ones replace without changing it; thin what is kept."""
    source, folder = out / WORK / STATE, out / WORK / KEPT
    size = source.stat().st_size
    most = min(MOST_STATES, MOST_STATE_BYTES // max(1, size))
    if most < 2:
        return
    folder.mkdir(exist_ok=True)
    target = folder / f"{epoch:06d}.safetensors"
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        target.write_bytes(source.read_bytes())
    for gone in superfluous(states(out), most):
        (folder / f"{gone:06d}.safetensors").unlink(missing_ok=True)


def _numbers(folder: Path, suffix: str) -> list[int]:
    """List the files of a folder that are named by a number."""
    try:
        names = [item.name for item in folder.iterdir()]
    except OSError:
        return []
    stems = [name.removesuffix(suffix) for name in names if name.endswith(suffix)]
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdecimal())


def _finite(values: Tensor) -> list[float]:
    return [round(float(value), 5) for value in torch.nan_to_num(values).cpu()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path.name} is not in the record.") from error
