"""As whom a visitor asks: the identity of `st.login`, the same on pages and in requests.

Streamlit keeps it in a signed cookie (where secrets have a section `auth`). For pages it reads the
cookie when their websocket opens; for our own routes it is read here, by the same functions.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers
from starlette.requests import Request
from streamlit.auth_util import (
    get_cookie_with_chunks,
    get_origin_from_redirect_uri,
    get_secrets_auth_section,
)
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_websocket import gather_user_info

from explorer.errors import AccessError, SettingsError

NOBODY = ""
"""The owner of all projects where no login is asked for."""


def required() -> bool:
    """Whether visitors have to log in: secrets have a section `auth`.

    Raises:
        SettingsError: If there are secrets that cannot be read, which may have that section.
    """
    if secrets_singleton.load_if_toml_exists():
        return bool(get_secrets_auth_section())
    for path in st.get_option("secrets.files"):
        if Path(path).exists():
            raise SettingsError(f"{path} cannot be read; correct it or move it away.")
    return False


def providers() -> list[str | None]:
    """List the names of the providers of logins; None is the one without a name."""
    section = get_secrets_auth_section()
    named: list[str | None] = [name for name in section if isinstance(section[name], Mapping)]
    named = [name for name in named if name != "client_kwargs"]
    return named if "client_id" not in section else [None, *named]


def of_page() -> str:
    """Return whose projects this page shows.

    Raises:
        AccessError: If the visitor has to log in.
    """
    return _owner(st.user.to_dict()) if required() else NOBODY


def of_request(request: Request) -> str:
    """Return whose projects a request may use.

    Raises:
        AccessError: If the visitor has to log in.
    """
    return _owner(_user(request)) if required() else NOBODY


def _user(request: Request) -> dict[str, object]:
    """Read what Streamlit would put into `st.user` for this visitor."""
    cookies, headers = request.cookies, Headers(scope=request.scope)

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        # Cookies are ISO-8859-1, as in all of HTTP.
        if value is None:
            return None
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    found = get_cookie_with_chunks(signed, AUTH_COOKIE_NAME)
    try:
        user = json.loads(found or b"{}")
    except ValueError:
        return {}
    if not isinstance(user, dict):
        return {}
    # As for the websocket: a login is for one address, which the secrets name.
    if user.pop("origin", None) != headers.get("origin", get_origin_from_redirect_uri()):
        return {}
    return user | gather_user_info(headers)


def _owner(user: Mapping[str, object]) -> str:
    """Return the name of a user that no other has: who vouches for them, and as whom.

    OpenID Connect Core 1.0, section 5.7. https://openid.net/specs/openid-connect-core-1_0.html
    """
    issuer, subject = user.get("iss") or user.get("provider"), user.get("sub")
    if user.get("is_logged_in") is not True or not issuer or not subject:
        raise AccessError("Log in to use this.", 401)
    return f"{issuer}|{subject}"
