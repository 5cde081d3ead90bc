"""The table of a group of metrics, and what computes those that are missing."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from explorer.errors import StoreError
from explorer.metrics.evaluation import any_of
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import table
from explorer.ui.evaluate.table import Row
from explorer.ui.picks import service
from explorer.ui.shell import jobs_panel
from explorer.ui.wording import glossary, palette, rules

_WANTED = ("reconstruction", "active_units_absolute", "density", "mmd")
"""Metrics of which each stands for a part that may be lacking."""


def measures(rows: Sequence[Row], view: EvaluateView) -> None:
    """Render one group of metrics as a table; published results and real data in grey."""
    told = _told_apart(rows) if view.group == "samples" else {}
    others = table.comparable(view.of, rows)
    lines = table.lines(rows, view.group, others, told)
    ours_first = sorted(lines, key=lambda line: line.grey)
    columns = list(dict.fromkeys(name for line in ours_first for name in line.cells))
    laid = pd.DataFrame([line.cells for line in lines], columns=columns).fillna("–")
    colour = palette.grey(st.context.theme.type == "dark")
    grey = [f"color: {colour}" if line.grey else "" for line in lines]
    st.dataframe(
        laid.style.apply(lambda column: grey),
        key="evaluate_table",
        hide_index=True,
        column_config={
            name: st.column_config.TextColumn(help=glossary.define(name)) for name in columns
        }
        | {"Model": st.column_config.TextColumn(pinned=True, width=280)},
    )
    pseudo = view.group == "likelihood" and any(row.entry.pseudo for row in rows)
    blind = (
        f" {table.TOLD}: your blind tests on Generate, with a 95 % interval; 50 % is chance."
        if told
        else ""
    )
    cited = [
        f" {table.initials(source)}: {source}."
        for source in dict.fromkeys(item.source for item in others)
        if view.group == "likelihood"
    ]
    said = table.EXPLAINED[view.group] + "".join(cited) + blind
    st.caption(said + (rules.PSEUDO if pseudo else ""))


def missing(rows: Sequence[Row]) -> None:
    """Render buttons that compute missing metrics."""
    lacking = [
        row
        for row in rows
        if row.entry.healthy
        and any(not any_of(name) & row.entry.metrics.keys() for name in _WANTED)
    ]
    if not lacking:
        return
    count = f"{len(lacking)} models lack" if len(lacking) > 1 else "One model lacks"
    with st.expander(f"{count} metrics"):
        for row in lacking:
            st.markdown(f"**{row.name}**")
            jobs_panel.offer_of(
                row.entry,
                "evaluate",
                f"Compute missing metrics for {row.name}",
                "On the whole test split (log p(x) with S = 500); can be stopped and resumed.",
            )


def _told_apart(rows: Sequence[Row]) -> dict[str, str]:
    project, _ = service.current()
    if project is None:
        return {}
    try:
        return table.told_apart(rows, project.id, service.store())
    except StoreError:
        return {}
