"""Responses to requests: found, missing, refused; and the limits on what is read."""

from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from explorer.designs.properties import FLOW, MOST_FLOW, Conditions
from explorer.errors import DesignError, ExplorerError, StoreError
from explorer.inference import Engine
from explorer.ui import cache

MOST_BODY = 1_000_000

IMMUTABLE = {"Cache-Control": "private, max-age=86400, immutable"}


class AbsentError(Exception):
    """The requested resource does not exist."""


def storing(
    handler: Callable[[bytes, str], dict[str, object]],
) -> Callable[[Request], Awaitable[Response]]:
    """Accept JSON, which no form of another page can send, and respond with JSON."""

    async def answer(request: Request) -> Response:
        said = request.headers.get("content-type", "")
        if said.split(";")[0].strip() != "application/json":
            return JSONResponse({"why": "Only pages of this app can keep picks."}, 403)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY:
                return JSONResponse({"why": "Too many picks at once; pick fewer."}, 413)
        try:
            return JSONResponse(await run_in_threadpool(handler, bytes(body), request.state.owner))
        except ValidationError:
            return JSONResponse({"why": "Invalid request; reload the page."}, 400)
        except StoreError as error:
            return JSONResponse({"why": str(error)}, 503)

    return answer


def answering(
    handler: Callable[[Engine, Request], Response],
) -> Callable[[Request], Response]:
    """Resolve a request's model before handling it; anything missing is a 404."""

    def answer(request: Request) -> Response:
        given = request.path_params
        entry = next((item for item in cache.entries() if item.slug == given["slug"]), None)
        if entry is None or not entry.healthy or entry.hash != given["digest"]:
            return PlainTextResponse("Model not found.", 404)
        try:
            return handler(cache.engine(entry), request)
        except AbsentError:
            return PlainTextResponse("Not found for this model.", 404)
        except ExplorerError as error:
            return PlainTextResponse(str(error), 404)

    return answer


def conditions_of(request: Request) -> Conditions:
    """Read the conditions that designs are judged under; malformed ones are not found."""
    given = request.query_params
    flow = given.get("flow", "")
    if len(flow) > MOST_FLOW or not FLOW.fullmatch(flow):
        raise AbsentError
    try:
        # Its own fields are text here, which Pydantic converts.
        first = {name: given[name][:40] for name in ("reynolds", "alpha") if name in given}
        known = Conditions.model_validate(first)
        return Conditions.parse(flow, reynolds=known.reynolds, alpha=known.alpha)
    except (DesignError, ValidationError):
        raise AbsentError from None


def whole(text: str, most: int) -> int:
    """Parse an integer of at most `most`; anything else is not found."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > most:
        raise AbsentError
    return int(text)
