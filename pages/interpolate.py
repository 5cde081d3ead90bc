import streamlit as st

from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import InterpolateView
from explorer.ui.interpolate import ends, film, path
from explorer.ui.panels import export_menu
from explorer.ui.shell import frame, jobs_panel

view = frame.resolve_models(InterpolateView.from_address())
engine = frame.open_models(view)[0]
if view.kind not in path.kinds(engine):
    view.kind = "straight"
atlas = cache.atlas(engine)
if atlas is None:
    st.markdown("**Endpoints are chosen on the latent map; this model has no map yet**")
    jobs_panel.offer(
        engine, "atlas", "Build the map", "Encodes the data and computes a 2-D projection."
    )
    view.write()
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    if view.path:
        st.markdown("**Along the line you drew**")
        st.button("Choose endpoints instead", on_click=commit, kwargs={"path": None})
    else:
        control(
            st.segmented_control,
            "Method",
            view,
            "kind",
            options=path.kinds(engine),
            format_func=path.KINDS.get,
            required=True,
        )
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
way = path.way(engine, atlas, view)
if way is None:
    st.caption("Choose at least two endpoints: a data index, a prior sample or a prototype.")
    view.write()
    st.stop()
strip = film.film(engine, way, view)
film.remarks(engine, way, view)
export_menu.strip_menu(engine, strip, "interpolate_take", "way", view.at)
film.on_map(engine, atlas, way, view)
with st.expander("Show the formula"):
    film.formula(view)

frame.finish(view, engine)
