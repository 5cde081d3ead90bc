"""A data set in memory: three splits, how a sample is drawn, and the classes."""

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int, Shaped

from explorer.data.identity import SPLITS, Fingerprint, fingerprint_of, fixed_noise, row_ids
from explorer.errors import DataError, DataMissingError
from explorer.interfaces import AbstractConfig
from explorer.sketch import CurveSketch, PixelSketch

Values = Literal["binary", "grey", "real", "any"]
"""What the values of samples are; `any` where that varies."""

BINARISATION_SEED = 777
"""Validation and test images are binarised once, with this seed."""


@dataclass(frozen=True)
class SplitData:
    """Samples in data units, their classes (or None), numbers and names (or None).

    A number identifies a sample among those of the data set: its row in the source where that
    never changes, a hash of its content in a user's own files.
    """

    x: Float[np.ndarray, "samples *sample"]
    labels: Int[np.ndarray, " samples"] | None
    ids: Int[np.ndarray, " samples"]
    names: Shaped[np.ndarray, " samples"] | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Int[np.ndarray, " chosen"]) -> "SplitData":
        """Select rows."""
        labels = None if self.labels is None else self.labels[rows]
        names = None if self.names is None else self.names[rows]
        return SplitData(self.x[rows], labels, self.ids[rows], names)

    def find(self, number: int) -> int | None:
        """Return the row of a sample by its number; None if it is not in this split."""
        return self._rows.get(number)

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {int(number): row for row, number in enumerate(self.ids)}


@dataclass(frozen=True)
class DataSet:
    """Training, validation and test samples.

    If `dynamic` is true, `train.x` holds probabilities in [0, 1], binarised afresh in every
    batch; validation and test are already binarised. If `numbered_by_content` is true, the
    numbers of samples are hashes of their content.

    What reading a user's own files has to say is in `notes`, one sentence each; `treatment` names
    what was done to the values, and `settled` the fields of the recipe that the data determined.
    """

    train: SplitData
    valid: SplitData
    test: SplitData
    sketch: PixelSketch | CurveSketch
    classes: tuple[str, ...] = ()
    dynamic: bool = False
    numbered_by_content: bool = False
    notes: tuple[str, ...] = ()
    treatment: str = ""
    settled: tuple[tuple[str, object], ...] = ()

    def split(self, name: str) -> SplitData:
        """Return the split named train, valid or test."""
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]

    @cached_property
    def binary(self) -> bool:
        """Whether a Bernoulli likelihood is one of these data: their values are 0 or 1."""
        return self.dynamic or all(
            bool(((split.x == 0) | (split.x == 1)).all())
            for split in (self.train, self.valid, self.test)
        )


class AbstractDataConfig(AbstractConfig):
    """A data set, identified in a recipe by its `kind`."""

    fixed: ClassVar[bool] = False
    """Whether its samples never change: its files are verified by checksum, or it is generated."""

    values: ClassVar[Values] = "any"
    """What its values are: 0 and 1, grey or coloured, or coordinates."""

    @property
    def binarised(self) -> bool | None:
        """Whether its values are 0 and 1; None if that cannot be told before it is loaded."""
        return None if self.values == "any" else self.values == "binary"

    @property
    def words(self) -> str:
        """The display name of the data set, which tells it from others of its kind."""
        return self.title

    @property
    def identity(self) -> str:
        """What tells its data from others: the recipe, up to the seed of the splits."""
        return self.model_dump_json(exclude=None if self.fixed else {"seed"})

    @property
    def treated(self) -> str:
        """What was done to the values, which makes likelihoods incomparable with others."""
        return ""

    @property
    def preparation(self) -> str:
        """How its values were read, as one sentence; empty where they are as published."""
        return ""

    def settled(self, data: DataSet) -> "AbstractDataConfig":
        """Return the recipe with what its loaded data have determined."""
        return self

    def fingerprint(self, data: DataSet) -> Fingerprint:
        """Return what identifies the samples of each split of the loaded data set."""
        treatment = f"{data.sketch.shape}{' binarised' if data.dynamic else ''}{data.treatment}"
        if self.fixed:
            # Row numbers suffice, and derived values may differ in their last bits by machine.
            treatment = self.model_dump_json()
        found = {}
        for name in SPLITS:
            split = data.split(name)
            given = self.fixed or data.numbered_by_content
            numbers = split.ids if given else row_ids(split.x)
            found[name] = fingerprint_of(numbers, f"{name} {treatment}")
        return Fingerprint(**found, binary=data.binary)

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


def binarise_each(split: SplitData, seed: int) -> SplitData:
    """Sample each pixel once, by noise that depends only on the seed and the sample's number."""
    ink = fixed_noise(split.ids, split.x.shape[1:], seed) < split.x
    return SplitData(ink.astype(np.float32), split.labels, split.ids, split.names)
