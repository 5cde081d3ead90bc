"""The shortlist in the sidebar: the number of picks, and a link to them."""

import streamlit as st

from explorer import settings
from explorer.designs.tables import FIRST_PROJECT
from explorer.ui.components import outbox
from explorer.ui.picks.service import KEPT, current


def sidebar(listens: bool) -> None:
    """Render the number of picks, which links to Candidates."""
    project, news = current()
    wants = outbox(
        key="frame_shelf",
        project=None if project is None else project.id,
        name=FIRST_PROJECT if project is None else project.name,
        count=0 if project is None else project.picks,
        news=news,
        listens=listens,
        kept=st.session_state.get(KEPT),
    )
    if wants and not listens:
        st.switch_page(settings.beside("pages") / "candidates.py")
