"""The shortlist: projects and picks in one SQLite file, kept before anyone is told they are.

Write-ahead log, full synchronisation, foreign keys. Every write is one short transaction that
takes the writer's place at its start: two visitors wait for each other and never half-write.
Nothing is ever deleted: what is removed is marked so, and every change can be undone.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sqlalchemy as sql
from jaxtyping import Float
from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

from explorer.errors import StoreError
from explorer.sketch import CurveSketch, PixelSketch, Sketch

FILE = "candidates.sqlite3"
VERSION = 1
FIRST_PROJECT = "Shortlist"
MOST_PICKS = 5000
MOST_NAME, MOST_NOTES, MOST_TAGS = 60, 4000, 12
_PATIENCE_SECONDS = 5.0
_HISTORY = 500

Verdict = Literal["", "keep", "reject"]
Treatment = Literal["", "smoothed"]

_TABLES = MetaData()
_PROJECT = Table(
    "project",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created", sql.Float, nullable=False),
)
_MODEL = Table(
    "model",
    _TABLES,
    Column("hash", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("sketch", Text, nullable=False),
)
_PICK = Table(
    "pick",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("project", ForeignKey("project.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("created", sql.Float, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("hash", ForeignKey("model.hash"), nullable=False),
    Column("code", LargeBinary, nullable=False),
    Column("sample", LargeBinary, nullable=False),
    Column("component", Integer),
    Column("scale", sql.Float),
    Column("seed", Integer),
    Column("labels", Text),
    Column("page", Text, nullable=False),
    Column("view", Text, nullable=False),
    Column("library", Text, nullable=False),
    Column("stars", Integer, nullable=False, default=0),
    Column("verdict", Text, nullable=False, default=""),
    Column("notes", Text, nullable=False, default=""),
    Column("tags", Text, nullable=False, default="[]"),
    Column("treatment", Text, nullable=False, default=""),
    Column("removed", Integer, nullable=False, default=0),
    sql.UniqueConstraint("project", "number"),
    sql.UniqueConstraint("project", "origin"),
)
_PROPERTY = Table(
    "property",
    _TABLES,
    Column("pick", ForeignKey("pick.id"), primary_key=True),
    Column("conditions", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", sql.Float),
)
_EVENT = Table(
    "event",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("batch", Text, nullable=False, index=True),
    Column("project", ForeignKey("project.id"), nullable=False),
    Column("pick", ForeignKey("pick.id"), nullable=False),
    Column("time", sql.Float, nullable=False),
    Column("words", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("undone", Integer, nullable=False, default=0),
)

_SKETCH: TypeAdapter[PixelSketch | CurveSketch] = TypeAdapter(Sketch)


@dataclass(frozen=True)
class Model:
    """The weights that a pick came from, and how their samples are drawn without them."""

    hash: str
    slug: str
    data: str
    sketch: PixelSketch | CurveSketch


@dataclass(frozen=True)
class Made:
    """What a pick is made of: all that makes it again, and the sample itself.

    `code` decodes to `sample` (data units); where a draw is sequential the sample is what counts.
    `component`, `scale` and `seed` say how the code was drawn, where it was; `origin` is the same
    for the same tile of the same view; `page` and `view` are where it was picked.
    """

    model: Model
    code: Float[np.ndarray, " latent"]
    sample: Float[np.ndarray, "*sample"]
    origin: str
    page: str
    view: str
    library: str
    component: int | None = None
    scale: float | None = None
    seed: int | None = None
    labels: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Pick:
    """A picked design: what it is made of, and what was said of it."""

    key: str
    number: int
    created: float
    made: Made
    stars: int = 0
    verdict: Verdict = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    treatment: Treatment = ""
    removed: bool = False
    properties: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"Pick {self.number}"


@dataclass(frozen=True)
class Project:
    """A named shortlist and how many picks are in it."""

    id: int
    name: str
    picks: int


@dataclass(frozen=True)
class Change:
    """What was done, when, to how many picks, and whether it was undone."""

    batch: str
    time: float
    words: str
    picks: int
    undone: bool


class Store:
    """All projects in one file; every method is one transaction, and may be called by threads.

    Args:
        path: The file; it is made where it is absent.

    Raises:
        StoreError: If it cannot be opened, or a newer version of this library wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = sql.create_engine(
            sql.URL.create("sqlite", database=str(path)),
            connect_args={"timeout": _PATIENCE_SECONDS},
        )
        sql.event.listen(self._engine, "connect", _configure)
        sql.event.listen(self._engine, "begin", _begin)
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._migrate()

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()

    def projects(self) -> list[Project]:
        """List all projects, oldest first, with the number of their picks."""
        count = sql.func.count(_PICK.c.id)
        rows = (
            sql.select(_PROJECT.c.id, _PROJECT.c.name, count)
            .outerjoin(_PICK, (_PICK.c.project == _PROJECT.c.id) & (_PICK.c.removed == 0))
            .group_by(_PROJECT.c.id)
            .order_by(_PROJECT.c.id)
        )
        with self._reading() as connection:
            return [Project(*row) for row in connection.execute(rows)]

    def add_project(self, name: str) -> int:
        """Make a project, or find the one of that name; return its number.

        Raises:
            StoreError: If the name is empty or too long.
        """
        clean = " ".join(name.split())
        if not 0 < len(clean) <= MOST_NAME:
            raise StoreError(f"A project needs a name of 1 to {MOST_NAME} characters; give one.")
        with self._writing() as connection:
            known = connection.scalar(sql.select(_PROJECT.c.id).where(_PROJECT.c.name == clean))
            if known is not None:
                return int(known)
            made = connection.execute(_PROJECT.insert().values(name=clean, created=time.time()))
            return _first_key(made)

    def keep(self, project: int, items: Sequence[tuple[str, Made]]) -> list[Pick]:
        """Keep designs; when this returns they are on the disk, each once.

        A key that is known is not kept again, nor is a tile of the same origin; one that was
        removed comes back.

        Args:
            project: The project.
            items: A key that is unique in all the world, and what the pick is made of.

        Raises:
            StoreError: If it cannot be written, or the project is full.
        """
        batch = uuid.uuid4().hex
        with self._writing() as connection:
            _existing(connection, project)
            last = connection.scalar(
                sql.select(sql.func.max(_PICK.c.number)).where(_PICK.c.project == project)
            )
            number = int(last or 0)
            kept = []
            for key, made in items:
                same = connection.execute(
                    sql.select(_PICK.c.id, _PICK.c.removed).where(
                        (_PICK.c.key == key)
                        | ((_PICK.c.project == project) & (_PICK.c.origin == made.origin))
                    )
                ).first()
                if same is not None:
                    if same.removed:
                        _change(connection, batch, project, same.id, {"removed": 0}, "kept again")
                    kept.append(same.id)
                    continue
                number += 1
                if number > MOST_PICKS:
                    raise StoreError(
                        f"This project holds {MOST_PICKS:,} picks; begin another for more."
                    )
                kept.append(_insert(connection, batch, project, number, key, made))
            return _picks(connection, _PICK.c.id.in_(kept))

    def picks(self, project: int, removed: bool = False) -> list[Pick]:
        """List a project's picks in the order in which they were kept, or those removed."""
        with self._reading() as connection:
            return _picks(
                connection, (_PICK.c.project == project) & (_PICK.c.removed == int(removed))
            )

    def origins(self, project: int) -> list[tuple[str, str]]:
        """List where a project's picks come from, each with its key."""
        rows = sql.select(_PICK.c.origin, _PICK.c.key).where(
            (_PICK.c.project == project) & (_PICK.c.removed == 0)
        )
        with self._reading() as connection:
            return [(origin, key) for origin, key in connection.execute(rows)]

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
        """Say something of picks: one change, undone as one.

        Args:
            project: The project.
            keys: The picks; unknown ones are passed over.
            stars: 0 to 5.
            verdict: keep, reject, or "" for undecided.
            notes: Free text.
            tags: Short words, all of them anew.
            treatment: "smoothed" if the section's fit is to stand for it in exports.
            removed: Whether they leave the list.

        Returns:
            The change's name, or None where nothing changed.

        Raises:
            StoreError: If a value is out of bounds, or it cannot be written.
        """
        wanted = _checked(stars, verdict, notes, tags, treatment, removed)
        batch = uuid.uuid4().hex
        with self._writing() as connection:
            rows = connection.execute(
                sql.select(_PICK.c.id).where(
                    (_PICK.c.project == project) & _PICK.c.key.in_(list(keys))
                )
            ).scalars()
            words = ", ".join(_words(name, value) for name, value in wanted.items())
            done = [_change(connection, batch, project, row, wanted, words) for row in list(rows)]
        return batch if any(done) else None

    def undo(self, project: int, batch: str | None = None) -> str | None:
        """Take the last change back, or a certain one if nothing came over it since.

        Returns:
            What was undone, in words; None where there is nothing to undo.
        """
        with self._writing() as connection:
            latest = sql.select(_EVENT).where(
                (_EVENT.c.project == project) & (_EVENT.c.undone == 0)
            )
            if batch is not None:
                latest = latest.where(_EVENT.c.batch == batch)
            last = connection.execute(latest.order_by(_EVENT.c.id.desc()).limit(1)).first()
            if last is None:
                return None
            events = connection.execute(
                sql.select(_EVENT)
                .where((_EVENT.c.batch == last.batch) & (_EVENT.c.undone == 0))
                .order_by(_EVENT.c.id.desc())
            ).all()
            for event in events:
                before, after = json.loads(event.before), json.loads(event.after)
                row = connection.execute(sql.select(_PICK).where(_PICK.c.id == event.pick)).one()
                # What another change has put over it since is left alone.
                back = {
                    name: value
                    for name, value in before.items()
                    if getattr(row, name) == after[name]
                }
                if back:
                    connection.execute(_PICK.update().where(_PICK.c.id == event.pick).values(back))
            connection.execute(
                _EVENT.update().where(_EVENT.c.batch == last.batch).values(undone=1)
            )
        many = f" ({len(events)} picks)" if len(events) > 1 else ""
        return f"{last.words}{many}"

    def history(self, project: int, most: int = 50) -> list[Change]:
        """List the latest changes, newest first."""
        count = sql.func.count(_EVENT.c.id)
        rows = (
            sql.select(
                _EVENT.c.batch,
                sql.func.max(_EVENT.c.time),
                sql.func.max(_EVENT.c.words),
                count,
                sql.func.max(_EVENT.c.undone),
            )
            .where(_EVENT.c.project == project)
            .group_by(_EVENT.c.batch)
            .order_by(sql.func.max(_EVENT.c.id).desc())
            .limit(min(most, _HISTORY))
        )
        with self._reading() as connection:
            return [
                Change(batch, when, words, n, bool(undone))
                for batch, when, words, n, undone in connection.execute(rows)
            ]

    def measured(self, values: Mapping[str, Mapping[str, float]], conditions: str) -> None:
        """Remember the properties of picks, by key; they say nothing of anyone's will."""
        with self._writing() as connection:
            known = dict(
                connection.execute(
                    sql.select(_PICK.c.key, _PICK.c.id).where(_PICK.c.key.in_(list(values)))
                ).all()
            )
            rows = [
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
            if rows:
                connection.execute(_PROPERTY.insert().prefix_with("OR REPLACE"), rows)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _said(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        options = {"writes": True}
        with (
            _said(self.path),
            self._engine.connect() as bare,
            bare.execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

    def _migrate(self) -> None:
        with self._reading() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer version of Latent Explorer; update this one."
            )
        if version == VERSION:
            return
        if version:
            self._back_up(version)
        with self._writing() as connection:
            # Another process may have done it while this one waited.
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            for step in MIGRATIONS[version:]:
                step(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")

    def _back_up(self, version: int) -> None:
        """Copy the file as it is before it is changed."""
        copy = self.path.with_name(f"{self.path.name}.version-{version}")
        with sqlite3.connect(self.path) as old, sqlite3.connect(copy) as new:
            old.backup(new)
        old.close()
        new.close()


def _make_tables(connection: Connection) -> None:
    _TABLES.create_all(connection)
    connection.execute(_PROJECT.insert().values(name=FIRST_PROJECT, created=time.time()))


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_make_tables,)
"""From version n to n + 1 of the file, each in one transaction."""


def _configure(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    for pragma in (
        f"busy_timeout = {int(1000 * _PATIENCE_SECONDS)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        try:
            connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as error:
            # A file that cannot be written can still be read as it is.
            if "readonly" not in str(error):
                raise


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn what the file system and SQLite object to into one sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be used ({error.strerror}); see to its folder."
        ) from error
    except sql.exc.DatabaseError as error:
        raise StoreError(_sentence(str(error.orig), path)) from error
    except sqlite3.Error as error:
        raise StoreError(_sentence(str(error), path)) from error


def _sentence(said: str, path: Path) -> str:
    if "locked" in said or "busy" in said:
        return "The candidates are being written by another program; try again in a moment."
    if "full" in said:
        return f"There is no room left to keep candidates in {path.parent}; free some."
    if "readonly" in said or "read-only" in said:
        return f"{path} may not be written; give it back its rights, or name another user folder."
    if "unable to open" in said:
        return f"{path} cannot be opened; see to the rights of its folder."
    if "malformed" in said or "not a database" in said:
        return f"{path} is damaged and was left as it is; move it away to begin anew."
    return f"{path} cannot be used ({said[:120]}); move it away to begin anew."


def _existing(connection: Connection, project: int) -> None:
    if connection.scalar(sql.select(_PROJECT.c.id).where(_PROJECT.c.id == project)) is None:
        raise StoreError("There is no such project; choose one on the Candidates page.")


def _insert(
    connection: Connection, batch: str, project: int, number: int, key: str, made: Made
) -> int:
    model = made.model
    connection.execute(
        _MODEL.insert()
        .prefix_with("OR IGNORE")
        .values(
            hash=model.hash,
            slug=model.slug,
            data=model.data,
            sketch=model.sketch.model_dump_json(),
        )
    )
    done = connection.execute(
        _PICK.insert().values(
            key=key,
            project=project,
            number=number,
            origin=made.origin,
            created=time.time(),
            checkpoint=model.slug,
            hash=model.hash,
            code=np.ascontiguousarray(made.code, "<f4").tobytes(),
            sample=np.ascontiguousarray(made.sample, "<f4").tobytes(),
            component=made.component,
            scale=made.scale,
            seed=made.seed,
            labels=None if made.labels is None else json.dumps(made.labels),
            page=made.page,
            view=made.view,
            library=made.library,
        )
    )
    row = _first_key(done)
    _note(connection, batch, project, row, "kept", {"removed": 1}, {"removed": 0})
    return row


def _change(
    connection: Connection,
    batch: str,
    project: int,
    row: int,
    wanted: Mapping[str, object],
    words: str,
) -> bool:
    """Change a pick and note how it was; say whether anything changed."""
    old = connection.execute(sql.select(_PICK).where(_PICK.c.id == row)).one()
    after = {name: value for name, value in wanted.items() if getattr(old, name) != value}
    if not after:
        return False
    before = {name: getattr(old, name) for name in after}
    connection.execute(_PICK.update().where(_PICK.c.id == row).values(after))
    _note(connection, batch, project, row, words, before, after)
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
        _EVENT.insert().values(
            batch=batch,
            project=project,
            pick=row,
            time=time.time(),
            words=words,
            before=json.dumps(before),
            after=json.dumps(after),
        )
    )


def _checked(
    stars: int | None,
    verdict: str | None,
    notes: str | None,
    tags: Sequence[str] | None,
    treatment: str | None,
    removed: bool | None,
) -> dict[str, object]:
    wanted: dict[str, object] = {}
    if stars is not None:
        if not 0 <= stars <= 5:
            raise StoreError("A pick has 0 to 5 stars; choose one of these.")
        wanted["stars"] = stars
    if verdict is not None:
        if verdict not in ("", "keep", "reject"):
            raise StoreError("A pick is kept, rejected or undecided; choose one of these.")
        wanted["verdict"] = verdict
    if notes is not None:
        if len(notes) > MOST_NOTES:
            raise StoreError(f"Notes hold {MOST_NOTES:,} characters; shorten them.")
        wanted["notes"] = notes
    if tags is not None:
        clean = list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))
        if len(clean) > MOST_TAGS or any(len(tag) > 40 for tag in clean):
            raise StoreError(f"A pick has up to {MOST_TAGS} tags of 40 characters; use fewer.")
        wanted["tags"] = json.dumps(clean)
    if treatment is not None:
        if treatment not in ("", "smoothed"):
            raise StoreError("A pick is smoothed or as decoded; choose one of these.")
        wanted["treatment"] = treatment
    if removed is not None:
        wanted["removed"] = int(removed)
    return wanted


def _words(name: str, value: object) -> str:
    if name == "stars":
        return f"{value} star{'' if value == 1 else 's'}"
    said = {
        ("verdict", "keep"): "marked to keep",
        ("verdict", "reject"): "rejected",
        ("verdict", ""): "undecided",
        ("treatment", "smoothed"): "smoothed",
        ("treatment", ""): "as decoded",
        ("removed", 1): "removed",
        ("removed", 0): "brought back",
    }
    return said.get((name, value), name)


def _picks(connection: Connection, which: sql.ColumnElement[bool]) -> list[Pick]:
    rows = connection.execute(
        sql.select(_PICK, _MODEL.c.data, _MODEL.c.sketch, _MODEL.c.slug)
        .join(_MODEL, _MODEL.c.hash == _PICK.c.hash)
        .where(which)
        .order_by(_PICK.c.project, _PICK.c.number)
    ).all()
    measured: dict[int, dict[str, dict[str, float]]] = {}
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        found = connection.execute(sql.select(_PROPERTY).where(_PROPERTY.c.pick.in_(part)))
        for pick, conditions, key, value in found:
            known = measured.setdefault(pick, {}).setdefault(conditions, {})
            known[key] = np.nan if value is None else value
    models: dict[str, Model] = {}
    return [_pick(row, models, measured.get(row.id, {})) for row in rows]


def _pick(
    row: sql.Row[Any], models: dict[str, Model], measured: dict[str, dict[str, float]]
) -> Pick:
    if row.hash not in models:
        sketch = _SKETCH.validate_json(row.sketch)
        models[row.hash] = Model(row.hash, row.checkpoint, row.data, sketch)
    model = models[row.hash]
    made = Made(
        model=model,
        code=np.frombuffer(row.code, "<f4").astype(np.float32),
        sample=np.frombuffer(row.sample, "<f4").astype(np.float32).reshape(model.sketch.shape),
        origin=row.origin,
        page=row.page,
        view=row.view,
        library=row.library,
        component=row.component,
        scale=row.scale,
        seed=row.seed,
        labels=None if row.labels is None else tuple(json.loads(row.labels)),
    )
    return Pick(
        key=row.key,
        number=row.number,
        created=row.created,
        made=made,
        stars=row.stars,
        verdict=row.verdict,
        notes=row.notes,
        tags=tuple(json.loads(row.tags)),
        treatment=row.treatment,
        removed=bool(row.removed),
        properties=measured,
    )


def _first_key(done: sql.CursorResult[Any]) -> int:
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])
