"""A data set in memory: three splits, how a sample is drawn, and the classes."""

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from explorer.errors import DataError, DataMissingError
from explorer.interfaces import AbstractConfig
from explorer.sketch import CurveSketch, PixelSketch

BINARISATION_SEED = 777
"""Validation and test images are binarised once, with this seed."""


@dataclass(frozen=True)
class SplitData:
    """Samples in data units, their classes (or None) and their rows in the source."""

    x: Float[np.ndarray, "samples *sample"]
    labels: Int[np.ndarray, " samples"] | None
    ids: Int[np.ndarray, " samples"]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Int[np.ndarray, " chosen"]) -> "SplitData":
        """Select rows."""
        labels = None if self.labels is None else self.labels[rows]
        return SplitData(self.x[rows], labels, self.ids[rows])


@dataclass(frozen=True)
class DataSet:
    """Training, validation and test samples.

    If `dynamic` is true, `train.x` holds probabilities in [0, 1], binarised afresh in every
    batch; validation and test are already binarised.
    """

    train: SplitData
    valid: SplitData
    test: SplitData
    sketch: PixelSketch | CurveSketch
    classes: tuple[str, ...] = ()
    dynamic: bool = False

    def split(self, name: str) -> SplitData:
        """Return the split named train, valid or test."""
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]


class AbstractDataConfig(AbstractConfig):
    """A data set, identified in a recipe by its `kind`."""

    @abstractmethod
    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the data set from the data directory.

        Args:
            root: The data directory, in torchvision's layout.
            download: Whether torchvision may download missing files.

        Raises:
            DataMissingError: If a file is missing; the message says which file goes where.
            DataError: If a file is damaged or unexpected.
        """


def require(path: Path, what: str) -> Path:
    """Return the path of a required file.

    Raises:
        DataMissingError: If it does not exist.
    """
    if not path.is_file():
        raise DataMissingError(
            f"{what} needs {path.name}, which goes into {path.parent}; "
            "put it there, or set another data directory with --data or LATENT_EXPLORER_DATA."
        )
    return path


def verify(content: bytes, digest: str, path: Path, algorithm: str) -> bytes:
    """Return the content if its checksum matches.

    Raises:
        DataError: If it does not.
    """
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != digest:
        raise DataError(
            f"{path} is not the expected file ({algorithm} {found[:12]}..., expected "
            f"{digest[:12]}...); "
            "it may be truncated: download it again."
        )
    return content


def binarise(
    probabilities: Float[np.ndarray, "samples *sample"], seed: int
) -> Float[np.ndarray, "samples *sample"]:
    """Sample each pixel once from Bernoulli(probability)."""
    uniform = np.random.default_rng(seed).random(probabilities.shape, dtype=np.float32)
    return (uniform < probabilities).astype(np.float32)
