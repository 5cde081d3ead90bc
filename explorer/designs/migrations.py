"""Schema migrations, which upgrade a database file step by step to the current version."""

import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, MetaData

from explorer.designs import directions
from explorer.designs.tables import DIRECTION, FIRST_PROJECT, PROJECT, TABLES, TRIAL

VERSION = 5


def _make_tables(connection: Connection) -> None:
    TABLES.create_all(connection)
    connection.execute(PROJECT.insert().values(name=FIRST_PROJECT, created=time.time()))


def _add_directions(connection: Connection) -> None:
    """Move directions from files beside the store into it."""
    DIRECTION.create(connection, checkfirst=True)
    database = connection.engine.url.database
    if database:
        directions.take_over(connection, Path(database).parent / "directions")


def _add_owners(connection: Connection) -> None:
    """Let each owner name their projects; those of before belong to nobody who has to log in.

    The name was unique by itself, which SQLite can only change in a new table.
    """
    columns = connection.exec_driver_sql("PRAGMA table_info(project)")
    if "owner" in [name for _, name, *_ in columns]:
        return
    PROJECT.to_metadata(MetaData(), name="project_with_owner").create(connection)
    for step in (
        "INSERT INTO project_with_owner (id, name, created) SELECT id, name, created FROM project",
        "DROP TABLE project",
        "ALTER TABLE project_with_owner RENAME TO project",
    ):
        connection.exec_driver_sql(step)


def _add_trials(connection: Connection) -> None:
    """Make room for blind tests."""
    TRIAL.create(connection, checkfirst=True)


def _add_names(connection: Connection) -> None:
    """Make room for the names of own sections, which no model made."""
    columns = connection.exec_driver_sql("PRAGMA table_info(pick)")
    if "name" not in [name for _, name, *_ in columns]:
        connection.exec_driver_sql("ALTER TABLE pick ADD COLUMN name TEXT NOT NULL DEFAULT ''")


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _make_tables,
    _add_directions,
    _add_owners,
    _add_trials,
    _add_names,
)
"""Migrations from schema version n to n + 1, each in one transaction."""
