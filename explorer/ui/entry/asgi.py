"""The server: the app and its HTTP endpoints."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    gc.collect()
    gc.freeze()
    yield


app = st.App(
    Path(__file__).with_name("app.py"),
    routes=routes(),
    lifespan=lifespan,
    middleware=[Middleware(Door)],
)
