import streamlit as st

from explorer.ui.address.views import DesignView
from explorer.ui.design import shape, twelve, wishes
from explorer.ui.panels import hand
from explorer.ui.shell import frame, sibling

view = frame.resolve_models(DesignView.from_address())
engine = frame.open_models(view)[0]
if not engine.has_prior:
    st.info("Designs are drawn from a prior, which this autoencoder lacks.")
    sibling.with_prior(engine, "design")
    frame.timing(engine)
    st.stop()

properties = wishes.form(engine, view)
found = twelve.wall(engine, view, properties) if properties else None
if not properties:
    st.info("These samples have no measured properties to wish for.")
    sibling.of_sections("design", {})
if found is not None:
    shaped = shape.grab(engine, view, *found)
    twelve.polars(engine, view, *found, shaped)
hand.card(engine, view, empty="Click a design: it goes along to every page of this model.")
frame.finish(view, engine)
