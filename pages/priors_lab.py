import streamlit as st

from explorer.ui.address.views import PriorsLabView
from explorer.ui.panels import hand
from explorer.ui.priors_lab import benches, lessons, lineup
from explorer.ui.shell import frame

view = frame.resolve_models(PriorsLabView.from_address())
engine = frame.open_models(view)[0]
engines = lineup.require_planar(engine, view)
if view.large:
    frame.large_type()

lessons.menu(view)
st.caption(lineup.purpose(engines, engine))
if view.lesson:
    lessons.run(engines, view)
else:
    benches.run(engines, view, engine)
hand.card(engine, view)
frame.finish(view, engine)
