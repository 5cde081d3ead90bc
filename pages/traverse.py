import streamlit as st

from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import TraverseView
from explorer.ui.panels import hand, levels
from explorer.ui.shell import frame
from explorer.ui.traverse import dials

view = frame.resolve_models(TraverseView.from_address())
engine = frame.open_models(view)[0]

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    dials.centres(engine, view)
    control(
        st.number_input, "Units shown", view, "rows", min_value=4, max_value=40, step=4, width=130
    )
    control(st.toggle, "Show inactive units", view, "dead")
    dials.choose_level(engine, view)
    st.button(
        "Back to the prior mean",
        on_click=commit,
        kwargs={"centre": "mean" if view.hand else None, "at": None},
        disabled=view.start == "mean" and not view.at,
    )

z, rows, names = dials.board(engine, view)
dials.onwards(engine, z, rows, names, view)
levels.apart(engine, z, "The current code", key="traverse_levels", view=view)
dials.saved(engine)
hand.card(engine, view, empty="Choose where to start, or take the current code.")

frame.finish(view, engine)
