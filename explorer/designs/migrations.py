"""Schema migrations, which upgrade a database file step by step to the current version."""

import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from explorer.designs import directions
from explorer.designs.tables import DIRECTION, FIRST_PROJECT, PROJECT, TABLES

VERSION = 2


def _make_tables(connection: Connection) -> None:
    TABLES.create_all(connection)
    connection.execute(PROJECT.insert().values(name=FIRST_PROJECT, created=time.time()))


def _add_directions(connection: Connection) -> None:
    """Move directions from files beside the store into it."""
    DIRECTION.create(connection, checkfirst=True)
    database = connection.engine.url.database
    if database:
        directions.take_over(connection, Path(database).parent / "directions")


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_make_tables, _add_directions)
"""Migrations from schema version n to n + 1, each in one transaction."""
