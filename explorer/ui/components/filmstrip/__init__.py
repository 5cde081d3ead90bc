"""The filmstrip: frames of tiles that the browser scrubs; only the release is reported."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from explorer.strips import Strip, pack

_HERE = Path(__file__).parent
_MOUNT = st.components.v2.component(
    "filmstrip",
    html=(_HERE / "filmstrip.html").read_text(),
    css=(_HERE / "filmstrip.css").read_text(),
    js="".join(
        path.read_text()
        for path in (
            _HERE.parent / "painting.js",
            _HERE.parent / "keeping.js",
            _HERE / "filmstrip.js",
        )
    ),
)


class FilmstripState(NamedTuple):
    """The value of the released frame, and the selected tile (None if there is none)."""

    value: float
    tile: int | None


def filmstrip(
    *strips: Strip,
    key: str,
    titles: Sequence[str] = (),
    at: float | None = None,
    home: float | None = None,
    label: str = "",
    low: str = "",
    high: str = "",
    decimals: int = 2,
    tile: int | None = None,
    captions: Sequence[str] | None = None,
    tile_width: int = 64,
    columns: int | None = None,
    fixed: bool = False,
    selectable: bool = True,
    name: str = "sample",
    numbered: bool = True,
    standing: Sequence[str] = (),
    under: dict[int, int] | None = None,
    keep: Sequence[Mapping[str, object] | None] = (),
    keep_all: bool = False,
    worth: Sequence[str] = (),
) -> FilmstripState:
    """Show strips under one slider, which scrubs them without the server; one frame has no slider.

    Args:
        strips: Frames of tiles; several strips lie side by side and move together.
        key: Key of the widget.
        titles: A title for each strip.
        at: Value of the frame to show; the first by default.
        home: Value that a double click or the key 0 returns to.
        label: What the slider's value is.
        low: What the left end means.
        high: What the right end means.
        decimals: Digits of the value shown.
        tile: The selected tile.
        captions: What is said of each tile under the pointer.
        tile_width: Least width of a tile in CSS pixels.
        columns: Tiles in a row, at most; by default as many as fit.
        fixed: Whether there are always so many in a row, however small: where they are a plane.
        selectable: Whether tiles can be chosen.
        name: What a tile is called.
        numbered: Whether the pointer is told a tile's place in the strip.
        standing: For each strip, where the browser asks what its samples are worth.
        keep: For each strip, how its samples are picked; None where they cannot be.
        keep_all: Whether a button keeps all samples of the frame at once.
        worth: For each strip, where the browser asks for its samples' properties.
        under: Which strip of curves is drawn as a line over which other, by their numbers.

    Returns:
        The released value and the selected tile.
    """
    values = strips[0].values
    wanted: dict[str, int | None] = {
        "frame": _nearest(values, values[0] if at is None else at),
        "tile": tile,
    }
    # The samples travel in the same message as `at`, so that a changed `at` sends them again. The
    # browser knows what it released itself: only what it cannot know (a link, Back) is sent.
    memory = st.session_state.setdefault(
        f"{key}__memory", {"shown": None, "sent": None, "turn": 0, "mine": False}
    )
    if memory.pop("mine", False):
        wanted = dict(memory["shown"])
    elif memory["shown"] != wanted:
        memory.update(shown=wanted, sent=wanted, turn=memory["turn"] + 1)
    headers, bodies = [], []
    for index, strip in enumerate(strips):
        header, body = strip.panel
        headers.append(
            header
            | {
                "bytes": len(body),
                "title": titles[index] if index < len(titles) else "",
                "mixture": len(set(strip.components.tolist())) > 1,
                "scored": bool(strip.log_density.any()),
                "standingFrom": standing[index] if index < len(standing) else None,
                "under": (under or {}).get(index),
                "keep": keep[index] if index < len(keep) else None,
                "worthFrom": worth[index] if index < len(worth) else None,
            }
        )
        bodies.append(body)
    facts = {
        "panels": headers,
        "values": values,
        "at": memory["sent"]["frame"],
        "tile": memory["sent"]["tile"],
        "turn": memory["turn"],
        "home": None if home is None else _nearest(values, home),
        "label": label,
        "low": low,
        "high": high,
        "decimals": decimals,
        "captions": None if captions is None else list(captions),
        "tileWidth": tile_width,
        "columns": columns,
        "fixed": fixed,
        "selectable": selectable,
        "name": name,
        "numbered": numbered,
        "keepAll": keep_all,
    }
    _MOUNT(
        key=key,
        data=pack(facts, b"".join(bodies)),
        on_frame_change=partial(_remember, key, "frame", len(values)),
        on_tile_change=partial(
            _remember, key, "tile", min(len(strip.components) for strip in strips)
        ),
    )
    frame = min(wanted["frame"] or 0, len(values) - 1)
    return FilmstripState(values[frame], wanted["tile"])


def _remember(key: str, part: str, bound: int) -> None:
    """Note what the visitor did; it wins over what the page asks for in this run."""
    value = (st.session_state.get(key) or {}).get(part)
    memory = st.session_state.get(f"{key}__memory")
    whole = isinstance(value, int | float) and float(value).is_integer() and 0 <= value < bound
    if (
        memory is None
        or memory["shown"] is None
        or not (whole or (part == "tile" and value is None))
    ):
        return
    memory["shown"] = {**memory["shown"], part: None if value is None else int(value)}
    memory["mine"] = True


def _nearest(values: Sequence[float], wanted: float) -> int:
    return min(range(len(values)), key=lambda index: abs(values[index] - wanted))
