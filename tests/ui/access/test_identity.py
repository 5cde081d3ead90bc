"""Where secrets ask for a login, requests and pages are those of the same user."""

import base64
import random
import time

import pytest
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_websocket import (
    _get_signed_cookie_with_chunks,
    _parse_decoded_user_cookie,
)

from explorer.designs.candidates import FILE, Store
from explorer.ui.picks import service
from tests.support.api import HOST, ask, assert_refused, drawn_wish, post
from tests.support.logins import COOKIE, ISSUER, SECRET, cookie_of, user_of, write_secrets
from tests.support.pages import open_page
from tests.support.sentences import assert_one_sentence
from tests.ui.access.test_door import own_addresses

pytestmark = pytest.mark.usefixtures("no_data")

ORIGIN = f"http://{HOST}"
ANNE, BEN = (user_of(name, ORIGIN) for name in ("anne", "ben"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder in which the server starts, and nothing read from another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    secrets_singleton._reset()
    yield tmp_path
    secrets_singleton._reset()


@pytest.fixture
def login(home):
    return write_secrets(home, ORIGIN)


def by(user, **facts):
    return {"cookie": f"other=1; {COOKIE}={cookie_of(user, **facts)}"}


def owner(user):
    return f"{user['iss']}|{user['sub']}"


def projects_of(user, home):
    store = Store(home / "user" / FILE, owner(user))
    found = store.projects()
    store.close()
    return found


def test_without_secrets_nobody_logs_in(home):
    assert post("/api/picks", {"items": [drawn_wish()]}).status == 200
    assert [item.picks for item in service.store().projects()] == [1]


def test_every_route_asks_for_a_login(login):
    for address in own_addresses() | {"/api/picks/1"}:
        answer = ask(address)
        assert answer.status == 401
        assert_one_sentence(answer.body.decode())
        assert ask(address, headers=by(ANNE)).status != 401
    for what in ("picks", "picks/mark", "picks/undo"):
        assert_refused(post(f"/api/{what}", {"items": [drawn_wish()]}), 401)


def test_picks_belong_to_who_logged_in(login, home):
    numbers = {}
    for user in (ANNE, BEN):
        answer = post("/api/picks", {"items": [drawn_wish(tile=3)]}, by(user))
        assert (answer.status, answer.json["count"]) == (200, 1)
        (project,) = projects_of(user, home)
        numbers[user["sub"]] = project.id
        assert project.picks == 1
    hers, his = numbers["anne"], numbers["ben"]
    assert hers != his
    (key,) = (key for _, key in ask(f"/api/picks/{hers}", headers=by(ANNE)).json["origins"])
    assert ask(f"/api/picks/{hers}", headers=by(BEN)).status == 404
    assert ask(f"/api/picks/{his}", headers=by(BEN)).json["count"] == 1
    post("/api/picks/mark", {"project": hers, "keys": [key], "removed": True}, by(BEN))
    post("/api/picks/undo", {"project": hers, "keys": []}, by(BEN))
    assert [item.picks for item in projects_of(ANNE, home)] == [1]
    post("/api/picks", {"items": [drawn_wish(tile=4)], "project": hers}, by(BEN))
    assert [item.picks for item in projects_of(ANNE, home)] == [1]
    assert [item.picks for item in projects_of(BEN, home)] == [2]


def without(user, *names):
    return {name: value for name, value in user.items() if name not in names}


NO_LOGINS = {
    "no signature": {"cookie": f"{COOKIE}=eyJzdWIiOiJhbm5lIn0"},
    "another secret": by(ANNE, secret="another secret of sixteen bytes"),
    "a signature of another cookie": by(ANNE, name="_streamlit_user_tokens"),
    "another address": by(ANNE | {"origin": "http://localhost:9000"}),
    "no address": by(without(ANNE, "origin")),
    "logged out": by(ANNE | {"is_logged_in": False}),
    "not said to be logged in": by(without(ANNE, "is_logged_in")),
    "nobody": by(without(ANNE, "sub")),
    "vouched for by nobody": by(without(ANNE, "iss", "provider")),
    "no JSON": {"cookie": f"{COOKIE}={create_signed_value(SECRET, COOKIE, '{').decode()}"},
    "an empty cookie": {"cookie": f"{COOKIE}="},
    "bytes": {"cookie": f"{COOKIE}=\xff\xfe"},
}


@pytest.mark.parametrize("headers", NO_LOGINS.values(), ids=NO_LOGINS.keys())
def test_what_is_no_login_is_refused(login, headers):
    assert ask("/api/picks/1", headers=headers).status == 401
    assert_refused(post("/api/picks", {"items": [drawn_wish()]}, headers), 401)


def test_a_login_ends_when_streamlit_says_so(login, monkeypatch):
    headers = by(ANNE)
    assert ask("/api/picks/1", headers=headers).status == 404  # not hers, but she may ask
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 32 * 86400)
    assert ask("/api/picks/1", headers=headers).status == 401


def test_a_login_in_several_cookies_is_read(login):
    """Streamlit splits what is too long for one."""
    cookies = {}
    long = ANNE | {"picture": base64.b64encode(random.Random(0).randbytes(9000)).decode()}

    def sign(name, value):
        return create_signed_value(SECRET, name, value)

    def keep(name, value):
        cookies[name] = sign(name, value).decode()

    set_cookie_with_chunks(keep, sign, COOKIE, long, cookie_attr_size=100)
    assert len(cookies) > 2
    text = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert ask("/api/picks/1", headers={"cookie": text}).status == 404
    text = "; ".join(f"{name}={value}" for name, value in list(cookies.items())[:-1])
    assert ask("/api/picks/1", headers={"cookie": text}).status == 401


def test_streamlits_websocket_reads_the_same_user(login):
    raw = _get_signed_cookie_with_chunks({COOKIE: cookie_of(ANNE)}, COOKIE)
    user = _parse_decoded_user_cookie(raw, ORIGIN)
    assert {name: user[name] for name in ("iss", "sub", "is_logged_in")} == {
        "iss": ISSUER, "sub": "anne", "is_logged_in": True,
    }  # fmt: skip


def test_secrets_that_cannot_be_read_close_the_door(login):
    login.write_text("[auth")
    answer = ask("/api/picks/1", headers=by(ANNE))
    assert answer.status == 503
    assert_one_sentence(answer.body.decode())
    assert str(login) in answer.body.decode()
    page = open_page("evaluate")
    assert [str(login) in item.value for item in page.error] == [True]
    assert not page.sidebar.selectbox


# Pages


@pytest.mark.slow
def test_a_page_asks_for_a_login_before_it_shows_anything(login):
    page = open_page("evaluate")
    assert not page.exception
    assert [item.label for item in page.button] == ["Log in"]
    assert not page.sidebar.selectbox
    assert [item.value for item in page.title] == ["Latent Explorer"]


@pytest.mark.slow
def test_each_provider_has_a_button_and_a_failure_is_a_sentence(home, monkeypatch):
    path = write_secrets(home, ORIGIN, client_id=None)
    path.write_text(f'{path.read_text()}\n[auth.okta]\nclient_id = "a"\n[auth.google]\n')
    page = open_page("evaluate")
    assert [item.label for item in page.button] == ["Log in with Okta", "Log in with Google"]
    page.button(key="login_okta").click().run()
    (error,) = page.error
    assert_one_sentence(error.value)


@pytest.mark.slow
def test_a_page_shows_the_projects_of_who_logged_in(login, home):
    post("/api/picks", {"items": [drawn_wish()]}, by(ANNE))
    (project,) = projects_of(ANNE, home)
    page = open_page("candidates", user=without(ANNE, "origin"))
    assert not page.exception
    assert project.name in str([item.options for item in page.selectbox])
    assert [item.value for item in page.sidebar.text] == ["Anne"]
    assert "Log out" in [item.label for item in page.sidebar.button]
