"""The shortlist: projects and picks, on disk before they are confirmed.

Nothing is ever deleted: removed picks are only marked, and every change can be undone.
"""

import copy
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sql
from pydantic import ValidationError
from sqlalchemy import Connection

from explorer.designs import directions, rows, trials
from explorer.designs.database import File
from explorer.designs.directions import Direction
from explorer.designs.picks import (
    MOST_NAME,
    MOST_NOTES,
    MOST_PICKS,
    MOST_TAGS,
    Change,
    Marks,
    Pick,
    PickSource,
    Project,
    Treatment,
    Verdict,
    usual_treatment,
)
from explorer.designs.tables import EVENT, FIRST_PROJECT, PICK, PROJECT, PROPERTY, TRIAL
from explorer.designs.trials import Trial
from explorer.errors import StoreError

FILE = "candidates.sqlite3"
_HISTORY = 500


class Store:
    """An owner's projects in one file; every method is one transaction and thread-safe.

    Args:
        path: The file, created if absent.
        owner: Whose projects; "" is who need not log in. Nobody else's can be seen or changed.

    Raises:
        StoreError: If it cannot be opened, or a newer version of this library wrote it.
    """

    def __init__(self, path: Path, owner: str = "") -> None:
        self.path = path
        self.owner = owner
        self._file = File(path)

    def of(self, owner: str) -> "Store":
        """Return the projects of another owner, in the same open file."""
        other = copy.copy(self)
        other.owner = owner
        return other

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def projects(self) -> list[Project]:
        """List all projects, oldest first, with their number of picks; there is at least one."""
        count = sql.func.count(PICK.c.id)
        query = (
            sql.select(PROJECT.c.id, PROJECT.c.name, count)
            .outerjoin(PICK, (PICK.c.project == PROJECT.c.id) & (PICK.c.removed == 0))
            .where(PROJECT.c.owner == self.owner)
            .group_by(PROJECT.c.id)
            .order_by(PROJECT.c.id)
        )
        with self._file.reading() as connection:
            found = [Project(*row) for row in connection.execute(query)]
        return found or [Project(self.add_project(FIRST_PROJECT), FIRST_PROJECT, 0)]

    def totals(self) -> tuple[int, int]:
        """Count the picks and projects of all owners."""
        picks = sql.select(sql.func.count(PICK.c.id)).where(PICK.c.removed == 0)
        with self._file.reading() as connection:
            return (
                connection.scalar(picks) or 0,
                connection.scalar(sql.select(sql.func.count(PROJECT.c.id))) or 0,
            )

    def add_project(self, name: str) -> int:
        """Create a project, or find the one of that name; return its number.

        Raises:
            StoreError: If the name is empty or too long.
        """
        clean = " ".join(name.split())
        if not 0 < len(clean) <= MOST_NAME:
            raise StoreError(f"A project name has 1 to {MOST_NAME} characters; choose one.")
        with self._file.writing() as connection:
            known = connection.scalar(self._own_projects().where(PROJECT.c.name == clean))
            if known is not None:
                return int(known)
            source = connection.execute(
                PROJECT.insert().values(name=clean, created=time.time(), owner=self.owner)
            )
            return rows.first_key(source.inserted_primary_key)

    def keep(
        self,
        project: int,
        items: Sequence[tuple[str, PickSource]],
        said: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> list[Pick]:
        """Keep designs; when this returns they are on disk, each exactly once.

        A key that the project knows is not kept again, nor is a tile of the same origin; one that
        was removed is restored. A key that is of another project is replaced by a new one.

        Args:
            project: The project.
            items: A globally unique key for each pick, and how it was made.
            said: Marks of new picks by key, named like the arguments of `mark`.

        Raises:
            StoreError: If it cannot be written, or the project is full.
        """
        batch = uuid.uuid4().hex
        with self._file.writing() as connection:
            self._check(connection, project)
            last = connection.scalar(
                sql.select(sql.func.max(PICK.c.number)).where(PICK.c.project == project)
            )
            number = int(last or 0)
            kept = []
            for key, source in items:
                same = connection.execute(
                    sql.select(PICK.c.id, PICK.c.project, PICK.c.removed).where(
                        PICK.c.project == project,
                        (PICK.c.key == key) | (PICK.c.origin == source.origin),
                    )
                ).first()
                if same is not None:
                    if same.removed:
                        back = {"removed": 0}
                        _change(connection, batch, same.project, same.id, back, "kept again")
                    kept.append(same.id)
                    continue
                number += 1
                if number > MOST_PICKS:
                    raise StoreError(
                        f"This project has {MOST_PICKS:,} picks, the maximum; start another one."
                    )
                taken = connection.scalar(sql.select(PICK.c.id).where(PICK.c.key == key))
                free = key if taken is None else uuid.uuid4().hex
                given = _checked(**(said or {}).get(key, {}))
                usual = usual_treatment(source)
                treatment: Treatment = given.pop("treatment", usual)  # type: ignore[assignment]
                row = rows.insert(connection, project, number, free, source, treatment)
                _note(connection, batch, project, row, "kept", {"removed": 1}, {"removed": 0})
                if given:
                    _change(connection, batch, project, row, given, "kept")
                kept.append(row)
            return rows.read(connection, PICK.c.id.in_(kept))

    def picks(self, project: int, removed: bool = False) -> list[Pick]:
        """List a project's picks in the order they were kept, or the removed ones."""
        with self._file.reading() as connection:
            return rows.read(connection, self._in(project) & (PICK.c.removed == int(removed)))

    def origins(self, project: int) -> list[tuple[str, str]]:
        """List the origin and key of each of a project's picks."""
        query = sql.select(PICK.c.origin, PICK.c.key).where(
            self._in(project) & (PICK.c.removed == 0)
        )
        with self._file.reading() as connection:
            return [(origin, key) for origin, key in connection.execute(query)]

    def mark(
        self,
        project: int,
        keys: Sequence[str],
        *,
        stars: int | None = None,
        verdict: Verdict | None = None,
        notes: str | None = None,
        tags: Sequence[str] | None = None,
        treatment: Treatment | None = None,
        removed: bool | None = None,
    ) -> str | None:
        """Mark picks, as one change that is undone as one.

        Args:
            project: The project.
            keys: The picks; unknown ones are ignored.
            stars: 0 to 5.
            verdict: keep, reject, or "" for undecided.
            notes: Free text.
            tags: Short words, replacing all earlier ones.
            treatment: "kulfan" to show and export a section's Kulfan section, "" as decoded.
            removed: Whether they are removed from the list.

        Returns:
            The change's identifier, or None if nothing changed.

        Raises:
            StoreError: If a value is out of range, or the file cannot be written.
        """
        wanted = _checked(
            stars=stars,
            verdict=verdict,
            notes=notes,
            tags=tags,
            treatment=treatment,
            removed=removed,
        )
        batch = uuid.uuid4().hex
        with self._file.writing() as connection:
            chosen = (
                connection.execute(
                    sql.select(PICK.c.id).where(self._in(project) & PICK.c.key.in_(list(keys)))
                )
                .scalars()
                .all()
            )
            words = ", ".join(_words(name, value) for name, value in wanted.items())
            done = [
                _change(connection, batch, project, row, wanted, words) for row in list(chosen)
            ]
        return batch if any(done) else None

    def undo(self, project: int, batch: str | None = None) -> str | None:
        """Undo the last change, or a given one unless something newer has overridden it.

        Returns:
            A description of what was undone; None if there is nothing to undo.
        """
        with self._file.writing() as connection:
            latest = sql.select(EVENT).where(self._in(project, EVENT) & (EVENT.c.undone == 0))
            if batch is not None:
                latest = latest.where(EVENT.c.batch == batch)
            last = connection.execute(latest.order_by(EVENT.c.id.desc()).limit(1)).first()
            if last is None:
                return None
            events = connection.execute(
                sql.select(EVENT)
                .where((EVENT.c.batch == last.batch) & (EVENT.c.undone == 0))
                .order_by(EVENT.c.id.desc())
            ).all()
            picks = {
                event.pick
                for event in events
                if _take_back(connection, event.id, event.pick, event.before, event.after)
            }
        if not picks:
            return None
        many = f" ({len(picks)} picks)" if len(picks) > 1 else ""
        return f"{_told(events[-1].words)}{many}"

    def history(self, project: int, most: int = 50) -> list[Change]:
        """List the latest changes, newest first."""
        count = sql.func.count(EVENT.c.pick.distinct())
        query = (
            sql.select(
                EVENT.c.batch,
                sql.func.max(EVENT.c.time),
                sql.func.max(EVENT.c.words),
                count,
                sql.func.min(EVENT.c.undone),
            )
            .where(self._in(project, EVENT))
            .group_by(EVENT.c.batch)
            .order_by(sql.func.max(EVENT.c.id).desc())
            .limit(min(most, _HISTORY))
        )
        with self._file.reading() as connection:
            return [
                Change(batch, when, _told(words), n, bool(undone))
                for batch, when, words, n, undone in connection.execute(query)
            ]

    def measured(self, values: Mapping[str, Mapping[str, float]], conditions: str) -> None:
        """Store measured properties of picks, by key; not a change that can be undone."""
        with self._file.writing() as connection:
            known = dict(
                connection.execute(
                    sql.select(PICK.c.key, PICK.c.id).where(
                        PICK.c.key.in_(list(values)), PICK.c.project.in_(self._own_projects())
                    )
                ).all()
            )
            lines = [
                {
                    "pick": known[key],
                    "conditions": conditions,
                    "key": name,
                    "value": float(value) if np.isfinite(value) else None,
                }
                for key, found in values.items()
                if key in known
                for name, value in found.items()
            ]
            if lines:
                connection.execute(PROPERTY.insert().prefix_with("OR REPLACE"), lines)

    def directions(self, digest: str, latent: int) -> list[Direction]:
        """List the directions saved for a checkpoint's content hash, oldest first."""
        with self._file.reading() as connection:
            return directions.stored(connection, digest, latent)

    def save_direction(self, digest: str, direction: Direction) -> None:
        """Save a direction; an identical one is accepted without change.

        Raises:
            DirectionError: If the name is taken, or there are too many.
            StoreError: If it cannot be written.
        """
        with self._file.writing() as connection:
            directions.insert(connection, digest, direction)

    def remove_direction(self, digest: str, latent: int, name: str) -> None:
        """Remove a direction by its name; it is only marked so.

        Raises:
            StoreError: If it cannot be written.
        """
        with self._file.writing() as connection:
            directions.remove(connection, digest, latent, name)

    def trials(self, project: int, digest: str) -> list[Trial]:
        """List a project's blind tests of a checkpoint's content hash, oldest first."""
        with self._file.reading() as connection:
            return trials.stored(connection, self._in(project, TRIAL) & (TRIAL.c.hash == digest))

    def save_trial(self, project: int, trial: Trial) -> None:
        """Store a finished blind test; when this returns it is on disk.

        Raises:
            StoreError: If it cannot be written.
        """
        with self._file.writing() as connection:
            self._check(connection, project)
            trials.insert(connection, project, trial)

    def _own_projects(self) -> sql.Select[Any]:
        return sql.select(PROJECT.c.id).where(PROJECT.c.owner == self.owner)

    def _in(self, project: int, table: sql.Table = PICK) -> sql.ColumnElement[bool]:
        """Match rows of a project, if it is the owner's."""
        return table.c.project.in_(self._own_projects().where(PROJECT.c.id == project))

    def _check(self, connection: Connection, project: int) -> None:
        if connection.scalar(self._own_projects().where(PROJECT.c.id == project)) is None:
            raise StoreError("This project does not exist; choose one on the Candidates page.")


def _change(
    connection: Connection,
    batch: str,
    project: int,
    row: int,
    wanted: Mapping[str, object],
    words: str,
) -> bool:
    """Change a pick and record its old values; return whether anything changed."""
    old = connection.execute(sql.select(PICK).where(PICK.c.id == row)).one()
    after = {name: value for name, value in wanted.items() if getattr(old, name) != value}
    if not after:
        return False
    before = {name: getattr(old, name) for name in after}
    connection.execute(PICK.update().where(PICK.c.id == row).values(after))
    _note(connection, batch, project, row, words, before, after)
    return True


def _take_back(connection: Connection, event: int, pick: int, old: str, new: str) -> bool:
    """Undo an event where nothing newer has overridden it; the rest can be undone later."""
    before, after = json.loads(old), json.loads(new)
    newer = connection.execute(
        sql.select(EVENT.c.after).where(
            (EVENT.c.pick == pick) & (EVENT.c.id > event) & (EVENT.c.undone == 0)
        )
    ).scalars()
    free = after.keys() - {name for changed in newer for name in json.loads(changed)}
    if not free:
        return False
    back = {name: before[name] for name in free}
    connection.execute(PICK.update().where(PICK.c.id == pick).values(back))
    left: dict[str, object] = {"undone": 1}
    if rest := after.keys() - free:
        left = {
            "before": json.dumps({name: before[name] for name in rest}),
            "after": json.dumps({name: after[name] for name in rest}),
        }
    connection.execute(EVENT.update().where(EVENT.c.id == event).values(left))
    return True


def _note(
    connection: Connection,
    batch: str,
    project: int,
    row: int,
    words: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    connection.execute(
        EVENT.insert().values(
            batch=batch,
            project=project,
            pick=row,
            time=time.time(),
            words=words,
            before=json.dumps(before),
            after=json.dumps(after),
        )
    )


_BOUNDS = {
    "stars": "A pick has 0 to 5 stars; choose a number in this range.",
    "verdict": "A pick is kept, rejected or undecided; choose one of the three.",
    "notes": f"Notes have at most {MOST_NOTES:,} characters; shorten them.",
    "tags": f"A pick has at most {MOST_TAGS} tags of 40 characters each; use fewer.",
    "treatment": "A pick is a Kulfan section or as decoded; choose one of the two.",
}


def _checked(*, removed: bool | None = None, **given: object) -> dict[str, object]:
    """Validate marks and return them as columns; what is None is not changed."""
    wanted = {name: value for name, value in given.items() if value is not None}
    tags = wanted.get("tags")
    if isinstance(tags, list | tuple):
        clean = (" ".join(str(tag).split()) for tag in tags)
        wanted["tags"] = tuple(dict.fromkeys(filter(None, clean)))
    try:
        marks = Marks.model_validate(wanted)
    except ValidationError as error:
        raise StoreError(_BOUNDS[str(error.errors()[0]["loc"][0])]) from error
    columns = marks.model_dump(include=set(wanted))
    if "tags" in columns:
        columns["tags"] = json.dumps(columns["tags"])
    return columns if removed is None else columns | {"removed": int(removed)}


_TOLD = {"kept": "added", "kept again": "added again", "marked as kept": "kept"}
"""How changes are told whose stored words are those of earlier releases."""


def _told(stored: str) -> str:
    """Tell a stored change with the one word for each state."""
    return ", ".join(_TOLD.get(part, part) for part in stored.split(", "))


def _words(name: str, value: object) -> str:
    if name == "stars":
        return f"{value} star{'' if value == 1 else 's'}"
    said = {
        ("verdict", "keep"): "marked as kept",
        ("verdict", "reject"): "rejected",
        ("verdict", ""): "undecided",
        ("treatment", "smoothed"): "smoothed",
        ("treatment", "kulfan"): "as a Kulfan section",
        ("treatment", ""): "as decoded",
        ("removed", 1): "removed",
        ("removed", 0): "restored",
    }
    return said.get((name, value), name)
