"""The attribute direction between two selections: scrub it, name it, save it."""

import streamlit as st

from explorer.designs import directions
from explorer.errors import DirectionError, StoreError
from explorer.inference import Engine
from explorer.projection import Atlas
from explorer.strips import traversal_strip
from explorer.ui.address.places import Selection, select
from explorer.ui.address.views import LatentMapView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel, Slider
from explorer.ui.latent_map.selection import selected
from explorer.ui.picks import service
from explorer.ui.wording.format import mix, prose

STEPS = tuple(round(-2 + 0.25 * step, 2) for step in range(17))


def direction(engine: Engine, atlas: Atlas, view: LatentMapView) -> None:
    """Render the direction from group B to group A: scrub it, name it, save it."""
    a, b = select(engine, atlas, view.a), select(engine, atlas, view.b)
    if not view.a and not view.b:
        return
    st.markdown("**Attribute direction**")
    said = [f"{name}: {_words(atlas, group)}" for name, group in (("A", a), ("B", b))]
    st.caption("Mean of A minus mean of B. " + " · ".join(said))
    if a is None or b is None or not len(a.z) or not len(b.z):
        st.caption("Select a second group and set it as A or B.")
        return
    vector = a.z.mean(0) - b.z.mean(0)
    centre = selected(engine, atlas, view)
    held = centre is not None and len(centre.z) > 0
    start = centre.z.mean(0) if centre and held else (a.z.mean(0) + b.z.mean(0)) / 2
    strip = traversal_strip(engine, start, vector[None], STEPS)
    filmstrip(
        Panel(strip, pick=service.pick_descriptor(engine, strip)),
        key="latent_map_direction",
        at=0.0,
        slider=Slider(label="Steps along A − B", low="towards B", high="towards A", home=0.0),
        grid=Grid(tile_width=engine.sketch.tile_width(110)),
    )
    if centre and held:
        where = centre.words if len(centre.z) == 1 else f"the mean of {centre.words}"
        st.caption(f"Starts at {where}; one step is the full A − B difference.")
    else:
        st.caption(
            "Starts halfway between the two means: −0.5 is the mean of B, 0.5 the mean of A. Take "
            "something in hand to start there."
        )
    with (
        st.form("latent_map_keep", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Name", max_chars=60, placeholder="e.g. thicker stroke")
        kept = st.form_submit_button("Save direction", key="latent_map_save")
    if kept:
        try:
            made = directions.between(name, a.z, b.z, (a.words, b.words))
            service.store().save_direction(engine.checkpoint.hash, made)
        except (DirectionError, StoreError) as error:
            st.caption(f":material/error: {error}")
        else:
            st.caption(f"Saved “{made.name}”; it is now a row on Traverse.")


def _words(atlas: Atlas, group: Selection | None) -> str:
    """Name a group by what it consists of."""
    if group is None:
        return "none yet"
    classes = mix(atlas.label[group.rows], atlas.classes) if len(group.rows) > 1 else ""
    return f"{group.words}, class {prose(classes)}" if classes else group.words
