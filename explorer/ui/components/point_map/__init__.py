"""The map: points on an own canvas; zoom, pan and hover stay in the browser; a pick is told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.strips import pack

_HERE = Path(__file__).parent
_MOUNT = st.components.v2.component(
    "point_map",
    html=(_HERE / "point_map.html").read_text(),
    css=(_HERE / "point_map.css").read_text(),
    js=(_HERE / "point_map.js").read_text(),
)
_NUMBER = r"-?\d{1,9}(?:\.\d{1,12})?(?:e[+-]?\d{1,2})?"
PICK = re.compile(rf"(?:(?:data|prior|prototypes):\d{{1,6}}|box:{_NUMBER}(?:,{_NUMBER}){{3}})?")
"""The grammar of a pick: one point of a layer, or a box in map coordinates; empty for none."""


@dataclass(frozen=True)
class Column:
    """One number per point, to colour by and to tell in the hover card."""

    name: str
    label: str
    values: Float[np.ndarray, " points"]
    unit: str = ""
    decimals: int = 1
    classes: Sequence[str] | None = None
    palette: Sequence[str] = ()

    def describe(self) -> dict[str, object]:
        """Return the header's part; the range of colours leaves out two per cent at each end."""
        facts: dict[str, object] = {
            "name": self.name,
            "label": self.label,
            "unit": self.unit,
            "decimals": self.decimals,
        }
        if self.classes is not None:
            return facts | {"classes": list(self.classes), "palette": list(self.palette)}
        low, high = np.percentile(self.values, [2, 98]) if len(self.values) else (0.0, 1.0)
        return facts | {"low": round(float(low), 4), "high": round(float(high), 4)}


@dataclass(frozen=True)
class Layer:
    """Points of one kind: data are dots, prior samples diamonds, prototypes stars."""

    name: Literal["data", "prior", "prototypes"]
    label: str
    mark: Literal["dot", "diamond", "star"]
    xy: Float[np.ndarray, "points 2"]
    colour: str
    columns: tuple[Column, ...] = ()
    shown: bool = True
    thumbnail: str | None = None


class MapState(NamedTuple):
    """What is picked: one point of a layer, or a box."""

    pick: str


def point_map(
    layers: Sequence[Layer],
    *,
    key: str,
    colour: str,
    ramp: Sequence[str],
    pick: str = "",
    axes: bool = False,
    smooth: bool = False,
    summary: str = "",
    height: int = 560,
) -> MapState:
    """Show layers of points. Zoom and pan survive new colours, layers and models.

    Args:
        layers: Points, the last on top.
        key: Key of the widget.
        colour: Name of the column that colours.
        ramp: Colours of a continuous column, low to high.
        pick: What is picked.
        axes: Whether the plane is the latent space itself, with axes.
        smooth: Whether thumbnails are drawings rather than pixels.
        summary: What a screen reader says of the map.
        height: In CSS pixels.
    """
    memory = st.session_state.setdefault(f"{key}__memory", {"pick": pick, "sent": pick, "turn": 0})
    if memory.pop("mine", False):
        pick = memory["pick"]
    elif memory["pick"] != pick:
        memory.update(pick=pick, sent=pick, turn=memory["turn"] + 1)
    headers, bodies = [], []
    for layer in layers:
        bodies += [layer.xy, *(column.values for column in layer.columns)]
        headers.append(
            {
                "name": layer.name,
                "label": layer.label,
                "mark": layer.mark,
                "n": len(layer.xy),
                "colour": layer.colour,
                "shown": layer.shown,
                "thumbnail": layer.thumbnail,
                "columns": [column.describe() for column in layer.columns],
            }
        )
    facts = {
        "layers": headers,
        "colour": colour,
        "ramp": list(ramp),
        "pick": memory["sent"],
        "turn": memory["turn"],
        "axes": axes,
        "smooth": smooth,
        "summary": summary,
        "height": height,
    }
    body = b"".join(np.ascontiguousarray(part, "<f4").tobytes() for part in bodies)
    _MOUNT(key=key, data=pack(facts, body), on_pick_change=partial(_remember, key))
    return MapState(pick)


def _remember(key: str) -> None:
    pick = (st.session_state.get(key) or {}).get("pick")
    memory = st.session_state.get(f"{key}__memory")
    if memory is not None and isinstance(pick, str) and PICK.fullmatch(pick):
        memory.update(pick=pick, mine=True)
