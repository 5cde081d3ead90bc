"""Turn a user's drawing, image or coordinate file into a sample like those of a data set."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageOps

from explorer.data.decoding import decode_picture, open_picture, reading
from explorer.data.opened import MOST_SECTION_BYTES as MOST_SECTION_BYTES
from explorer.data.opened import open_section
from explorer.errors import DataError
from explorer.sketch import CurveSketch, PixelSketch

MOST_BYTES = 10_000_000
MOST_PIXELS = 25 * 10**6
_FINE = 8
_INK = 0.72
_FAINT = 0.1


class Stroke(NamedTuple):
    """A stroke of a drawing: a polyline, its width and its colour.

    Points are in units of the image's sides, y downwards; the width is a fraction of the image's.
    The colour is written as #rrggbb.
    """

    points: Sequence[tuple[float, float]]
    width: float
    colour: str = "#000000"


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
    content: bytes, name: str, sketch: PixelSketch
) -> Float[np.ndarray, "channels height width"]:
    """Read an uploaded image and fit all of it into a sample; dark-on-light ink is inverted.

    Beside an image of another aspect ratio, paper is empty; light and colours continue with the
    median of the image's border.

    Args:
        content: The file's bytes.
        name: Its name, for messages.
        sketch: The format of a sample.

    Raises:
        DataError: If it is empty, too large, or not an image; the message says which.
    """
    path = Path(" ".join(Path(name).name[:80].split()) or "the file")
    if not content:
        raise DataError(f"{path} is empty; choose another image.")
    if len(content) > MOST_BYTES:
        raise DataError(f"{path} is over {MOST_BYTES // 10**6} MB; shrink it first.")
    with reading(path):
        image = open_picture(io.BytesIO(content), path, MOST_PIXELS)
        image = ImageOps.exif_transpose(image)
        side = max(image.width / sketch.width, image.height / sketch.height)
        inner = (max(1, round(image.height / side)), max(1, round(image.width / side)))
        pixels = decode_picture(image, inner, sketch.channels).astype(np.float32) / 255
    sides = (pixels[:, (0, -1)], pixels[:, :, (0, -1)])
    border = np.median(np.concatenate([side.reshape(len(pixels), -1) for side in sides], 1), 1)
    if sketch.inked and border[0] > 0.5:  # dark ink on light paper
        pixels = 1 - pixels
    whole = np.zeros((sketch.channels, sketch.height, sketch.width), np.float32)
    if not sketch.inked:
        whole += border[:, None, None]
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
    x: Float[np.ndarray, "channels height width"],
) -> Float[np.ndarray, "channels height width"]:
    """Scale the ink to MNIST's digit size and centre it by mass.

    References:
        Gradient-based learning applied to document recognition (LeCun et al., 1998), section
        III.A: digits fill 20 of 28 pixels and are centred by mass.
    """
    ink = x.max(0)
    rows, columns = np.flatnonzero(ink.max(1) > _FAINT), np.flatnonzero(ink.max(0) > _FAINT)
    if not len(rows):
        return x
    part = x[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = x.shape[1:]
    factor = _INK * min(height, width) / max(part.shape[1:])
    size = (max(1, round(part.shape[2] * factor)), max(1, round(part.shape[1] * factor)))
    scaled = np.stack(
        [
            np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
            for plane in part
        ]
    )
    mass = scaled.sum(0)
    middle = [
        float((mass.sum(1 - axis) * np.arange(mass.shape[axis])).sum() / mass.sum())
        for axis in (0, 1)
    ]
    top = round(np.clip((height - 1) / 2 - middle[0], 0, height - size[1]))
    left = round(np.clip((width - 1) / 2 - middle[1], 0, width - size[0]))
    whole = np.zeros_like(x)
    whole[:, top : top + size[1], left : left + size[0]] = scaled.clip(0, 1)
    return whole
