"""One component of a prior up close: its samples, its data and its spread."""

import streamlit as st

from explorer.inference import Engine
from explorer.ui.address.views import PrototypesView
from explorer.ui.panels import levels, scale_sweep
from explorer.ui.prototypes import wall
from explorer.ui.prototypes.wall import Gallery
from explorer.ui.shell import pages


def component(engine: Engine, shown: Gallery, view: PrototypesView) -> None:
    """Render the open component, if there is one."""
    if view.component is None:
        return
    st.subheader(f"Component {view.component}", anchor=False)
    panes = st.container(horizontal=True, gap="large")
    with panes.container(key="prototypes_samples"):
        levels.choose(engine, view)
        options = scale_sweep.SweepOptions(titles=False, selectable=False)
        state = scale_sweep.sweep(
            [engine], view.spec, key="prototypes_strip", at=view.scale, options=options
        )
        view.scale = state.value
        scale_sweep.export([engine], view.spec, state)
        wall.assigned_data(engine, view.component)
    with panes.container(width=380):
        st.markdown("**Posterior standard deviations**")
        wall.spread(engine, shown, view.component)
        st.page_link(
            pages.page_path("latent_map"),
            label="Show on the latent map",
            icon=":material/star:",
            query_params={"model": view.model, "hand": f"prototypes:{view.component}"},
        )

    what = f"The mean of component {view.component}"
    levels.apart(engine, shown.prototypes.loc[view.component], what, key="prototypes_levels")
