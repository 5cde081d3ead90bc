"""Endpoints for picks: keep, mark, undo, list."""

import json

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from explorer.designs.candidates import Store
from explorer.errors import ExplorerError, StoreError
from explorer.ui.api.answers import AbsentError, whole
from explorer.ui.picks import requests, service


def keep(body: bytes, owner: str) -> dict[str, object]:
    """Keep the browser's picks; those refused are returned with the reason."""
    given = requests.PickRequests.model_validate_json(body)
    store = service.store(owner)
    project = _project(store, given.project)
    items, refused = [], []
    for item in given.items:
        key = str(item.get("key", ""))[:64]
        try:
            request = requests.PickRequest.model_validate_json(json.dumps(item))
            items.append((request.key, service.pick_source(request)))
        except ValidationError:
            refused.append({"key": key, "why": "Invalid pick; pick it again."})
        except ExplorerError as error:
            refused.append({"key": key, "why": str(error)})
    kept = store.keep(project, items) if items else []
    wanted = {source.origin: key for key, source in items}
    saved = [service.confirmed(pick, wanted.get(pick.source.origin, pick.key)) for pick in kept]
    return {"saved": saved, "refused": refused} | _state(store, project)


def mark(body: bytes, owner: str) -> dict[str, object]:
    """Store stars, a verdict or a removal."""
    given = requests.MarkRequest.model_validate_json(body)
    store = service.store(owner)
    store.mark(given.project, given.keys, **given.changes)
    return _state(store, given.project)


def undo(body: bytes, owner: str) -> dict[str, object]:
    """Undo the last change of a project."""
    given = requests.MarkRequest.model_validate_json(body)
    store = service.store(owner)
    return {"undone": store.undo(given.project)} | _state(store, given.project)


def kept(request: Request) -> Response:
    """Respond with the picks kept in a project of the visitor, by origin."""
    try:
        store = service.store(request.state.owner)
        project = whole(request.path_params["project"], 2**31 - 1)
        if project not in {item.id for item in store.projects()}:
            raise AbsentError
        facts = _state(store, project) | {"origins": store.origins(project)}
    except AbsentError:
        return JSONResponse({"why": "Project not found."}, 404)
    except StoreError as error:
        return JSONResponse({"why": str(error)}, 503)
    return JSONResponse(facts)


def _project(store: Store, wanted: int | None) -> int:
    known = [item.id for item in store.projects()]
    return wanted if wanted in known else known[-1]


def _state(store: Store, project: int) -> dict[str, object]:
    found = next((item for item in store.projects() if item.id == project), None)
    return {"count": 0 if found is None else found.picks}
