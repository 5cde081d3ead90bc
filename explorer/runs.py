"""Runs that one can watch and turn: begun from a recipe, branched, and opened as checkpoints.

A run is a folder in the user folder. `run.json` holds its recipe and where it began; the state,
the record and what was turned are in its `training` folder. What it publishes becomes a
checkpoint among the user's own.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from explorer import (
    checkpoint,
    publishing,
    recording,
    settings,
    slugs,
    steering,
    training,
)
from explorer.config import RunConfig, Turn
from explorer.data.dataset import DataSet
from explorer.data.named import load_shown
from explorer.errors import SlugError, TrainingError
from explorer.interfaces import Frozen
from explorer.recording import Recorder
from explorer.run_states import STATE, WORK
from explorer.slugs import Slug
from explorer.steering import Wish, Wishes
from explorer.training_loop import FinishedRunError, Follower, Progress, Run, StoppedRunError

ORDER = "run.json"
SAMPLES = 100
"""Importance samples of the first evaluation."""

MOST_RUNS = 500
STAGES = ("epoch", "paused, epoch", "waits for another run")
"""Stages in which a run heeds what is asked of it by itself."""

_POLL = 0.05
_QUEUE = 0.5

Report = Callable[[str, int, int], None]


class Begun(Frozen):
    """How a run began."""

    recipe: RunConfig
    parent: Slug | None = None
    epoch: int = Field(0, ge=0, description="Epoch of the parent's that it began from.")


def place() -> Path:
    """Return the folder of all runs."""
    return settings.current().user / "runs"


def folder_of(slug: str) -> Path:
    """Return the folder of a run.

    Raises:
        TrainingError: If the name is none.
    """
    if not slugs.is_slug(slug):
        raise TrainingError(
            f"“{slug[:40]}” cannot be the name of a run; it {slugs.why_not(slug)}."
        )
    return place() / slug


def published(slug: str) -> Path:
    """Return the folder of the checkpoint that a run publishes."""
    return settings.current().user / "checkpoints" / slug


def names() -> list[str]:
    """List the runs, the latest first."""
    try:
        found = [item for item in place().iterdir() if (item / ORDER).is_file()]
    except OSError:
        return []
    found = [item for item in found if slugs.is_slug(item.name)]
    found.sort(key=lambda item: -(item / ORDER).stat().st_mtime)
    return [item.name for item in found[:MOST_RUNS]]


def free_name(wanted: str) -> str:
    """Return a name that no model or run has: the wanted one, or one close to it."""
    taken = {item.name for item in settings.current().checkpoints.iterdir()} | set(names())
    with contextlib.suppress(OSError):
        taken |= {item.name for item in (settings.current().user / "checkpoints").iterdir()}
    return slugs.suggest(wanted, taken)


def read(slug: str) -> Begun:
    """Read how a run began.

    Raises:
        TrainingError: If there is no such run, or its file is damaged.
    """
    path = folder_of(slug) / ORDER
    try:
        return Begun.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(
            f"There is no run called {slug}; start one on the page Train."
        ) from error
    except ValidationError as error:
        raise TrainingError(f"The run {slug} is damaged; start another.") from error


def begin(recipe: RunConfig, slug: str) -> Path:
    """Make the folder of a new run.

    Raises:
        TrainingError: If the name is none or taken, or the folder cannot be written.
    """
    return _make(Begun(recipe=recipe), slug)


def branch(parent: str, epoch: int, wishes: Sequence[Wish], slug: str) -> Path:
    """Make a run that goes on from a state of another, with other values of its knobs.

    It has the parent's weights, optimiser and random state, and what was turned until then, so
    that without a wish it would end with the parent's weights.

    Args:
        parent: Name of the run.
        epoch: After which of its epochs; one of `recording.states`.
        wishes: What is turned first.
        slug: Name of the new run.

    Raises:
        TrainingError: If the state was not kept, a value is impossible, or the name is taken.
    """
    whole, source = read(parent), folder_of(parent)
    state = recording.state_of(source, epoch)
    step = epoch * _batches(source)
    turns = [turn for turn in steering.kept(source) if turn.step < step]
    turns += [steering.turn_of(wish, step) for wish in wishes]
    folder = _make(Begun(recipe=whole.recipe, parent=parent, epoch=epoch), slug)
    work = folder / WORK
    try:
        work.mkdir(exist_ok=True)
        shutil.copyfile(state, work / STATE)
        if (source / WORK / recording.RECORD).is_dir():
            shutil.copytree(source / WORK / recording.RECORD, work / recording.RECORD)
            recording.forget(folder, step)
        for turn in turns:
            steering.keep(folder, turn)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise TrainingError(f"The branch could not be written ({error.strerror}).") from error
    return folder


class _Steered(Follower):
    """Records a run, and makes what is wished of it."""

    def __init__(self, out: Path, halt: threading.Event, report: Report) -> None:
        self.recorder, self.wishes = Recorder(out), Wishes(out)
        self.halt, self.report = halt, report
        self.finishing = False

    def begin(self, run: Run) -> None:
        self.recorder.begin(run)

    def between(self, run: Run) -> list[Turn]:
        turns = self._heed(run)
        self.recorder.look(run)
        return turns

    def epoch(self, run: Run, progress: Progress) -> None:
        self.report("epoch", progress.epoch, progress.epochs)
        self.recorder.epoch(run, progress)

    def _heed(self, run: Run) -> list[Turn]:
        turns: list[Turn] = []
        paused = False
        while True:
            if self.halt.is_set():
                raise StoppedRunError("The run was stopped.")
            for wish in self.wishes.fresh():
                if wish.order == "turn" and wish.knob is not None:
                    with contextlib.suppress(TrainingError):
                        turns.append(steering.turn_of(wish, run.step))
                elif wish.order in ("pause", "go"):
                    paused = wish.order == "pause"
                elif wish.order == "stop":
                    raise StoppedRunError("The run was stopped.")
                elif wish.order == "finish":
                    raise FinishedRunError
            if not paused:
                return turns
            if run.saved_step != run.step:
                run.store()
            self.report("paused, epoch", run.epoch, run.options.epochs)
            time.sleep(_POLL)


def train(folder: Path, report: Report, halt: threading.Event) -> None:
    """Train a run to its end, one at a time on this machine, and publish it.

    Args:
        folder: The run's folder.
        report: Called with a stage, what is done of it, and its total.
        halt: Set to stop the run; its state is stored.

    Raises:
        StoppedRunError: If it was stopped.
        TrainingError: If it cannot be trained.
    """
    begun = read(folder.name)
    with _turn_in_line(report, halt):
        data = load_shown(begun.recipe.data, settings.current().data)
        try:
            training.train(
                begun.recipe,
                data,
                folder,
                resume=(folder / WORK / STATE).is_file(),
                follower=_Steered(folder, halt, report),
            )
            _publish(folder, data, report)
        except OSError as error:
            raise TrainingError(
                f"The run could not be written ({error.strerror or error}); make room in "
                f"{place()}, then resume it: at most half a minute is lost."
            ) from error


@contextlib.contextmanager
def _turn_in_line(report: Report, halt: threading.Event) -> Iterator[None]:
    """Wait until no other run trains."""
    lock = FileLock(place() / ".line", timeout=0)
    while True:
        try:
            lock.acquire()
            break
        except Timeout:
            report("waits for another run", 0, 0)
            if halt.wait(_QUEUE):
                raise StoppedRunError("The run was stopped.") from None
    try:
        yield
    finally:
        lock.release()


def _publish(folder: Path, data: DataSet, report: Report) -> None:
    """Copy what was trained to the user's checkpoints, first to be seen, then measured."""
    target = published(folder.name)
    part = target.with_name(f".{target.name}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for item in folder.iterdir():
        if item.is_file() and item.name != ORDER:
            shutil.copyfile(item, part / item.name)
    opened = checkpoint.load(part)
    publishing.project(opened, data, part, report=lambda stage: report(stage, 0, 0))
    checkpoint.write(part / checkpoint.PREVIEW, publishing.preview(opened))
    if target.exists():
        raise TrainingError(f"There is a model called {target.name} already; rename its folder.")
    part.rename(target)
    publishing.measure(
        checkpoint.load(target), data, target, samples=SAMPLES, anew=True, report=report
    )
    opened = checkpoint.load(target)
    checkpoint.write(target / checkpoint.CARD, publishing.card(opened).encode())


def _make(begun: Begun, slug: str) -> Path:
    folder = folder_of(slug)
    try:
        slugs.require(folder, [item.name for item in settings.current().checkpoints.iterdir()])
        if folder.exists() or published(slug).exists():
            raise TrainingError(f"There is a model or run called {slug}; choose another name.")
        folder.mkdir(parents=True)
        checkpoint.write(folder / ORDER, (begun.model_dump_json() + "\n").encode())
    except SlugError as error:
        raise TrainingError(str(error)) from error
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written ({error.strerror}).") from error
    return folder


def _batches(folder: Path) -> int:
    """Return the batches of an epoch of a recorded run."""
    header = recording.header_of(recording.read_meta(folder))
    return int(header["batches"])
