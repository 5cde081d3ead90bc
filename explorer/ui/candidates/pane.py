"""The pane beside the cards: one tab each for the pick, comparison, polars, trade-offs, search."""

from collections.abc import Sequence

import streamlit as st

from explorer import sections
from explorer.designs import aerodynamics
from explorer.designs.picks import Project
from explorer.designs.properties import Conditions
from explorer.inference import Engine
from explorer.ui.address.controls import control
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import compare, detail, search, side_by_side
from explorer.ui.candidates.judged import MeasuredPick, focus
from explorer.ui.panels import hand

TABS = {
    "pick": "Pick",
    "compare": "Compare",
    "polars": "Polars",
    "tradeoffs": "Trade-offs",
    "find": "Find more",
}


def pane(
    project: Project,
    picks: Sequence[MeasuredPick],
    items: Sequence[MeasuredPick],
    engine: Engine,
    view: CandidatesView,
    conditions: Conditions,
) -> None:
    """Render the tabs and the one that is open; only that one is computed.

    Args:
        project: The project on the page.
        picks: All picks of the project.
        items: Those that are shown as cards.
        engine: The open model.
        view: The page's view.
        conditions: The conditions picks are evaluated under.
    """
    able = _able(items)
    if view.pane in able:
        tab = view.pane
    else:
        tab = able[0]
        if view.tab:
            view.fall_back("tab", "", "has nothing to show here", f"showing {TABS[tab]}")
    if len(able) > 1:
        with st.container(key="candidates_tabs"):
            control(st.segmented_control, "Pane", view, "tab", options=able, value=tab,
                    format_func=TABS.get, required=True, label_visibility="collapsed")  # fmt: skip
    hand.card(engine, view, beside=True)
    if tab == "pick":
        detail.detail(project, items, view)
    elif tab == "compare":
        compare.compare(items, view)
    elif tab == "polars":
        compare.polars(items, view, conditions)
    elif tab == "tradeoffs":
        side_by_side.charts(items, view)
    else:
        search.find(picks, engine, view, focus(items, view))


def _able(items: Sequence[MeasuredPick]) -> list[str]:
    """List the tabs that have something to show."""
    if not items:
        return ["find"]
    is_any = any(sections.is_section(item.pick.source.model.sketch) for item in items)
    flows = aerodynamics.available() and is_any
    return [tab for tab in TABS if flows or tab != "polars"]
