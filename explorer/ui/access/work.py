"""Who may set this machine to work: start, turn, branch and stop runs of training."""

import streamlit as st

from explorer import settings
from explorer.ui.access.names import is_loopback

CLOSED = (
    "Training from the browser is off, since this server listens to other machines; "
    "start it with `--allow-work` to open it to all visitors."
)


def allowed() -> bool:
    """Whether visitors may start work: only this machine can ask, or the server was told so."""
    return settings.allows_work() or is_loopback(st.get_option("server.address") or "")
