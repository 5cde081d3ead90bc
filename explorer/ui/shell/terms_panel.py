"""The glossary in the sidebar: all terms, and the marks of those on the page."""

import streamlit as st

from explorer.ui.components import terms
from explorer.ui.wording import glossary
from explorer.ui.wording.format import plain


def sidebar() -> None:
    """Render the button that opens the glossary, and mark its terms on the page."""
    with st.popover("Terms", icon=":material/menu_book:", width="stretch", key="frame_glossary"):
        st.caption("Underlined terms explain themselves where the pointer rests on them.")
        st.markdown(
            "  \n".join(
                f"**{plain(name)}**: {plain(term.definition)}"
                for name, term in sorted(glossary.TERMS.items(), key=lambda item: item[0].lower())
            )
        )
    terms(glossary.marks(), key="frame_terms")
