"""Turn a user's drawing, image or coordinate file into a sample like those of a data set."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw

from explorer.data.decoding import decode_picture, open_picture, picture_levels, reading
from explorer.data.ink import Tone, find_ink
from explorer.data.opened import MOST_SECTION_BYTES as MOST_SECTION_BYTES
from explorer.data.opened import open_section
from explorer.data.placing import fitted, resized, settled
from explorer.errors import DataError
from explorer.sketch import CurveSketch, PixelSketch

MOST_BYTES = 10_000_000
MOST_PIXELS = 25 * 10**6
FILLED = 20 / 28
"""Longer side of a digit of MNIST, as a share of the side of its image."""

_FINE = 8
_FAINT = 0.1
_PEN = 0.08
_NARROW = 0.1
_WORKING_PIXELS = 4 * 10**6


class Stroke(NamedTuple):
    """A stroke of a drawing: a polyline, its width and its colour.

    Points are in units of the image's sides, y downwards; the width is a fraction of the image's.
    The colour is written as #rrggbb.
    """

    points: Sequence[tuple[float, float]]
    width: float
    colour: str = "#000000"


class Upload(NamedTuple):
    """A sample read from an image, and what was done with that, in a sentence or two."""

    x: Float[np.ndarray, "channels height width"]
    said: str


def from_strokes(
    strokes: Sequence[Stroke], sketch: PixelSketch
) -> Float[np.ndarray, "channels height width"]:
    """Rasterise strokes: as ink (1) on paper (0), or in their colours on white.

    Args:
        strokes: The strokes, each over the ones before.
        sketch: The format of a sample; colours are of no account to ink.
    """
    across, down = sketch.width * _FINE, sketch.height * _FINE
    inked = sketch.inked
    sheet = Image.new("RGB", (across, down), "black" if inked else "white")
    pen = ImageDraw.Draw(sheet)
    for stroke in strokes:
        points = [(x * across, y * down) for x, y in stroke.points]
        line, colour = max(1, round(stroke.width * across)), "white" if inked else stroke.colour
        if len(points) > 1:
            pen.line(points, fill=colour, width=line, joint="curve")
        for x, y in points:
            pen.ellipse((x - line / 2, y - line / 2, x + line / 2, y + line / 2), fill=colour)
    return decode_picture(
        sheet.reduce(_FINE), (sketch.height, sketch.width), sketch.channels
    ).astype(np.float32) / np.float32(255)


def from_upload(
    content: bytes,
    name: str,
    sketch: PixelSketch,
    share: float | None = None,
    tone: Tone | None = None,
) -> Upload:
    """Read an uploaded image and fit it into a sample; ink is found on its ground first.

    Values under a tenth of what the file's type can hold are stretched. Beside an image of another
    aspect ratio, paper is empty; light and colours continue with the median of the image's border.

    Args:
        content: The file's bytes.
        name: Its name, for messages.
        sketch: The format of a sample.
        share: Share of the sample's shorter side to which ink is cropped and scaled before it is
            centred by mass; None to fit in all of the image.
        tone: Whether ink is darker or lighter than its ground; by default it is found out.

    Raises:
        DataError: If it is empty, too large, or not an image, or if no ink is found on it; the
            message says which.
    """
    path = Path(" ".join(Path(name).name[:80].split()) or "the file")
    if not content:
        raise DataError(f"{path} is empty; choose another image.")
    if len(content) > MOST_BYTES:
        raise DataError(f"{path} is over {MOST_BYTES // 10**6} MB; shrink it first.")
    with reading(path):
        image = open_picture(io.BytesIO(content), path, MOST_PIXELS)
        levels, alpha, full = picture_levels(image, _WORKING_PIXELS)
    levels, used = _stretched(levels, alpha, full)
    said = f"Stretched: its values use {100 * used:.2g} % of their range." if used < 1 else ""
    if not sketch.inked:
        return Upload(_light(levels, alpha, sketch), said)
    ink = find_ink(levels, alpha, tone)
    if ink is None:
        raise DataError(
            f"In {path} no ink was found; choose an image with more contrast"
            + (", or let the ink be found." if tone else " between ink and ground.")
        )
    shape = (sketch.height, sketch.width)
    if share is None:
        x, treated = fitted(ink.whole, shape), ""
    else:
        pen = max(1.0, _PEN * min(shape))
        x, treated = settled(ink.amount, shape, share, pen), ", cropped and centred"
    ground = "transparent" if ink.clear else {"dark": "light", "light": "dark"}[ink.tone]
    words = f"{ink.tone.capitalize()} ink on a {ground} ground{treated}."
    return Upload(x[None].astype(np.float32), f"{words} {said}".rstrip())


def _stretched(
    levels: Float[np.ndarray, "rows columns colours"],
    alpha: Float[np.ndarray, "rows columns"] | None,
    full: float,
) -> tuple[Float[np.ndarray, "rows columns colours"], float]:
    """Stretch levels that use under a tenth of their range; and return what share they used.

    Dark ones keep black, and the next power of two becomes white, as in a camera's 12 of 16 bits.
    """
    seen = levels if alpha is None else levels[alpha > 0]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    if not 0 < high - low < _NARROW:
        return levels, 1.0
    used = high - low
    if high < _NARROW:
        whole = round(high * full)
        low, high = 0.0, (2 ** whole.bit_length() - 1) / full if whole else high
    return ((levels - np.float32(low)) / np.float32(high - low)).clip(0, 1), used


def _light(
    levels: Float[np.ndarray, "rows columns colours"],
    alpha: Float[np.ndarray, "rows columns"] | None,
    sketch: PixelSketch,
) -> Float[np.ndarray, "channels height width"]:
    """Lay a picture on white, and fit it in."""
    if alpha is not None:
        levels = alpha[..., None] * levels + (1 - alpha[..., None])
    if sketch.channels < levels.shape[2]:
        levels = (levels @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    side = max(levels.shape[1] / sketch.width, levels.shape[0] / sketch.height)
    inner = (max(1, round(levels.shape[0] / side)), max(1, round(levels.shape[1] / side)))
    pixels = resized(levels, inner).transpose(2, 0, 1)
    sides = (pixels[:, (0, -1)], pixels[:, :, (0, -1)])
    border = np.median(np.concatenate([side.reshape(len(pixels), -1) for side in sides], 1), 1)
    whole = np.zeros(sketch.shape, np.float32) + border[:, None, None]
    top, left = (sketch.height - inner[0]) // 2, (sketch.width - inner[1]) // 2
    whole[:, top : top + inner[0], left : left + inner[1]] = pixels
    return whole


def from_coordinates(
    content: bytes, name: str, sketch: CurveSketch
) -> Float[np.ndarray, " stations"]:
    """Read an airfoil file as a sample; see `explorer.data.opened.open_section`.

    Raises:
        DataError: If it is empty, too large, or contains no valid section; the message says which.
    """
    return open_section(content, name, sketch).x


def centred(
    x: Float[np.ndarray, "channels height width"], share: float = FILLED
) -> Float[np.ndarray, "channels height width"]:
    """Scale the ink of a drawing to a share of the shorter side and centre it by mass."""
    ink = x.max(0)
    if not (ink > _FAINT).any():
        return x
    return np.broadcast_to(settled(ink, x.shape[1:], share, 0.0), x.shape).astype(np.float32)
