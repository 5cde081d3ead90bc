"""A user's coordinate file as a sample of a model, and what was done to it."""

import codecs
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.data.chords import Axes, fitted, heights_of, stations
from explorer.data.contours import read_section
from explorer.errors import DataError
from explorer.sketch import CurveSketch

MOST_SECTION_BYTES = 1024 * 1024
"""Largest size of a coordinate file."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Opened(NamedTuple):
    """A section as a sample, what was done to read it, and by how much it was turned.

    `turn` is the angle in degrees from the file's x axis to the chord: an angle of attack in
    the file's axes is that much larger to the chord.
    """

    x: Float[np.ndarray, " stations"]
    notes: tuple[str, ...]
    turn: float


def open_section(content: bytes, name: str, sketch: CurveSketch, axes: Axes = "chord") -> Opened:
    """Read an airfoil file, interpolate it at the stations of a data set, and standardise it.

    Args:
        content: The file's bytes, text in any of the forms that `read_section` knows.
        name: Its name, for messages.
        sketch: How samples are drawn; its stations must be those of `chords.stations()`.
        axes: Whether it is turned until its chord lies on the x axis, or keeps its file's axes.

    Raises:
        DataError: If it is empty, too large, or contains no valid section; the message says which.
    """
    shown = " ".join(Path(name).name[:80].split()) or "The file"
    if not content:
        raise DataError(f"{shown} is empty; choose a coordinate file.")
    if len(content) > MOST_SECTION_BYTES:
        raise DataError(
            f"{shown} is over {MOST_SECTION_BYTES // 1024} kB; "
            "choose a coordinate file of a single section."
        )
    if len(sketch.x) != len(stations()) or not np.allclose(sketch.x, stations(), atol=1e-6):
        raise DataError("This model's curves have different stations; choose an airfoil model.")
    section = read_section(_text(content, shown))
    frame = fitted(section.points, axes)
    x = (heights_of(frame) - np.asarray(sketch.loc)) / np.asarray(sketch.scale)
    return Opened(x.astype(np.float32), section.notes, frame.turn)


def _text(content: bytes, shown: str) -> str:
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise DataError(f"{shown} is not a text file; choose a .dat or .csv coordinate file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
