"""The export menu: all results as a table, and the charts as figures of a paper."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.figures import PaperFigure
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import table
from explorer.ui.evaluate.table import Row
from explorer.ui.panels import export_menu


def export(
    where: DeltaGenerator,
    view: EvaluateView,
    rows: Sequence[Row],
    known: Mapping[str, PaperFigure | None],
) -> None:
    """Render the export menu in its place: results as CSV, and the charts as figures."""
    drawn = {name: figure for name, figure in known.items() if figure is not None}
    with where.popover("Export", icon=":material/download:"):
        st.download_button(
            "Results (CSV)",
            table.as_csv(view.of, rows),
            f"{view.of}-results.csv",
            "text/csv",
            width="stretch",
        )
        export_menu.figure_buttons(drawn, f"{view.of}-results", "evaluate_export")
