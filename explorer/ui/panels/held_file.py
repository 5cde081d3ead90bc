"""An uploader whose file stays for the visit: Streamlit's own forgets it on another page."""

from typing import NamedTuple

import streamlit as st

from explorer.ui.wording.format import plain


class File(NamedTuple):
    """An uploaded file."""

    name: str
    content: bytes


def uploader(label: str, key: str, megabytes: int) -> File | None:
    """Render an uploader and return its file, or the one given to it before in this visit.

    Args:
        label: Its label.
        key: Key of the widget; another key holds another file.
        megabytes: Largest size of a file.
    """
    held = f"{key}_held"
    given = st.file_uploader(
        label, key=key, max_upload_size=megabytes, on_change=_changed, args=(key, held)
    )
    if given is not None:
        st.session_state[held] = File(given.name, given.getvalue())
    file: File | None = st.session_state.get(held)
    if file is not None and given is None:
        st.button(
            f"Remove {plain(file.name[:40])}",
            key=f"{key}_remove",
            icon=":material/close:",
            on_click=st.session_state.pop,
            args=(held, None),
        )
    return file


def _changed(key: str, held: str) -> None:
    """Forget the file that was taken out of the uploader."""
    if st.session_state.get(key) is None:
        st.session_state.pop(held, None)
