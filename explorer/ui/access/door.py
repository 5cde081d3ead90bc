"""The door: which requests are passed on, and which are answered with a refusal."""

import logging
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import request_response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from explorer import settings
from explorer.errors import AccessError, SettingsError
from explorer.ui.access import identity
from explorer.ui.access.names import (
    Authority,
    KnownNames,
    is_loopback,
    known_names,
    parse_authority,
    parse_origin,
)

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})
_LOG = logging.getLogger(__name__)


class Door:
    """Middleware of the whole app, Streamlit's own routes and websocket included.

    Every request has to use a known name of this server; one that can change something, and every
    websocket, has to come from a page of it. What is passed on names the host that the visitor
    asked for, so that Streamlit, which compares it with the origin again, agrees.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            try:
                scope = _admit(scope, reads=_READS)
            except (AccessError, SettingsError) as error:
                await _refuse(scope, receive, send, error)
                return
        await self.app(scope, receive, send)


class OwnRoute:
    """An endpoint of this app, for pages of this app and, where it asks for a login, for users.

    Args:
        endpoint: Answers a request; `request.state.owner` tells whose projects it may use.
        methods: The methods that it answers.
    """

    def __init__(
        self,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] = ("GET", "HEAD"),
    ) -> None:
        self.methods = tuple(methods)
        self.app = request_response(endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        try:
            scope = _admit(scope, reads=())
            if scope["method"] not in self.methods:
                raise AccessError(f"This answers {' and '.join(self.methods)} only.", 405)
            owner = identity.of_request(Request(scope))
        except (AccessError, SettingsError) as error:
            await _refuse(scope, receive, send, error, allow=", ".join(self.methods))
            return
        scope.setdefault("state", {})["owner"] = owner
        await self.app(scope, receive, send)


def _admit(scope: Scope, reads: Collection[str]) -> Scope:
    """Return the request as the visitor meant it.

    Args:
        scope: The request.
        reads: Methods that pages of others may use too, as a link does.

    Raises:
        AccessError: If it is refused.
    """
    headers = Headers(scope=scope)
    names = known_names(st.get_option("server.address") or "", settings.allowed_hosts())
    hosts = headers.getlist("host")
    host = parse_authority(hosts[0]) if len(hosts) == 1 else None
    if host is None:
        raise AccessError("A request names one host; this one names none, or several.", 400)
    local = scope.get("server") or (None, None)
    if not names.has(host, local[0]):
        raise AccessError(
            f"This app is not known as {host.host}; start it with `--allow-host {host.host}` "
            "if that is its name."
        )
    if scope["type"] == "http" and scope["method"] in reads:
        return scope
    asked = _asked_by_a_page(scope, headers, host, names)
    others = [item for item in scope["headers"] if item[0] != b"host"]
    return {**scope, "headers": [(b"host", (asked or hosts[0]).encode("latin-1")), *others]}


def _asked_by_a_page(
    scope: Scope, headers: Headers, host: Authority, names: KnownNames
) -> str | None:
    """Return the host that a page of this app asked for; None if the request does not tell.

    Raises:
        AccessError: If no page of this app can have sent the request.
    """
    refused = AccessError(
        "Only pages of this app may do this; if a proxy is in between, "
        "let it pass on the Host that visitors use."
    )
    # Every browser tells the origin of a websocket, but some call its own site another.
    sites = headers.getlist("sec-fetch-site") if scope["type"] == "http" else ()
    if not _OURS.issuperset(sites):
        raise refused
    origins, forwarded = headers.getlist("origin"), headers.getlist("x-forwarded-host")
    if not origins:
        # Browsers tell the origin of whatever may write, so no page asks, but a program. On this
        # machine, as curl or a script, it could as well open the file; others may not write.
        client = scope.get("client") or ("", 0)
        writes = scope["type"] == "websocket" or scope["method"] not in _READS
        if writes and not (is_loopback(host.host) and is_loopback(client[0])):
            raise AccessError("Only pages of this app, and programs on its machine, may do this.")
        return None
    origin = parse_origin(origins[0]) if len(origins) == 1 else None
    asked = names.asked(host, forwarded[0] if len(forwarded) == 1 else None)
    if origin is None or not any(map(origin.is_of, asked)):
        _note(f"{refused} The Origin is {', '.join(origins)[:200]!r}, the Host {str(host)!r}.")
        raise refused
    return origins[0].partition("://")[2]


async def _refuse(
    scope: Scope, receive: Receive, send: Send, error: AccessError | SettingsError, allow: str = ""
) -> None:
    if scope["type"] == "websocket":
        await WebSocketClose(1008)(scope, receive, send)  # 403; no page could read more
        return
    words, status = str(error), getattr(error, "status", 503)
    headers = {"Allow": allow} if status == 405 else None
    kind = Headers(scope=scope).get("content-type", "")
    answer: Response = PlainTextResponse(words, status, headers)
    if kind.partition(";")[0].strip() == "application/json":
        answer = JSONResponse({"why": words}, status, headers)
    await answer(scope, receive, send)


@lru_cache(maxsize=256)
def _note(words: str) -> None:
    """Log what the owner of the server has to know, once."""
    _LOG.warning(words)
