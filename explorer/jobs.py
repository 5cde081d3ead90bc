"""Background jobs: one process each, which outlives the page and server that started it.

A job is a folder in the user folder: `job.json` says what to do, `log.jsonl` what has been done,
and a lock is held while its process lives. Its results go to the user's results folder.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from explorer import checkpoint, fitting, matching, publishing, runs, sampler, settings
from explorer.checkpoint import Checkpoint
from explorer.data import DataSet
from explorer.data.named import load_shown
from explorer.devices import limit_threads
from explorer.errors import ExplorerError, JobError
from explorer.interfaces import Frozen
from explorer.metrics.evaluation import lacking
from explorer.training_loop import StoppedRunError

Kind = Literal["tradeoff", "atlas", "evaluate", "match", "flow", "fit", "train"]
State = Literal["waiting", "running", "done", "stopped", "failed"]

TITLES: dict[Kind, str] = {
    "tradeoff": "Diversity–fidelity curve",
    "atlas": "Latent map",
    "evaluate": "Evaluation",
    "match": "Matching to a drawing",
    "flow": "Flow on the codes",
    "fit": "Prior of the codes",
    "train": "Training",
}
TRAINING: frozenset[Kind] = frozenset({"match", "fit", "train"})
"""Jobs that train, which a server that others can reach does only if it was told so."""

ANEW: frozenset[Kind] = frozenset({"flow", "fit"})
"""Jobs of which nothing is kept before they are done."""

MOST_WAITING = 8
"""Runs of training that wait while another trains."""

KEPT = 200
_MOST_BYTES = 2_000_000
_GRACE_SECONDS = 20
_PATIENCE_SECONDS = 1
_CHILDREN: list[subprocess.Popen[bytes]] = []


class Order(Frozen):
    """A job's specification: equal orders are the same job."""

    kind: Kind
    checkpoint: str = Field(max_length=1000)
    hash: str = Field(pattern=r"^[0-9a-f]{1,64}$")
    samples: int = Field(500, ge=1, le=5000)
    drawing: str = Field("", pattern=r"^([0-9a-f]{12})?$")
    prior: fitting.Kind | Literal[""] = ""

    @property
    def key(self) -> str:
        """The job's key: a hash of what it does and on which weights."""
        what = [self.kind, self.hash, self.samples if self.kind == "evaluate" else 0]
        if self.drawing:
            what.append(self.drawing)
        if self.prior:
            what.append(self.prior)
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


class Line(Frozen):
    """One line of a job's log."""

    time: float
    state: State
    done: Annotated[int, Field(ge=0)] = 0
    total: Annotated[int, Field(ge=0)] = 0
    stage: str = Field("", max_length=400)


class Job(Frozen):
    """A job and its progress."""

    order: Order
    last: Line

    @property
    def title(self) -> str:
        """A display name: what it computes, and for which model."""
        if self.order.kind == "train":
            return f"Training {Path(self.order.checkpoint).name}"
        if self.order.kind == "match":
            return TITLES["match"]
        name = Path(self.order.checkpoint).name
        if self.order.prior:
            return f"{fitting.TITLES[self.order.prior]} for the codes of {name}"
        return f"{TITLES[self.order.kind]} of {name}"

    @property
    def active(self) -> bool:
        """Whether its process is alive or about to start."""
        return self.last.state in ("waiting", "running")

    @property
    def share(self) -> float:
        """The fraction of the current stage that is done, 0 to 1."""
        return min(1.0, self.last.done / self.last.total) if self.last.total else 0.0


def order_of(run: str) -> Order:
    """Return the order to train a run."""
    folder = runs.folder_of(run)
    digest = hashlib.sha256(f"{run} {runs.read(run).model_dump_json()}".encode()).hexdigest()
    return Order(kind="train", checkpoint=str(folder), hash=digest[:16])


def start(order: Order) -> Job:
    """Start a job, or resume a stopped one; a running one is left alone.

    Raises:
        JobError: If the user folder cannot be written, or too many runs wait.
    """
    known = find(order)
    if known is not None and known.active:
        return known
    if order.kind == "train":
        waiting = [job for job in jobs() if job.active and job.order.kind == "train"]
        if len(waiting) > MOST_WAITING:
            raise JobError(f"{MOST_WAITING} runs wait already; stop one, or wait.")
    folder = _folder(order.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint.write(folder / "job.json", (order.model_dump_json() + "\n").encode())
        (folder / "pid").unlink(missing_ok=True)
        _append(folder, Line(time=time.time(), state="waiting"))
        with (folder / "output.txt").open("ab") as output:
            # A new session: it must not end with the server that started it.
            child = subprocess.Popen(
                [sys.executable, "-m", "explorer.jobs", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=settings.environment(),
            )
    except OSError as error:
        raise JobError(f"The job could not be started ({error.strerror}).") from error
    (folder / "pid").write_text(str(child.pid))
    _CHILDREN[:] = [item for item in _CHILDREN if item.poll() is None]
    _CHILDREN.append(child)
    started = find(order)
    assert started is not None
    return started


def find(order: Order) -> Job | None:
    """Look up a job; None if it was never started."""
    return _read(_folder(order.key))


def jobs() -> list[Job]:
    """List all jobs, active ones first, then the most recent."""
    place = settings.current().user / "jobs"
    found = [_read(folder) for folder in place.iterdir()] if place.is_dir() else []
    known = [job for job in found if job is not None]
    return sorted(known, key=lambda job: (not job.active, -job.last.time))[:KEPT]


def stop(order: Order) -> None:
    """Ask a running job to stop; its results so far are kept, and it can be resumed."""
    folder, known = _folder(order.key), find(order)
    if known is None or not known.active:
        return
    try:
        os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
    except (OSError, ValueError):
        return
    if known.last.state == "waiting":  # it may not have got far enough to report it
        _append(folder, Line(time=time.time(), state="stopped"))


def work(folder: Path) -> None:
    """Run a job, in its own process."""
    lock = FileLock(folder / "lock", timeout=_PATIENCE_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        return  # another process is already running it
    try:
        known = _read(folder)
        if known is None or known.last.state != "waiting":
            return  # a process started at the same time has finished it
        (folder / "pid").write_text(str(os.getpid()))
        signal.signal(signal.SIGTERM, _interrupted)
        _do(folder)
    finally:
        lock.release()


class _Stopped(BaseException):
    """The user asked to stop."""


def _interrupted(number: int, frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Stopped


def _do(folder: Path) -> None:
    last = 0.0

    def report(stage: str, done: int, total: int) -> None:
        nonlocal last
        if time.time() - last > 0.2 or done == total:
            last = time.time()
            _append(folder, Line(time=last, state="running", done=done, total=total, stage=stage))

    try:
        order = Order.model_validate_json((folder / "job.json").read_bytes())
        report("reading", 0, 0)
        limit_threads()
        if order.kind == "train":
            _train(order, report)
            _append(folder, Line(time=time.time(), state="done", done=1, total=1))
            return
        opened = checkpoint.load(Path(order.checkpoint))
        if opened.hash != order.hash:
            raise JobError(f"{opened.slug} has changed since; start the job again.")
        data = load_shown(opened.config.data, settings.current().data)
        WORK[order.kind](opened, data, order, report)
    except (_Stopped, StoppedRunError):
        _append(folder, Line(time=time.time(), state="stopped"))
    except ExplorerError as error:
        _append(folder, Line(time=time.time(), state="failed", stage=str(error)[:400]))
    except Exception as error:
        words = f"It failed with {type(error).__name__}; see {folder / 'output.txt'}."
        _append(folder, Line(time=time.time(), state="failed", stage=words[:400]))
        raise
    else:
        _append(folder, Line(time=time.time(), state="done", done=1, total=1))


def _tradeoff(
    opened: Checkpoint,
    data: DataSet,
    order: Order,
    report: Callable[[str, int, int], None],
) -> None:
    publishing.trade(
        opened,
        data,
        checkpoint.results_folder(opened.hash),
        report=lambda done, total: report("scales", done, total),
    )


def _atlas(
    opened: Checkpoint,
    data: DataSet,
    order: Order,
    report: Callable[[str, int, int], None],
) -> None:
    publishing.project(
        opened,
        data,
        checkpoint.results_folder(opened.hash),
        report=lambda stage: report(stage, 0, 0),
    )


def _evaluate(
    opened: Checkpoint,
    data: DataSet,
    order: Order,
    report: Callable[[str, int, int], None],
) -> None:
    publishing.measure(
        opened,
        data,
        checkpoint.results_folder(opened.hash),
        samples=order.samples,
        parts=lacking(
            opened.metrics,
            has_prior=opened.prior is not None,
            differentiable=opened.model.differentiable,
        ),
        report=report,
    )


def _match(
    opened: Checkpoint,
    data: DataSet,
    order: Order,
    report: Callable[[str, int, int], None],
) -> None:
    matching.match(opened, data, order.drawing, report, live_of(order))


def _flow(
    opened: Checkpoint,
    data: DataSet,
    order: Order,
    report: Callable[[str, int, int], None],
) -> None:
    sampler.fit(opened, data, report=report)


def _fit(
    opened: Checkpoint,
    data: DataSet,
    order: Order,
    report: Callable[[str, int, int], None],
) -> None:
    fitting.fit_prior(opened, order.prior or fitting.DEFAULT, data=data, report=report)


def _train(order: Order, report: Callable[[str, int, int], None]) -> None:
    """Train a run; asked to stop, it stores its state before its next batch."""
    halt = threading.Event()
    training = True

    def interrupted(number: int, frame: object) -> None:
        if halt.is_set() or not training:
            _interrupted(number, frame)
        halt.set()

    def told(stage: str, done: int, total: int) -> None:
        nonlocal training
        training = stage in runs.STAGES
        report(stage, done, total)
        if halt.is_set() and not training:
            raise _Stopped

    signal.signal(signal.SIGTERM, interrupted)
    runs.train(Path(order.checkpoint), told, halt)


def live_of(order: Order) -> Path:
    """Return the file that tells the state of a running match."""
    return _folder(order.key) / matching.LIVE


Work = Callable[[Checkpoint, DataSet, Order, Callable[[str, int, int], None]], None]
WORK: dict[str, Work] = {
    "tradeoff": _tradeoff,
    "atlas": _atlas,
    "evaluate": _evaluate,
    "match": _match,
    "flow": _flow,
    "fit": _fit,
}


def _folder(key: str) -> Path:
    return settings.current().user / "jobs" / key


def _append(folder: Path, line: Line) -> None:
    """Append a line in one write, starting a new line even after a torn one."""
    with (folder / "log.jsonl").open("ab", buffering=0) as log:
        log.write(("\n" + line.model_dump_json() + "\n").encode())


def _read(folder: Path) -> Job | None:
    try:
        order = Order.model_validate_json((folder / "job.json").read_bytes())
        log = folder / "log.jsonl"
        size = log.stat().st_size
        with log.open("rb") as stream:
            stream.seek(max(0, size - _MOST_BYTES))
            lines = [line for line in stream.read().splitlines() if line]
        last = Line.model_validate_json(lines[-1])
    except (OSError, IndexError, ValidationError):
        return None
    if last.state == "waiting" and 0 <= time.time() - last.time < _GRACE_SECONDS:
        return Job(order=order, last=last)
    if last.state in ("waiting", "running") and not _alive(folder):
        last = last.model_copy(update={"state": "stopped"})  # killed, or the machine went down
    return Job(order=order, last=last)


def _alive(folder: Path) -> bool:
    """Whether a process holds the job's lock; the system releases a dead one's."""
    if not (folder / "lock").exists():
        return False
    probe = FileLock(folder / "lock", timeout=0)
    try:
        probe.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    probe.release()
    return False


if __name__ == "__main__":
    work(Path(sys.argv[1]))
