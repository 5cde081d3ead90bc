import streamlit as st

from explorer.ui.address.views import PriorsLabView
from explorer.ui.panels import hand
from explorer.ui.priors_lab import benches, lessons
from explorer.ui.shell import frame

view = frame.resolve_models(PriorsLabView.from_address())
engine = frame.open_models(view)[0]
engines = benches.require_planar(engine, view)
if view.large:
    frame.large_type()

lessons.menu(view)
st.caption(
    f"Models with two latent units, trained on {benches.subject(engines)}. The sidebar model "
    "only selects the data set here (if it has such models)."
)
if view.lesson:
    lessons.run(engines, view)
else:
    benches.run(engines, view)
hand.card(engine, view)
frame.finish(view, engine)
