import streamlit as st

from explorer.ui.access import work
from explorer.ui.address.controls import commit
from explorer.ui.address.views import TrainView
from explorer.ui.panels import hand
from explorer.ui.shell import frame
from explorer.ui.train import form, watch

view = frame.resolve_models(TrainView.from_address())
engine = frame.open_models(view)[0]
steers = work.allowed()

if not steers:
    st.info(work.CLOSED)
if view.run:
    st.button(
        "Train another", icon=":material/add:", on_click=commit, kwargs={"run": None, "at": None}
    )
    watch.watch(view, steers=steers)
elif steers:
    form.form(view.data)
watch.listing(view.run)
hand.card(engine, view)
frame.finish(view, engine)
