"""Codes of a reference distribution, from a `.npy` or `.npz` file of n x d numbers."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float

from explorer.data.arrays import header, read_array
from explorer.data.decoding import reading
from explorer.errors import DataError

MOST_CODES = 100_000
"""More rows than these are not read: a reference keeps a few thousand."""

_LARGEST = 1e6

_NAMES = ("codes", "z", "features", "latent", "latents", "embeddings", "x")


def read_codes(path: Path, latent: int) -> tuple[Float[np.ndarray, "samples latent"], str]:
    """Read codes, one a row.

    Args:
        path: A `.npy` file, or an `.npz` with one array of codes, or one that is named so.
        latent: Length that a code must have.

    Returns:
        The codes, and the SHA-256 of their numbers.

    Raises:
        DataError: If the file is missing, damaged, too large, or holds anything but codes.
    """
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise DataError(f"{path} is neither .npy nor .npz; save the codes as one of these.")
    if not path.is_file():
        raise DataError(f"{path} does not exist; give the file of the reference's codes.")
    with reading(path), path.open("rb") as stream:
        if suffix == ".npy":
            _check(header(stream, path), latent, path)
            stream.seek(0)
            array = read_array(stream, path)
        else:
            with zipfile.ZipFile(stream) as archive:
                name = _chosen(archive, path)
                with archive.open(name) as member:
                    _check(header(member, path), latent, path)
                with archive.open(name) as member:
                    array = read_array(member, path)
    with np.errstate(over="ignore"):  # what is too large becomes infinite
        codes = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(codes).all() or np.abs(codes).max() > _LARGEST:
        raise DataError(
            f"{path} has values that are not finite or over a million; "
            "remove those codes, or rescale them."
        )
    if len(np.unique(codes[:1000], axis=0)) < 2 and len(np.unique(codes, axis=0)) < 2:
        raise DataError(f"{path} has fewer than two different codes; give a sample of them.")
    return codes, hashlib.sha256(codes.tobytes()).hexdigest()


def found_beside(path: str, beside: Path | None) -> Path:
    """Find a path beside the recipe, or where the command runs; absolute paths are as they are."""
    near = (beside or Path()) / path
    return near if near.is_file() else Path(path)


def _chosen(archive: zipfile.ZipFile, path: Path) -> str:
    """Choose the array of codes in an archive."""
    names = {Path(name).stem: name for name in archive.namelist() if name.endswith(".npy")}
    if len(names) == 1:
        return next(iter(names.values()))
    for stem in _NAMES:
        if stem in names:
            return names[stem]
    raise DataError(f"{path} has {len(names)} arrays; name the one with the codes `codes`.")


def _check(found: tuple[tuple[int, ...], np.dtype], latent: int, path: Path) -> None:
    """Check shape and type before anything is read.

    Raises:
        DataError: If they are not those of codes.
    """
    shape, dtype = found
    if dtype.hasobject or dtype.kind not in "fiu":
        raise DataError(f"{path} holds {dtype} and not plain numbers; save the codes as floats.")
    if len(shape) != 2 or shape[1] != latent:
        raise DataError(
            f"{path} has the shape {' x '.join(map(str, shape))}; "
            f"this model needs n x {latent}, a code a row."
        )
    if not 2 <= shape[0] <= MOST_CODES:
        raise DataError(
            f"{path} has {shape[0]:,} codes; give between 2 and {MOST_CODES:,} of them."
        )
