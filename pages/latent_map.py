import streamlit as st

from explorer.ui import frame, plane, resources
from explorer.ui.controls import commit, control
from explorer.ui.views import LatentMapView

view = frame.settle(LatentMapView.from_address())
engine, _ = frame.open_models(view)
atlas = resources.atlas(engine)
if atlas is None:
    st.info(
        f"{engine.slug} has no atlas yet. Run `latent-explorer project {engine.slug}` and "
        f"reload this page.",
        icon=":material/info:",
    )
    view.write()
    st.stop()

colours = plane.colours(engine, atlas)
if view.colour not in colours:
    view.colour = next(iter(colours))
layers = {name: words for name, words in plane.LAYERS.items() if plane.offers(engine, name)}
shown = tuple(name for name in view.layers if name in layers)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    control(
        st.pills,
        "Layers",
        view,
        "layers",
        options=list(layers),
        format_func=layers.get,
        selection_mode="multi",
        value=list(shown),
    )
    control(
        st.selectbox,
        "Colour data by",
        view,
        "colour",
        options=list(colours),
        format_func=colours.get,
        width=240,
    )
    st.button("Clear selection", on_click=commit, kwargs={"pick": None}, disabled=not view.pick)

panes = st.container(horizontal=True, gap="medium")
with panes.container(key="latent_map_plane"):
    view.pick = plane.draw(engine, atlas, shown, view.colour, view.pick)
    st.caption(plane.caption(atlas))
with panes.container(width=340):
    chosen = plane.select(engine, atlas, view.pick)
    if chosen is None and view.pick:
        st.caption("What the link picks is not on this model’s map.")
    elif chosen is None:
        st.markdown("**Nothing is selected**")
        st.caption(
            "Rest the pointer on a dot to see what the model decodes there. Click one for "
            "its neighbours; "
            "Shift-drag draws a box; the wheel zooms, a drag moves the map."
        )
    else:
        control(st.slider, "Neighbours", view, "neighbours", min_value=4, max_value=48, step=4)
        plane.tell(engine, atlas, chosen, view.neighbours)

view.write()
frame.timing(engine)
