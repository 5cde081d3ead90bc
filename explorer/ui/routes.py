"""Pictures over HTTP: thumbnails of the map. Every parameter is validated; answers are bounded."""

from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from explorer import drawing
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.projection import prior_codes
from explorer.sketch import PixelSketch
from explorer.ui import resources

SIDE = 84


def thumbnail_address(opened: Engine, layer: str) -> str:
    """Return the address of a layer's thumbnails, `{i}` standing for the point."""
    return f"/api/thumbnail/{opened.slug}/{opened.checkpoint.hash}/{layer}/{{i}}"


def routes() -> list[BaseRoute]:
    """List the routes of the app."""
    return [Route("/api/thumbnail/{slug}/{digest}/{layer}/{index}", thumbnail)]


def thumbnail(request: Request) -> Response:
    """Answer with the picture that the model decodes from one point of the map."""
    given = request.path_params
    entry = next((item for item in resources.entries() if item.slug == given["slug"]), None)
    index = given["index"]
    if (
        entry is None
        or not entry.healthy
        or entry.hash != given["digest"]
        or not index.isdecimal()
    ):
        return PlainTextResponse("There is no such picture.", 404)
    try:
        picture = _picture(entry.slug, entry.hash, given["layer"], int(index[:9]))
    except ExplorerError as error:
        return PlainTextResponse(str(error), 404)
    if picture is None:
        return PlainTextResponse("There is no such picture.", 404)
    return Response(
        picture,
        media_type="image/png",
        headers={"Cache-Control": "private, max-age=86400, immutable"},
    )


@lru_cache(maxsize=4096)
def _picture(slug: str, digest: str, layer: str, index: int) -> bytes | None:
    """Draw one point; keyed on names, so that the memory of pictures keeps no model alive."""
    entry = next(item for item in resources.entries() if (item.slug, item.hash) == (slug, digest))
    opened = resources.engine(entry)
    codes = layer_codes(opened, layer)
    if codes is None or index >= len(codes):
        return None
    sketch = opened.sketch
    x = opened.decode(codes[index : index + 1])
    if isinstance(sketch, PixelSketch) and sketch.channels == 1:
        x = 1 - x  # dark ink on light paper; the dark theme turns it round
    side = SIDE if isinstance(sketch, PixelSketch) else 2 * SIDE
    return drawing.png(drawing.thumbnails(x, sketch, side)[0])


def layer_codes(opened: Engine, layer: str) -> np.ndarray | None:
    """Return the codes of a layer of the map; None where there is none."""
    if layer == "data":
        known = resources.atlas(opened)
        return None if known is None else known.codes
    if layer == "prior" and opened.has_prior:
        return prior_codes(opened)
    components = opened.components()
    if layer == "prototypes" and components is not None:
        return components.loc.cpu().numpy()
    return None
