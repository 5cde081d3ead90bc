"""The server: the app and its HTTP endpoints."""

import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from explorer.devices import limit_threads
from explorer.ui.access.door import Door
from explorer.ui.api.routes import routes


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Warm up once: without the freeze, each script run ends in a full garbage collection."""
    limit_threads()
    _send_at_once()
    gc.collect()
    gc.freeze()
    yield


def _send_at_once() -> None:
    """Turn Nagle's algorithm off for the server's connections.

    asyncio does so for sockets that name TCP, but Streamlit 1.67 binds one that does not: each
    small response then waits 40 ms until the browser acknowledges its header. Connections inherit
    the option from the socket that listens, which only the collector knows here.
    """
    for item in gc.get_objects():
        if type(item) is socket.socket and item.family in (socket.AF_INET, socket.AF_INET6):
            with suppress(OSError):
                item.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


app = st.App(
    Path(__file__).with_name("app.py"),
    routes=routes(),
    lifespan=lifespan,
    middleware=[Middleware(Door)],
)
