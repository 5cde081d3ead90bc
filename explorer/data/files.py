"""The user's own images: a folder or an array, read as untrusted input."""

import hashlib
import io
import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import IO, ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy.lib import format as npy
from PIL import Image, ImageOps
from pydantic import Field, model_validator

from explorer.data.dataset import (
    BINARISATION_SEED,
    AbstractDataConfig,
    DataSet,
    SplitData,
    binarise,
    binarise_each,
)
from explorer.data.decoding import decode_picture, open_picture, reading
from explorer.data.identity import HELD_OUT, SPLITS, content_ids, deal
from explorer.errors import DataError, DataMissingError
from explorer.sketch import PixelSketch

LARGEST_SIDE = 128
"""Largest side of a sample, in pixels."""

SAMPLES = (30, 100_000)
"""Smallest and largest number of samples in a data set."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif")
"""Image file extensions; of an animation the first frame is read."""

_LOSSLESS = ("PNG", "BMP", "GIF")
_UNPACKED_BYTES = 2 * 10**9
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_Array = Shaped[np.ndarray, "..."]
_Names = Shaped[np.ndarray, " samples"] | None


class FilesConfig(AbstractDataConfig):
    """Your own images, from a folder or an array; about 80 / 10 / 10 %, seeded.

    `path` is a folder of png, jpg, bmp, webp or gif files (subfolders of images are
    classes), a .npy file, or a .npz file with `x` or `images` and, optionally, `labels`
    or `y`.
    Arrays are n x h x w, n x c x h x w, n x h x w x c or n x d with d a square, as uint8 in 0..255
    or floats in 0..1. A relative path is resolved against the data directory and must stay in it.

    Samples are resized to height x width, or to the size of the first one, and converted to grey
    or colour as `channels` asks. Transparency becomes white. With
    `binary`, values are ink probabilities, sampled afresh in every batch; with
    `light`, they are brightness, as in photographs, and are shown unchanged in either theme.

    A sample's split goes by a hash of its content, so that added samples never move others from
    training into test, and equal ones share a split. `split_rule` 1 goes by position, as
    checkpoints did that name no rule.
    """

    title: ClassVar[str] = "Own files"
    kind: Literal["files"] = "files"
    path: str = Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")
    height: int | None = Field(None, ge=1, le=LARGEST_SIDE)
    width: int | None = Field(None, ge=1, le=LARGEST_SIDE)
    channels: Literal[1, 3] = 1
    binary: bool = False
    light: Literal[True] | None = None
    seed: int = Field(0, ge=0, le=2**32 - 1)
    split_rule: Literal[1, 2] = 2

    @property
    def words(self) -> str:
        """The kind, and the name of the folder or file."""
        return f"{self.title}: {Path(self.path).name or self.path}"[:80]

    @property
    def binarised(self) -> bool:
        """Whether the recipe asks for binary samples."""
        return self.binary

    @model_validator(mode="after")
    def _height_with_width(self) -> "FilesConfig":
        if (self.height is None) != (self.width is None):
            raise ValueError("height and width belong together: give both or neither")
        return self

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the images; download is ignored."""
        source = _locate(root, self.path)
        size = None if self.height is None or self.width is None else (self.height, self.width)
        read = _read_folder if source.is_dir() else _read_file
        found = read(source, size, self.channels)
        sketch = PixelSketch(
            height=found.x.shape[2],
            width=found.x.shape[3],
            channels=self.channels,
            light=self.light,
        )
        classes, labels = _classes(found.classes)
        names = np.array(found.names)
        if self.split_rule == 1:
            train, valid, test = self._by_position(
                SplitData(found.x, labels, np.arange(len(found.x)), names)
            )
        else:
            everything = SplitData(found.x, labels, content_ids(found.contents), names)
            rows = deal(found.contents, self.seed)
            train, valid, test = (everything.take(np.flatnonzero(rows[name])) for name in SPLITS)
            if self.binary:
                valid = binarise_each(valid, BINARISATION_SEED)
                test = binarise_each(test, BINARISATION_SEED + 1)
        return DataSet(
            train,
            valid,
            test,
            sketch,
            classes,
            dynamic=self.binary,
            numbered_by_content=self.split_rule == 2,
        )

    def _by_position(self, everything: SplitData) -> tuple[SplitData, SplitData, SplitData]:
        order = np.random.default_rng(self.seed).permutation(len(everything))
        held_out = round(HELD_OUT * len(everything))
        valid = everything.take(order[:held_out])
        test = everything.take(order[held_out : 2 * held_out])
        if self.binary:
            valid = replace(valid, x=binarise(valid.x, BINARISATION_SEED))
            test = replace(test, x=binarise(test.x, BINARISATION_SEED + 1))
        return everything.take(order[2 * held_out :]), valid, test


class _Read(NamedTuple):
    """Samples as read: with a hash of the content of each, its name, and its class, if given."""

    x: Float[np.ndarray, "samples channels height width"]
    contents: list[bytes]
    names: list[str]
    classes: _Names


def _locate(root: Path, path: str) -> Path:
    source = root / path
    try:
        inside = Path(path).is_absolute() or source.resolve().is_relative_to(root.resolve())
        there = source.is_dir() or source.is_file()
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{path!r} cannot be opened ({error}); give another file or folder."
        ) from error
    if not inside:
        raise DataError(
            f"{path!r} is outside the data directory; "
            f"give an absolute path, or move the files into {root}."
        )
    if not there:
        raise DataMissingError(
            f"{source.name} is not in {source.parent}; put it there, or correct the recipe's path."
        )
    return source


def _classes(names: _Names) -> tuple[tuple[str, ...], Int[np.ndarray, " samples"] | None]:
    if names is None:
        return (), None
    found, codes = np.unique(names, return_inverse=True)
    return tuple(str(name) for name in found), codes.astype(np.int64)


def _check_count(samples: int, source: Path) -> None:
    fewest, most = SAMPLES
    if not fewest <= samples <= most:
        raise DataError(f"{source} has {samples:,} samples; give between {fewest} and {most:,}.")


def _check_size(height: int, width: int, source: Path) -> None:
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        raise DataError(
            f"{source} has samples of {height} x {width} pixels; "
            f"set height and width in the recipe, each at most {LARGEST_SIDE}."
        )


def _check_bytes(size: int, source: Path) -> None:
    if size > _UNPACKED_BYTES:
        raise DataError(
            f"{source} takes {size / 1e9:.1f} GB in memory; "
            f"give fewer or smaller samples, at most {_UNPACKED_BYTES / 1e9:.0f} GB."
        )


def _read_folder(folder: Path, size: tuple[int, int] | None, channels: int) -> _Read:
    """Images in the order of their names, and the subfolder of each, if there are any."""
    try:
        loose = _pictures(folder)
        classes = {
            entry.name: _pictures(entry)
            for entry in sorted(folder.iterdir())
            if entry.is_dir() and not entry.name.startswith(".")
        }
    except OSError as error:
        raise DataError(
            f"{folder} cannot be listed ({error.strerror}); check its permissions."
        ) from error
    sorted_in = [(name, path) for name, paths in classes.items() for path in paths]
    if loose and sorted_in:
        raise DataError(
            f"{folder} has images both beside and inside its subfolders; "
            "move all of them into subfolders, or none."
        )
    paths = loose or [path for _, path in sorted_in]
    _check_count(len(paths), folder)
    if size is None:
        size = _measure(paths[0])
        _check_size(*size, paths[0])
    _check_bytes(4 * len(paths) * channels * math.prod(size), folder)
    x = np.empty((len(paths), channels, *size), np.float32)
    contents = []
    for row, path in enumerate(paths):
        with open_picture(path, path) as image, reading(path):
            contents.append(_content(image, path))
            x[row] = decode_picture(image, size, channels).astype(np.float32) / 255
    names = [path.relative_to(folder).as_posix() for path in paths]
    return _Read(x, contents, names, np.array([n for n, _ in sorted_in]) if sorted_in else None)


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() in SUFFIXES and not entry.name.startswith(".") and entry.is_file()
    )


def _measure(path: Path) -> tuple[int, int]:
    with open_picture(path, path) as image:
        with reading(path):
            turned = ImageOps.exif_transpose(image)
        return turned.height, turned.width


def _content(image: Image.Image, path: Path) -> bytes:
    """Hash an image: its pixels if they decode alike everywhere, else the bytes of its file."""
    if image.format not in _LOSSLESS:
        return _hash(path.read_bytes())
    deep = image.mode.startswith(("I", "F"))
    pixels = image if deep else image.convert("RGBA")
    return _hash(f"{pixels.mode} {pixels.size}".encode() + pixels.tobytes())


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _read_file(path: Path, size: tuple[int, int] | None, channels: int) -> _Read:
    """Samples of an array file, and the class of each, if given."""
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise DataError(
            f"{path} is neither .npy nor .npz; give such a file, or a folder of images."
        )
    names: _Names = None
    with reading(path), path.open("rb") as stream:
        if suffix == ".npy":
            array: _Array | None = _read_array(stream, path)
        else:
            with zipfile.ZipFile(stream) as archive:
                array = _read_member(archive, ("x", "images"), path)
                names = _read_member(archive, ("labels", "y"), path)
    if array is None:
        raise DataError(
            f"{path} has neither x nor images; save the samples under one of these names."
        )
    _check_count(len(array), path)
    if names is not None and (names.shape != (len(array),) or names.dtype.kind not in "iuU"):
        raise DataError(
            f"{path} has labels of shape {names.shape} and type {names.dtype}; "
            f"give one integer or string for each of the {len(array):,} samples."
        )
    x = _as_pictures(array, size, path)
    target: tuple[int, int] = size or (x.shape[2], x.shape[3])
    _check_size(*target, path)
    _check_bytes(4 * len(x) * channels * math.prod(target), path)
    contents = [_hash(np.ascontiguousarray(row).tobytes()) for row in x]
    rows = [f"{path.name}[{row}]" for row in range(len(x))]
    return _Read(_fit(_as_unit(x, path), target, channels), contents, rows, names)


def _read_member(
    archive: zipfile.ZipFile, candidates: tuple[str, ...], path: Path
) -> _Array | None:
    for name in candidates:
        if f"{name}.npy" in archive.namelist():
            with archive.open(f"{name}.npy") as stream:
                return _read_array(stream, path)
    return None


def _read_array(stream: IO[bytes] | io.BufferedIOBase, path: Path) -> _Array:
    """Read one array, after checking that its header asks for a reasonable amount of memory."""
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, _, dtype = headers[npy.read_magic(stream)](stream)
    if dtype.hasobject:
        raise DataError(
            f"{path} contains pickled Python objects, which are never loaded; save plain numbers."
        )
    if not shape or min(shape) < 0:
        raise DataError(f"{path} has no sample axis; save an array of n x height x width.")
    _check_bytes(max(4, dtype.itemsize) * math.prod(shape), path)
    stream.seek(0)
    return npy.read_array(stream, allow_pickle=False)


def _as_pictures(
    array: Shaped[np.ndarray, "samples ..."], size: tuple[int, int] | None, path: Path
) -> Shaped[np.ndarray, "samples channels height width"]:
    """View an array as samples x channels x height x width; if ambiguous, channels come first."""
    shape = " x ".join(map(str, array.shape))
    if array.ndim == 2:
        side = math.isqrt(array.shape[1])
        if size is not None and math.prod(size) == array.shape[1]:
            array = array.reshape(-1, *size)
        elif side > 0 and side**2 == array.shape[1]:
            array = array.reshape(-1, side, side)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] not in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or array.shape[1] not in (1, 3) or 0 in array.shape:
        raise DataError(
            f"{path} has shape {shape}, which is not a set of images; save n x height x width, "
            "with 1 or 3 channels if any."
        )
    return array


def _as_unit(
    x: Shaped[np.ndarray, "samples channels height width"], path: Path
) -> Float[np.ndarray, "samples channels height width"]:
    if x.dtype == np.uint8:
        return x.astype(np.float32) / 255
    # A NaN fails both comparisons.
    if x.dtype.kind == "f" and x.min() >= 0 and x.max() <= 1:
        return x.astype(np.float32)
    found = f" from {x.min():g} to {x.max():g}" if x.dtype.kind in "iuf" else ""
    raise DataError(
        f"{path} contains {x.dtype}{found}; save uint8 in 0..255 or floats in 0..1, all finite."
    )


def _fit(
    x: Float[np.ndarray, "samples from_channels from_height from_width"],
    size: tuple[int, int],
    channels: int,
) -> Float[np.ndarray, "samples channels height width"]:
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
