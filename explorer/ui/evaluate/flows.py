"""Curves of the flows on codes: how long they take to learn, and in how few steps they sample."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, papers
from explorer.checkpoint import Entry
from explorer.comparison import arrays
from explorer.figures import PaperFigure
from explorer.ui.address.controls import choice
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate.matching import short, way
from explorer.ui.evaluate.table import Row
from explorer.ui.panels import chart
from explorer.ui.wording import palette

CURVES = {
    "frechet": "Fréchet distance",
    "copies": "Near copies",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
}
MOST_CURVES, BEST_OF_EACH = 10, 2
"""Curves in one chart; of more models only the best of each way to a prior are drawn."""

_AXES = {"training": "training steps", "sampling": "sampling steps"}
_NULLS = {"frechet": "flow_frechet", "copies": "flow_copies"}


def curves(shown: Sequence[Row], view: EvaluateView) -> PaperFigure | None:
    """Render a measure of the flows' samples over training, and over sampling steps."""
    sampled = [row for row in shown if "flow_precision" in row.entry.metrics]
    chosen = _chosen(sampled, view)
    known = [(row, arrays(row.entry)) for row in chosen]
    known = [(row, found) for row, found in known if "flow_training" in found]
    measured = {
        name: label
        for name, label in CURVES.items()
        if any(f"flow_training_{name}" in found for _, found in known)
    }
    if not measured:
        return None
    if view.curve not in measured:
        view.fall_back("curve", next(iter(measured)), "was not measured", "showing what was")
    choice("Measure of the flow’s samples", view, "curve", measured)
    drawn = []
    with st.container(key="evaluate_flows", horizontal=True, gap="small"):
        for axis, label in _AXES.items():
            with st.container(width=460):
                drawn.append(
                    chart.render(
                        _figure(known, view.curve, axis),
                        f"evaluate_flow_{axis}",
                        x={"title": label, "type": "log", **_ticks(known, axis)},
                        y=_height(view.curve, measured[view.curve], axis),
                        height=300 + 20 * len(known),
                        legend=1.02 if axis == "training" else None,
                    )
                )
    sizes = {row.entry.metrics["flow_precision"].samples or 0 for row, _ in known}
    words = (
        f"{measured[view.curve]} of samples with 50 steps while the flow is trained, and with "
        f"fewer steps when it is, ± one standard error over {min(sizes):,} samples. Dashed: codes "
        "matched to the prior; dotted: real data in place of samples."
    )
    if len(chosen) < len(sampled):
        words += (
            " Shown are the open model, those compared with it, and of each way to a prior the "
            "two whose flows come closest to data."
        )
    st.caption(words)
    entries = [row.entry for row, _ in known]
    return figures.of_charts(
        entries, drawn, "Flow matching on the codes", words, papers.FLOW_MATCHING
    )


def _chosen(sampled: Sequence[Row], view: EvaluateView) -> list[Row]:
    """Keep as many models as can be told apart in one chart."""
    if len(sampled) <= MOST_CURVES:
        return list(sampled)

    def apart(row: Row) -> float:
        metric = row.entry.metrics.get("flow_frechet")
        return math.inf if metric is None else metric.value

    kept = {view.model, *view.compare}
    for order in {way(row.entry).order for row in sampled}:
        alike = [row for row in sampled if way(row.entry).order == order]
        kept |= {row.entry.slug for row in sorted(alike, key=apart)[:BEST_OF_EACH]}
    return [row for row in sampled if row.entry.slug in kept]


def _figure(known: Sequence[tuple[Row, dict[str, np.ndarray]]], name: str, axis: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(legend={"yanchor": "bottom"})  # upwards, as many lines as it needs
    for row, found in known:
        values = found.get(f"flow_{axis}_{name}")
        if values is None:
            continue
        steps = found[f"flow_{axis}"]
        copies = found.get(f"flow_{axis}_copies", np.full(len(steps), np.nan))
        colour = _colour(row.entry)
        name_of = short(row)
        figure.add_scatter(
            x=steps, y=values, name=name_of, mode="lines+markers",
            error_y={"array": found[f"flow_{axis}_{name}_error"], "thickness": 1, "width": 0},
            line={"color": colour, "width": 2,
                  "dash": "dash" if way(row.entry).order == 4 else "solid"},
            marker={"size": 6, "color": colour},
            customdata=100 * copies,
            hovertemplate=f"{name_of}, %{{x:,}} {_AXES[axis]}: %{{y:.3~g}}, near copies "
            "%{customdata:.1f} %<extra></extra>",
        )  # fmt: skip
    null = next(
        (
            row.entry.metrics[_NULLS.get(name, f"flow_{name}")].null
            for row, _ in known
            if _NULLS.get(name, f"flow_{name}") in row.entry.metrics
        ),
        None,
    )
    if null is not None:
        grey = palette.grey(st.context.theme.type == "dark")
        figure.add_hline(y=null, line={"width": 1, "dash": "dot", "color": grey})
    return figure


def _height(name: str, label: str, axis: str) -> dict[str, object]:
    if (name, axis) == ("frechet", "sampling"):
        decades = [digit * 10**power for power in range(5) for digit in (1, 2, 5)]
        words = [f"{value:,}" for value in decades]
        return {"title": label, "type": "log", "tickvals": decades, "ticktext": words}
    return {"title": label, "tickformat": ".0%" if name == "copies" else ""}


def _colour(entry: Entry) -> str:
    grey = palette.grey(st.context.theme.type == "dark")
    return grey if entry.prior == "none" else palette.PRIORS[entry.prior]


def _ticks(
    known: Sequence[tuple[Row, dict[str, np.ndarray]]], axis: str
) -> dict[str, list[int] | list[str]]:
    values = sorted({int(step) for _, found in known for step in found[f"flow_{axis}"]})
    return {"tickvals": values, "ticktext": [f"{value:,}" for value in values]}
