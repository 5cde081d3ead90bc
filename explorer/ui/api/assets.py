"""The components' JavaScript modules, at URLs that name their content."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from explorer.ui.components import bridge

_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


def assets() -> dict[str, Callable[[Request], Response]]:
    """Return an endpoint per module; no part of a request becomes a file path."""
    return {f"{bridge.ADDRESS}/{name}": _module(text) for name, text in bridge.MODULES.items()}


def _module(text: bytes) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return Response(text, media_type="text/javascript", headers=_IMMUTABLE)

    return answer
