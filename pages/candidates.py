import streamlit as st

from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import actions, judged, pane, shortlist, transfer
from explorer.ui.panels import constraints
from explorer.ui.picks import service
from explorer.ui.shell import frame

view = frame.resolve_models(CandidatesView.from_address())
engine = frame.open_models(view)[0]
store = service.store()
project = shortlist.project_of(store, view)
conditions = view.conditions
picks = judged.measure_picks(store, project, conditions)

with st.container(
    key="candidates_bar", horizontal=True, vertical_alignment="bottom", gap="xsmall"
):
    shortlist.bar(store, project, picks, view)
    items = shortlist.shown(picks, view)
    transfer.export(items, project, view)
    transfer.import_picks(store, project)
    shortlist.limits(engine, view)
constraints.docked(engine, view)

panes = st.container(horizontal=True, gap="medium")
with panes.container(key="candidates_cards"):
    if items:
        shortlist.cards(project, items, view, engine)
    else:
        shortlist.empty(picks, view)
    if picks:
        actions.history(store, project)
with panes.container(key="candidates_pane"):
    pane.pane(project, picks, items, engine, view, conditions)

frame.finish(view, engine)
