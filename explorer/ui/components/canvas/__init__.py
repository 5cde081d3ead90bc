"""The canvas: a pad on which a visitor draws; its strokes come back as bounded polylines."""

from functools import partial
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_MOUNT = st.components.v2.component(
    "canvas",
    html=(_HERE / "canvas.html").read_text(),
    css=(_HERE / "canvas.css").read_text(),
    js=(_HERE.parent / "painting.js").read_text() + (_HERE / "canvas.js").read_text(),
)
MOST_STROKES, MOST_POINTS = 60, 400

Stroke = list[tuple[float, float]]


def canvas(*, key: str, shape: float, width: float) -> list[Stroke]:
    """Show a pad and return what was drawn, kept for this visit.

    Args:
        key: Key of the widget.
        shape: Width over height.
        width: Width of a stroke, as a share of the pad's.

    Returns:
        Strokes as polylines, x to the right and y downwards, both from 0 to 1.
    """
    memory = st.session_state.setdefault(f"{key}__memory", {"strokes": [], "turn": 0})
    _MOUNT(
        key=key,
        data={
            "strokes": memory.setdefault("sent", memory["strokes"]),
            "turn": memory["turn"],
            "shape": shape,
            "width": width,
        },
        on_strokes_change=partial(_remember, key),
    )
    return memory["strokes"]


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


def _remember(key: str) -> None:
    strokes = strokes_of((st.session_state.get(key) or {}).get("strokes"))
    memory = st.session_state.get(f"{key}__memory")
    if memory is not None and strokes is not None:
        memory["strokes"] = strokes
