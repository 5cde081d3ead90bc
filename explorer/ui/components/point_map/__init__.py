"""The map: points on a custom canvas; zoom, hover and gestures stay in the browser."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from explorer.strips import pack
from explorer.ui.address.notation import PATH, PICK
from explorer.ui.components.bridge import Synced, matching

_POINT_MAP = Synced("point_map")
HIDDEN, UNKNOWN, LEVELS = 255, 254, 254


@dataclass(frozen=True)
class Column:
    """One number per point of data, to colour by."""

    label: str
    values: Float[np.ndarray, " points"]
    unit: str = ""
    decimals: int = 1
    classes: Sequence[str] | None = None

    def coded(self) -> UInt8[np.ndarray, " points"]:
        """Encode each point's colour as one byte: a class, or a level of the ramp."""
        if self.classes is not None:
            known = (self.values >= 0) & (self.values < len(self.classes))
            return np.where(known, self.values % LEVELS, UNKNOWN).astype(np.uint8)
        low, high = self._range()
        share = (self.values - low) / max(high - low, 1e-9)
        known = np.isfinite(share)
        levels = np.rint(np.clip(np.where(known, share, 0), 0, 1) * (LEVELS - 1))
        return np.where(known, levels, UNKNOWN).astype(np.uint8)

    def describe(self) -> dict[str, object]:
        """Return the header's part."""
        if self.classes is not None:
            return {"label": self.label, "classes": list(self.classes)}
        low, high = (
            f"{value:.{self.decimals}f} {self.unit}".strip().replace("-", "−")
            for value in self._range()
        )
        return {"label": self.label, "low": low, "high": high}

    def _range(self) -> tuple[float, float]:
        """The range of colours, excluding two per cent at each end."""
        known = self.values[np.isfinite(self.values)]
        if not len(known):
            return 0.0, 1.0
        low, high = np.percentile(known, [2, 98])
        return float(low), float(high)


@dataclass(frozen=True)
class Layer:
    """Points of one kind: data are dots, prior samples diamonds, prototypes stars."""

    name: Literal["data", "prior", "prototypes"]
    label: str
    mark: Literal["dot", "diamond", "star"]
    colour: str
    shown: bool = True


@dataclass(frozen=True)
class Sources:
    """URLs of what never changes: points, contours and holes, hover cards, decoded places."""

    points: str
    regions: str
    card: str
    here: str = ""


@dataclass(frozen=True)
class Shade:
    """A picture below the points: its URL, what it covers, and what its colours mean.

    `classes` have the first colours; without them these are a ramp from `low` to `high`.
    """

    picture: str
    box: tuple[float, float, float, float]
    label: str
    colours: Sequence[str]
    classes: Sequence[str] = ()
    low: str = ""
    high: str = ""


class MapState(NamedTuple):
    """The selection, and the drawn path."""

    pick: str
    path: str


def point_map(
    layers: Sequence[Layer],
    *,
    key: str,
    sources: Sources,
    column: Column | None,
    ramp: Sequence[str],
    hidden: Sequence[int] | np.ndarray = (),
    pick: str = "",
    path: str = "",
    contours: Sequence[Literal["prior", "aggregated"]] = (),
    holes: str = "",
    marks: Sequence[tuple[float, float, str]] = (),
    arrows: Float[np.ndarray, "arrows 4"] | None = None,
    shade: Shade | None = None,
    axes: bool = False,
    smooth: bool = False,
    inked: bool = True,
    summary: str = "",
    height: int = 560,
) -> MapState:
    """Render layers of points. Zoom and pan survive changes of colours, layers and models.

    Args:
        layers: Points, the last on top.
        key: Key of the widget.
        sources: URLs of points, regions and cards.
        column: Values to colour the data by; None for one colour.
        ramp: Colours of the classes, or of a continuous column from low to high.
        hidden: Hidden rows of data.
        pick: The selection.
        path: The drawn line.
        contours: Densities whose contours are drawn.
        holes: Colour in which holes are hatched; empty if they are not shown.
        marks: Further positions, each with a short label.
        arrows: Positions of arrows, x and y of the start and of the head.
        shade: A picture below the points.
        axes: Whether the plane is the latent space itself, with axes.
        smooth: Whether thumbnails are drawings rather than pixels.
        inked: Whether they are inverted with the theme.
        summary: Description for screen readers.
        height: In CSS pixels.
    """
    state = _POINT_MAP.state(key, MapState(pick, path))
    facts: dict[str, object] = {
        "layers": [
            {
                "name": layer.name,
                "label": layer.label,
                "mark": layer.mark,
                "colour": layer.colour,
                "shown": layer.shown,
            }
            for layer in layers
        ],
        "points": sources.points,
        "regions": sources.regions if contours or holes else None,
        "card": sources.card,
        "here": sources.here or None,
        "column": None if column is None else column.describe(),
        "ramp": list(ramp),
        "pick": state.sent.pick,
        "path": state.sent.path,
        "version": state.version,
        "contours": list(contours),
        "holes": holes,
        "marks": [[round(float(x), 5), round(float(y), 5), text] for x, y, text in marks],
        "arrows": [] if arrows is None else arrows.astype(float).round(4).tolist(),
        "shade": None if shade is None else asdict(shade),
        "axes": axes,
        "smooth": smooth,
        "inked": inked,
        "summary": summary,
        "height": height,
    }
    colours = np.zeros(0, np.uint8) if column is None else column.coded()
    if len(hidden):
        colours = colours.copy()
        colours[np.asarray(hidden)] = HIDDEN
    _POINT_MAP.mount(
        key,
        pack(facts, colours.tobytes()),
        checks={"pick": matching(PICK), "path": matching(PATH)},
    )
    return state.shown
