"""Blind tests of models: which of two is data, answered by a person, stored with the picks."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import sqlalchemy as sql
from pydantic import Field, model_validator
from sqlalchemy import Connection

from explorer.designs.tables import TRIAL
from explorer.interfaces import Frozen
from explorer.metrics.proportions import Interval, share_of

Basis = Literal["original", "decoded"]
"""Whether the data were the originals, or stood in by their reconstructions."""
Sides = Annotated[str, Field(pattern=r"^[LR]{1,200}$")]


class Trial(Frozen):
    """One finished test: for each pair the side that was said to be data, and the right one."""

    hash: str = Field(max_length=64, description="The weights.")
    slug: str = Field(max_length=255)
    basis: Basis
    seed: int = Field(ge=0, lt=2**31)
    answers: Sides
    truth: Sides

    @model_validator(mode="after")
    def _as_long(self) -> "Trial":
        if len(self.answers) != len(self.truth):
            raise ValueError("every pair needs one answer")
        return self

    @property
    def correct(self) -> int:
        """Number of pairs in which data were recognised."""
        return sum(said == true for said, true in zip(self.answers, self.truth, strict=True))


def score(trials: Sequence[Trial]) -> tuple[int, int, Interval] | None:
    """Pool tests: pairs recognised, pairs shown, and their share with its 95 % interval."""
    n = sum(len(trial.truth) for trial in trials)
    if not n:
        return None
    correct = sum(trial.correct for trial in trials)
    return correct, n, share_of(correct, n)


def insert(connection: Connection, project: int, trial: Trial) -> None:
    """Store a test."""
    connection.execute(
        TRIAL.insert().values(project=project, created=time.time(), **trial.model_dump())
    )


def stored(connection: Connection, which: sql.ColumnElement[bool]) -> list[Trial]:
    """Read tests, oldest first."""
    found = connection.execute(sql.select(TRIAL).where(which).order_by(TRIAL.c.id)).mappings()
    return [_trial(row) for row in found]


def _trial(row: Mapping[Any, Any]) -> Trial:
    return Trial(**{name: row[name] for name in Trial.model_fields})
