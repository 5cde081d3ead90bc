"""Which arrays of an archive are images, which are labels, and of which split."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from explorer.data.found import SPLIT_NAMES, Split, listed
from explorer.errors import DataError

Array = Shaped[np.ndarray, "..."]

_IMAGES = ("x", "images", "image", "imgs", "img", "data", "samples", "pictures", "arr_0")
_SAID = ("x", "images")
"""Names that are meant, whatever else there is."""

_LABELS = ("y", "labels", "label", "targets", "target", "classes", "arr_1")
_WORD = "|".join((*_IMAGES[:-1], *_LABELS[:-1]))
_OF_SPLIT = re.compile(
    rf"^(?:(?P<before>{_WORD})[_\-.]?)?(?P<split>{'|'.join(SPLIT_NAMES)})(?:[_\-.]?(?P<after>{_WORD}))?$"
)


class Member(NamedTuple):
    """An array of an archive: its name, shape and type, and how it is read."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], Array]


class Part(NamedTuple):
    """Images and labels of one split, or of all samples."""

    split: Split | None
    images: Member
    labels: Member | None


def parts_of(members: list[Member], path: Path) -> list[Part]:
    """Find which arrays are images, and which their labels."""
    named = {member.name.lower(): member for member in reversed(members)}
    images: dict[str, Member] = {}
    labels: dict[str, Member] = {}
    for name, member in named.items():
        if match := _OF_SPLIT.match(name):
            role = match["before"] or match["after"] or "x"
            plain = not (match["before"] or match["after"])
            if (match["before"] and match["after"]) or (
                plain and not _pictured(member, flat=True)
            ):
                continue
            place = images if role in _IMAGES else labels
            place[SPLIT_NAMES[match["split"]]] = member
    if "train" in images:
        order: tuple[Split, ...] = ("train", "valid", "test")
        return [Part(name, images[name], labels.get(name)) for name in order if name in images]
    if images:
        raise DataError(
            f"{path} has {listed(sorted(images))} and no train; add x_train, or save all samples "
            "as x."
        )
    if in_order := _positional(named, path):
        return in_order
    called = [named[name] for name in _IMAGES if _pictured(named.get(name))]
    chosen = called[0] if called else None
    if chosen is None or (len(called) > 1 and chosen.name.lower() not in _SAID):
        able = called or [member for member in members if _pictured(member)]
        if len(able) != 1:
            held = ", ".join(f"{m.name} ({by(m.shape)})" for m in (able or members)[:10])
            raise DataError(
                f"{path} has "
                + ("several sets of images" if able else "no set of images")
                + f" ({held or 'no arrays'}); save the samples as x, and labels as y."
            )
        chosen = able[0]
    own = next((named[name] for name in _LABELS if name in named), None)
    doubtful = own is not None and own.name.lower() in ("arr_1", "classes")
    if own is chosen or (own and doubtful and own.shape[:1] != chosen.shape[:1]):
        own = None
    return [Part(None, chosen, own)]


def _positional(named: dict[str, Member], path: Path) -> list[Part]:
    """Read what was saved without names in the order of Keras: images, labels, the same of test.

    Raises:
        DataError: If there are several sets of images in another order.
    """
    places = [named.get(f"arr_{place}") for place in range(4)]
    first, labels, second, others = places
    if not (_pictured(first) and _pictured(second) and first and second):
        if _pictured(first) and _pictured(labels):
            raise DataError(
                f"{path} has several sets of images without names (arr_0, arr_1); "
                "save them as x_train and x_test, or the samples as x."
            )
        return []
    fitting = (
        first.shape[1:] == second.shape[1:]
        and labels is not None
        and others is not None
        and labels.shape[:1] == first.shape[:1]
        and others.shape[:1] == second.shape[:1]
    )
    if not fitting:
        raise DataError(
            f"{path} has several sets of images without names (arr_0, arr_2); "
            "save them as x_train, y_train, x_test and y_test."
        )
    return [Part("train", first, labels), Part("test", second, others)]


def _pictured(member: Member | None, flat: bool = False) -> bool:
    """Whether an array has the shape and type of a set of images; `flat` ones may be long rows."""
    if member is None or member.dtype.kind not in "biuf":
        return False
    if len(member.shape) == 2:
        named = flat or member.name.lower() in _IMAGES
        return named or (
            member.shape[1] > 16 and math.isqrt(member.shape[1]) ** 2 == member.shape[1]
        )
    return len(member.shape) in (3, 4)


def chosen(parts: list[Part], others: list[str]) -> list[str]:
    """Say which arrays were read, where that is not plain."""
    read = [member.name for part in parts for member in part[1:] if member]
    if not others and set(read) <= {"x", "images", "y", "labels"}:
        return []
    left = f"; passed over {listed(others)}" if others else ""
    return [f"Read {listed(read)}{left}."]


def classes_of(
    parts: list[Part], path: Path
) -> tuple[Shaped[np.ndarray, " samples"] | None, list[str]]:
    """Return the class of each sample as a name or a whole number, if every split has them."""
    having = [part for part in parts if part.labels is not None]
    if not having:
        return None, []
    if len(having) < len(parts):
        lacking = listed([str(part.split) for part in parts if part.labels is None])
        return None, [f"The labels are not used: {lacking} has none."]
    found = []
    for part in having:
        assert part.labels is not None
        one = _labels(part.labels, part.images.shape[0], path)
        if one is None:
            shape = by(part.labels.shape)
            return None, [f"{part.labels.name} ({shape}) has several per sample: no classes."]
        found.append(one)
    if len({one.dtype.kind == "U" for one in found}) > 1:
        found = [one.astype(str) for one in found]
    return np.concatenate(found), []


def _labels(member: Member, samples: int, path: Path) -> Shaped[np.ndarray, " samples"] | None:
    shape, kind = member.shape, member.dtype.kind
    fitting = shape[:1] == (samples,) and len(shape) < 3 and kind in "biufUS"
    if fitting:
        labels = member.read()
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if labels.ndim == 2 and kind in "biuf":
            hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(1) == 1).all()
            return labels.argmax(1) if hot and labels.shape[1] > 1 else None
        if labels.ndim == 1:
            if kind == "S":
                return np.array([word.decode("utf-8", "replace") for word in labels.tolist()])
            if kind == "f" and np.isfinite(labels).all() and (labels == np.rint(labels)).all():
                return labels.astype(np.int64)
            if kind in "biuU":
                return labels.astype(np.int64) if kind == "b" else labels
    raise DataError(
        f"{path} has labels of shape {shape} and type {member.dtype}; "
        f"give one whole number or string for each of the {samples:,} samples."
    )


def by(shape: tuple[int, ...]) -> str:
    """Return a shape as a phrase."""
    return " x ".join(map(str, shape))
