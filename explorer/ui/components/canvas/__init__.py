"""The canvas: a drawing pad whose strokes are returned as bounded polylines, in ink or colours."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from explorer.data.drawn import Stroke
from explorer.ui.components.bridge import Synced

_CANVAS = Synced("canvas")
MOST_STROKES, MOST_POINTS = 120, 400
WIDTHS = (0.01, 0.5)
"""Smallest and largest width of a stroke, as a fraction of the pad's."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FIELDS = {"points", "width", "colour"}


class _Drawing(NamedTuple):
    strokes: list[Stroke]


def canvas(
    *,
    key: str,
    shape: float,
    widths: Sequence[float],
    palette: Mapping[str, str] | None = None,
) -> list[Stroke]:
    """Render a drawing pad; return its strokes, kept for this session.

    Args:
        key: Key of the widget.
        shape: Aspect ratio (width / height).
        widths: Widths of a stroke, as fractions of the pad's; offered if there are several.
        palette: Names of colours by their value (#rrggbb), the first one to begin with, on white
            paper. Without it, strokes are in the theme's ink.

    Returns:
        The strokes.
    """
    state = _CANVAS.state(key, _Drawing([]), initial=True)
    _CANVAS.mount(
        key,
        {
            "strokes": [stroke._asdict() for stroke in state.sent.strokes],
            "version": state.version,
            "shape": shape,
            "widths": list(widths),
            "palette": [list(item) for item in (palette or {}).items()],
        },
        checks={"strokes": _checked},
    )
    return state.shown.strokes


def strokes_of(given: object) -> list[Stroke] | None:
    """Check what the browser sent; None if it is not a list of bounded strokes."""
    if not isinstance(given, list) or len(given) > MOST_STROKES:
        return None
    strokes = [_stroke(item) for item in given]
    known = [stroke for stroke in strokes if stroke is not None]
    return known if len(known) == len(strokes) else None


def _stroke(given: object) -> Stroke | None:
    if not isinstance(given, Mapping) or given.keys() != _FIELDS:
        return None
    points, width, colour = given["points"], given["width"], given["colour"]
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        return None
    if not _is_within(width, *WIDTHS):
        return None
    if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
        return None
    checked = []
    for point in points:
        if not isinstance(point, list | tuple) or len(point) != 2:
            return None
        if not all(_is_within(value, 0, 1) for value in point):
            return None
        checked.append((float(point[0]), float(point[1])))
    return Stroke(checked, float(width), colour)


def _is_within(value: object, low: int | float, high: int | float) -> bool:
    return isinstance(value, int | float) and low <= value <= high


def _checked(given: object) -> list[Stroke]:
    strokes = strokes_of(given)
    if strokes is None:
        raise ValueError("Expected bounded polylines.")
    return strokes
