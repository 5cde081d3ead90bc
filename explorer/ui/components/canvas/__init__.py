"""The canvas: a drawing pad whose strokes are returned as bounded polylines."""

from typing import NamedTuple

from explorer.ui.components.bridge import Synced

_CANVAS = Synced("canvas")
MOST_STROKES, MOST_POINTS = 60, 400

Stroke = list[tuple[float, float]]


class _Drawing(NamedTuple):
    strokes: list[Stroke]


def canvas(*, key: str, shape: float, width: float) -> list[Stroke]:
    """Render a drawing pad; return its strokes, kept for this session.

    Args:
        key: Key of the widget.
        shape: Aspect ratio (width / height).
        width: Stroke width, as a fraction of the pad's.

    Returns:
        Strokes as polylines, x to the right and y downwards, both from 0 to 1.
    """
    state = _CANVAS.state(key, _Drawing([]), initial=True)
    _CANVAS.mount(
        key,
        {
            "strokes": state.sent.strokes,
            "version": state.version,
            "shape": shape,
            "width": width,
        },
        checks={"strokes": _checked},
    )
    return state.shown.strokes


def strokes_of(given: object) -> list[Stroke] | None:
    """Check what the browser sent; None if it is not a list of bounded polylines."""
    if not isinstance(given, list) or len(given) > MOST_STROKES:
        return None
    checked = []
    for stroke in given:
        if not isinstance(stroke, list) or not 1 <= len(stroke) <= MOST_POINTS:
            return None
        points = []
        for point in stroke:
            if not isinstance(point, list | tuple) or len(point) != 2:
                return None
            x, y = point
            if not all(isinstance(v, int | float) and 0 <= v <= 1 for v in (x, y)):
                return None
            points.append((float(x), float(y)))
        checked.append(points)
    return checked


def _checked(given: object) -> list[Stroke]:
    strokes = strokes_of(given)
    if strokes is None:
        raise ValueError("Expected bounded polylines.")
    return strokes
