import streamlit as st

from explorer.ui import frame, levels, walking
from explorer.ui.controls import commit, control
from explorer.ui.views import TraverseView

view = frame.settle(TraverseView.from_address())
engine = frame.open_models(view)[0]

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    walking.centres(engine, view)
    control(
        st.number_input, "Units shown", view, "rows", min_value=4, max_value=40, step=4, width=130
    )
    control(st.toggle, "Dead units too", view, "dead")
    walking.choose_level(engine, view)
    st.button(
        "Back to the prior mean",
        on_click=commit,
        kwargs={"centre": None, "at": None},
        disabled=view.centre == "mean" and not view.at,
    )

z, rows = walking.board(engine, view)
walking.onwards(engine, z, rows, view)
levels.apart(engine, z, "The code where the dials stand", key="traverse_levels", view=view)
walking.saved(engine)

frame.finish(view, engine)
