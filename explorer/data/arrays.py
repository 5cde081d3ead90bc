"""Samples from .npy and .npz files, under the names that libraries save them by."""

import io
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Float, Shaped
from numpy.lib import format as npy
from PIL import Image

from explorer.data.archives import Array, Member, Part, by, chosen, classes_of, parts_of
from explorer.data.decoding import is_pointer, reading
from explorer.data.found import Found, Wanted, digest
from explorer.data.levels import levels_of
from explorer.data.limits import check_bytes, check_count, check_size
from explorer.errors import DataError

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_MOST_MEMBERS = 1000
_COLOURS = (3, 4)
_SHORTEST = 8


def read_arrays(path: Path, wanted: Wanted) -> Found:
    """Read the samples of an array file, with the classes and splits that it gives.

    Raises:
        DataError: If it is damaged, or not a set of images; the message says what it is.
    """
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise DataError(
            f"{path} is neither .npy nor .npz; give such a file, or a folder of images."
        )
    with reading(path), path.open("rb") as stream:
        if is_pointer(stream.read(64)):
            raise DataError(
                f"{path} is a Git LFS pointer, not the file itself; run `git lfs pull`."
            )
        stream.seek(0)
        if suffix == ".npy":
            shape, dtype = header(stream, path)
            stream.seek(0)
            only = Member(path.name, shape, dtype, lambda: read_array(stream, path))
            return _gathered([Part(None, only, None)], path, wanted, [])
        with zipfile.ZipFile(stream) as archive:
            members = _members(archive, path)
            parts = parts_of(members, path)
            used = {member.name for part in parts for member in part[1:] if member}
            notes = chosen(parts, [m.name for m in members if m.name not in used])
            return _gathered(parts, path, wanted, notes)


def header(stream: IO[bytes] | io.BufferedIOBase, path: Path) -> tuple[tuple[int, ...], np.dtype]:
    """Read the shape and type of an array, without the array.

    Raises:
        DataError: If it has no shape.
    """
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, _, dtype = headers[npy.read_magic(stream)](stream)
    if not shape or min(shape) < 0:
        raise DataError(f"{path} has no sample axis; save an array of n x height x width.")
    return shape, dtype


def read_array(stream: IO[bytes] | io.BufferedIOBase, path: Path) -> Array:
    """Read one array, after checking that its header asks for a reasonable amount of memory.

    Raises:
        DataError: If it contains objects or is too large.
    """
    start = stream.tell()
    shape, dtype = header(stream, path)
    if dtype.hasobject:
        raise DataError(
            f"{path} contains pickled Python objects, which are never loaded; save plain numbers."
        )
    check_bytes(max(4, dtype.itemsize) * math.prod(shape), path)
    stream.seek(start)
    return npy.read_array(stream, allow_pickle=False)


def as_pictures(
    array: Shaped[np.ndarray, "samples ..."],
    size: tuple[int, int] | None,
    path: Path,
    clear: bool = False,
) -> Shaped[np.ndarray, "samples channels height width"]:
    """View an array as samples x channels x height x width; if ambiguous, channels come first.

    With `clear`, a fourth channel is opacity, where sides are not that short themselves.

    Raises:
        DataError: If its shape is not that of a set of images.
    """
    shape = by(array.shape)
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        if size is not None and math.prod(size) == array.shape[1]:
            array = array.reshape(-1, *size)
        elif side > 0 and side**2 == array.shape[1]:
            array = array.reshape(-1, side, side)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] not in (1, 3):
        first = array.shape[1] == 4 and array.shape[3] not in (1, 3) and _large(array.shape[2:])
        if not (clear and first):
            array = array.transpose(0, 3, 1, 2)
    coloured = array.ndim == 4 and (
        array.shape[1] in (1, 3) or (clear and array.shape[1] == 4 and _large(array.shape[2:]))
    )
    if not coloured or 0 in array.shape:
        raise DataError(
            f"{path} has shape {shape}, which is not a set of images; save n x height x width, "
            "with 1 or 3 channels if any."
        )
    return array


def _large(sides: tuple[int, ...]) -> bool:
    return min(sides) >= _SHORTEST


def fit(
    x: Float[np.ndarray, "samples from_channels from_height from_width"],
    size: tuple[int, int],
    channels: int,
) -> Float[np.ndarray, "samples channels height width"]:
    """Lay images in [0, 1] on white, and convert them to the channels and size of a sample."""
    if x.shape[1] == 4:
        x = x[:, :3] * x[:, 3:] + (1 - x[:, 3:])
    if channels < x.shape[1]:
        x = np.tensordot(x, _LUMA, axes=(1, 0))[:, None].clip(0, 1)
    if size != x.shape[2:]:
        height, width = size
        small = np.empty((*x.shape[:2], height, width), np.float32)
        for place in np.ndindex(*x.shape[:2]):
            plane = Image.fromarray(x[place]).resize((width, height), Image.Resampling.BILINEAR)
            small[place] = np.asarray(plane).clip(0, 1)
        x = small
    return np.repeat(x, channels, axis=1) if channels > x.shape[1] else x


def _members(archive: zipfile.ZipFile, path: Path) -> list[Member]:
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    if len(names) > _MOST_MEMBERS:
        raise DataError(
            f"{path} has {len(names):,} arrays; save all samples as one of n x height x width."
        )

    def reader(name: str) -> Callable[[], Array]:
        def read() -> Array:
            with archive.open(name) as stream:
                return read_array(stream, path)

        return read

    found = []
    for name in names:
        with archive.open(name) as stream:
            magic = npy.read_magic(stream)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[magic]
            shape, _, dtype = read(stream)
        found.append(Member(name.removesuffix(".npy"), shape, dtype, reader(name)))
    return found


def _gathered(parts: list[Part], path: Path, wanted: Wanted, notes: list[str]) -> Found:
    total = sum(part.images.shape[0] for part in parts if part.images.shape)
    for part in parts:
        _check_set(part.images, path, wanted.size, alone=len(parts) == 1)
    check_count(total, path)
    check_bytes(sum(4 * math.prod(part.images.shape) for part in parts), path)
    kinds = {part.images.dtype for part in parts}
    if len(kinds) > 1:
        raise DataError(
            f"{path} has splits of different types ({', '.join(sorted(map(str, kinds)))}); "
            "save all of them as one type."
        )
    raw = [as_pictures(part.images.read(), wanted.size, path, clear=True) for part in parts]
    shapes = {part.shape[1:] for part in raw}
    if len(shapes) > 1:
        raise DataError(
            f"{path} has splits of different shapes ({', '.join(sorted(map(by, shapes)))}); "
            "save all of them in one."
        )
    (shape,) = shapes
    target: tuple[int, int] = wanted.size or (shape[1], shape[2])
    check_size(*target, path)
    check_bytes(4 * total * wanted.channels * math.prod(target), path)
    if kinds.copy().pop().kind in "biuf":
        # Of NumPy, since Python's own lose a NaN that is not the first.
        low = float(np.min([part.min() for part in raw]))
        high = float(np.max([part.max() for part in raw]))
    else:
        low = high = 0.0
    levels = levels_of(kinds.pop(), low, high, path, wanted.levels)
    classes, said = classes_of(parts, path)
    rows = [
        f"{path.name}[{part.split + ' ' if part.split else ''}{row}]"
        for part in parts
        for row in range(part.images.shape[0])
    ]
    return Found(
        x=np.concatenate([fit(levels.unit(part), target, wanted.channels) for part in raw]),
        contents=[digest(np.ascontiguousarray(row).tobytes()) for part in raw for row in part],
        names=rows,
        classes=classes,
        given=[part.split for part in parts for _ in range(part.images.shape[0]) if part.split]
        or None,
        levels=levels,
        notes=[*notes, *said],
    )


def _check_set(member: Member, path: Path, size: tuple[int, int] | None, alone: bool) -> None:
    """Refuse what is a single picture, and say so."""
    shape = member.shape
    single = ""
    if alone and len(shape) == 2 and not (size and math.prod(size) == shape[1]):
        flat = math.isqrt(shape[1]) ** 2 == shape[1]
        if shape[0] == shape[1] and flat and shape[0] >= 30:
            raise DataError(
                f"{path} has shape {by(shape)}: one picture, or flat samples of "
                f"{math.isqrt(shape[1])} x {math.isqrt(shape[1])}; set height and width in the "
                "recipe for samples, or save several pictures as n x height x width."
            )
        if not flat or shape[0] < 30:
            single = by(shape)
    elif alone and len(shape) == 3:
        if shape[0] in (1, *_COLOURS):
            single = by(shape[1:])
        elif shape[2] == 3 or (shape[2] == 4 and shape[1] >= 16):
            single = by(shape[:2])
    if single:
        raise DataError(
            f"{path} is one picture of {single} pixels by its shape ({by(shape)}); "
            "save many as n x height x width."
        )
