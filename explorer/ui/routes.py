"""What the browser asks for by itself: points, cards, pictures. All parameters are validated."""

import json
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from explorer import drawing
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.regions import Plane
from explorer.sketch import PixelSketch
from explorer.strips import codes_strip, pack
from explorer.ui import resources
from explorer.ui.notation import NAMES, layer_codes, read_code
from explorer.ui.reading import percentile_words, signed

SIDE = 84
MOST_TILES = 64
_IMMUTABLE = {"Cache-Control": "private, max-age=86400, immutable"}


class _AbsentError(Exception):
    """There is no such thing."""


def address_of(opened: Engine, what: str, *parts: object) -> str:
    """Return the address of something of a model, by its name and content hash.

    What hangs on the atlas also bears its version, since the browser keeps what it has fetched.
    """
    place = "/".join(["/api", what, opened.slug, opened.checkpoint.hash, *map(str, parts)])
    return place if what == "decode" else f"{place}?v={resources.version(opened)}"


def routes() -> list[BaseRoute]:
    """List the routes of the app."""
    served: dict[str, Callable[[Engine, Request], Response]] = {
        "points/{slug}/{digest}": points,
        "regions/{slug}/{digest}": regions,
        "card/{slug}/{digest}/{layer}/{index}": card,
        "thumbnail/{slug}/{digest}/{layer}/{index}": thumbnail,
        "decode/{slug}/{digest}": decode,
        "standing/{slug}/{digest}/{tiles}/{seed}/{component}": standing,
    }
    return [Route(f"/api/{path}", _answering(handler)) for path, handler in served.items()]


def points(opened: Engine, request: Request) -> Response:
    """Answer with the places of all layers of the map."""
    atlas = resources.atlas(opened)
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
    found = resources.traced(opened)
    if found is None:
        raise _AbsentError
    return Response(found, media_type="application/json", headers=_IMMUTABLE)


def card(opened: Engine, request: Request) -> Response:
    """Answer with what is known of one point of the map."""
    given = request.path_params
    layer, index = given["layer"], _whole(given["index"], 10**6)
    atlas = resources.atlas(opened)
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
        known = resources.held_out_density(opened, means=layer == "data")
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
    if layer == "data" and resources.original(opened, index) is not None:
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
    given = request.path_params
    tiles, seed = _whole(given["tiles"], MOST_TILES), _whole(given["seed"], 2**31 - 1)
    chosen = given["component"]
    component = None if chosen == "all" else _whole(chosen, 10_000)
    known = opened.components()
    if tiles < 1 or (component is not None and (known is None or component >= len(known))):
        raise _AbsentError
    found = resources.standing(opened, tiles, seed, component)
    if found is None:
        raise _AbsentError
    facts = {
        "novelty": np.rint(found.novelty).astype(int).tolist(),
        "typicality": np.rint(found.typicality).astype(int).tolist(),
        "heldOut": found.held_out,
        "training": found.training,
    }
    return Response(json.dumps(facts), media_type="application/json", headers=_IMMUTABLE)


def _answering(
    handler: Callable[[Engine, Request], Response],
) -> Callable[[Request], Response]:
    """Find the model of a request before it is handled; whatever does not exist is a 404."""

    def answer(request: Request) -> Response:
        given = request.path_params
        entry = next((item for item in resources.entries() if item.slug == given["slug"]), None)
        if entry is None or not entry.healthy or entry.hash != given["digest"]:
            return PlainTextResponse("There is no such model here.", 404)
        try:
            return handler(resources.engine(entry), request)
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
    return resources.plane(opened) if layer == "holes" else None


@lru_cache(maxsize=4096)
def _picture(slug: str, digest: str, layer: str, index: int) -> bytes | None:
    """Draw one point; keyed on names, so that the memory of pictures keeps no model alive."""
    entry = next(item for item in resources.entries() if (item.slug, item.hash) == (slug, digest))
    opened = resources.engine(entry)
    if layer == "originals":
        x = resources.original(opened, index)
    else:
        codes = layer_codes(opened, resources.atlas(opened), layer, _plane(opened, layer))
        if codes is None or index >= len(codes):
            return None
        x = opened.decode(codes[index : index + 1])
    if x is None:
        return None
    sketch = opened.sketch
    if isinstance(sketch, PixelSketch) and sketch.channels == 1:
        x = 1 - x  # dark ink on light paper; the dark theme turns it round
    side = SIDE if isinstance(sketch, PixelSketch) else 2 * SIDE
    return drawing.png(drawing.thumbnails(x, sketch, side)[0])
