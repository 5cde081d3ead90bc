"""The shelf: how many picks there are, and what still waits in this browser to be saved."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_MOUNT = st.components.v2.component(
    "shelf",
    html=(_HERE / "outbox.html").read_text(),
    css=(_HERE / "outbox.css").read_text(),
    js=(_HERE.parent / "keeping.js").read_text() + (_HERE / "outbox.js").read_text(),
)


def outbox(
    *, key: str, project: int | None, name: str, count: int, news: str, listens: bool
) -> bool:
    """Show the count of picks; say whether the visitor wants to see them.

    Args:
        key: Key of the widget.
        project: The project that picks go to; None where the store cannot be read.
        name: Its name.
        count: How many picks it holds.
        news: Why picks cannot be saved now, or "".
        listens: Whether the page shows picks, and runs anew when there are others.
    """
    state = _MOUNT(
        key=key,
        data={
            "project": project,
            "name": name,
            "count": count,
            "news": news,
            "listens": listens,
        },
        on_open_change=lambda: None,
        on_changed_change=lambda: None,
    )
    return bool(state.get("open"))
