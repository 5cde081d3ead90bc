"""The traversal: dials for units of a code, a picture that follows them, a strip for each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.sketch import PixelSketch
from explorer.strips import Strip, pack
from explorer.ui.address.notation import DIALS
from explorer.ui.components.bridge import Synced, matching

_TRAVERSAL = Synced("traversal")


class Row(NamedTuple):
    """One dial: its key in a link, what it is called, a note, and one unit of its way."""

    key: str
    label: str
    note: str
    direction: Float[np.ndarray, " latent"]


class _Dials(NamedTuple):
    at: str


def traversal(
    strip: Strip,
    live: Strip,
    rows: Sequence[Row],
    *,
    key: str,
    centre: Float[np.ndarray, " latent"],
    at: str,
    address: str,
) -> str:
    """Show a dial and a strip for each row; return the offsets released last.

    Args:
        strip: Frames of one tile per row, each through the code where the dials stand.
        live: The sample where they stand.
        rows: The dials.
        key: Key of the widget.
        centre: The code from which offsets count.
        at: Offsets, as they stand in a link.
        address: Where the browser asks for a decoded code.
    """
    state = _TRAVERSAL.state(key, _Dials(at))
    header, body = strip.panel
    picture, one = live.panel
    bodies = [body, one]
    facts: dict[str, object] = {
        "strip": header | {"bytes": len(body)},
        "live": picture | {"bytes": len(one)},
        "values": strip.values,
        "rows": [{"key": row.key, "label": row.label, "note": row.note} for row in rows],
        "at": offsets(state.sent.at),
        "version": state.version,
        "address": address,
        "latent": len(centre),
        "scored": bool(live.log_density.any()),
        "heat": None,
    }
    if isinstance(strip.sketch, PixelSketch):
        moved = strip.samples.std(0).mean(1)
        level = np.rint(255 * np.clip(moved / max(float(moved.max()), 1e-9), 0, 1))
        bodies.append(level.astype(np.uint8).tobytes())
        facts["heat"] = {
            "kind": "pixels",
            "width": strip.sketch.width,
            "height": strip.sketch.height,
            "bytes": level.size,
        }
    # Numbers of four bytes each follow; the browser copies them to a place of their own.
    bodies.append(np.stack([centre, *(row.direction for row in rows)]).astype("<f4").tobytes())
    _TRAVERSAL.mount(key, pack(facts, b"".join(bodies)), checks={"at": matching(DIALS)})
    return state.shown.at


def offsets(text: str) -> dict[str, float]:
    """Read offsets as they stand in a link: a number for each dial that is not at zero."""
    found = {}
    for item in filter(None, text.split(",")):
        name, _, value = item.partition(":")
        found[name] = max(-9.0, min(9.0, float(value)))
    return found
