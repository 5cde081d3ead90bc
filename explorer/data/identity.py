"""The identity of samples: hashes of their content, and the fingerprint of a whole data set."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import Field

from explorer.interfaces import Frozen

SPLITS: tuple[Literal["train", "valid", "test"], ...] = ("train", "valid", "test")
"""The names of the splits."""

HELD_OUT = 0.1
"""Expected fraction of the samples in validation, and in test."""

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class SplitFingerprint(Frozen):
    """The number of samples in a split, and a hash of them that does not depend on their order."""

    n: int = Field(ge=0, le=10**9)
    digest: _Digest


class Fingerprint(Frozen):
    """What identifies the samples of a data set, split by split.

    `binary` says whether every value is 0 or 1, as a Bernoulli likelihood requires.
    """

    train: SplitFingerprint
    valid: SplitFingerprint
    test: SplitFingerprint
    binary: bool

    @property
    def digest(self) -> str:
        """One hash of all splits."""
        whole = "".join(split.digest for split in (self.train, self.valid, self.test))
        return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

    def difference(self, other: "Fingerprint") -> str:
        """Describe in which splits the samples differ; empty if in none."""
        words = []
        for name in SPLITS:
            one, two = getattr(self, name), getattr(other, name)
            if one != two:
                words.append(
                    f"{name} {one.n:,} \N{RIGHTWARDS ARROW} {two.n:,} samples"
                    if one.n != two.n
                    else f"{name}: other samples"
                )
        return ", ".join(words)


def content_ids(contents: Iterable[bytes]) -> Int[np.ndarray, " samples"]:
    """Number samples by a hash of their content, so that a number survives added samples.

    The k-th of several equal samples has a number of its own.

    Args:
        contents: The content of each sample.

    Returns:
        Non-negative 63-bit integers; two among 100,000 samples agree with probability 5e-10.
    """
    seen: dict[int, int] = {}
    found = []
    for content in contents:
        first = _number(content)
        copies = seen[first] = seen.get(first, -1) + 1
        found.append(first if not copies else _number(b"%d %d" % (first, copies)))
    return np.array(found, np.int64)


def row_ids(x: Float[np.ndarray, "samples *sample"]) -> Int[np.ndarray, " samples"]:
    """Number samples by a hash of their values."""
    return content_ids(np.ascontiguousarray(row).tobytes() for row in x)


def fingerprint_of(ids: Int[np.ndarray, " samples"], treatment: str = "") -> SplitFingerprint:
    """Hash the numbers of a split's samples, in any order, and how they were prepared."""
    digest = hashlib.blake2b(treatment.encode(), digest_size=16)
    digest.update(np.sort(ids).astype("<i8").tobytes())
    return SplitFingerprint(n=len(ids), digest=digest.hexdigest())


def deal(contents: Sequence[bytes], seed: int) -> dict[str, Bool[np.ndarray, " samples"]]:
    """Assign each sample to a split by a hash of its content: about 80 / 10 / 10 %.

    A sample's split does not depend on the others, so that adding some never moves a training
    sample into validation or test; equal samples share a split. If no sample falls into
    validation or test, the training sample nearest to it is taken: the last by hash for
    validation, the first for test, which stay apart as samples are added.

    Args:
        contents: The content of each sample.
        seed: Another seed deals anew.
    """
    if len(set(contents)) < len(SPLITS):  # nothing to keep apart: copies are dealt one by one
        contents = [b"%d" % number for number in content_ids(contents)]
    salt = b"%d " % seed
    place = np.array([_number(salt + content) / 2**63 for content in contents])
    valid, test = place < HELD_OUT, (place >= HELD_OUT) & (place < 2 * HELD_OUT)
    if not valid.any():
        valid = place == place[~test].max()
    if not test.any():
        test = place == place[~valid].min()
    if (valid | test).all():
        # Hardly ever, and only with a handful of different samples.
        borrowed = test if len(np.unique(place[test])) > 1 else valid
        borrowed &= place != place[borrowed].max()
    return {"train": ~(valid | test), "valid": valid, "test": test}


def fixed_noise(
    ids: Int[np.ndarray, " samples"], shape: tuple[int, ...], seed: int
) -> Float[np.ndarray, "samples *sample"]:
    """Draw uniform noise for each sample from a stream of its own, whatever the others are."""
    uniform = np.empty((len(ids), *shape), np.float32)
    for row, number in enumerate(ids):
        uniform[row] = np.random.default_rng([seed, int(number)]).random(shape, np.float32)
    return uniform


def _number(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") >> 1
