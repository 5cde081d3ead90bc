"""The app's routes, called without a server."""

import asyncio
import json
import struct
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from explorer.ui.access.door import Door
from explorer.ui.api import routes
from explorer.ui.picks import service
from tests.support.engines import PIXELS, digest_of
from tests.support.sentences import assert_one_sentence

APP = Starlette(routes=routes.routes(), middleware=[Middleware(Door)])

HOST = "localhost:8501"

PAGE = {"host": HOST, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
"""What a browser says of a request by a page of the app."""

DAY = "private, max-age=86400, immutable"


class Answer:
    """One answer of the app, whole."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.decode(): value.decode() for name, value in headers}

    @property
    def kind(self):
        return self.headers["content-type"].split(";")[0]

    @property
    def json(self):
        return json.loads(self.body, parse_constant=lambda word: pytest.fail(word))

    @property
    def packed(self):
        """Header and body of what `pack` wrote."""
        (length,) = struct.unpack("<I", self.body[:4])
        assert length % 4 == 0
        return json.loads(self.body[4 : 4 + length]), self.body[4 + length :]


def ask(address, method="GET", headers=(), client="127.0.0.1"):
    """Ask the app as a server would; an error that it does not handle is raised here.

    Headers replace those of a page, or are left out if they are empty; a list is sent in turn.
    """
    plain = PAGE if method not in ("GET", "HEAD") else {"host": HOST}
    return _called(address, method, plain | dict(headers), client, [b""])


def post(address, facts, headers=(), parts=1, client="127.0.0.1"):
    """Post as a page of the app does, the body in so many parts."""
    body = facts if isinstance(facts, bytes) else json.dumps(facts).encode()
    size = -(-len(body) // parts) or 1
    told = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    said = PAGE | {"content-type": "application/json"} | dict(headers)
    return _called(address, "POST", said, client, told)


def scope_of(address, method="GET", headers=(), client="127.0.0.1"):
    """Describe a request as a server does."""
    path, _, query = address.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.encode(), value.encode("latin-1"))
            for name, values in dict(headers).items()
            for value in ([values] if isinstance(values, str) else values)
            if value
        ],
        "server": ("127.0.0.1", 8501),
        "client": (client, 1),
    }


def called(app, scope, parts=(b"",)):
    """Call an application of ASGI, and return all that it sends."""
    left, told = list(parts), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        told.append(message)

    # In a thread of its own: a browser's tests leave a running loop in the main one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(app(scope, receive, send))).result()
    return told


def _called(address, method, headers, client, parts):
    told = called(APP, scope_of(address, method, headers, client), parts)
    body = b"".join(message.get("body", b"") for message in told[1:])
    return Answer(told[0]["status"], told[0]["headers"], body)


def assert_absent(answer):
    assert answer.status == 404
    assert answer.kind == "text/plain"
    words = answer.body.decode()
    assert 0 < len(words) < 200
    assert "Traceback" not in words
    assert len(words.splitlines()) == 1


def wish(slug=PIXELS, **facts):
    key = uuid.uuid4().hex
    plain = {"key": key, "model": slug, "hash": digest_of(slug), "origin": f"of {key}"}
    return plain | {"page": "generate", "view": "?seed=1"} | facts


def drawn_wish(slug=PIXELS, tile=0, seed=0, component=None, scale=1.0, **facts):
    drawn = {"seed": seed, "component": component, "tile": tile, "scale": scale}
    return wish(slug, origin=f"{slug} {seed} {component} {scale} {tile}", drawn=drawn) | facts


def kept(*items, **facts):
    """Post picks that are all kept, and read them from the store."""
    answer = post("/api/picks", {"items": list(items)} | facts)
    assert answer.status == 200
    assert answer.json["refused"] == []
    assert {item["key"] for item in answer.json["saved"]} == {item["key"] for item in items}
    wanted = {item["key"]: n for n, item in enumerate(items)}
    found = [pick for pick in service.store().picks(1) if pick.key in wanted]
    return sorted(found, key=lambda pick: wanted[pick.key])


def assert_refused(answer, status):
    assert answer.status == status
    assert answer.kind == "application/json"
    assert set(answer.json) == {"why"}
    assert_one_sentence(answer.json["why"])
