"""The database file: its transactions, its schema version, and its errors in one sentence.

Write-ahead log, full synchronisation, foreign keys. Every write is one short transaction that
takes the write lock at its start: concurrent writers wait for each other.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy import Connection

from explorer.designs.migrations import MIGRATIONS, VERSION
from explorer.errors import StoreError

PATIENCE_SECONDS = 5.0
_ALONE_SECONDS = 0.05


class File:
    """An open database file, at the current schema version.

    Args:
        path: The file, created if absent.

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
        self._lock = threading.Lock()
        self._opened: tuple[int, int] | None = None
        self._reopen()

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def _reopen(self) -> None:
        """Open the file that the path names now, if that is another one than before.

        A file that is deleted or replaced lives on for who has it open: what is written there is
        lost with the last of them.
        """
        with self._lock:
            if self._opened is not None and self._opened == _identity(self.path):
                return
            self._engine.dispose()
            with _said(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._migrate()
            self._opened = _identity(self.path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read from one consistent snapshot, whatever others write meanwhile."""
        self._reopen()
        with _said(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write atomically; on normal exit everything is in the file that the path names.

        Raises:
            StoreError: If it cannot be written, or was deleted or replaced meanwhile.
        """
        self._reopen()
        with _said(self.path), self._engine.connect() as bare:
            start = time.monotonic()
            with _transaction(bare) as connection:
                waited = time.monotonic() - start
                yield connection
            if waited < _ALONE_SECONDS:  # among many writers it would keep others waiting
                _settle(bare)
        if self._opened != _identity(self.path):
            raise StoreError(f"{self.path} was replaced while it was written; try again.")

    @contextmanager
    def _restructuring(self) -> Iterator[Connection]:
        """Write atomically without foreign keys: while a table is replaced, nothing refers to it.

        https://sqlite.org/lang_altertable.html#otheralter
        """
        with _said(self.path), self._engine.connect() as bare:
            bare.connection.cursor().execute("PRAGMA foreign_keys = OFF")
            try:
                with _transaction(bare) as connection:
                    yield connection
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                        raise StoreError(_sentence("malformed", self.path))
                _settle(bare)
            finally:
                bare.connection.cursor().execute("PRAGMA foreign_keys = ON")

    def _migrate(self) -> None:
        with self._engine.begin() as connection:
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if version > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer version of Latent Explorer; update this one."
            )
        if version == VERSION:
            return
        with self._restructuring() as connection:
            # Another process may have migrated it while this one waited.
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            if 0 < version < VERSION:
                self._back_up(version)
            for step in MIGRATIONS[version:]:
                step(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")

    def _back_up(self, version: int) -> None:
        """Back up the file before a migration."""
        copy = self.path.with_name(f"{self.path.name}.version-{version}")
        with sqlite3.connect(self.path) as old, sqlite3.connect(copy) as new:
            old.backup(new)
        old.close()
        new.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return which file a path names; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
    """Run a pragma with retries: switching the journal mode does not wait for locks by itself."""
    last = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute(words)
            return
        except sqlite3.OperationalError as error:
            if "readonly" in str(error):
                return  # a read-only file can still be read
            if "locked" not in str(error) or time.monotonic() > last:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _transaction(bare: Connection) -> Iterator[Connection]:
    bare.execution_options(writes=True)
    with bare.begin():
        yield bare


def _settle(bare: Connection) -> None:
    """Bring what was written from the log into the file itself, unless others are at work.

    The log belongs to the name, not to the file: if the file were moved away, or another put in
    its place, what is in the log alone would be lost, or played into the other.
    https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
    """
    connection = bare.connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    try:
        connection.execute("PRAGMA busy_timeout = 0")  # who waits for the file comes first
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        pass  # the next who writes does it
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * PATIENCE_SECONDS)}")


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn file system and SQLite errors into a one-sentence StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be used ({error.strerror}); check its folder.") from error
    except sql.exc.DatabaseError as error:
        raise StoreError(_sentence(str(error.orig), path)) from error
    except sqlite3.Error as error:
        raise StoreError(_sentence(str(error), path)) from error


def _sentence(said: str, path: Path) -> str:
    if "locked" in said or "busy" in said:
        return "The candidates are being written by another program; try again in a moment."
    if "full" in said:
        return f"No space left in {path.parent}; free some to keep candidates."
    if "readonly" in said or "read-only" in said:
        return f"{path} is read-only; fix its permissions, or set another user folder."
    if "unable to open" in said:
        return f"{path} cannot be opened; check the permissions of its folder."
    if "malformed" in said or "not a database" in said:
        return f"{path} is damaged and was left unchanged; move it away to start afresh."
    return f"{path} cannot be used ({said[:120]}); move it away to start afresh."
