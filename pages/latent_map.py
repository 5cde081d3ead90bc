import streamlit as st

from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import LatentMapView
from explorer.ui.latent_map import direction, path, selection
from explorer.ui.panels import latent_plane
from explorer.ui.shell import frame, jobs_panel

view = frame.resolve_models(LatentMapView.from_address())
engine = frame.open_models(view)[0]
atlas = cache.atlas(engine)
if atlas is None:
    st.markdown("**This model has no map yet**")
    jobs_panel.offer(
        engine, "atlas", "Build the map", "Encodes the data and computes a 2-D projection."
    )
    view.write()
    st.stop()

colours, layers = latent_plane.colours(engine, atlas), latent_plane.layers(engine)
if view.colour not in colours:
    view.colour = next(iter(colours))
control(
    st.pills,
    "Layers",
    view,
    "layers",
    options=list(layers),
    format_func=layers.get,
    selection_mode="multi",
    value=[name for name in view.layers if name in layers],
)

panes = st.container(horizontal=True, gap="medium")
with panes.container(key="latent_map_plane"):
    view.pick, view.path = latent_plane.draw(engine, atlas, view)
    st.caption(latent_plane.caption(atlas))
    if view.path:
        path.path(engine, atlas, view)
    direction.direction(engine, atlas, view)
with panes.container(width=340):
    control(
        st.selectbox,
        "Colour data by",
        view,
        "colour",
        options=list(colours),
        format_func=colours.get,
    )
    if view.pick or view.only:
        with st.container(horizontal=True, gap="small"):
            if view.pick:
                st.button("Clear selection", on_click=commit, kwargs={"pick": None})
            if view.only:
                st.button("Show all", on_click=commit, kwargs={"only": None})
    chosen = selection.held(engine, atlas, view)
    if chosen is None and view.pick:
        st.caption("The item selected in the link does not exist on this model’s map.")
    elif chosen is None:
        st.markdown("**Nothing is selected**")
        st.caption(
            "Hover over a dot to see what the model decodes there. Click it for its neighbours, "
            "Shift-click to add, Alt-click to remove. Shift-drag a box, Shift-Ctrl-drag a lasso, "
            "or choose them above the map; scroll to zoom, drag to pan, double-click empty space "
            "to clear. Draw a path to decode along it."
        )
    else:
        selection.tell(engine, atlas, chosen, view)

frame.finish(view, engine)
