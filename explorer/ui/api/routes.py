"""The routes of the browser's own requests: points, cards, images, strips and picks."""

from collections.abc import Callable

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from explorer.inference import Engine
from explorer.ui.access.door import OwnRoute
from explorer.ui.api import runs
from explorer.ui.api.address import PLOTLY
from explorer.ui.api.answers import IMMUTABLE, answering, storing
from explorer.ui.api.assets import assets
from explorer.ui.api.grab import grab
from explorer.ui.api.picks import keep, kept, mark, undo
from explorer.ui.api.pictures import (
    card,
    decision,
    decode,
    here,
    points,
    preview,
    regions,
    thumbnail,
)
from explorer.ui.api.strips import frames, levelled, novelty, painted, positions, properties


def routes() -> list[BaseRoute]:
    """Return the app's routes, at the root and below Streamlit's base path.

    A proxy may keep the base path or strip it; Streamlit prefixes only its own routes.
    """
    served: dict[str, Callable[[Engine, Request], Response]] = {
        "points/{slug}/{digest}": points,
        "regions/{slug}/{digest}": regions,
        "card/{slug}/{digest}/{layer}/{index}": card,
        "thumbnail/{slug}/{digest}/{layer}/{index}": thumbnail,
        "decode/{slug}/{digest}": decode,
        "decision/{slug}/{digest}": decision,
        "here/{slug}/{digest}": here,
        "grab/{slug}/{digest}": grab,
        "frames/{slug}/{digest}": frames,
        "levelled/{slug}/{digest}": levelled,
        "painted/{slug}/{digest}": painted,
        "novelty/{slug}/{digest}": novelty,
        "positions/{slug}/{digest}": positions,
        "properties/{slug}/{digest}": properties,
    }
    own = {
        **{f"/api/{path}": OwnRoute(answering(handler)) for path, handler in served.items()},
        "/api/preview/{slug}/{digest}": OwnRoute(preview),
        "/api/picks": OwnRoute(storing(keep), ["POST"]),
        "/api/picks/mark": OwnRoute(storing(mark), ["POST"]),
        "/api/picks/undo": OwnRoute(storing(undo), ["POST"]),
        "/api/picks/{project}": OwnRoute(kept),
        "/api/runs/{slug}": OwnRoute(runs.news),
        "/api/runs/{slug}/meta": OwnRoute(runs.meta),
        "/api/runs/{slug}/frames/{step}": OwnRoute(runs.frame),
        PLOTLY: OwnRoute(_plotly),
        **{path: OwnRoute(endpoint) for path, endpoint in assets().items()},
        "/api/{anything:path}": OwnRoute(_nothing),
    }
    base = st.get_option("server.baseUrlPath").strip("/")
    bases = ["", f"/{base}"] if base else [""]
    return [Route(f"{place}{path}", app) for place in bases for path, app in own.items()]


def _nothing(request: Request) -> Response:
    return PlainTextResponse("There is nothing at this address.", 404)


def _plotly(request: Request) -> Response:
    """Respond with Plotly's script, which draws the parallel coordinates."""
    from plotly.offline import get_plotlyjs

    return Response(get_plotlyjs(), media_type="text/javascript", headers=IMMUTABLE)
