"""Endpoints for the latent map's points, contours and hover cards, and decoded images."""

import json
from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from explorer import drawing, sections
from explorer.inference import Engine
from explorer.projection import NEIGHBOURS
from explorer.regions import Plane
from explorer.sketch import PixelSketch
from explorer.strips import codes_strip, pack, samples_strip
from explorer.ui import cache
from explorer.ui.address.notation import MAP_PLACE, read_code
from explorer.ui.address.places import NAMES, layer_codes, select
from explorer.ui.api.address import address_of
from explorer.ui.api.answers import IMMUTABLE, AbsentError, whole
from explorer.ui.wording.format import percentile_words, signed

SIDE = 84
_LONGEST_PLACE = 80
LONGEST_NAME = 40
"""The end of a sample's name that a card shows."""


def points(opened: Engine, request: Request) -> Response:
    """Respond with the positions of all layers of the map."""
    atlas = cache.atlas(opened)
    if atlas is None:
        raise AbsentError
    layers = {"data": atlas.xy, "prior": atlas.sample_xy, "prototypes": atlas.prototype_xy}
    header: dict[str, object] = {
        "layers": [{"name": name, "n": len(xy)} for name, xy in layers.items()]
    }
    body = b"".join(np.ascontiguousarray(xy, "<f4").tobytes() for xy in layers.values())
    return Response(pack(header, body), media_type="application/octet-stream", headers=IMMUTABLE)


def regions(opened: Engine, request: Request) -> Response:
    """Respond with contours of prior and aggregated posterior, and holes."""
    found = cache.map_regions(opened)
    if found is None:
        raise AbsentError
    return Response(found, media_type="application/json", headers=IMMUTABLE)


def card(opened: Engine, request: Request) -> Response:
    """Respond with the facts about one point of the map."""
    given = request.path_params
    layer, index = given["layer"], whole(given["index"], 10**6)
    atlas = cache.atlas(opened)
    codes = layer_codes(opened, atlas, layer, _plane(opened, layer))
    if atlas is None or codes is None or index >= len(codes):
        raise AbsentError
    rows: list[tuple[str, str]] = []
    if layer == "data":
        if atlas.classes and atlas.label[index] >= 0:
            rows.append(("Class", atlas.classes[int(atlas.label[index])]))
        rows.append(("Split", ("train", "valid", "test")[int(atlas.split[index])]))
    if opened.has_density:
        data = [index] if layer == "data" else []
        density = float(cache.code_density(opened, codes[index : index + 1], data)[0])
        rows.append(("log p(z)", f"{density:.1f} nats"))
        known = cache.held_out_density(opened, means=layer == "data")
        place = percentile_words(density, known)
        rows += [("among held-out", place)] if place else []
    elif opened.bounded:
        bound = float(opened.log_bound(codes[index : index + 1])[0])
        rows.append(("log p(z), bound", f"≥ {bound:.1f} nats"))
    if layer == "data" and atlas.names is not None:
        rows.append(("Name", str(atlas.names[index])[-LONGEST_NAME:]))
    if layer == "data":
        if opened.divergent:
            rows.append(("KL", f"{atlas.kl[index]:.1f} nats"))
        error = float(atlas.reconstruction[index])
        rows.append(("Error", f"{error:.1f} nats" if opened.has_likelihood else f"{error:.2f}²"))
        if atlas.method != "plane":
            rows.append(("Trust", f"{atlas.trust[index]:.2f}"))
    elif layer == "holes":
        found = _plane(opened, layer)
        assert found is not None
        rows.append(("Prior mass", f"{100 * found.holes[index].mass:.1f} %"))
    if networks := cache.asked(opened):
        x = opened.decode(codes[index : index + 1])
        for family in networks:
            told = family.told(x)[0].removeprefix(f"{family.description.label} ")
            rows += [(family.description.label, told)] if told else []
    if sections.is_section(opened.sketch):
        rows.append(("Geometry", sections.NAMES["kulfan"]))
    pictures = [("decoded", address_of(opened, "thumbnail", layer, index))]
    if layer == "data" and cache.originals(opened) is not None:
        if cache.original(opened, index) is not None:
            pictures.insert(0, ("original", address_of(opened, "thumbnail", "originals", index)))
        else:
            rows.append(("Original", "no longer in the data set"))
    facts = {
        "title": f"{NAMES[layer]} {index}",
        "rows": [(name, signed(value)) for name, value in rows],
        "pictures": pictures,
    }
    return Response(json.dumps(facts), media_type="application/json")


def thumbnail(opened: Engine, request: Request) -> Response:
    """Respond with the image decoded from one point of the map."""
    given = request.path_params
    picture = _picture(
        opened.slug, opened.checkpoint.hash, given["layer"], whole(given["index"], 10**6)
    )
    if picture is None:
        raise AbsentError
    fresh = {"Cache-Control": "private, max-age=60"}
    return Response(
        picture,
        media_type="image/png",
        headers=fresh if given["layer"] == "originals" else IMMUTABLE,
    )


def decode(opened: Engine, request: Request) -> Response:
    """Respond with one decoded code, as a strip of one frame and one tile."""
    z = read_code(request.query_params.get("z", "")[:2000], opened.space.size)
    if z is None:
        raise AbsentError
    strip = codes_strip(opened, z[None])
    header, body = strip.panel
    return Response(pack(header, body), media_type="application/octet-stream", headers=IMMUTABLE)


def here(opened: Engine, request: Request) -> Response:
    """Respond with what is decoded at a place of the map, as a strip of one tile, and in words.

    A place without any code near it has no strip: a mean of distant codes would say nothing of it.
    """
    text = request.query_params.get("at", "")[:_LONGEST_PLACE]
    atlas = cache.atlas(opened)
    if atlas is None or not MAP_PLACE.fullmatch(text):
        raise AbsentError
    layer, spot = text.partition(":")[0], text.startswith("spot:")
    found = select(opened, atlas, text, _plane(opened, layer))
    if found is None:
        raise AbsentError
    exact, words = atlas.method == "plane", [found.words]
    if spot:
        at = np.array([float(value) for value in text.removeprefix("spot:").split(",")])
        empty = np.linalg.norm(atlas.xy - at, axis=1).min() > cache.map_reach(opened)
        if empty and not exact:
            return _strip_response({"words": "no code here"}, b"")
        words = ["exactly here"] if exact else [f"from the {NEIGHBOURS} nearest codes"]
        words += ["no code near"] if empty else []
    shape = sections.usual(opened.sketch)
    x = opened.glance(found.z)
    strip = samples_strip(x, opened.sketch, geometry=shape)
    header, body = strip.panel
    if opened.has_density and (exact or not spot):
        density = cache.code_density(opened, found.z, found.rows)
        words.append(f"log p(z) {density[0]:.1f} nats")
    elif opened.bounded and (exact or not spot):
        words.append(f"log p(z) ≥ {opened.log_bound(found.z)[0]:.1f} nats (a bound)")
    words += filter(None, (family.told(x)[0] for family in cache.asked(opened)))
    if opened.sequential:
        words.append("mean of p(x|z), not a sample")
    return _strip_response(header | {"words": signed(" · ".join(words))}, body)


def _strip_response(header: dict[str, object], body: bytes) -> Response:
    fresh = {"Cache-Control": "private, max-age=60"}
    return Response(pack(header, body), media_type="application/octet-stream", headers=fresh)


def decision(opened: Engine, request: Request) -> Response:
    """Respond with what an installed network says of every place of the map, as a picture."""
    key = request.query_params.get("of", "")
    known = any(family.description.key == key for family in cache.asked(opened))
    found = cache.decision(opened, key) if known else None
    if found is None:
        raise AbsentError
    return Response(found.picture, media_type="image/png", headers=IMMUTABLE)


def preview(request: Request) -> Response:
    """Respond with the image of a model's card, without opening the model."""
    given = request.path_params
    entry = next((item for item in cache.entries() if item.slug == given["slug"]), None)
    found = None
    if entry is not None and entry.healthy and entry.hash == given["digest"]:
        found = cache.preview(entry, request.query_params.get("dark") == "1")
    if found is None:
        return PlainTextResponse("Not found.", 404)
    return Response(found, media_type="image/png", headers=IMMUTABLE)


def _plane(opened: Engine, layer: str) -> Plane | None:
    return cache.plane(opened) if layer == "holes" else None


@lru_cache(maxsize=4096)
def _picture(slug: str, digest: str, layer: str, index: int) -> bytes | None:
    """Draw one point; keyed on names, so that the image cache keeps no model alive."""
    entry = next(item for item in cache.entries() if (item.slug, item.hash) == (slug, digest))
    opened = cache.engine(entry)
    if layer == "originals":
        x = cache.original(opened, index)
    else:
        codes = layer_codes(opened, cache.atlas(opened), layer, _plane(opened, layer))
        if codes is None or index >= len(codes):
            return None
        x = sections.shaped(opened.decode(codes[index : index + 1]), opened.sketch)
    if x is None:
        return None
    sketch = opened.sketch
    side = SIDE if isinstance(sketch, PixelSketch) else 2 * SIDE
    return drawing.png(drawing.thumbnails(drawing.on_paper(x, sketch), sketch, side)[0])
