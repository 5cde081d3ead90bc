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
    passage.stack_when_narrow()
    if given is None:
        st.markdown("**Nothing to reconstruct yet**")
        st.caption("What you choose, draw or upload goes through the encoder and back, here.")
    else:
        passage.show(engines, given, view)

if given is not None:
    below = st.container(horizontal=True, gap="large")
    with below.container(key="reconstruct_posterior_pane"):
        posterior.posterior(engine, given)
        st.markdown("**Refine**")
        control(st.toggle, "Fit the posterior to this sample alone", view, "refine")
        if view.refine and engine.has_prior:
            posterior.refinement(engines, given)
        else:
            st.caption(
                "An encoder serves all data at once. A few gradient steps on the posterior of "
                "this one sample show how many nats that costs."
            )
    with below.container(key="reconstruct_place_pane"):
        typicality.place_among_data(engine, given)
    st.caption(
        "Compare with up to three models in the sidebar: the same sample goes through each."
    )

frame.finish(view, engine)
