import streamlit as st

from explorer.ui.address.views import ReconstructView
from explorer.ui.panels import hand
from explorer.ui.reconstruct import passage, posterior, source, typicality
from explorer.ui.shell import frame

view = frame.resolve_models(ReconstructView.from_address())
engines = frame.open_models(view)
engine = engines[0]

panes = st.container(horizontal=True, gap="large")
with panes.container(width=290):
    given = source.pane(engine, view)
with panes.container(key="reconstruct_models"):
    passage.show(engines, given, view)
if given is not None:
    below = st.container(horizontal=True, gap="large")
    with below.container(key="reconstruct_posterior_pane"):
        posterior.pane(engines, given, view)
    with below.container(key="reconstruct_place_pane"):
        typicality.place_among_data(engine, given)
    st.caption("Choose up to three more models in the sidebar to reconstruct the same sample.")
hand.card(engine, view, empty="Choose a test sample, draw one or upload one.")
frame.finish(view, engine)
