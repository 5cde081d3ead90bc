"""Secrets that ask for a login, and the cookie that Streamlit signs after one."""

import json

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

COOKIE = "_streamlit_user"
SECRET = "a secret of sixteen bytes or more"
ISSUER = "https://login.example"


def write_secrets(folder, origin, **others):
    """Write the secrets of a server that is started in a folder."""
    facts = {
        "redirect_uri": f"{origin}/oauth2callback",
        "cookie_secret": SECRET,
        "client_id": "explorer",
        "client_secret": "unused",
        "server_metadata_url": f"{ISSUER}/.well-known/openid-configuration",
    } | others
    lines = [
        "[auth]",
        *(f"{name} = {json.dumps(value)}" for name, value in facts.items() if value),
    ]
    path = folder / ".streamlit" / "secrets.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def user_of(name, origin, **others):
    """Return what Streamlit keeps of a user."""
    claims = {"iss": ISSUER, "sub": name, "name": name.capitalize(), "provider": "default"}
    return claims | {"origin": origin, "is_logged_in": True} | others


def cookie_of(user, secret=SECRET, name=COOKIE):
    """Sign a user as Streamlit does."""
    return create_signed_value(secret, name, json.dumps(user)).decode()
