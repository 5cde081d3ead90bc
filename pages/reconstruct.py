import streamlit as st

from explorer.ui.address.controls import control
from explorer.ui.address.views import ReconstructView
from explorer.ui.reconstruct import passage, posterior, source, typicality
from explorer.ui.shell import frame

view = frame.resolve_models(ReconstructView.from_address())
engines = frame.open_models(view)
engine = engines[0]
sources = source.sources(engine)
if view.source not in sources:
    view.source = "test"

panes = st.container(horizontal=True, gap="large")
with panes.container(width=290):
    if len(sources) > 1:
        control(
            st.segmented_control,
            "Sample",
            view,
            "source",
            options=list(sources),
            format_func=sources.get,
            required=True,
        )
    given = source.choose(engine, view)
with panes.container(key="reconstruct_models"):
    if given is None:
        st.markdown("**Nothing to reconstruct yet**")
        st.caption("The sample you choose, draw or upload will be reconstructed here.")
    else:
        passage.show(engines, given, view)

if given is not None:
    below = st.container(horizontal=True, gap="large")
    with below.container(key="reconstruct_posterior_pane"):
        posterior.posterior(engine, given)
        st.markdown("**Refine**")
        control(st.toggle, "Optimise the posterior for this sample alone", view, "refine")
        if view.refine and engine.has_prior:
            posterior.refinement(engines, given)
        else:
            st.caption(
                "The encoder is amortised over all data. Optimising q(z|x) for this sample alone "
                "shows the amortisation gap in nats."
            )
    with below.container(key="reconstruct_place_pane"):
        typicality.place_among_data(engine, given)
    st.caption("Choose up to three more models in the sidebar to reconstruct the same sample.")

frame.finish(view, engine)
