import streamlit as st

from explorer.ui.address.views import LatentMapView
from explorer.ui.latent_map import direction, path, selection
from explorer.ui.panels import asked, hand, latent_plane, replayed
from explorer.ui.shell import frame, jobs_panel

view = frame.resolve_models(LatentMapView.from_address())
engine = frame.open_models(view)[0]
atlas = jobs_panel.require_atlas(engine, view, "This model has no map yet")

latent_plane.toolbar(engine, atlas, view)
panes = st.container(horizontal=True, gap="medium")
with panes.container(key="latent_map_plane"):
    latent_plane.draw(engine, atlas, view)
    st.caption(
        latent_plane.caption(atlas)
        + latent_plane.difference(engine, view)
        + latent_plane.transported(engine, atlas, view)
        + latent_plane.decided(engine, view)
    )
    asked.faults(engine)
    latent_plane.export(engine, atlas, view)
    direction.direction(engine, atlas, view)
    replayed.section(engine, "latent_map_matched")
with panes.container(width=340):
    path.path(engine, atlas, view)
    hand.card(engine, view, empty="Click a code, a prototype or a hole.", beside=True)
    selection.pane(engine, atlas, view)
frame.finish(view, engine)
