"""Where the browser fetches something of a model."""

import importlib.metadata

from explorer.inference import Engine
from explorer.ui import cache

PLOTLY = f"/api/plotly-{importlib.metadata.version('plotly')}.js"


def address_of(opened: Engine, what: str, *parts: object) -> str:
    """Return the address of something of a model, by its name and content hash.

    What hangs on the atlas also bears its version, since the browser keeps what it has fetched.
    """
    place = "/".join(["/api", what, opened.slug, opened.checkpoint.hash, *map(str, parts)])
    return place if what == "decode" else f"{place}?v={cache.version(opened)}"
