"""What is wanted of a user's own files, and what was found in them."""

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from explorer.data.levels import Levels

Split = Literal["train", "valid", "test"]

SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "valid",
    "valid": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
"""What people call splits, in folders (in any case) and in archives."""


class Wanted(NamedTuple):
    """How samples are asked for: size and channels, black and white, and what is followed."""

    size: tuple[int, int] | None
    channels: Literal[1, 3]
    levels: tuple[float, float] | None = None
    skip_broken: bool = False
    links: bool = False


class Found(NamedTuple):
    """Samples as read, with a hash of the content of each, its name, class and split, if given.

    `notes` are the sentences that the user should read: what was passed over, turned, stretched.
    """

    x: Float[np.ndarray, "samples channels height width"]
    contents: list[bytes]
    names: list[str]
    classes: Shaped[np.ndarray, " samples"] | None
    given: list[Split] | None
    levels: Levels
    notes: list[str]


def digest(content: bytes) -> bytes:
    """Hash the content of a sample."""
    return hashlib.blake2b(content, digest_size=16).digest()


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return names as a phrase; of many the first, and how many more."""
    shown = [name[:40] for name in names[:most]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
