import streamlit as st

from explorer.ui.address.views import GenerateView
from explorer.ui.generate import blind, sample, sampler, toolbar, tradeoff, validity
from explorer.ui.panels import fit_prior, hand, levels, scale_sweep
from explorer.ui.shell import frame

view = frame.resolve_models(GenerateView.from_address())
row = st.container(horizontal=True, vertical_alignment="bottom")
engines = sampler.choose(frame.open_models(view), view, row)
engine = engines[0]

toolbar.toolbar(engines, view, row)
state = sample.wall(engines, view)
scale_sweep.export(engines, view.spec, state)
st.caption(sample.hint(engines, view))
if view.sampler == "prior":
    levels.of_sample(engine, view.spec, state)
    levels.sampled(engine, view.spec, state, key="generate_painted")
    validity.share(engine, view)
    tradeoff.section(engines, view.scale)
    blind.section(engine)
    toolbar.formula(engine)
    fit_prior.section(engine, "generate")
else:
    sampler.formula(view)
hand.card(engine, view, empty="Click a sample: it goes along to every page of this model.")
frame.finish(view, engine)
