"""Login, where the secrets of the server ask for it."""

import streamlit as st
from streamlit.errors import StreamlitAPIException, StreamlitMissingAuthlibError

from explorer.ui.access import identity


def needed() -> bool:
    """Whether the visitor still has to log in.

    Raises:
        SettingsError: If the secrets cannot be read.
    """
    return identity.required() and not st.user.is_logged_in


def offer() -> None:
    """Render a button for each provider of logins."""
    st.title("Latent Explorer", anchor=False)
    st.caption("Log in to explore the models and to keep a shortlist of your own.")
    for name in identity.providers():
        label = "Log in" if name is None else f"Log in with {name.capitalize()}"
        if st.button(label, key=f"login_{name}", icon=":material/login:", type="primary"):
            _log_in(name)


def sidebar() -> None:
    """Render who is logged in, and a button to log out."""
    if identity.required():
        st.text(str(st.user.get("name") or st.user.get("email") or "Logged in"))
        st.button("Log out", key="login_out", icon=":material/logout:", on_click=st.logout)


def _log_in(name: str | None) -> None:
    try:
        st.login(name)
    except StreamlitMissingAuthlibError:
        st.error(
            'Logins need Authlib; install it with `pip install "streamlit[auth]"`.',
            icon=":material/error:",
        )
    except StreamlitAPIException as error:
        first, *_ = " ".join(str(error).split()).partition(". ")
        st.error(f"{first.removesuffix('.')}.", icon=":material/error:")
