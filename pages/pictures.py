import streamlit as st

from explorer.ui.access import work
from explorer.ui.address.views import PicturesView
from explorer.ui.panels import hand
from explorer.ui.pictures import come_in
from explorer.ui.shell import frame

view = frame.resolve_models(PicturesView.from_address())
engine = frame.open_models(view)[0]

if not work.allowed():
    st.info(work.CLOSED)
elif (path := come_in.given()) is not None:
    come_in.seen(path)
hand.card(engine, view)
frame.finish(view, engine)
