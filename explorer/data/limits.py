"""Bounds on a user's own files, each with the sentence that says what to do."""

from pathlib import Path

from explorer.errors import DataError

LARGEST_SIDE = 128
"""Largest side of a sample, in pixels."""

SAMPLES = (30, 100_000)
"""Smallest and largest number of samples in a data set."""

FEWEST_TO_TRAIN = 10
"""Smallest number of samples in a training split that is given as such."""

_UNPACKED_BYTES = 2 * 10**9


def check_count(samples: int, source: Path, more: str = "") -> None:
    """Check the number of samples.

    Args:
        samples: How many there are.
        source: The folder or file.
        more: What else the sentence should say of them, as an inserted phrase.

    Raises:
        DataError: If there are too few or too many.
    """
    fewest, most = SAMPLES
    if not fewest <= samples <= most:
        raise DataError(
            f"{source} has {samples:,} samples{more}; give between {fewest} and {most:,}."
        )


def check_size(height: int, width: int, source: Path) -> None:
    """Check the size of a sample, in pixels.

    Raises:
        DataError: If it is empty or too large.
    """
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        raise DataError(
            f"{source} has samples of {height} x {width} pixels; "
            f"set height and width in the recipe, each at most {LARGEST_SIDE}."
        )


def check_bytes(size: int, source: Path) -> None:
    """Check the size of all samples in memory.

    Raises:
        DataError: If it is too large.
    """
    if size > _UNPACKED_BYTES:
        raise DataError(
            f"{source} takes {size / 1e9:.1f} GB in memory; "
            f"give fewer or smaller samples, at most {_UNPACKED_BYTES / 1e9:.0f} GB."
        )
