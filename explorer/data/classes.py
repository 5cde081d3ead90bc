"""The classes of a user's own files, numbered in the order in which they are listed."""

import re

import numpy as np
from jaxtyping import Int, Shaped

Names = Shaped[np.ndarray, " samples"] | None


def by_letter(names: Names) -> tuple[tuple[str, ...], Int[np.ndarray, " samples"] | None]:
    """Number classes in the order of their names, letter by letter."""
    if names is None:
        return (), None
    found, codes = np.unique(names, return_inverse=True)
    return tuple(str(name) for name in found), codes.astype(np.int64)


def natural(names: Names) -> tuple[tuple[str, ...], Int[np.ndarray, " samples"] | None]:
    """Number classes in natural order: "kind 2" before "kind 10"."""
    classes, codes = by_letter(names)
    if codes is None or names is None or names.dtype.kind != "U":
        return classes, codes
    order = sorted(range(len(classes)), key=lambda code: _natural_key(classes[code]))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return tuple(classes[code] for code in order), place[codes]


def _natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    parts = []
    for part in re.findall(r"[0-9]+|[^0-9]+", name.casefold()):
        digits = part.lstrip("0") if part[0] in "0123456789" else ""
        number = part[0] in "0123456789"
        parts.append((0, len(digits), digits) if number else (1, 0, part))
    return tuple(parts), name
