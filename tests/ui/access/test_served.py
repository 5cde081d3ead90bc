"""The door of the app as it is started, plainly and behind a real nginx."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from tests.support.api import drawn_wish
from tests.support.logins import COOKIE, cookie_of, user_of, write_secrets
from tests.support.proxies import README_HOST, deployed, nginx
from tests.support.sentences import assert_one_sentence
from tests.support.serving import serve

pytestmark = pytest.mark.slow

BASE = "/tools/latent"
OUTSIDE = "explorer.example"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455's


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app as a proxy in front of it needs it."""
    flags = ("--base-path", BASE, "--allow-host", OUTSIDE, "--allow-host", f"{OUTSIDE}:8443")
    facts = {"LATENT_EXPLORER_NUMBERS": "1"}
    with serve(tmp_path_factory.mktemp("user"), *flags, host="0.0.0.0", **facts) as address:
        yield address


def ask(address, method="GET", path="/api/picks/1", body=None, **headers):
    """Send a request whose headers are given alone; return status and text."""
    parts = urlsplit(address)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    link.putrequest(method, f"{parts.path}{path}", skip_host=True, skip_accept_encoding=True)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in ({"host": parts.netloc} | named).items():
        link.putheader(name, value)
    link.putheader("content-length", str(len(body or b"")))
    link.endheaders(body)
    answer = link.getresponse()
    text = b"" if answer.status == 101 else answer.read()
    link.close()
    return answer.status, text.decode()


def keep(address, **headers):
    item = json.dumps({"items": [drawn_wish()]}).encode()
    headers = {"content_type": "application/json"} | headers
    return ask(address, "POST", "/api/picks", item, **headers)[0]


def connect(address, **headers):
    """Ask for Streamlit's websocket; 101 lets it begin."""
    asked = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": KEY,
    }
    return ask(address, path="/_stcore/stream", **asked | headers)[0]


def test_a_small_response_on_a_kept_connection_waits_for_no_acknowledgement(server):
    """With Nagle's algorithm each of them takes the 40 ms of a delayed one."""
    parts = urlsplit(server)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    seconds = []
    for _ in range(30):
        start = time.perf_counter()
        link.request("GET", f"{BASE}/api/picks/1")
        assert link.getresponse().read()
        seconds.append(time.perf_counter() - start)
    link.close()
    assert sorted(seconds)[10] < 0.035


def test_a_foreign_name_reaches_neither_routes_nor_pages_nor_the_websocket(server):
    """A page of another site whose name is pointed here is stopped by that name."""
    inside = f"{server}{BASE}"
    here = urlsplit(server).netloc
    evil = {"host": f"evil.example:{urlsplit(server).port}"}
    evil["origin"] = f"http://{evil['host']}"
    for path in ("/", "/api/picks/1", "/generate", "/_stcore/health", "/_stcore/host-config"):
        assert ask(inside, path=path)[0] == 200
        status, words = ask(inside, path=path, **evil)
        assert status == 403
        assert_one_sentence(words)
    assert (keep(inside, **evil), connect(inside, **evil)) == (403, 403)
    other = {"origin": "http://localhost:9"}
    assert (keep(inside, **other), connect(inside, **other)) == (403, 403)
    ours = {"origin": f"http://{here}"}
    assert (keep(inside, **ours), connect(inside, **ours)) == (200, 101)
    assert (keep(server, **ours), keep(inside), connect(inside)) == (200, 200, 101)


PROXIES = {
    "the visitor's host": (README_HOST, [OUTSIDE, f"{OUTSIDE}:8443", "localhost:9000"], []),
    "a host without its port": (
        "proxy_set_header Host $host;", [OUTSIDE, f"{OUTSIDE}:8443"], ["localhost:9000"],
    ),
    "the host forwarded": (
        "proxy_set_header X-Forwarded-Host $http_host;",
        [OUTSIDE, f"{OUTSIDE}:8443"], ["localhost:9000", "evil.example"],
    ),
    "nothing said": ("", [], [OUTSIDE, f"{OUTSIDE}:8443"]),
}  # fmt: skip
"""What nginx tells of the host, and which hosts' pages then work or do not."""


@pytest.mark.parametrize(("host", "good", "bad"), PROXIES.values(), ids=PROXIES.keys())
def test_pages_behind_nginx_may_write_if_it_tells_their_host(server, tmp_path, host, good, bad):
    with nginx(tmp_path, server, BASE, host) as outside:
        for name in good:
            page = {"host": name, "origin": f"http://{name}"}
            assert ask(outside, **page | {"sec_fetch_site": "same-origin"})[0] == 200
            assert (keep(outside, **page), connect(outside, **page)) == (200, 101)
            assert keep(outside, **page | {"origin": "http://evil.example"}) == 403
        for name in bad:
            page = {"host": name, "origin": f"http://{name}"}
            assert (keep(outside, **page), connect(outside, **page)) == (403, 403)
        if host == README_HOST:
            assert ask(outside, host="evil.example")[0] == 403


def test_the_settings_of_nginx_that_are_shipped_let_pages_write_and_hide_the_numbers(
    server, tmp_path
):
    with deployed(tmp_path, server, BASE) as outside:
        page = {"host": OUTSIDE, "origin": f"http://{OUTSIDE}"}
        assert (keep(outside, **page), connect(outside, **page)) == (200, 101)
        assert ask(outside, path="/generate", host=OUTSIDE)[0] == 200
        status, said = ask(outside, path="/api/health", host=OUTSIDE)
        assert (status, json.loads(said)["well"]) == (200, True)
        assert ask(outside, path="/api/numbers", host=OUTSIDE)[0] == 404
    status, said = ask(server, path="/api/numbers")
    assert status == 200
    assert "\nlatent_explorer_models_healthy " in said
    assert ask(server, path="/api/numbers", host="evil.example")[0] == 403


def test_a_server_open_to_a_network_is_known_by_what_it_listens_on_and_no_other_address(server):
    assert ask(server, host="0.0.0.0:1")[0] == 200
    for host in ("192.168.1.5", "explorer.lan", "[::]"):
        assert ask(server, host=host)[0] == 403


def test_a_server_whose_secrets_ask_for_a_login_answers_users_alone(tmp_path):
    write_secrets(tmp_path, "http://127.0.0.1:9")
    cookie = f"{COOKIE}={cookie_of(user_of('anne', 'http://127.0.0.1:9'))}"
    with serve(tmp_path) as address:
        assert ask(address)[0] == 401
        assert ask(address, cookie=cookie)[0] == 404  # a user, without a project yet
        assert (keep(address), keep(address, cookie=cookie)) == (401, 200)
        assert ask(address, path="/generate")[0] == 200  # it only asks for the login
