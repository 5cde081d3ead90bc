"""A line drawn on the map, decoded along its length."""

import streamlit as st

from explorer.inference import Engine
from explorer.projection import Atlas
from explorer.strips import grid_strip
from explorer.ui.address.controls import commit
from explorer.ui.address.places import path_codes
from explorer.ui.address.views import LatentMapView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import export_menu
from explorer.ui.picks import service
from explorer.ui.shell import pages

STATIONS = 15


def path(engine: Engine, atlas: Atlas, view: LatentMapView) -> None:
    """Render a line drawn on the map, decoded, with a link to Interpolate."""
    if not view.path:
        return
    z, _ = path_codes(atlas, view.path, STATIONS)
    strip = grid_strip(engine, z[None], (0.0,))
    st.markdown("**Along your line**")
    filmstrip(
        Panel(strip, pick=service.pick_descriptor(engine, strip)),
        key="latent_map_path",
        grid=Grid(tile_width=engine.sketch.tile_width(64), noun="station"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            pages.page_path("interpolate"),
            label="Open in Interpolate",
            icon=":material/timeline:",
            query_params={"model": view.model, "path": view.path},
        )
        st.button("Remove the line", on_click=commit, kwargs={"path": None})
        export_menu.strip_menu(
            engine, strip, "latent_map_path_take", "line", what="Along a line on the map"
        )
    if atlas.method != "plane":
        st.caption(
            "Estimated: points of a projection have no codes, so each image is decoded from the "
            "distance-weighted mean of the 15 nearest codes."
        )
