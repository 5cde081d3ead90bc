"""Endpoints for the samples of a scale strip: novelty, typicality, properties."""

import json

import numpy as np
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from explorer.designs.properties import Conditions, parse
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.strips import StripSpec, pack
from explorer.ui import cache
from explorer.ui.api.answers import IMMUTABLE, AbsentError

MOST_TILES = 64


def novelty(opened: Engine, request: Request) -> Response:
    """Respond with novelty and typicality of each tile of a scale strip, per frame."""
    found = cache.novelty(opened, _spec(opened, request))
    if found is None:
        raise AbsentError
    facts = {
        "novelty": np.rint(found.novelty).astype(int).tolist(),
        "typicality": np.rint(found.typicality).astype(int).tolist(),
        "heldOut": found.held_out,
        "training": found.training,
    }
    return Response(json.dumps(facts), media_type="application/json", headers=IMMUTABLE)


def properties(opened: Engine, request: Request) -> Response:
    """Respond with the properties of a scale strip's samples, and which meet the constraints.

    The body holds float32 values, property by property, then one byte per sample: 0 if its
    geometry is invalid, 1 if it violates a constraint, 2 if it meets all.
    """
    given = request.query_params
    spec = _spec(opened, request)
    try:
        constraints = parse(given.get("limits", "")[:400])
        conditions = Conditions.model_validate(
            {name: given[name] for name in ("reynolds", "alpha") if name in given}
        )
    except (ExplorerError, ValidationError):
        raise AbsentError from None
    found = cache.strip_properties(opened, spec, conditions)
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


def _spec(opened: Engine, request: Request) -> StripSpec:
    """Parse which strip is meant; a component or level that the model lacks is not found."""
    try:
        spec = StripSpec.of(request.query_params)
    except ValidationError:
        raise AbsentError from None
    beyond = spec.component is not None and spec.component >= opened.component_count
    if spec.tiles > MOST_TILES or beyond or not opened.has_prior:
        raise AbsentError
    return spec
