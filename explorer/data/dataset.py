"""What a data set is once it is read: three splits, the way a sample is drawn, and its classes."""

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
"""Validation and test pictures are binarised once, with this seed."""


@dataclass(frozen=True)
class Split:
    """Samples in data units, their class (or None) and their row in the source."""

    x: Float[np.ndarray, "samples *sample"]
    labels: Int[np.ndarray, " samples"] | None
    ids: Int[np.ndarray, " samples"]

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Int[np.ndarray, " chosen"]) -> "Split":
        """Select rows."""
        labels = None if self.labels is None else self.labels[rows]
        return Split(self.x[rows], labels, self.ids[rows])


@dataclass(frozen=True)
class DataSet:
    """Training, validation and test samples.

    Where `dynamic` is true, `train.x` holds probabilities in [0, 1] to be binarised anew in every
    batch; validation and test are binarised already.
    """

    train: Split
    valid: Split
    test: Split
    sketch: PixelSketch | CurveSketch
    classes: tuple[str, ...] = ()
    dynamic: bool = False

    def split(self, name: str) -> Split:
        """Return the split called train, valid or test."""
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]


class AbstractDataConfig(AbstractConfig):
    """A data set, named in a recipe by its `kind`."""

    @abstractmethod
    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the data set below the data root.

        Args:
            root: The data root, in torchvision's layout.
            download: Whether torchvision may fetch what is absent.

        Raises:
            DataMissingError: If a file is absent; the message says which file goes where.
            DataError: If a file is damaged or not what its name says.
        """


def require(path: Path, what: str) -> Path:
    """Return the path of a file that must be there.

    Raises:
        DataMissingError: If it is not.
    """
    if not path.is_file():
        raise DataMissingError(
            f"{what} needs {path.name}, which goes into {path.parent}; "
            "put it there, or name another data root with --data or LATENT_EXPLORER_DATA."
        )
    return path


def verify(content: bytes, digest: str, path: Path, algorithm: str) -> bytes:
    """Return the content if its checksum is the known one.

    Raises:
        DataError: If it is another.
    """
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != digest:
        raise DataError(
            f"{path} is not the expected file ({algorithm} {found[:12]}..., expected "
            f"{digest[:12]}...); "
            "it may be truncated: fetch it again."
        )
    return content


def binarise(
    probabilities: Float[np.ndarray, "samples *sample"], seed: int
) -> Float[np.ndarray, "samples *sample"]:
    """Draw each pixel once from Bernoulli(probability)."""
    uniform = np.random.default_rng(seed).random(probabilities.shape, dtype=np.float32)
    return (uniform < probabilities).astype(np.float32)
