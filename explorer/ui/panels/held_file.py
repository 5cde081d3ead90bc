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


def uploader_of_many(label: str, key: str, megabytes: int, most: int) -> tuple[File, ...]:
    """Render an uploader of several files and return them, or those given to it before.

    Args:
        label: Its label.
        key: Key of the widget; another key holds other files.
        megabytes: Largest size of a file.
        most: Largest number of files; the first ones are taken, and that is said.
    """
    held = f"{key}_held"
    given = st.file_uploader(
        label, key=key, max_upload_size=megabytes, accept_multiple_files=True,
        on_change=_changed, args=(key, held),
    )  # fmt: skip
    if given:
        st.session_state[held] = tuple(File(one.name, one.getvalue()) for one in given[:most])
    if len(given) > most:
        st.caption(f"The first {most} of {len(given)} files are opened; give the others next.")
    files: tuple[File, ...] = st.session_state.get(held, ())
    if files and not given:
        names = plain(files[0].name[:40]) if len(files) == 1 else f"{len(files)} files"
        st.button(
            f"Remove {names}", key=f"{key}_remove", icon=":material/close:",
            on_click=st.session_state.pop, args=(held, None),
        )  # fmt: skip
    return files


def _changed(key: str, held: str) -> None:
    """Forget the files that were taken out of the uploader."""
    if not st.session_state.get(key):
        st.session_state.pop(held, None)
