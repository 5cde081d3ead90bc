"""Endpoints for whoever runs the app: is it well, and, if asked, numbers for Prometheus."""

import resource
import threading
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from explorer import __version__, settings
from explorer.errors import ExplorerError
from explorer.ui import cache
from explorer.ui.access import identity
from explorer.ui.picks import service

_STARTED = time.time()
_KILOBYTE = 1024


def health(request: Request) -> Response:
    """Respond whether models can be opened and picks be kept; 503 with the reason if not."""
    try:
        models = sum(entry.healthy for entry in cache.entries())
        service.store(identity.NOBODY).projects()
    except ExplorerError as error:
        return JSONResponse({"well": False, "why": str(error)}, 503)
    if not models:
        return JSONResponse({"well": False, "why": "There is no model that opens."}, 503)
    return JSONResponse({"well": True, "version": __version__, "models": models})


def numbers(request: Request) -> Response:
    """Respond with numbers in Prometheus's text format, if the server was asked to tell them.

    https://prometheus.io/docs/instrumenting/exposition_formats
    """
    if not settings.tells_numbers():
        return PlainTextResponse("There is nothing at this address.", 404)
    entries = cache.entries()
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "models_healthy": ("gauge", sum(entry.healthy for entry in entries)),
        "models_broken": (
            "gauge",
            sum(not (entry.healthy or entry.results_only) for entry in entries),
        ),
        "threads": ("gauge", threading.active_count()),
        "memory_peak_bytes": ("gauge", used.ru_maxrss * _KILOBYTE),
        "cpu_seconds_total": ("counter", used.ru_utime + used.ru_stime),
        "start_time_seconds": ("gauge", _STARTED),
    }
    lines = [
        f"# TYPE latent_explorer_{name} {kind}\nlatent_explorer_{name} {value}"
        for name, (kind, value) in told.items()
    ]
    return PlainTextResponse("\n".join([*lines, ""]), media_type="text/plain; version=0.0.4")
