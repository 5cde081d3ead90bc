"""Every request has to use a known name, and what may write or read picks comes from a page."""

import logging

import pytest
from starlette.responses import PlainTextResponse

from explorer.ui.access import door
from explorer.ui.api import address as api_address
from explorer.ui.api import routes
from explorer.ui.components import bridge
from explorer.ui.picks import service
from tests.support.api import (
    HOST,
    PAGE,
    ask,
    assert_refused,
    called,
    drawn_wish,
    post,
    scope_of,
)
from tests.support.engines import PIXELS, engine_of
from tests.support.sentences import assert_one_sentence

pytestmark = pytest.mark.usefixtures("no_data", "no_names")

ALLOW = "LATENT_EXPLORER_ALLOW_HOST"
OUTSIDE = "explorer.example"
CLOSED = "websocket.close"


@pytest.fixture
def no_names(monkeypatch):
    monkeypatch.delenv(ALLOW, raising=False)


@pytest.fixture
def allow(monkeypatch):
    return lambda *names: monkeypatch.setenv(ALLOW, ",".join(names))


def own_addresses():
    engine = engine_of(PIXELS)
    return {
        "/api/picks/1",
        "/api/nothing",
        api_address.PLOTLY,
        f"{bridge.ADDRESS}/bridge.js",
        f"{api_address.address_of(engine, 'decode')}?z=AAAAAA==",
        *(api_address.address_of(engine, what) for what in ("points", "regions")),
        *(
            api_address.address_of(engine, what, layer, 0)
            for what in ("card", "thumbnail")
            for layer in ("data", "originals")
        ),
    }


def keep(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client = named.pop("client", "127.0.0.1")
    return post("/api/picks", {"items": [drawn_wish()]}, named, client=client)


def assert_said(answer, status=403):
    assert answer.status == status
    assert answer.kind == "text/plain"
    assert_one_sentence(answer.body.decode())
    assert "cache-control" not in answer.headers


FOREIGN_HOSTS = ["evil.example", "evil.example:8501", "localhost.evil.example", "10.0.0.1"]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_answered_nowhere(host):
    for address in own_addresses():
        assert ask(address).status != 403
        answer = ask(address, headers={"host": host})
        assert_said(answer)
        assert f"--allow-host {host.partition(':')[0]}" in answer.body.decode()
    assert_refused(keep(host=host, origin=f"http://{host}"), 403)
    assert service.store().picks(1) == []


@pytest.mark.parametrize(
    "host", ["", "a b", "localhost@evil.example", ["localhost", "evil.example"], [HOST, HOST]]
)
def test_a_request_names_one_host(host):
    assert_said(ask("/api/picks/1", headers={"host": host}), 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:1", "127.0.0.1:8501", "[::1]:8501"])
def test_this_machine_may_be_called_by_any_of_its_names(host):
    assert ask("/api/picks/1", headers={"host": host}).status == 200
    assert keep(host=host, origin=f"http://{host}").status == 200


def test_names_that_are_allowed_are_answered(allow):
    allow(OUTSIDE, "192.168.1.5:8443")
    for host in (OUTSIDE, f"{OUTSIDE}:8080", "192.168.1.5"):
        assert ask("/api/picks/1", headers={"host": host}).status == 200
    assert ask("/api/picks/1", headers={"host": f"sub.{OUTSIDE}"}).status == 403


def test_a_name_that_is_none_is_said_and_closes_the_door(allow):
    allow("http://explorer.example")
    answer = ask("/api/picks/1")
    assert_said(answer, 503)
    assert "--allow-host" in answer.body.decode()


FOREIGN_PAGES = {
    "another site": {"origin": "http://evil.example"},
    "another port": {"origin": "http://localhost:9000"},
    "no port": {"origin": "http://localhost"},
    "another name of this machine": {"origin": "http://127.0.0.1:8501"},
    "a page without an origin": {"origin": "null"},
    "no page": {"origin": "chrome-extension://abc"},
    "two origins": {"origin": [f"http://{HOST}", "http://evil.example"]},
    "another site that says so": {"sec-fetch-site": "cross-site"},
    "a sister site": {"sec-fetch-site": "same-site"},
    "an odd site": {"sec-fetch-site": "SAME-ORIGIN"},
    "two sites": {"sec-fetch-site": ["same-origin", "cross-site"]},
}


@pytest.mark.parametrize("address", ["/api/picks", "/api/picks/mark", "/api/picks/undo"])
@pytest.mark.parametrize("headers", FOREIGN_PAGES.values(), ids=FOREIGN_PAGES.keys())
@pytest.mark.parametrize("says", [True, False], ids=["says its site", "does not say its site"])
def test_only_pages_of_the_app_may_write(address, headers, says):
    if not says and "origin" in headers:
        headers = headers | {"sec-fetch-site": ""}
    facts = {"items": [drawn_wish()]} if address == "/api/picks" else {"project": 1, "keys": []}
    assert_refused(post(address, facts, headers), 403)
    assert service.store().picks(1) == []


@pytest.mark.parametrize("headers", FOREIGN_PAGES.values(), ids=FOREIGN_PAGES.keys())
def test_pages_of_others_read_nothing_of_ours(headers):
    for address in own_addresses():
        assert_said(ask(address, headers=headers))


def test_a_page_that_does_not_say_its_site_may_write():
    assert keep(sec_fetch_site="").status == 200


@pytest.mark.parametrize("site", ["", "none", "same-origin"])
def test_a_program_on_this_machine_may_write_without_an_origin(site):
    assert keep(origin="", sec_fetch_site=site).status == 200
    assert keep(origin="", host="[::1]:8501", client="::1", sec_fetch_site="").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"client": "192.168.1.9"},
        {"client": "192.168.1.9", "host": "127.0.0.1:8501"},
        {"host": OUTSIDE},
        {"host": OUTSIDE, "client": "192.168.1.9"},
        {"sec_fetch_site": "cross-site"},
    ],
    ids=repr,
)
def test_nobody_else_may_write_without_an_origin(allow, headers):
    allow(OUTSIDE)
    assert_refused(keep(**{"origin": "", "sec_fetch_site": ""} | headers), 403)
    assert service.store().picks(1) == []


# Behind a proxy


def test_a_forwarded_host_is_not_believed_unless_it_is_allowed(allow, caplog):
    said = {"origin": f"https://{OUTSIDE}", "x_forwarded_host": OUTSIDE}
    door._note.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert_refused(keep(**said), 403)
        assert_refused(keep(**said), 403)
    (note,) = caplog.messages
    assert OUTSIDE in note
    assert HOST in note
    allow(OUTSIDE)
    assert keep(**said).status == 200
    assert_refused(keep(**said | {"origin": "https://evil.example"}), 403)
    assert_refused(keep(**said | {"x_forwarded_host": [OUTSIDE, OUTSIDE]}), 403)


def test_a_forwarded_host_opens_no_door_to_a_foreign_one(allow):
    allow(OUTSIDE)
    said = {"host": "evil.example", "origin": f"https://{OUTSIDE}", "x_forwarded_host": OUTSIDE}
    assert_refused(keep(**said), 403)
    assert_said(ask("/api/picks/1", headers={"host": "evil.example", "x-forwarded-host": HOST}))


def test_a_proxy_that_drops_the_port_needs_it_to_be_allowed(allow):
    said = {"host": OUTSIDE, "origin": f"https://{OUTSIDE}:8443"}
    allow(OUTSIDE)
    assert_refused(keep(**said), 403)
    allow(f"{OUTSIDE}:8443")
    assert keep(**said).status == 200
    assert_refused(keep(**said | {"origin": f"https://{OUTSIDE}:9000"}), 403)


# Streamlit's own routes, and its websocket


@pytest.fixture
def passed():
    """What a door passes on."""
    return []


@pytest.fixture
def through(passed):
    async def inside(scope, receive, send):
        passed.append(scope)
        await PlainTextResponse("inside")(scope, receive, send)

    def call(kind="http", method="GET", headers=(), client="127.0.0.1"):
        scope = scope_of("/_stcore/stream", method, PAGE | dict(headers), client)
        return called(door.Door(inside), scope | {"type": kind})

    return call


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_streamlits_pages_and_websocket_are_behind_the_same_door(through, passed, host):
    headers = {"host": host, "origin": f"http://{host}"}
    (start, body) = through(headers=headers)
    assert (start["type"], start["status"]) == ("http.response.start", 403)
    assert_one_sentence(body["body"].decode())
    assert [message["type"] for message in through("websocket", headers=headers)] == [CLOSED]
    assert passed == []


@pytest.mark.parametrize("headers", FOREIGN_PAGES.values(), ids=FOREIGN_PAGES.keys())
def test_pages_of_others_may_link_to_a_page_but_not_talk_to_it(through, passed, headers):
    through(headers=headers)
    assert len(passed) == 1
    for method in ("PUT", "DELETE", "POST"):
        (start, _) = through("http", method, headers)
        assert start["status"] == 403
    if "origin" in headers:
        assert [message["type"] for message in through("websocket", headers=headers)] == [CLOSED]
    assert len(passed) == 1


def test_a_page_of_the_app_is_passed_on(through, passed):
    for kind, method in (("websocket", "GET"), ("http", "PUT"), ("http", "GET")):
        through(kind, method)
    through("websocket", headers={"sec-fetch-site": "cross-site"})  # as some browsers say
    assert [dict(scope["headers"])[b"host"].decode() for scope in passed] == [HOST] * 4


def test_what_is_inside_sees_the_host_that_the_visitor_asked_for(through, passed, allow):
    """Streamlit compares it with the origin as it stands."""
    allow(f"{OUTSIDE}:8443")
    origin = f"https://{OUTSIDE}:8443"
    through("websocket", headers={"host": OUTSIDE, "origin": origin})
    forwarded = {"origin": origin, "x-forwarded-host": f"{OUTSIDE}:8443"}
    through("websocket", headers=forwarded)
    through("websocket", headers={"host": "LOCALHOST.:80", "origin": "http://localhost."})
    hosts = [dict(scope["headers"])[b"host"].decode() for scope in passed]
    assert hosts == [f"{OUTSIDE}:8443", f"{OUTSIDE}:8443", "localhost."]


def test_a_start_of_the_server_is_none_of_its_business():
    seen = []

    async def inside(scope, receive, send):
        seen.append(scope["type"])

    called(door.Door(inside), {"type": "lifespan"})
    assert seen == ["lifespan"]


# One sentence


def test_a_wrong_method_and_a_wrong_address_are_said_in_a_sentence():
    for address in own_addresses() | {"/api/picks"}:
        answer = ask(address, "PUT")
        assert_said(answer, 405)
        assert "PUT" not in answer.headers["allow"]
    assert ask("/api/picks", "PUT").headers["allow"] == "POST"
    assert_said(ask("/api/nothing/at/all"), 404)
    answer = post("/api/picks/1", {})
    assert_refused(answer, 405)


def test_every_route_of_ours_is_behind_the_door():
    for route in routes.routes():
        if route.path in ("/api/health", "/api/numbers"):  # machines that ask have no session
            continue
        assert isinstance(route.app, door.OwnRoute)
        assert route.methods is None
