"""Endpoints for a scale strip: single frames, and novelty and properties of its samples."""

import json

import numpy as np
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from explorer.designs.properties import parse
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.strips import SCALES, StripSpec, pack
from explorer.ui import cache
from explorer.ui.address.notation import read_exact
from explorer.ui.api.answers import IMMUTABLE, AbsentError, conditions_of, whole

MOST_TILES = 64


def frames(opened: Engine, request: Request) -> Response:
    """Respond with the samples of one frame of a scale strip, as bytes."""
    spec = _spec(opened, request)
    strip = cache.strip(opened, spec)
    frame = whole(request.query_params.get("frame", ""), spec.frames - 1)
    return Response(strip.body(frame), media_type="application/octet-stream", headers=IMMUTABLE)


def painted(opened: Engine, request: Request) -> Response:
    """Respond with images sampled pixel by pixel from the codes of one frame of a scale strip."""
    frame = whole(request.query_params.get("at", ""), len(SCALES) - 1)
    spec = _spec(opened, request)
    if spec.flow is not None:
        raise AbsentError
    strip = cache.painted(opened, spec, SCALES[frame])
    return Response(strip.body(0), media_type="application/octet-stream", headers=IMMUTABLE)


def levelled(opened: Engine, request: Request) -> Response:
    """Respond with the samples of one frame of a code with one level resampled, as bytes."""
    given = request.query_params
    z = read_exact(given.get("z", "")[:4000], opened.space.size)
    tiles, seed = (
        whole(given.get("tiles", ""), MOST_TILES),
        whole(given.get("seed", ""), 2**31 - 1),
    )
    if z is None or not tiles or not opened.has_prior:
        raise AbsentError
    strip = cache.levelled(opened, z, given.get("level", ""), tiles, seed)
    frame = whole(given.get("frame", ""), len(strip.values) - 1)
    return Response(strip.body(frame), media_type="application/octet-stream", headers=IMMUTABLE)


def novelty(opened: Engine, request: Request) -> Response:
    """Respond with novelty and typicality of each tile of a scale strip, per frame."""
    spec = _spec(opened, request)
    found = cache.novelty(opened, spec, _frame(request, spec))
    if found is None:
        raise AbsentError
    facts = {
        "novelty": found.novelty.tolist(),
        "typicality": (
            np.rint(found.typicality).astype(int).tolist() if opened.has_density else None
        ),
        "heldOut": found.held_out,
        "training": found.training,
        "whole": found.whole,
    }
    return Response(json.dumps(facts), media_type="application/json", headers=IMMUTABLE)


def positions(opened: Engine, request: Request) -> Response:
    """Respond with the position on the map of each tile of a scale strip, per frame.

    The body holds float32 values, x and y in turn.
    """
    found = cache.strip_positions(opened, _spec(opened, request))
    if found is None:
        raise AbsentError
    header: dict[str, object] = {"frames": found.shape[0], "tiles": found.shape[1]}
    body = np.ascontiguousarray(found, "<f4").tobytes()
    return Response(pack(header, body), media_type="application/octet-stream", headers=IMMUTABLE)


def properties(opened: Engine, request: Request) -> Response:
    """Respond with the properties of a scale strip's samples, and which meet the constraints.

    The body holds float32 values, property by property, then one byte per sample: 0 if its
    geometry is invalid, 1 if it violates a constraint, 2 if it meets all.
    """
    given = request.query_params
    spec = _spec(opened, request)
    try:
        constraints = parse(given.get("limits", "")[:400])
    except ExplorerError:
        raise AbsentError from None
    conditions = conditions_of(request)
    found = cache.strip_properties(opened, spec, conditions, _frame(request, spec))
    header: dict[str, object] = {
        "properties": [
            {"key": item.key, "label": item.label, "unit": item.unit, "digits": item.digits,
             "classes": item.classes,
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


def _frame(request: Request, spec: StripSpec) -> int | None:
    """Parse the only frame that is meant, if it is one."""
    given = request.query_params.get("frame")
    return None if given is None else whole(given, spec.frames - 1)


def _spec(opened: Engine, request: Request) -> StripSpec:
    """Parse which strip is meant; what the model lacks of it is not found."""
    try:
        spec = StripSpec.of(request.query_params)
    except ValidationError:
        raise AbsentError from None
    beyond = spec.component is not None and spec.component >= opened.component_count
    absent = not opened.has_prior if spec.flow is None else cache.flow(opened) is None
    if spec.tiles > MOST_TILES or beyond or absent:
        raise AbsentError
    return spec
