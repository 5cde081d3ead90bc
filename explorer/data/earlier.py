"""A user's own files as rules 1 and 2 read them, for the models that were trained on them so."""

import math
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from PIL import ImageOps

from explorer.data.archives import Array
from explorer.data.arrays import as_pictures, fit, read_array
from explorer.data.decoding import decode_picture, open_picture, reading
from explorer.data.folders import content_of
from explorer.data.found import digest
from explorer.data.limits import check_bytes, check_count, check_size
from explorer.errors import DataError

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif")
Names = Shaped[np.ndarray, " samples"] | None


class Read(NamedTuple):
    """Samples as read: with a hash of the content of each, its name, and its class, if given."""

    x: Float[np.ndarray, "samples channels height width"]
    contents: list[bytes]
    names: list[str]
    classes: Names


def read_folder(folder: Path, size: tuple[int, int] | None, channels: int) -> Read:
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
    check_count(len(paths), folder)
    if size is None:
        size = _measure(paths[0])
        check_size(*size, paths[0])
    check_bytes(4 * len(paths) * channels * math.prod(size), folder)
    x = np.empty((len(paths), channels, *size), np.float32)
    contents = []
    for row, path in enumerate(paths):
        with open_picture(path, path) as image, reading(path):
            contents.append(content_of(image, path))
            x[row] = decode_picture(image, size, channels).astype(np.float32) / 255
    names = [path.relative_to(folder).as_posix() for path in paths]
    return Read(x, contents, names, np.array([n for n, _ in sorted_in]) if sorted_in else None)


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() in _SUFFIXES and not entry.name.startswith(".") and entry.is_file()
    )


def _measure(path: Path) -> tuple[int, int]:
    with open_picture(path, path) as image:
        with reading(path):
            turned = ImageOps.exif_transpose(image)
        return turned.height, turned.width


def read_file(path: Path, size: tuple[int, int] | None, channels: int) -> Read:
    """Samples of an array file, and the class of each, if given."""
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise DataError(
            f"{path} is neither .npy nor .npz; give such a file, or a folder of images."
        )
    names: Names = None
    with reading(path), path.open("rb") as stream:
        if suffix == ".npy":
            array: Array | None = read_array(stream, path)
        else:
            with zipfile.ZipFile(stream) as archive:
                array = _read_member(archive, ("x", "images"), path)
                names = _read_member(archive, ("labels", "y"), path)
    if array is None:
        raise DataError(
            f"{path} has neither x nor images; save the samples under one of these names."
        )
    check_count(len(array), path)
    if names is not None and (names.shape != (len(array),) or names.dtype.kind not in "iuU"):
        raise DataError(
            f"{path} has labels of shape {names.shape} and type {names.dtype}; "
            f"give one integer or string for each of the {len(array):,} samples."
        )
    x = as_pictures(array, size, path)
    target: tuple[int, int] = size or (x.shape[2], x.shape[3])
    check_size(*target, path)
    check_bytes(4 * len(x) * channels * math.prod(target), path)
    contents = [digest(np.ascontiguousarray(row).tobytes()) for row in x]
    rows = [f"{path.name}[{row}]" for row in range(len(x))]
    return Read(fit(_as_unit(x, path), target, channels), contents, rows, names)


def _read_member(
    archive: zipfile.ZipFile, candidates: tuple[str, ...], path: Path
) -> Array | None:
    for name in candidates:
        if f"{name}.npy" in archive.namelist():
            with archive.open(f"{name}.npy") as stream:
                return read_array(stream, path)
    return None


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
