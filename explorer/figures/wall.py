"""Figures of samples: a wall of pictures or curves, or a sheet of rows with their values above."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from explorer import drawing, papers
from explorer.checkpoint import Checkpoint
from explorer.figures import captions
from explorer.figures.paper import PaperFigure
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import Strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 16
"""Strips with at most so many tiles are drawn with all their frames, a row for each tile."""
FEW_ROWS = 8
"""Of strips with more tiles, a sheet of all frames shows the first."""
_SIDE = 224
"""Pixels are drawn this large: viewers of PDF blur small pictures."""
_GAP = 0.06
"""Gap between tiles, as a fraction of their width."""


@dataclass(frozen=True)
class Wall:
    """Samples row by row.

    Args:
        samples: The samples, in data units.
        sketch: How one is drawn.
        columns: Number of tiles in a row.
        title: What is written above.
        heads: What is written above each column.
        rows: What is written beside each row.
    """

    samples: Float[np.ndarray, "tiles *sample"]
    sketch: PixelSketch | CurveSketch
    columns: int
    title: str = ""
    heads: Sequence[str] = ()
    rows: Sequence[str] = ()


def of_strip(
    opened: Checkpoint,
    strip: Strip,
    frame: int = 0,
    what: str = "",
    rows: Sequence[str] = (),
    sheet: bool | None = None,
) -> PaperFigure:
    """Make the figure of a strip, whose samples are decoded when it is drawn.

    Args:
        opened: The model.
        strip: The strip.
        frame: The frame on display.
        what: What it shows, in a few words.
        rows: Names of its tiles.
        sheet: Whether all frames are drawn, a row for each of the first tiles, or the one on
            display; the former if there are few tiles.
    """
    tiles, frames = len(strip.components), len(strip.frames)
    if sheet is None:
        sheet = frames > 1 and tiles <= MOST_ROWS
    kept = min(tiles, FEW_ROWS if tiles > MOST_ROWS else MOST_ROWS) if sheet else tiles
    frame = min(frame, frames - 1)

    title = what or captions.described(opened)
    flows = strip.spec is not None and strip.spec.flow is not None
    if sheet and strip.spec is not None:
        title += ", from noise to code" if flows else ", over the scale"
    others: tuple[papers.Paper, ...] = () if strip.geometry == "decoded" else (papers.KULFAN,)
    others += (papers.FLOW_MATCHING,) if flows else ()

    def wall() -> Wall:
        if not sheet:
            return Wall(strip.shown(frame), strip.sketch, columns(tiles, strip.sketch))
        most = 7 if isinstance(strip.sketch, CurveSketch) else 15
        shown = tuple(range(0, frames, math.ceil(frames / most)))
        samples = np.stack([strip.shown(k)[:kept] for k in shown], 1)
        heads = [f"{strip.values[k]:g}".replace("-", "−") for k in shown]
        flat = samples.reshape(-1, *samples.shape[2:])
        return Wall(flat, strip.sketch, len(shown), heads=heads, rows=tuple(rows))

    return PaperFigure(
        title=title,
        caption=captions.of_strip(opened, strip, None if sheet else frame, what, kept),
        papers=captions.cited([opened], *others),
        draw=lambda: draw([wall()]),
    )


def of_samples(
    opened: Sequence[captions.Described],
    walls: Callable[[], Sequence[Wall]],
    what: str,
    words: str = "",
) -> PaperFigure:
    """Make the figure of walls side by side.

    Args:
        opened: The models to describe and to cite.
        walls: Returns what is drawn.
        what: What they show, in a few words.
        words: Further sentences of the caption.
    """
    return PaperFigure(
        what,
        captions.of_models(opened, what, words),
        captions.cited(opened),
        lambda: draw(walls()),
    )


def draw(walls: Sequence[Wall]) -> "Figure":
    """Draw walls side by side, each with its title."""
    from explorer.figures import style

    wide = [wall.columns * (1 + _GAP) for wall in walls]
    tall = max(_rows(wall) * (_height(wall.sketch) + _GAP) for wall in walls)
    unit = min(0.62 * max(1.0, 1.6 if _curved(walls[0]) else 1.0), style.WIDTH / (sum(wide) + 0.5))
    page = style.page(unit * (sum(wide) + 0.5 * (len(walls) - 1)), unit * tall)
    widths = np.array(wide) * unit / page.get_figwidth()
    gap = 0.5 * unit / page.get_figwidth()
    left = 0.0
    for wall, width in zip(walls, widths, strict=True):
        height = _rows(wall) * (_height(wall.sketch) + _GAP) / tall
        axes = page.add_axes((left, 1 - height, float(width), height))
        _draw(axes, wall)
        left += float(width) + gap
    return page


def _draw(axes: "Axes", wall: Wall) -> None:
    rows, high = _rows(wall), _height(wall.sketch)
    axes.set_xlim(0, wall.columns * (1 + _GAP))
    axes.set_ylim(rows * (high + _GAP), 0)
    axes.set_axis_off()
    corners = [
        (k % wall.columns * (1 + _GAP), k // wall.columns * (high + _GAP))
        for k in range(len(wall.samples))
    ]
    if isinstance(wall.sketch, PixelSketch):
        tiles = drawing.thumbnails(drawing.on_paper(wall.samples, wall.sketch), wall.sketch, _SIDE)
        for (left, top), tile in zip(corners, tiles, strict=True):
            axes.imshow(
                tile, extent=(left, left + 1, top + high, top), interpolation="none", aspect="auto"
            )
    else:
        _curves(axes, wall.samples, wall.sketch, corners)
    for column, words in enumerate(wall.heads):
        axes.text(column * (1 + _GAP) + 0.5, -0.08, words, ha="center", va="bottom", size=6.5)
    for row, words in enumerate(wall.rows[:rows]):
        axes.text(-0.12, row * (high + _GAP) + high / 2, words, ha="right", va="center", size=6.5)
    if wall.title:
        axes.text(
            0,
            -0.1 - (0.35 if wall.heads else 0),
            wall.title,
            ha="left",
            va="bottom",
            weight="bold",
        )


def _curves(
    axes: "Axes",
    samples: Float[np.ndarray, "tiles stations"],
    sketch: CurveSketch,
    corners: Sequence[tuple[float, float]],
) -> None:
    """Draw curves as lines, not as pixels: they stay sharp at any size."""
    from matplotlib.collections import LineCollection, PolyCollection

    from explorer.figures import style

    low, high = drawing.curve_range(sketch)
    x = sketch.stations()
    across = (x - x.min()) / (x.max() - x.min())
    tall = _height(sketch)
    lines = []
    for (left, top), heights in zip(corners, sketch.heights(samples), strict=True):
        line = np.stack([left + across, top + tall * (high - heights) / (high - low)], -1)
        lines.append(np.concatenate([line, line[:1]]) if sketch.closed else line)
    if sketch.closed:
        axes.add_collection(PolyCollection(lines, facecolors="#DBE5F0", edgecolors="none"))
    axes.add_collection(LineCollection(lines, colors=style.TEXT, linewidths=0.7))


def _rows(wall: Wall) -> int:
    return math.ceil(len(wall.samples) / wall.columns)


def _height(sketch: PixelSketch | CurveSketch) -> float:
    return 1 / drawing.aspect(sketch)


def _curved(wall: Wall) -> bool:
    return isinstance(wall.sketch, CurveSketch)


def columns(tiles: int, sketch: PixelSketch | CurveSketch) -> int:
    """Return a number of columns that makes the wall about as wide as high, but never too wide."""
    square = math.ceil(math.sqrt(tiles))
    return min(square, 4) if isinstance(sketch, CurveSketch) else square
