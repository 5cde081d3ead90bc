import streamlit as st

from explorer.ui.address.controls import control
from explorer.ui.address.views import CatalogueView
from explorer.ui.catalogue import cards
from explorer.ui.panels import scale_sweep
from explorer.ui.shell import frame

view = frame.resolve_models(CatalogueView.from_address())
engine = frame.open_models(view)[0]

if engine.has_prior:
    engines = scale_sweep.companions(engine)
    cards.strip(engines, view)
    st.caption(
        f"Drag to compare {len(engines)} priors with the same noise. At 1 each prior is as "
        "trained; at 0 every sample is the mean of its component: many images for a VampPrior, "
        "a single one for a Gaussian."
        if len(engines) > 1
        else "Drag: each sample keeps its noise; only the scale changes."
    )
else:
    st.info(
        f"{engine.slug} is a plain autoencoder: it has no prior, so it cannot be sampled. Its "
        "codes are on the latent map."
    )

st.subheader("Models", anchor=False)
names = {"": "All data", **{name: cards.DATA[name] for name in cards.data_sets()}}
if view.data not in names:
    view.data = ""
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    control(
        st.segmented_control,
        "Data",
        view,
        "data",
        options=list(names),
        format_func=names.get,
        required=True,
    )
    control(
        st.selectbox,
        "Sort by",
        view,
        "sort",
        options=list(cards.SORTS),
        format_func=cards.SORTS.get,
        width=240,
    )
cards.grid(cards.chosen(view), view)
cards.broken()

frame.finish(view, engine)
