"""The endpoint of a curve that follows a finger."""

import base64
import math

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from explorer.designs import desk
from explorer.designs import grab as grabbing
from explorer.designs.grab import Bounds, Handle, Held
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Conditions, Constraint, in_words, parse
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.strips import codes_strip, pack
from explorer.ui import cache
from explorer.ui.address.notation import code_text, read_code
from explorer.ui.api.answers import AbsentError, conditions_of, whole

_FARTHEST = 1e6


def grab(opened: Engine, request: Request) -> Response:
    """Respond with the design nearest to a grabbed one that passes through a point.

    The header adds its code and properties, and in words what holds it back; every number is of
    the code as it is written, in half precision.
    """
    given = request.query_params
    codes = [read_code(given.get(name, "")[:1400], opened.space.size) for name in ("z", "from")]
    kind = next((one for one in grabbing.KINDS if one == given.get("kind")), None)
    target = _number(given.get("to", ""))
    if kind is None or codes[0] is None or codes[1] is None:
        raise AbsentError
    handle = Handle(kind, whole(given.get("at", ""), 10_000))
    conditions = conditions_of(request)
    try:
        wishes = parse(given.get("limits", "")[:400])
    except DesignError:
        raise AbsentError from None
    held = grabbing.follow(
        opened,
        codes[0],
        handle,
        target,
        _bounds(opened, wishes, conditions),
        start=codes[1],
        rounds=grabbing.ROUNDS_SETTLED if "settle" in given else grabbing.ROUNDS_DRAGGED,
    )
    text = code_text(held.z)
    z = read_code(text, opened.space.size)
    if z is None:
        raise AbsentError
    strip = codes_strip(opened, z[None])
    header, body = strip.panel
    shown = strip.shown(0).astype(np.float64)
    value = float(grabbing.read(opened, shown, handle)[0])
    judged = desk.judge(opened, z[None], conditions, cache.sound(opened))
    measured = judged.measured
    facts = {
        "z": text,
        "exact": base64.b64encode(z.astype("<f4").tobytes()).decode(),
        "value": value,
        "gap": abs(value - target),
        "short": _in_words(opened, held, wishes, conditions),
        "values": {
            key: float(found[0]) for key, found in measured.values.items() if np.isfinite(found[0])
        },
        "lacks": lacking(judged),
    }
    return Response(
        pack(header | facts, body),
        media_type="application/octet-stream",
        headers={"Cache-Control": "no-store"},
    )


def lacking(judged: desk.Pool) -> list[str]:
    """Say in words why a design is invalid, or not sound."""
    fault = judged.measured.faults[0]
    return [f"invalid: {fault}"] if fault else list(desk.lacks(judged, 0))


def _bounds(opened: Engine, wishes: tuple[Constraint, ...], conditions: Conditions) -> Bounds:
    known = {item.key for item in applicable_properties(opened.sketch, conditions)}
    floor, wavy = cache.floor_density(opened), cache.waviness_bound(opened)
    return Bounds(
        -np.inf if floor is None else floor,
        np.inf if wavy is None else wavy,
        tuple(wish for wish in wishes if wish.key in known),
        conditions,
    )


def _in_words(
    opened: Engine, held: Held, wishes: tuple[Constraint, ...], conditions: Conditions
) -> list[str]:
    """Name the bounds that hold a design back."""
    properties = applicable_properties(opened.sketch, conditions)
    told = {str(wish): in_words(wish, properties) for wish in wishes}
    told |= {
        "log p(z)": "log p(z)",
        "gap": "the gap between the surfaces",
        "crossing": "surfaces that would cross",
        "waviness": "its waviness",
    }
    return [told[name] for name in held.short if name in told]


def _number(text: str) -> float:
    """Parse a finite number; anything else is not found."""
    try:
        value = float(text[:40]) if text.isascii() else math.nan
    except ValueError:
        raise AbsentError from None
    if not math.isfinite(value) or abs(value) > _FARTHEST:
        raise AbsentError
    return value
