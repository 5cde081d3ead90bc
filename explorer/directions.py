"""Named directions in a latent space, from one group of codes to another."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import numpy as np
from filelock import FileLock, Timeout
from jaxtyping import Float
from pydantic import Field, TypeAdapter, ValidationError

from explorer import settings
from explorer.checkpoint import write
from explorer.config import first_problem
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


_STORED = TypeAdapter(list[Direction])


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


def directions(digest: str, latent: int) -> list[Direction]:
    """List the directions saved for a checkpoint's content hash, oldest first.

    Raises:
        DirectionError: If the file is damaged; it is left unchanged.
    """
    return [item for item in _stored(digest) if len(item.vector) == latent]


def _stored(digest: str) -> list[Direction]:
    path = settings.current().user / "directions" / f"{digest}.json"
    if not path.is_file():
        return []
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DirectionError(f"{path} is too large for a file of directions; move it away.")
        return _STORED.validate_json(path.read_bytes())
    except ValidationError as error:
        raise DirectionError(
            f"{path} is damaged ({first_problem(error)}); move it away."
        ) from error


def save_direction(digest: str, direction: Direction) -> None:
    """Save a direction; one of the same name is replaced only if it is the same direction.

    Raises:
        DirectionError: If the name is taken, or there are too many.
    """
    with _locked(digest):
        stored = _stored(digest)
        same = [item for item in stored if item.name == direction.name]
        if same and same[0] == direction:
            return
        if same:
            raise DirectionError(
                f"A direction “{direction.name}” already exists; choose another name."
            )
        if len(stored) >= MOST:
            raise DirectionError(f"{MOST} directions are already saved; remove one first.")
        _store(digest, [*stored, direction])


def remove_direction(digest: str, latent: int, name: str) -> None:
    """Remove a direction by name, if it exists."""
    with _locked(digest):
        kept = [
            item for item in _stored(digest) if item.name != name or len(item.vector) != latent
        ]
        _store(digest, kept)


@contextmanager
def _locked(digest: str) -> Iterator[None]:
    """Lock the file against concurrent writers; turn file errors into a DirectionError."""
    folder = settings.current().user / "directions"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{digest}.lock", timeout=10):
            yield
    except Timeout as error:
        raise DirectionError(
            "Directions are being saved by another process; try again."
        ) from error
    except OSError as error:
        raise DirectionError(f"Directions cannot be saved ({error.strerror}).") from error


def _store(digest: str, stored: list[Direction]) -> None:
    ready = json.dumps([item.model_dump(mode="json") for item in stored], indent=1)
    write(settings.current().user / "directions" / f"{digest}.json", ready.encode())
