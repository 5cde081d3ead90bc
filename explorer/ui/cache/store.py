"""The open store of candidates, shared by all users."""

from pathlib import Path

import streamlit as st

from explorer.designs.candidates import Store


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda old: old.close())
def store(path: str) -> Store:
    """Return the open store of candidates for a file.

    Raises:
        StoreError: If it cannot be opened.
    """
    return Store(Path(path))
