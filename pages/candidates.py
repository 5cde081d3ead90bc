import streamlit as st

from explorer.ui import bounds, finding, frame, homeward, picking, shortlisted, tray
from explorer.ui.views import CandidatesView

view = frame.settle(CandidatesView.from_address())
engine = frame.open_models(view)[0]
store = picking.store()
project = shortlisted.project_of(store, view)
conditions = bounds.conditions(view)
picks = shortlisted.judged(store, project, conditions)

shortlisted.bar(store, project, picks, view)
items = shortlisted.shown(picks, view)
with st.container(horizontal=True, gap="small"):
    homeward.take_home(items, project, view)
    homeward.bring_back(store, project)
    shortlisted.limits(engine, view)

if not picks:
    shortlisted.empty(view)
elif not items:
    st.caption("No pick is left by these filters; show all of them.")
else:
    panes = st.container(horizontal=True, gap="medium")
    with panes.container(key="candidates_cards"):
        shortlisted.cards(project, items, view)
        tray.compare(items, view)
        tray.polars(items, view, conditions)
    with panes.container(width=330, key="candidates_pane"):
        shortlisted.detail(store, project, items, view)

tray.charts(items, view)
finding.find(picks, engine, view, shortlisted.focus(items, view))
if picks:
    shortlisted.history(store, project)

frame.finish(view, engine)
