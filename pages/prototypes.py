import streamlit as st

from explorer.ui.address.views import PrototypesView
from explorer.ui.panels import hand, pictures
from explorer.ui.prototypes import component, wall
from explorer.ui.shell import frame

view = frame.resolve_models(PrototypesView.from_address())
engine = frame.open_models(view)[0]
shown = wall.open_gallery(engine, view)

wall.toolbar(shown, view)
wall.choose(view, wall.wall(engine, shown, view.shown, view.component))
wall.caption(engine, shown, view.shown)
wall.export(engine, shown)
component.component(engine, shown, view)
if shown.has_inputs:
    st.subheader("Training replay", anchor=False)
    view.epoch = pictures.replay(engine, view)
hand.card(
    engine,
    view,
    empty="Click a prototype: its mean goes along to every page.",
    more=lambda: component.glance(engine, shown, view),
)
frame.finish(view, engine)
