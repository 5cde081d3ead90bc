"""Named directions in a latent space, from one group of codes to another."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import sqlalchemy as sql
from jaxtyping import Float
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Connection

from explorer.config import first_problem
from explorer.designs.tables import DIRECTION
from explorer.errors import DirectionError
from explorer.interfaces import Frozen

MOST = 100
_MOST_BYTES = 4_000_000
_Number = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,60}$")]


class Direction(Frozen):
    """The mean of group A minus the mean of group B, and the number of codes in each."""

    name: Name
    vector: Annotated[tuple[_Number, ...], Field(min_length=1, max_length=512)]
    a: str = Field(max_length=200)
    b: str = Field(max_length=200)
    n_a: int = Field(ge=1)
    n_b: int = Field(ge=1)


_FILE = TypeAdapter(list[Direction])


def between(
    name: str,
    a: Float[np.ndarray, "group latent"],
    b: Float[np.ndarray, "others latent"],
    words: tuple[str, str],
) -> Direction:
    """Build the direction from group B to group A.

    Raises:
        DirectionError: If a group is empty, or both have the same mean.
    """
    if not len(a) or not len(b):
        raise DirectionError("Both groups need at least one code; select some first.")
    vector = a.mean(0) - b.mean(0)
    if not np.isfinite(vector).all() or float(np.linalg.norm(vector)) < 1e-6:
        raise DirectionError("Both groups have the same mean; select different ones.")
    try:
        return Direction(
            name=name.strip(),
            vector=tuple(float(value) for value in vector),
            a=words[0][:200],
            b=words[1][:200],
            n_a=len(a),
            n_b=len(b),
        )
    except ValidationError as error:
        raise DirectionError("A direction name has 1 to 60 characters; choose one.") from error


def stored(connection: Connection, digest: str, latent: int) -> list[Direction]:
    """Read the directions saved for a checkpoint's content hash, oldest first."""
    asked = _of(digest).order_by(DIRECTION.c.id)
    found = (_direction(row) for row in connection.execute(asked).mappings())
    return [item for item in found if len(item.vector) == latent]


def insert(connection: Connection, digest: str, direction: Direction) -> None:
    """Add a direction; an identical one is accepted without change.

    Raises:
        DirectionError: If the name is taken, or there are too many.
    """
    known = [_direction(row) for row in connection.execute(_of(digest)).mappings()]
    same = [item for item in known if item.name == direction.name]
    if same and same[0] == direction:
        return
    if same:
        raise DirectionError(f"A direction named “{direction.name}” exists; choose another name.")
    if len(known) >= MOST:
        raise DirectionError(f"{MOST} directions are saved; remove one first.")
    facts = direction.model_dump(exclude={"vector"})
    vector = np.asarray(direction.vector, "<f8").tobytes()
    connection.execute(
        DIRECTION.insert().values(hash=digest, vector=vector, created=time.time(), **facts)
    )


def remove(connection: Connection, digest: str, latent: int, name: str) -> None:
    """Mark a direction as removed, if there is one of that name."""
    bytes_of = sql.func.length(DIRECTION.c.vector)
    connection.execute(
        DIRECTION.update()
        .where((DIRECTION.c.hash == digest) & (DIRECTION.c.name == name))
        .where(bytes_of == 8 * latent)
        .values(removed=1)
    )


def take_over(connection: Connection, folder: Path) -> None:
    """Copy the directions of the previous version, one JSON file per checkpoint, into the store.

    The files stay in place; damaged ones are skipped, and `damage` reports them.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            found = _read(path)
        except DirectionError:
            continue
        for direction in found:
            insert(connection, path.stem, direction)


def damage(folder: Path, digest: str) -> str:
    """Return why a checkpoint's file of the previous version was skipped; "" if it was not."""
    path = folder / f"{digest}.json"
    try:
        _read(path)
    except DirectionError as error:
        return str(error)
    return ""


def _read(path: Path) -> list[Direction]:
    if not path.is_file():
        return []
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DirectionError(
                f"{path} is too large; it was not written by this app. Move it away."
            )
        return _FILE.validate_json(path.read_bytes())
    except OSError as error:
        raise DirectionError(f"{path} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        raise DirectionError(
            f"{path} is damaged ({first_problem(error)}); move it away."
        ) from error


def _of(digest: str) -> sql.Select[Any]:
    return sql.select(DIRECTION).where((DIRECTION.c.hash == digest) & (DIRECTION.c.removed == 0))


def _direction(row: Mapping[Any, Any]) -> Direction:
    names = ("name", "a", "b", "n_a", "n_b")
    vector = np.frombuffer(row["vector"], "<f8").tolist()
    return Direction(vector=tuple(vector), **{name: row[name] for name in names})
