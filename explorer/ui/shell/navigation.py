"""Links to the pages in the sidebar, each to its last view of the open model.

A link holds the whole address that its page would write, so that a page on arrival has nothing to
write: one press of Back goes back one page.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from explorer.ui.address.views import CARRIED, HELD, LAST, PAGES, View

_SLOT, _PAGES = "frame_links_slot", "frame_links_pages"

GROUPS = {
    "": ("catalogue",),
    "Look": ("generate", "prototypes", "latent_map"),
    "Steer": ("traverse", "interpolate", "reconstruct"),
    "Choose": ("design", "candidates"),
    "Understand": ("priors_lab", "evaluate"),
    "Make": ("pictures", "train"),
}
"""Pages by what one does there."""


def links(pages: Mapping[str, StreamlitPage], view: View) -> None:
    """Render the links."""
    with st.container(key="frame_links", gap="xxsmall"):
        st.session_state[_SLOT], st.session_state[_PAGES] = st.empty(), pages
    _render(view)


def refresh(view: View) -> None:
    """Render the links again if this run has taken something else in hand."""
    if st.session_state.get(HELD) != view.hand:
        _render(view)


def _render(view: View) -> None:
    pages: Mapping[str, StreamlitPage] = st.session_state[_PAGES]
    st.session_state[HELD] = view.hand  # the addresses carry it
    with st.session_state[_SLOT].container(gap="xxsmall"):
        for group, names in GROUPS.items():
            if group:
                st.caption(group)
            for name in names:
                st.page_link(pages[name], query_params=address(name, view), width="stretch")


def address(name: str, view: View) -> dict[str, str]:
    """Return the address of a page: its last view of the models of a view, if any."""
    page = PAGES[name]
    carried = {
        field: st.session_state[key]
        for field, key in CARRIED
        if field in page.model_fields and st.session_state.get(key)
    }
    fresh = page.model_validate({"model": view.model, "compare": view.compare} | carried).address()
    last = st.session_state.get(LAST, {}).get(name, {})
    if any(last.get(field) != fresh.get(field) for field in ("model", "compare")):
        return fresh
    kept = {field: value for field, value in last.items() if field not in dict(CARRIED)}
    return kept | fresh
