import streamlit as st

from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import (
    actions,
    compare,
    detail,
    judged,
    search,
    shortlist,
    side_by_side,
    transfer,
)
from explorer.ui.panels import constraints, hand
from explorer.ui.picks import service
from explorer.ui.shell import frame

view = frame.resolve_models(CandidatesView.from_address())
engine = frame.open_models(view)[0]
store = service.store()
project = shortlist.project_of(store, view)
conditions = constraints.conditions(view)
picks = judged.measure_picks(store, project, conditions)

shortlist.bar(store, project, picks, view)
items = shortlist.shown(picks, view)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    transfer.export(items, project, view)
    transfer.import_picks(store, project)
    shortlist.limits(engine, view)
constraints.docked(engine, view)

if items:
    panes = st.container(horizontal=True, gap="medium")
    with panes.container(key="candidates_cards"):
        shortlist.cards(project, items, view, engine)
        compare.compare(items, view)
        compare.polars(items, view, conditions)
    with panes.container(width=330, key="candidates_pane"):
        hand.card(engine, view, beside=True)
        detail.detail(store, project, items, view)
else:
    shortlist.empty(picks, engine, view)

side_by_side.charts(items, view)
search.find(picks, engine, view, judged.focus(items, view))
if picks:
    actions.history(store, project)

frame.finish(view, engine)
