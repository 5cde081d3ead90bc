import streamlit as st

from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import TraverseView
from explorer.ui.panels import levels
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
        kwargs={"centre": None, "at": None},
        disabled=view.centre == "mean" and not view.at,
    )

z, rows = dials.board(engine, view)
dials.onwards(engine, z, rows, view)
levels.apart(engine, z, "The current code", key="traverse_levels", view=view)
dials.saved(engine)

frame.finish(view, engine)
