"""The filmstrip: frames of tiles that the browser scrubs; only a release is reported."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from explorer.strips import Strip, pack
from explorer.ui.components.bridge import Synced

_FILMSTRIP = Synced("filmstrip")


class FilmstripState(NamedTuple):
    """Value of the released frame, the selected tile (None if there is none), and the frame."""

    value: float
    tile: int | None
    frame: int


class _Released(NamedTuple):
    frame: int
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
    """Render strips under one slider, scrubbed without the server; a single frame has no slider.

    Args:
        strips: Frames of tiles; several strips lie side by side and move together.
        key: Key of the widget.
        titles: A title for each strip.
        at: Value of the frame to show; the first by default.
        home: Value that a double click or the key 0 returns to.
        label: Name of the slider's value.
        low: Meaning of the left end.
        high: Meaning of the right end.
        decimals: Digits of the value shown.
        tile: The selected tile.
        captions: A caption per tile, shown on hover.
        tile_width: Minimum width of a tile in CSS pixels.
        columns: Maximum number of tiles per row; by default as many as fit.
        fixed: Whether there are always this many per row, however small, as in a plane.
        selectable: Whether tiles can be selected.
        name: Name of a tile.
        numbered: Whether a tile's number is shown on hover.
        standing: For each strip, the URL of its samples' novelty and typicality.
        keep: For each strip, how to pick its samples; None if they cannot be picked.
        keep_all: Whether a button keeps all samples of the frame at once.
        worth: For each strip, the URL of its samples' properties.
        under: Which strip of curves is drawn as a line over which other, by index.

    Returns:
        The released value, the selected tile, and the released frame.
    """
    values = strips[0].values
    # The samples are in the same message as `at`, so that a changed `at` sends them again.
    state = _FILMSTRIP.state(
        key, _Released(_nearest(values, values[0] if at is None else at), tile)
    )
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
                "novelty": standing[index] if index < len(standing) else None,
                "under": (under or {}).get(index),
                "keep": keep[index] if index < len(keep) else None,
                "properties": worth[index] if index < len(worth) else None,
            }
        )
        bodies.append(body)
    facts = {
        "panels": headers,
        "values": values,
        "at": state.sent.frame,
        "tile": state.sent.tile,
        "version": state.version,
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
    tiles = min(len(strip.components) for strip in strips)
    _FILMSTRIP.mount(
        key,
        pack(facts, b"".join(bodies)),
        checks={
            "frame": partial(_below, len(values)),
            "tile": lambda given: None if given is None else _below(tiles, given),
        },
    )
    frame = min(state.shown.frame, len(values) - 1)
    return FilmstripState(values[frame], state.shown.tile, frame)


def _below(bound: int, given: object) -> int:
    if not isinstance(given, int | float) or not float(given).is_integer():
        raise ValueError("Expected a whole number.")
    if not 0 <= given < bound:
        raise ValueError("Out of range.")
    return int(given)


def _nearest(values: Sequence[float], wanted: float) -> int:
    return min(range(len(values)), key=lambda index: abs(values[index] - wanted))
