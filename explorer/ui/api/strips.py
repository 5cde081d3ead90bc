"""Endpoints for the samples of a scale strip: novelty, typicality, properties."""

import json

import numpy as np
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from explorer.designs.properties import Conditions, parse
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.strips import Levels, pack
from explorer.ui import cache
from explorer.ui.address.views import Levelled
from explorer.ui.api.answers import IMMUTABLE, AbsentError, whole

MOST_TILES = 64


def standing(opened: Engine, request: Request) -> Response:
    """Respond with novelty and typicality of each tile of a scale strip, per frame."""
    found = cache.standing(opened, *_drawn(opened, request))
    if found is None:
        raise AbsentError
    facts = {
        "novelty": np.rint(found.novelty).astype(int).tolist(),
        "typicality": np.rint(found.typicality).astype(int).tolist(),
        "heldOut": found.held_out,
        "training": found.training,
    }
    return Response(json.dumps(facts), media_type="application/json", headers=IMMUTABLE)


def worth(opened: Engine, request: Request) -> Response:
    """Respond with the properties of a scale strip's samples, and which meet the constraints.

    The body holds float32 values, property by property, then one byte per sample: 0 if its
    geometry is invalid, 1 if it violates a constraint, 2 if it meets all.
    """
    given = request.query_params
    tiles, seed, component, levels = _drawn(opened, request)
    try:
        constraints = parse(given.get("limits", "")[:400])
        conditions = Conditions.model_validate(
            {name: given[name] for name in ("reynolds", "alpha") if name in given}
        )
    except (ExplorerError, ValidationError):
        raise AbsentError from None
    found = cache.worth(opened, tiles, seed, component, conditions, levels)
    header: dict[str, object] = {
        "properties": [
            {"key": item.key, "label": item.label, "unit": item.unit, "digits": item.digits,
             "main": item.main or any(bound.key == item.key for bound in constraints)}
            for item in found.properties
        ],
        "constraints": len(constraints),
        "curves": opened.sketch.kind == "curve",
    }  # fmt: skip
    values = [found.values[item.key].astype("<f4").tobytes() for item in found.properties]
    state = np.where(found.meets(constraints), 2, found.valid.astype(int)).astype(np.uint8)
    return Response(
        pack(header, b"".join(values) + state.tobytes()),
        media_type="application/octet-stream",
        headers=IMMUTABLE,
    )


def _drawn(opened: Engine, request: Request) -> tuple[int, int, int | None, Levels]:
    """Parse the scale strip's tiles, seed, component, and the level the scale applies to."""
    given = request.path_params
    tiles, seed = whole(given["tiles"], MOST_TILES), whole(given["seed"], 2**31 - 1)
    chosen = given["component"]
    component = None if chosen == "all" else whole(chosen, 10_000)
    known = opened.components()
    beyond = component is not None and (known is None or component >= len(known))
    if tiles < 1 or beyond or not opened.has_prior:
        raise AbsentError
    asked = {name: request.query_params[name] for name in ("level", "held", "lower")
             if name in request.query_params}  # fmt: skip
    try:
        view = Levelled.model_validate(asked)
    except ValidationError:
        raise AbsentError from None
    return tiles, seed, component, Levels(view.level, view.held, view.lower)
