"""The tables behind the shortlist: one SQLite file, its transactions, and its migrations.

Write-ahead log, full synchronisation, foreign keys. Every write is one short transaction that
takes the writer's place at its start: two visitors wait for each other and never half-write.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy import Column, Connection, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

from explorer.errors import StoreError

VERSION = 1
FIRST_PROJECT = "Shortlist"
PATIENCE_SECONDS = 5.0

TABLES = MetaData()
PROJECT = Table(
    "project",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created", sql.Float, nullable=False),
)
MODEL = Table(
    "model",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("sketch", Text, nullable=False),
    sql.UniqueConstraint("hash", "slug", "data", "sketch"),
)
PICK = Table(
    "pick",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("project", ForeignKey("project.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("created", sql.Float, nullable=False),
    Column("model", ForeignKey("model.id"), nullable=False),
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
PROPERTY = Table(
    "property",
    TABLES,
    Column("pick", ForeignKey("pick.id"), primary_key=True),
    Column("conditions", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", sql.Float),
)
EVENT = Table(
    "event",
    TABLES,
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


class File:
    """An open file of candidates, at the present version.

    Args:
        path: The file; it is made where it is absent.

    Raises:
        StoreError: If it cannot be opened, or a newer version of this library wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = sql.create_engine(
            sql.URL.create("sqlite", database=str(path)),
            connect_args={"timeout": PATIENCE_SECONDS},
        )
        sql.event.listen(self._engine, "connect", _configure)
        sql.event.listen(self._engine, "begin", _begin)
        with _said(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._migrate()

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See one state of the file, whatever others write meanwhile."""
        with _said(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write all that follows or nothing; when it ends without an error it is on the disk."""
        with (
            _said(self.path),
            self._engine.connect() as bare,
            bare.execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _migrate(self) -> None:
        with self.reading() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer version of Latent Explorer; update this one."
            )
        if version == VERSION:
            return
        with self.writing() as connection:
            # Another process may have done it while this one waited.
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if 0 < version < VERSION:
                self._back_up(version)
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
    TABLES.create_all(connection)
    connection.execute(PROJECT.insert().values(name=FIRST_PROJECT, created=time.time()))


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_make_tables,)
"""From version n to n + 1 of the file, each in one transaction."""


def _configure(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    for pragma in (
        f"busy_timeout = {int(1000 * PATIENCE_SECONDS)}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        _patiently(connection, f"PRAGMA {pragma}")


def _patiently(connection: sqlite3.Connection, words: str) -> None:
    """Run a pragma; the change of the journal does not wait for a lock by itself."""
    last = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute(words)
            return
        except sqlite3.OperationalError as error:
            if "readonly" in str(error):
                return  # a file that cannot be written can still be read as it is
            if "locked" not in str(error) or time.monotonic() > last:
                raise
            time.sleep(0.02)


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
