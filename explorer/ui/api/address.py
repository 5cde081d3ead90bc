"""URLs of a model's resources."""

import importlib.metadata

from explorer.inference import Engine
from explorer.ui import cache

PLOTLY = f"/api/plotly-{importlib.metadata.version('plotly')}.js"


def address_of(opened: Engine, what: str, *parts: object) -> str:
    """Return the URL of a model's resource, by name and content hash.

    What depends on the atlas also carries its version, since browsers cache responses.
    """
    place = "/".join(["/api", what, opened.slug, opened.checkpoint.hash, *map(str, parts)])
    return place if what == "decode" else f"{place}?v={cache.version(opened)}"
