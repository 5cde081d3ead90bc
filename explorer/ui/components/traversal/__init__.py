"""The traversal: sliders for latent units, an image that follows them, and a strip for each."""

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
    """One slider: its key in a link, its label, a note, and its unit step."""

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
    """Render a slider and a strip for each row; return the last released offsets.

    Args:
        strip: Frames of one tile per row, each through the current code.
        live: The current sample.
        rows: The sliders.
        key: Key of the widget.
        centre: The code from which offsets count.
        at: Offsets, as written in a link.
        address: URL of decoded codes.
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
    # Four-byte numbers follow; the browser copies them to aligned memory.
    bodies.append(np.stack([centre, *(row.direction for row in rows)]).astype("<f4").tobytes())
    _TRAVERSAL.mount(key, pack(facts, b"".join(bodies)), checks={"at": matching(DIALS)})
    return state.shown.at


def offsets(text: str) -> dict[str, float]:
    """Parse offsets as written in a link: a number for each slider that is not at zero."""
    found = {}
    for item in filter(None, text.split(",")):
        name, _, value = item.partition(":")
        found[name] = max(-9.0, min(9.0, float(value)))
    return found
