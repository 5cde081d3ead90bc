"""The trade-off of fidelity and diversity over the scale, and both at scale 1."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, papers
from explorer.inference import Engine
from explorer.metrics.tradeoff import MEASURES, SCALES, Tradeoff
from explorer.ui import cache
from explorer.ui.panels import chart, export_menu
from explorer.ui.shell import jobs_panel
from explorer.ui.wording import glossary, palette
from explorer.ui.wording.format import number, provenance
from explorer.ui.wording.naming import distinct_names, prior_kind


def curve(engines: list[Engine], scale: float) -> None:
    """Render fidelity and diversity over the scale, with errors, null row and current scale."""
    names = distinct_names(engines)
    known = [(engine, cache.tradeoff(engine)) for engine in engines]
    measured = [
        (name, prior_kind(engine), found)
        for name, (engine, found) in zip(names, known, strict=True)
        if found is not None
    ]
    if measured:
        shown = [engine for engine, found in known if found is not None]
        _plots(shown, measured, scale)
    for name, (engine, found) in zip(names, known, strict=True):
        if found is None or not found.complete:
            done = "" if found is None else f" {len(found.scales)} of {len(SCALES)} scales so far."
            jobs_panel.offer(
                engine,
                "tradeoff",
                f"Measure the curve of {name}",
                f"Fidelity and diversity at {len(SCALES)} scales, five seeds each.{done}",
            )


def _plots(engines: list[Engine], measured: list[tuple[str, str, Tradeoff]], scale: float) -> None:
    views = (
        ("density", "coverage", "Fidelity: density", "Diversity: coverage"),
        ("precision", "recall", "Fidelity: precision", "Diversity: recall"),
        ("vendi", None, "Diversity: Vendi score", "Scale"),
    )
    colours = palette.of_priors([kind for _, kind, _ in measured])
    charts = []
    with st.container(key="generate_curves", horizontal=True, gap="small"):
        for column, (up, across, label, other) in enumerate(views):
            figure = go.Figure()
            for (name, _, found), colour in zip(measured, colours, strict=True):
                _curve_of(figure, name, found, up, across, scale, colour)
            with st.container(width=320):
                drawn = chart.render(
                    figure,
                    f"generate_curve_{up}",
                    x=other,
                    y=label,
                    legend=1.16 if column == 0 else None,
                )
            charts.append(drawn)
    first = measured[0][2]
    words = (
        f"Scale 0 to 2 by 0.2; {first.n:,} samples against {first.n:,} test samples, "
        f"{first.repeats} seeds from {first.seed}, bars are standard errors; k = 5, whitened "
        "principal components. Density depends on n; only compare values with equal n. The large "
        "dot is the current scale (interpolated); the cross or dotted line is the score of real "
        "training data."
    )
    st.caption(words)
    drawn_of = [engine.checkpoint for engine in engines]
    export_menu.figures_menu(
        {"tradeoff": figures.of_charts(drawn_of, charts, "Fidelity and diversity over the scale",
                                       words, papers.PRECISION, papers.DENSITY, papers.VENDI)},
        engines[0].slug,
        "generate_tradeoff",
    )  # fmt: skip


def _curve_of(
    figure: go.Figure,
    name: str,
    found: Tradeoff,
    up: str,
    across: str | None,
    scale: float,
    colour: str,
) -> None:
    column = MEASURES.index(up)
    y, y_error, null = found.values[:, column], found.errors[:, column], found.null[column]
    if across is None:
        x, x_error, null_x = found.scales, np.zeros_like(found.scales), None
    else:
        other = MEASURES.index(across)
        x, x_error, null_x = found.values[:, other], found.errors[:, other], found.null[other]
    thin = {"thickness": 1, "width": 0}
    figure.add_scatter(
        x=x,
        y=y,
        error_x={"array": x_error, **thin},
        error_y={"array": y_error, **thin},
        mode="lines+markers",
        name=name,
        marker={"size": 5, "color": colour},
        line={"color": colour, "width": 1.5},
        text=[f"scale {value:g}" for value in found.scales],
        hovertemplate="%{text}<br>%{x:.3g}, %{y:.3g}",
    )
    here = [float(np.interp(scale, found.scales, values)) for values in (x, y)]
    figure.add_scatter(
        x=here[:1],
        y=here[1:],
        mode="markers",
        name="current scale",
        showlegend=False,
        marker={"size": 15, "color": colour, "line": {"width": 2, "color": "white"}},
        hovertemplate=f"current scale: {scale:g}",
    )
    if null_x is None:  # a score without a second axis: a line, not a point
        figure.add_hline(y=null, line={"width": 1, "dash": "dot", "color": "gray"})
        return
    figure.add_scatter(
        x=[null_x],
        y=[null],
        mode="markers",
        name="real data",
        showlegend=False,
        marker={"size": 10, "symbol": "x", "color": "gray"},
        hovertemplate="real data: %{x:.3g}, %{y:.3g}",
    )


def measures(engine: Engine, prior: str) -> None:
    """Render fidelity and diversity at s = 1 of one prior, each with error, n and null row."""
    metrics = engine.checkpoint.metrics
    names = (
        ("density", "Fidelity: density"),
        ("precision", "Fidelity: precision"),
        ("coverage", "Diversity: coverage"),
        ("recall", "Diversity: recall"),
        ("vendi", "Diversity: Vendi score"),
    )
    with st.container(horizontal=True, gap="small"):
        for name, label in names:
            metric = metrics.get(name)
            digits = 1 if name == "vendi" else 2
            meaning = glossary.help_of(label, provenance(metric))
            with st.container(width=170, gap=None):
                if metric is None:
                    st.metric(label, "–", help=meaning)
                    continue
                value, _, error = number(metric, digits).partition(" ± ")
                st.metric(label, value, help=meaning)
                st.caption(f"± {error}, real data {metric.null or 0:.{digits}f}")
    first = metrics.get("density")
    if first is not None:
        st.caption(
            f"{prior} at scale 1, {first.n:,} samples against {first.n:,} test "
            f"samples, "
            "five seeds, k = 5, on whitened principal components. “Real data” is the score of "
            "training data in place of samples."
        )


def section(engines: list[Engine], scale: float) -> None:
    """Render the trade-off over the scale, and the metrics at scale 1."""
    st.subheader("Fidelity and diversity", anchor=False)
    curve(engines, scale)
    with st.expander("Metrics at scale 1"):
        for engine, name in zip(engines, distinct_names(engines), strict=True):
            measures(engine, name)
