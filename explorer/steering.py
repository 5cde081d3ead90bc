"""Turning the knobs of a run while it trains: wishes come in, turns are made and kept.

The page appends wishes to a file below the run's folder; the run makes each before its next batch,
and keeps it with the number of batches trained before. So a run that was killed, or is trained
anew from its recipe, turns the same knobs before the same batches, and ends with the same weights.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from explorer.config import Knob, Turn
from explorer.errors import TrainingError
from explorer.interfaces import Frozen
from explorer.run_states import WORK

WISHES, TURNS = "wishes.jsonl", "turns.jsonl"
_MOST_BYTES = 2_000_000

_Line = TypeVar("_Line", bound=Frozen)

Order = Literal["turn", "pause", "go", "stop", "finish"]


class Wish(Frozen):
    """What is asked of a run: another value of a knob, or to pause, go on, stop or finish."""

    order: Order
    knob: Knob | None = None
    value: float = 0.0


def ask(out: Path, wish: Wish) -> None:
    """Ask something of the run in a folder; it follows before its next batch.

    Raises:
        TrainingError: If the value is impossible, or the folder cannot be written.
    """
    if wish.order == "turn":
        _turn(wish, 0)
    try:
        _append(out / WORK / WISHES, wish.model_dump_json())
    except OSError as error:
        raise TrainingError(f"{out} cannot be written ({error.strerror}).") from error


class Wishes:
    """The wishes to a run since it began to read them."""

    def __init__(self, out: Path) -> None:
        self._path = out / WORK / WISHES
        self._read = self._size()

    def fresh(self) -> list[Wish]:
        """Return the wishes since the last call; a line that is none is passed over."""
        size = self._size()
        if size <= self._read:
            return []
        with self._path.open("rb") as stream:
            stream.seek(self._read)
            text = stream.read(_MOST_BYTES)
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return list(_parsed(Wish, whole.splitlines()))

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def turn_of(wish: Wish, step: int) -> Turn:
    """Return the turn that a wish becomes before a batch."""
    return _turn(wish, step)


def keep(out: Path, turn: Turn) -> None:
    """Keep a turn, on disk before it is made."""
    _append(out / WORK / TURNS, turn.model_dump_json())


def kept(out: Path) -> list[Turn]:
    """Read the turns of a run in the order in which they were made."""
    try:
        with (out / WORK / TURNS).open("rb") as stream:
            lines = stream.read(_MOST_BYTES).splitlines()
    except OSError:
        return []
    return list(_parsed(Turn, lines))


def together(one: Sequence[Turn], other: Sequence[Turn]) -> list[Turn]:
    """Join the turns of a recipe and those made since; each once, in order of their batches."""
    return sorted(dict.fromkeys([*one, *other]), key=lambda turn: turn.step)


def _turn(wish: Wish, step: int) -> Turn:
    try:
        return Turn.model_validate({"step": step, "knob": wish.knob, "value": wish.value})
    except ValidationError as error:
        raise TrainingError(
            f"{wish.knob} cannot be {wish.value:g}; choose another value."
        ) from error


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as stream:
        stream.write((line + "\n").encode())
        os.fsync(stream.fileno())


def _parsed(kind: type[_Line], lines: Iterable[bytes]) -> Iterable[_Line]:
    for line in lines:
        try:
            yield kind.model_validate(json.loads(line))
        except (ValueError, RecursionError):
            continue
