"""The settings of the Interpolate page: the method, its endpoints and the number of frames."""

import streamlit as st

from explorer.inference import Engine
from explorer.projection import Atlas
from explorer.ui.address.controls import choice, commit, control
from explorer.ui.address.views import InterpolateView
from explorer.ui.interpolate import ends, path


def toolbar(engine: Engine, atlas: Atlas, view: InterpolateView) -> None:
    """Render the settings of the path."""
    offered = {kind: path.KINDS[kind] for kind in path.kinds(engine)}
    if view.kind not in offered:
        view.fall_back("kind", "straight", "needs a derivative", "using the straight path")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if view.path:
            st.markdown("**Along the line you drew**")
            st.button("Choose endpoints instead", on_click=commit, kwargs={"path": None})
        else:
            choice("Method", view, "kind", offered)
        if view.kind == "following" and not view.path:
            control(
                st.slider,
                "Density weight (λ)",
                view,
                "closeness",
                min_value=0.0,
                max_value=1.0,
                step=0.1,
                width=200,
            )
        control(st.slider, "Frames", view, "frames", min_value=5, max_value=41, step=4, width=160)
    if not view.path:
        ends.ends(engine, atlas, view)
