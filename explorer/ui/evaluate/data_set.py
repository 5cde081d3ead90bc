"""Which data set, and which models of it, does the page compare?"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.address.controls import control
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import pair, table
from explorer.ui.evaluate.table import Row


def require_rows(view: EvaluateView, own: str) -> list[Row]:
    """Return the models of the view's data set; stop with a message if none was evaluated."""
    rows = resolve_data_set(view, own)
    if not rows:
        st.info("No model has been evaluated yet. Run `latent-explorer evaluate SLUG`.")
        view.write()
        st.stop()
    return rows


def toolbar(view: EvaluateView) -> DeltaGenerator:
    """Render the choice of the data set; return the place of the export menu beside it."""
    known = table.data_sets()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control(
            st.selectbox,
            "Data set",
            view,
            "of",
            options=list(known),
            format_func=known.get,
            width=300,
        )
        return st.container(width="content")


def resolve_data_set(view: EvaluateView, own: str) -> list[Row]:
    """Resolve the data set and the two compared models; return all its models."""
    known = table.groups()
    if view.of not in known:
        kin = [key for key, group in known.items() if view.of == group.entries[0].data]
        named = [key for key in kin if view.one in {e.slug for e in known[key].entries}]
        home = [key for key, g in known.items() if own in {entry.slug for entry in g.entries}]
        first = (named + kin + home + list(known) + [""])[0]
        if view.of and not kin:
            instead = f"showing {known[first].words}" if first else "showing none"
            view.fall_back("of", first, "has no results", instead)
        elif view.of:
            view.of = first
        else:
            view.fill("of", first)
    rows = table.rows(view.of) if view.of else []
    slugs = [row.entry.slug for row in rows]
    one, other = pair.default_pair(rows)
    names = {row.entry.slug: row.name for row in rows} | {"": "none"}
    why = "has no results on this data set"
    if view.one not in slugs:
        view.fall_back("one", one, why, f"showing {names[one]}")
    second = other if other != view.one else one
    if view.other not in slugs or (view.other == view.one and len(slugs) > 1):
        again = "is model A as well" if view.other in slugs else why
        view.fall_back("other", second, again, f"showing {names[second]}")
    return rows
