"""The filmstrip: frames of tiles that the browser scrubs; only a release is reported."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Slider:
    """What the slider moves.

    Args:
        label: Name of its value.
        low: Meaning of the left end.
        high: Meaning of the right end.
        home: Value that a double click or the key 0 returns to.
        decimals: Decimals of the value shown.
    """

    label: str = ""
    low: str = ""
    high: str = ""
    home: float | None = None
    decimals: int = 2


@dataclass(frozen=True)
class Grid:
    """How tiles are laid out and what they are called.

    Args:
        tile_width: Minimum width of a tile in CSS pixels.
        columns: Maximum number of tiles in a row; by default as many as fit.
        fixed: Whether there are always so many in a row, however small, as tiles of a plane.
        selectable: Whether tiles can be selected.
        noun: Name of a tile.
        numbered: Whether a tile's number is shown on hover.
        captions: A caption per tile, shown on hover.
        feet: Lines below each tile.
    """

    tile_width: int = 64
    columns: int | None = None
    fixed: bool = False
    selectable: bool = False
    noun: str = "sample"
    numbered: bool = True
    captions: Sequence[str] | None = None
    feet: Sequence[Sequence[str]] | None = None


@dataclass(frozen=True)
class SampleMap:
    """A small map beside a wall, on which its samples move with the scale.

    Args:
        points: The URL of the codes of data.
        positions: The URL of the positions of the wall's samples, per frame.
        words: What the map shows.
    """

    points: str
    positions: str
    words: str


@dataclass(frozen=True)
class Panel:
    """One strip with its title, and what the browser can do with its samples.

    Args:
        strip: Frames of tiles.
        title: Its title.
        pick: How its samples are picked; None if they cannot be.
        novelty: The URL of its samples' novelty and typicality.
        signs: Whether each tile has a sign of its novelty; without, the shares below the wall are
            fetched when it is in view.
        properties: The URL of their properties.
        map: The map on which its samples are shown beside it.
        over: The panel over whose curves this one's are drawn as lines.
        frames: The URL of single frames of a deferred strip; without it they arrive when they are
            released.
        later: Whether no frame is sent, and all are fetched.
    """

    strip: Strip
    title: str = ""
    pick: Mapping[str, object] | None = None
    novelty: str = ""
    signs: bool = True
    properties: str = ""
    map: SampleMap | None = None
    over: int | None = None
    frames: str = ""
    later: bool = False


def filmstrip(
    *given: Panel | Strip,
    key: str,
    at: float | None = None,
    tile: int | None = None,
    slider: Slider = Slider(),
    grid: Grid = Grid(),
    keep_all: bool = False,
) -> FilmstripState:
    """Render strips under one slider, which scrubs them without the server.

    Several lie side by side and move together; a strip of one frame has no slider.

    Args:
        given: The strips.
        key: Key of the widget.
        at: Value of the frame to show; the first by default.
        tile: The selected tile.
        slider: The slider.
        grid: The layout of the tiles.
        keep_all: Whether a button keeps all samples of the frame at once.

    Returns:
        The released value, the selected tile, and the released frame.
    """
    panels = [item if isinstance(item, Panel) else Panel(item) for item in given]
    values = panels[0].strip.values
    # The samples travel in the same message as `at`, so that a changed `at` sends them again.
    state = _FILMSTRIP.state(
        key, _Released(_nearest(values, values[0] if at is None else at), tile)
    )
    headers, bodies = [], []
    for panel in panels:
        strip = panel.strip
        sent = None
        if panel.later:
            sent, body = -1, b""
        elif strip.deferred:
            sent = min(state.shown.frame, len(values) - 1)
            body = strip.body(sent)
        else:
            body = strip.panel[1]
        headers.append(
            strip.header
            | {
                "bytes": len(body),
                "sent": sent,
                "later": panel.frames or None,
                "title": panel.title,
                "mixture": len(set(strip.components.tolist())) > 1,
                "scored": bool(strip.log_density.any()),
                "novelty": panel.novelty or None,
                "signs": panel.signs,
                "under": panel.over,
                "keep": panel.pick,
                "properties": panel.properties or None,
                "map": None if panel.map is None else asdict(panel.map),
            }
        )
        bodies.append(body)
    facts = {
        "panels": headers,
        "values": values,
        "at": state.sent.frame,
        "tile": state.sent.tile,
        "version": state.version,
        "home": None if slider.home is None else _nearest(values, slider.home),
        "label": slider.label,
        "low": slider.low,
        "high": slider.high,
        "decimals": slider.decimals,
        "captions": None if grid.captions is None else list(grid.captions),
        "feet": None if grid.feet is None else [list(lines) for lines in grid.feet],
        "tileWidth": grid.tile_width,
        "columns": grid.columns,
        "fixed": grid.fixed,
        "selectable": grid.selectable,
        "name": grid.noun,
        "numbered": grid.numbered,
        "keepAll": keep_all,
    }
    tiles = min(len(panel.strip.components) for panel in panels)
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
