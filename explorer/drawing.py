"""Rendering of samples by their sketch: thumbnails, grids, PNG."""

import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from explorer.sketch import CurveSketch, PixelSketch

INK = (31, 41, 55)
PAPER = (255, 255, 255)
_SMOOTH = 4
"""Supersampling factor for curves."""


def aspect(sketch: PixelSketch | CurveSketch) -> float:
    """Return the aspect ratio (width / height) of a drawn sample."""
    if isinstance(sketch, PixelSketch):
        return sketch.width / sketch.height
    low, high = curve_range(sketch)
    return (max(sketch.x) - min(min(sketch.x), 0.0)) / (high - low)


def curve_range(sketch: CurveSketch) -> tuple[float, float]:
    """Return the range of heights to draw: three standard deviations around most stations.

    A few stations of unusual variance (a blunt trailing edge) do not flatten all the others.
    """
    loc, scale = np.asarray(sketch.loc), np.asarray(sketch.scale)
    low, high = np.quantile(loc - 3 * scale, 0.1), np.quantile(loc + 3 * scale, 0.9)
    return min(float(low), -0.02), max(float(high), 0.02)


def on_paper(
    x: Float[np.ndarray, "batch *sample"], sketch: PixelSketch | CurveSketch
) -> Float[np.ndarray, "batch *sample"]:
    """Invert images in ink, to dark on light paper; leave others unchanged."""
    return 1 - x if isinstance(sketch, PixelSketch) and sketch.inked else x


def quantise(
    x: Float[np.ndarray, "batch *sample"],
) -> UInt8[np.ndarray, "batch height width channels"]:
    """Quantise images in [0, 1] to 8 bits, channels last."""
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def thumbnails(
    x: Float[np.ndarray, "batch *sample"], sketch: PixelSketch | CurveSketch, side: int
) -> UInt8[np.ndarray, "batch height width 3"]:
    """Draw each sample as a tile with about `side` pixels on its longer side."""
    if isinstance(sketch, PixelSketch):
        tiles = quantise(x)
        factor = max(1, round(side / max(sketch.height, sketch.width)))
        return np.repeat(
            np.repeat(np.broadcast_to(tiles, (*tiles.shape[:3], 3)), factor, 1), factor, 2
        )
    return np.stack([_curve(row, sketch, side) for row in x])


def grid(
    tiles: UInt8[np.ndarray, "batch height width 3"], columns: int, gap: int = 2
) -> UInt8[np.ndarray, "rows columns 3"]:
    """Arrange tiles row by row in one image."""
    n, height, width, _ = tiles.shape
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def png(picture: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Encode an image as PNG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _curve(
    row: Float[np.ndarray, "*sample"], sketch: CurveSketch, side: int
) -> UInt8[np.ndarray, "h w 3"]:
    width, height = side, max(12, round(side / aspect(sketch)))
    low, high = curve_range(sketch)
    x, y = sketch.stations(), sketch.heights(row)
    left, right = float(x.min()), float(x.max())
    margin = 0.04
    across = (margin + (1 - 2 * margin) * (x - left) / (right - left)) * width * _SMOOTH
    down = (1 - margin - (1 - 2 * margin) * (y - low) / (high - low)) * height * _SMOOTH
    sheet = Image.new("RGB", (width * _SMOOTH, height * _SMOOTH), PAPER)
    pen = ImageDraw.Draw(sheet)
    points = list(zip(across.tolist(), down.tolist(), strict=True))
    if sketch.closed:
        points.append(points[0])
        pen.polygon(points, fill=(219, 229, 240))
    pen.line(points, fill=INK, width=_SMOOTH + _SMOOTH // 2, joint="curve")
    return np.asarray(sheet.resize((width, height), Image.Resampling.LANCZOS))
