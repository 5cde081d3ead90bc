"""One component of a prior up close: its samples, its data and its spread."""

import streamlit as st

from explorer import sections
from explorer.inference import Engine
from explorer.strips import SCALES, samples_strip
from explorer.ui import cache
from explorer.ui.address.views import PrototypesView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import levels, scale_sweep
from explorer.ui.prototypes import wall
from explorer.ui.prototypes.wall import Gallery
from explorer.ui.shell import pages

SHOWN = 4
"""Samples on the card of the thing in hand."""


def glance(engine: Engine, shown: Gallery, view: PrototypesView) -> None:
    """Render the first samples of the open component beside the wall, and count its data."""
    if view.component is None or view.hand != f"prototypes:{view.component}":
        return
    drawn = cache.strip(engine, view.spec)
    frame = SCALES.index(view.scale)
    filmstrip(
        Panel(
            samples_strip(
                drawn.samples[frame, :SHOWN],
                engine.sketch,
                geometry=sections.usual(engine.sketch),
            )
        ),
        key="prototypes_glance",
        grid=Grid(
            tile_width=engine.sketch.tile_width(44),
            columns=SHOWN if engine.sketch.kind == "pixels" else SHOWN // 2,
            fixed=True,
            noun="sample",
        ),
    )
    words = f"Samples of it at scale {view.scale:g}."
    if shown.claimed is not None:
        words += f" {int(shown.claimed[view.component]):,} data are assigned to it."
    st.caption(f"{words} More below.")


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
