"""What is wanted of a user's own files, and what was found in them."""

import hashlib
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from explorer.data.levels import Levels

Split = Literal["train", "valid", "test"]


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
