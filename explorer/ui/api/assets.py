"""The components' JavaScript, at addresses that name its content."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.ui.components import bridge

_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


def assets() -> list[Route]:
    """List a route for each module; what a request asks for never becomes the path of a file."""
    return [_module(f"{bridge.ADDRESS}/{name}", text) for name, text in bridge.MODULES.items()]


def _module(address: str, text: bytes) -> Route:
    def answer(request: Request) -> Response:
        return Response(text, media_type="text/javascript", headers=_FOR_GOOD)

    return Route(address, answer)
