"""The components' JavaScript modules, at URLs that name their content."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.ui.components import bridge

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


def assets() -> list[Route]:
    """Return one route per module; no part of a request becomes a file path."""
    return [_module(f"{bridge.ADDRESS}/{name}", text) for name, text in bridge.MODULES.items()]


def _module(address: str, text: bytes) -> Route:
    def answer(request: Request) -> Response:
        return Response(text, media_type="text/javascript", headers=_IMMUTABLE)

    return Route(address, answer)
