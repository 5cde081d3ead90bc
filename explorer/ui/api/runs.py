"""The record of a run, for the browser: what is new since it asked last, and single frames."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from explorer import jobs, recording, runs, steering
from explorer.config import Turn
from explorer.errors import ExplorerError
from explorer.ui.api.answers import AbsentError, whole

_MOST = 10**9
_KEPT = {"Cache-Control": "private, max-age=3600"}


def news(request: Request) -> Response:
    """Respond with a run's state, its curves from a byte on, and the steps of its frames."""
    try:
        slug = request.path_params["slug"]
        asked = whole(request.query_params.get("from", "0"), _MOST)
        job = jobs.find(jobs.order_of(slug))
        folder = runs.folder_of(slug)
    except (AbsentError, ExplorerError):
        return _absent()
    points, known = recording.curves(folder, asked)
    return JSONResponse(
        {
            "state": "stopped" if job is None else job.last.state,
            "active": job is not None and job.active,
            "from": asked if known >= asked else 0,
            "known": known,
            "points": [point.model_dump() for point in points],
            "steps": recording.steps(folder),
            "turns": [
                {"step": turn.step, "words": turn_words(turn)} for turn in steering.kept(folder)
            ],
        },
        headers={"Cache-Control": "no-store"},
    )


def meta(request: Request) -> Response:
    """Respond with what stays the same over a run."""
    try:
        found = recording.read_meta(runs.folder_of(request.path_params["slug"]))
    except ExplorerError:
        return _absent()
    return Response(found, media_type="application/octet-stream", headers=_KEPT)


def frame(request: Request) -> Response:
    """Respond with a frame of a run."""
    try:
        step = whole(request.path_params["step"], _MOST)
        found = recording.read_frame(runs.folder_of(request.path_params["slug"]), step)
    except (AbsentError, ExplorerError):
        return _absent()
    return Response(found, media_type="application/octet-stream", headers=_KEPT)


def turn_words(turn: Turn) -> str:
    """Say what was turned, as a mark on the curves."""
    if turn.knob == "freeze_prior":
        return "prior frozen" if turn.value else "prior free"
    names = {
        "beta": "β",
        "free_bits": "free bits",
        "learning_rate": "learning rate",
        "prior_learning_rate": "prior’s rate",
    }
    return f"{names[turn.knob]} {turn.value:g}"


def _absent() -> Response:
    return PlainTextResponse("There is no such run.", 404)
