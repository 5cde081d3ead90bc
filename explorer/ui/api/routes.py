"""What the browser asks for by itself: points, cards, pictures. All parameters are validated."""

import importlib.metadata
import json
from collections.abc import Awaitable, Callable
from functools import lru_cache

import numpy as np
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from explorer import drawing
from explorer.designs.candidates import Store
from explorer.designs.properties import Conditions, parse
from explorer.errors import ExplorerError, StoreError
from explorer.inference import Engine
from explorer.regions import Plane
from explorer.sketch import PixelSketch
from explorer.strips import Levels, codes_strip, pack
from explorer.ui import cache
from explorer.ui.address.notation import NAMES, layer_codes, read_code
from explorer.ui.address.views import Levelled
from explorer.ui.picks import service
from explorer.ui.wording.format import percentile_words, signed

SIDE = 84
MOST_TILES = 64
MOST_BODY = 1_000_000
PLOTLY = f"/api/plotly-{importlib.metadata.version('plotly')}.js"
_IMMUTABLE = {"Cache-Control": "private, max-age=86400, immutable"}


class _AbsentError(Exception):
    """There is no such thing."""


def address_of(opened: Engine, what: str, *parts: object) -> str:
    """Return the address of something of a model, by its name and content hash.

    What hangs on the atlas also bears its version, since the browser keeps what it has fetched.
    """
    place = "/".join(["/api", what, opened.slug, opened.checkpoint.hash, *map(str, parts)])
    return place if what == "decode" else f"{place}?v={cache.version(opened)}"


def routes() -> list[BaseRoute]:
    """List the routes of the app."""
    served: dict[str, Callable[[Engine, Request], Response]] = {
        "points/{slug}/{digest}": points,
        "regions/{slug}/{digest}": regions,
        "card/{slug}/{digest}/{layer}/{index}": card,
        "thumbnail/{slug}/{digest}/{layer}/{index}": thumbnail,
        "decode/{slug}/{digest}": decode,
        "standing/{slug}/{digest}/{tiles}/{seed}/{component}": standing,
        "worth/{slug}/{digest}/{tiles}/{seed}/{component}": worth,
    }
    return [
        *(Route(f"/api/{path}", _answering(handler)) for path, handler in served.items()),
        Route("/api/picks", _storing(_keep), methods=["POST"]),
        Route("/api/picks/mark", _storing(_mark), methods=["POST"]),
        Route("/api/picks/undo", _storing(_undo), methods=["POST"]),
        Route("/api/picks/{project}", _kept),
        Route(PLOTLY, _plotly),
    ]


def points(opened: Engine, request: Request) -> Response:
    """Answer with the places of all layers of the map."""
    atlas = cache.atlas(opened)
    if atlas is None:
        raise _AbsentError
    layers = {"data": atlas.xy, "prior": atlas.sample_xy, "prototypes": atlas.prototype_xy}
    header: dict[str, object] = {
        "layers": [{"name": name, "n": len(xy)} for name, xy in layers.items()]
    }
    body = b"".join(np.ascontiguousarray(xy, "<f4").tobytes() for xy in layers.values())
    return Response(pack(header, body), media_type="application/octet-stream", headers=_IMMUTABLE)


def regions(opened: Engine, request: Request) -> Response:
    """Answer with contours of prior and aggregated posterior, and holes."""
    found = cache.traced(opened)
    if found is None:
        raise _AbsentError
    return Response(found, media_type="application/json", headers=_IMMUTABLE)


def card(opened: Engine, request: Request) -> Response:
    """Answer with what is known of one point of the map."""
    given = request.path_params
    layer, index = given["layer"], _whole(given["index"], 10**6)
    atlas = cache.atlas(opened)
    codes = layer_codes(opened, atlas, layer, _plane(opened, layer))
    if atlas is None or codes is None or index >= len(codes):
        raise _AbsentError
    rows: list[tuple[str, str]] = []
    if layer == "data":
        if atlas.classes and atlas.label[index] >= 0:
            rows.append(("Class", atlas.classes[int(atlas.label[index])]))
        rows.append(("Split", ("train", "valid", "test")[int(atlas.split[index])]))
        density = float(atlas.log_prior[index])
    else:
        density = float(opened.log_prior(codes[index : index + 1])[0])
    if opened.has_prior:
        rows.append(("log p(z)", f"{density:.1f} nats"))
        known = cache.held_out_density(opened, means=layer == "data")
        place = percentile_words(density, known)
        rows += [("among held-out", place)] if place else []
    if layer == "data":
        if opened.has_prior:
            rows.append(("KL", f"{atlas.kl[index]:.1f} nats"))
        rows.append(("Error", f"{atlas.reconstruction[index]:.1f} nats"))
        if atlas.method != "plane":
            rows.append(("Trust", f"{atlas.trust[index]:.2f}"))
    elif layer == "holes":
        found = _plane(opened, layer)
        assert found is not None
        rows.append(("Prior mass", f"{100 * found.holes[index].mass:.1f} %"))
    pictures = [("decoded", address_of(opened, "thumbnail", layer, index))]
    if layer == "data" and cache.original(opened, index) is not None:
        pictures.insert(0, ("original", address_of(opened, "thumbnail", "originals", index)))
    facts = {
        "title": f"{NAMES[layer]} {index}",
        "rows": [(name, signed(value)) for name, value in rows],
        "pictures": pictures,
    }
    return Response(json.dumps(facts), media_type="application/json")


def thumbnail(opened: Engine, request: Request) -> Response:
    """Answer with the picture that the model decodes from one point of the map."""
    given = request.path_params
    picture = _picture(
        opened.slug, opened.checkpoint.hash, given["layer"], _whole(given["index"], 10**6)
    )
    if picture is None:
        raise _AbsentError
    fresh = {"Cache-Control": "private, max-age=60"}
    return Response(
        picture,
        media_type="image/png",
        headers=fresh if given["layer"] == "originals" else _IMMUTABLE,
    )


def decode(opened: Engine, request: Request) -> Response:
    """Answer with one decoded code, as a strip of one frame and one tile."""
    z = read_code(request.query_params.get("z", "")[:2000], opened.space.size)
    if z is None:
        raise _AbsentError
    strip = codes_strip(opened, z[None])
    header, body = strip.panel
    return Response(pack(header, body), media_type="application/octet-stream", headers=_IMMUTABLE)


def standing(opened: Engine, request: Request) -> Response:
    """Answer for each tile of a scale strip with how new and how typical it is, per frame."""
    found = cache.standing(opened, *_drawn(opened, request))
    if found is None:
        raise _AbsentError
    facts = {
        "novelty": np.rint(found.novelty).astype(int).tolist(),
        "typicality": np.rint(found.typicality).astype(int).tolist(),
        "heldOut": found.held_out,
        "training": found.training,
    }
    return Response(json.dumps(facts), media_type="application/json", headers=_IMMUTABLE)


def worth(opened: Engine, request: Request) -> Response:
    """Answer with the properties of a scale strip's samples, and which meet the constraints.

    The body holds float32 values, property by property, then a byte for each sample: 0 where its
    geometry is unsound, 1 where it breaks a constraint, 2 where it meets all.
    """
    given = request.query_params
    tiles, seed, component, levels = _drawn(opened, request)
    try:
        constraints = parse(given.get("limits", "")[:400])
        conditions = Conditions.model_validate(
            {name: given[name] for name in ("reynolds", "alpha") if name in given}
        )
    except (ExplorerError, ValidationError):
        raise _AbsentError from None
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
        headers=_IMMUTABLE,
    )


def _keep(body: bytes) -> dict[str, object]:
    """Keep what the browser picked; what cannot be kept is named, with the reason."""
    given = service.Wishes.model_validate_json(body)
    store = service.store()
    project = _project(store, given.project)
    items, refused = [], []
    for item in given.items:
        key = str(item.get("key", ""))[:64]
        try:
            wish = service.Wish.model_validate_json(json.dumps(item))
            items.append((wish.key, service.made(wish)))
        except ValidationError:
            refused.append({"key": key, "why": "A pick could not be understood; pick it again."})
        except ExplorerError as error:
            refused.append({"key": key, "why": str(error)})
    kept = store.keep(project, items) if items else []
    wanted = {made.origin: key for key, made in items}
    saved = [
        {"key": wanted.get(pick.made.origin, pick.key), "origin": pick.made.origin,
         "number": pick.number, "stored": pick.key}
        for pick in kept
    ]  # fmt: skip
    return {"saved": saved, "refused": refused} | _state(store, project)


def _mark(body: bytes) -> dict[str, object]:
    given = service.Marks.model_validate_json(body)
    store = service.store()
    store.mark(
        given.project,
        given.keys,
        stars=given.stars,
        verdict=given.verdict,
        removed=given.removed,
    )
    return _state(store, given.project)


def _undo(body: bytes) -> dict[str, object]:
    given = service.Marks.model_validate_json(body)
    store = service.store()
    return {"undone": store.undo(given.project)} | _state(store, given.project)


def _plotly(request: Request) -> Response:
    """Answer with Plotly's own script, which the parallel coordinates are drawn by."""
    from plotly.offline import get_plotlyjs

    return Response(get_plotlyjs(), media_type="text/javascript", headers=_IMMUTABLE)


def _kept(request: Request) -> Response:
    """Answer with what is kept in a project, by where it came from."""
    try:
        store = service.store()
        project = _project(store, _whole(request.path_params["project"], 2**31 - 1))
        facts = _state(store, project) | {"origins": store.origins(project)}
    except _AbsentError:
        return JSONResponse({"why": "There is no such project."}, 404)
    except StoreError as error:
        return JSONResponse({"why": str(error)}, 503)
    return JSONResponse(facts)


def _project(store: Store, wanted: int | None) -> int:
    known = [item.id for item in store.projects()]
    return wanted if wanted in known else known[-1]


def _state(store: Store, project: int) -> dict[str, object]:
    found = next((item for item in store.projects() if item.id == project), None)
    return {"count": 0 if found is None else found.picks}


def _storing(
    handler: Callable[[bytes], dict[str, object]],
) -> Callable[[Request], Awaitable[Response]]:
    """Take JSON from pages of this app only, and answer with JSON."""

    async def answer(request: Request) -> Response:
        own = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        said = request.headers.get("content-type", "")
        if not own or said.split(";")[0].strip() != "application/json":
            return JSONResponse({"why": "Only pages of this app can keep picks."}, 403)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                return JSONResponse({"why": "That is too much at once; pick fewer."}, 413)
        try:
            return JSONResponse(await run_in_threadpool(handler, bytes(body)))
        except ValidationError:
            return JSONResponse({"why": "That could not be understood; reload the page."}, 400)
        except StoreError as error:
            return JSONResponse({"why": str(error)}, 503)

    return answer


def _drawn(opened: Engine, request: Request) -> tuple[int, int, int | None, Levels]:
    """Read which scale strip is meant: tiles, seed, component, and which level the scale moves."""
    given = request.path_params
    tiles, seed = _whole(given["tiles"], MOST_TILES), _whole(given["seed"], 2**31 - 1)
    chosen = given["component"]
    component = None if chosen == "all" else _whole(chosen, 10_000)
    known = opened.components()
    beyond = component is not None and (known is None or component >= len(known))
    if tiles < 1 or beyond or not opened.has_prior:
        raise _AbsentError
    asked = {name: request.query_params[name] for name in ("level", "held", "lower")
             if name in request.query_params}  # fmt: skip
    try:
        view = Levelled.model_validate(asked)
    except ValidationError:
        raise _AbsentError from None
    return tiles, seed, component, Levels(view.level, view.held, view.lower)


def _answering(
    handler: Callable[[Engine, Request], Response],
) -> Callable[[Request], Response]:
    """Find the model of a request before it is handled; whatever does not exist is a 404."""

    def answer(request: Request) -> Response:
        given = request.path_params
        entry = next((item for item in cache.entries() if item.slug == given["slug"]), None)
        if entry is None or not entry.healthy or entry.hash != given["digest"]:
            return PlainTextResponse("There is no such model here.", 404)
        try:
            return handler(cache.engine(entry), request)
        except _AbsentError:
            return PlainTextResponse("There is no such thing of this model.", 404)
        except ExplorerError as error:
            return PlainTextResponse(str(error), 404)

    return answer


def _whole(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > most:
        raise _AbsentError
    return int(text)


def _plane(opened: Engine, layer: str) -> Plane | None:
    return cache.plane(opened) if layer == "holes" else None


@lru_cache(maxsize=4096)
def _picture(slug: str, digest: str, layer: str, index: int) -> bytes | None:
    """Draw one point; keyed on names, so that the memory of pictures keeps no model alive."""
    entry = next(item for item in cache.entries() if (item.slug, item.hash) == (slug, digest))
    opened = cache.engine(entry)
    if layer == "originals":
        x = cache.original(opened, index)
    else:
        codes = layer_codes(opened, cache.atlas(opened), layer, _plane(opened, layer))
        if codes is None or index >= len(codes):
            return None
        x = opened.decode(codes[index : index + 1])
    if x is None:
        return None
    sketch = opened.sketch
    side = SIDE if isinstance(sketch, PixelSketch) else 2 * SIDE
    return drawing.png(drawing.thumbnails(drawing.on_paper(x, sketch), sketch, side)[0])
