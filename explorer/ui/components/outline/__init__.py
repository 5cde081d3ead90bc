"""The outline: a curve that can be grabbed; the nearest design of the model follows the finger."""

import base64
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer.designs.properties import Property
from explorer.strips import Strip, pack
from explorer.ui.address.notation import CODE
from explorer.ui.components.bridge import Synced, matching

_OUTLINE = Synced("outline")


class _Shape(NamedTuple):
    code: str


def outline(
    strip: Strip,
    *,
    key: str,
    code: str,
    z: Float[np.ndarray, " latent"],
    name: str,
    section: bool,
    address: str,
    pick: Mapping[str, object],
    properties: Sequence[Property],
    values: Mapping[str, float],
    unit: str,
    lacks: Sequence[str] = (),
) -> str:
    """Render a curve one can grab; return the code of the design as it was released last.

    Args:
        strip: The design, one tile.
        key: Key of the widget.
        code: Its code, as in a link.
        z: The same as numbers.
        name: What it is called.
        section: Whether it is an airfoil section, with two surfaces, a thickness and a mean line.
        address: URL that answers how it follows.
        pick: The model and hash under which it is kept.
        properties: What is told of it while it changes.
        values: Their values before it changes.
        unit: The unit of its heights.
        lacks: Why it is invalid, or not sound.
    """
    state = _OUTLINE.state(key, _Shape(code))
    header, body = strip.panel
    facts = {
        "panel": header | {"bytes": len(body)},
        "code": state.sent.code,
        "exact": base64.b64encode(np.ascontiguousarray(z, "<f4").tobytes()).decode(),
        "version": state.version,
        "name": name,
        "section": section,
        "scored": bool(strip.log_density.any()),
        "address": address,
        "model": pick["model"],
        "hash": pick["hash"],
        "unit": unit,
        "lacks": list(lacks),
        "properties": [
            {"key": item.key, "label": item.label, "unit": item.unit, "digits": item.digits,
             "better": item.better}
            for item in properties
            if not item.classes
        ],
        "values": {key: value for key, value in values.items() if value == value},
    }  # fmt: skip
    _OUTLINE.mount(key, pack(facts, body), checks={"code": matching(CODE)})
    return state.shown.code
