"""Comparison of two to six picks: overlaid or subtracted, in numbers, and as polars."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import papers, sections
from explorer.designs import aerodynamics
from explorer.designs.polars import known
from explorer.designs.properties import Conditions
from explorer.figures import Chart
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import difference_beside, samples_strip
from explorer.ui.address.controls import commit
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import polar_chart, printing, verify
from explorer.ui.candidates.judged import MeasuredPick, focus
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid
from explorer.ui.panels import chart, export_menu, table
from explorer.ui.wording import palette


def compare(items: Sequence[MeasuredPick], view: CandidatesView) -> None:
    """Render a comparison of two to six picks: curves overlaid, or differences from the first."""
    chosen = _chosen(items, view)
    if len(chosen) < 2:
        st.caption("Choose two to six cards with Enter, or with the + in their corner.")
        return
    sketch = chosen[0].pick.source.model.sketch
    alike = [item for item in chosen if item.pick.source.model.sketch.kind == sketch.kind
             and item.pick.source.model.sketch.shape == sketch.shape]  # fmt: skip
    if len(alike) < len(chosen):
        left = len(chosen) - len(alike)
        st.caption(f"{left} of them are from other data sets and are not shown here.")
    if isinstance(sketch, CurveSketch):
        samples = [(item.pick.title, item.pick.shown) for item in alike]
        drawn = overlay(samples, sketch, "candidates_overlay")
        words = f"Overlaid: {', '.join(name for name, _ in samples)}"
        figure = printing.of_charts(alike, [drawn], "Compared sections", words)
        export_menu.figures_menu({"overlay": figure}, "picks", "candidates_overlay_export")
    else:
        _differences(alike)
    _table(alike)
    st.button("Clear", on_click=commit, kwargs={"chosen": None})


def polars(items: Sequence[MeasuredPick], view: CandidatesView, conditions: Conditions) -> None:
    """Render lift over angle of attack and over drag, by NeuralFoil."""
    able = [item for item in items if sections.is_section(item.pick.source.model.sketch)]
    if not able or not aerodynamics.available():
        return
    chosen = _chosen(able, view) or [
        item for item in able if item.pick.number == focus(items, view)
    ]
    if not chosen:
        return
    shown = [
        polar_chart.Section(item.pick.title, item.pick.shown, item.pick.source.model.sketch,
                            item.fault, known(item.pick, conditions))
        for item in chosen
    ]  # fmt: skip
    charts, told = polar_chart.render(shown, conditions, "candidates_polar")
    st.caption(told)
    figure = printing.of_charts(chosen, charts, "Polars", told, papers.NEURALFOIL)
    export_menu.figures_menu({"polars": figure}, "picks", "candidates_polars_export")
    verify.polar(chosen, conditions)


def _chosen(items: Sequence[MeasuredPick], view: CandidatesView) -> list[MeasuredPick]:
    known = {item.pick.number: item for item in items}
    return [known[number] for number in view.chosen if number in known]


def overlay(
    samples: Sequence[tuple[str, np.ndarray]], sketch: PixelSketch | CurveSketch, key: str
) -> Chart:
    """Render sections overlaid, in per cent of the chord; return the chart."""
    figure = go.Figure()
    for index, (name, sample) in enumerate(samples):
        points = sections.contour(sample.astype(float), sketch)
        figure.add_scatter(
            x=100 * points[:, 0],
            y=100 * points[:, 1],
            mode="lines",
            name=name,
            line={
                "color": palette.CLASSES[index % len(palette.CLASSES)],
                "dash": polar_chart.DASHES[index % len(polar_chart.DASHES)],
                "width": 2,
            },
            hovertemplate="%{x:.1f}, %{y:.2f} % c",
        )
    return chart.render(
        figure,
        key,
        x="% of the chord",
        y={"title": "% of the chord", "scaleanchor": "x", "scaleratio": 1},
        legend=1.16,
    )


def _differences(items: Sequence[MeasuredPick]) -> None:
    samples = np.stack([item.pick.shown for item in items])
    sketch = items[0].pick.source.model.sketch
    assert isinstance(sketch, PixelSketch)
    first = items[0].pick.title
    names = [item.pick.title for item in items]
    away = [f"|{name} − {first}|" for name in names[1:]]
    firsts = np.broadcast_to(samples[0], samples[1:].shape)
    pictures = np.concatenate([samples, difference_beside(samples[1:], firsts, sketch)])
    filmstrip(
        samples_strip(pictures, sketch),
        key="candidates_differences",
        grid=Grid(captions=[*names, *away], tile_width=96, noun="picture", numbered=False),
    )
    st.caption(f"{', '.join(names)}; then the differences from {first}, {', '.join(away)}.")


def _table(items: Sequence[MeasuredPick]) -> None:
    rows = [
        (
            prop.label,
            [prop.words(item.values.get(prop.key, np.nan)) for item in items],
            prop.main,
            prop.meaning,
        )
        for prop in items[0].properties
        if prop.key in items[0].values
    ]
    if rows:
        table.render([table.Line(*row) for row in rows], [item.pick.title for item in items])
