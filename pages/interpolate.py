import streamlit as st

from explorer.ui.address.views import InterpolateView
from explorer.ui.interpolate import film, path, toolbar
from explorer.ui.panels import hand
from explorer.ui.shell import frame, jobs_panel

view = frame.resolve_models(InterpolateView.from_address())
engine = frame.open_models(view)[0]
atlas = jobs_panel.require_atlas(
    engine, view, "Endpoints are chosen on the latent map; this model has no map yet"
)

toolbar.toolbar(engine, atlas, view)
way = path.require_path(engine, atlas, view)
strip, profile = film.film(engine, way, view)
film.remarks(engine, way, view)
film.export(engine, strip, profile, way, view)
film.on_map(engine, atlas, way, view)
with st.expander("Show the formula"):
    film.formula(view)
hand.card(engine, view, empty="Click a frame of the row.")
frame.finish(view, engine)
