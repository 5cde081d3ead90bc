import streamlit as st

from explorer.ui.address.views import GenerateView
from explorer.ui.generate import blind, sample, toolbar, tradeoff, validity
from explorer.ui.panels import hand, levels, scale_sweep
from explorer.ui.shell import frame

view = frame.resolve_models(GenerateView.from_address())
engines = frame.open_models(view)
engine = engines[0]
sample.require_prior(engine)

toolbar.toolbar(engines, view)
state = sample.wall(engines, view)
scale_sweep.export(engines, view.spec, state)
st.caption(sample.hint(engines, view.difference))
levels.of_sample(engine, view.spec, state)
levels.sampled(engine, view.spec, state, key="generate_painted")
validity.share(engine, view)
tradeoff.section(engines, view.scale)
blind.section(engine)
toolbar.formula(engine)
hand.card(engine, view, empty="Click a sample: it goes along to every page of this model.")
frame.finish(view, engine)
