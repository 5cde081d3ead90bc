"""Polars of sections in two charts: lift over the angle of attack, and over drag."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float
from numpy import ndarray

from explorer.designs import aerodynamics, xfoil
from explorer.designs.polars import ALPHAS
from explorer.designs.properties import Conditions
from explorer.figures import Chart
from explorer.sketch import CurveSketch, PixelSketch
from explorer.ui.panels import chart
from explorer.ui.wording import palette

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_DRAG = 0.04


class Section(NamedTuple):
    """A section whose polars are drawn: as it is shown, and XFoil's results by angle.

    An invalid one has a `fault` and no polars.
    """

    name: str
    x: Float[ndarray, " stations"]
    sketch: PixelSketch | CurveSketch
    fault: str = ""
    verified: Mapping[float, xfoil.Point] = {}


def render(
    shown: Sequence[Section], conditions: Conditions, key: str, height: int = 340
) -> tuple[list[Chart], str]:
    """Render the polars by NeuralFoil at the first Reynolds number; return charts and a caption.

    Args:
        shown: The sections.
        conditions: The flow.
        key: The beginning of the keys of the charts.
        height: Of a chart, in CSS pixels.
    """
    lift, drag = go.Figure(), go.Figure()
    unsure, invalid = 0, []
    for index, item in enumerate(shown):
        if item.fault:
            invalid.append(item.name)
            continue
        found = aerodynamics.polars(
            item.x[None], item.sketch, ALPHAS, conditions.reynolds, aerodynamics.CAREFUL,
            ncrit=conditions.ncrit, trips=conditions.trips,
        )  # fmt: skip
        sure = found.confidence[0] >= aerodynamics.SURE
        unsure += int((~sure).sum())
        style = {"color": palette.CLASSES[index % len(palette.CLASSES)],
                 "dash": DASHES[index % len(DASHES)], "width": 2}  # fmt: skip
        mark = {"size": 6, "symbol": ["circle" if good else "x-thin-open" for good in sure]}
        words = [f"confidence {100 * value:.0f} %" for value in found.confidence[0]]
        for figure, x in ((lift, ALPHAS), (drag, found.cd[0])):
            figure.add_scatter(x=x, y=found.cl[0], mode="lines+markers", name=item.name,
                               line=style, marker=mark, text=words,
                               hovertemplate="%{x:.4g}, CL %{y:.3f}<br>%{text}")  # fmt: skip
        verified = {a: p for a, p in item.verified.items() if p.converged}
        for figure, x in ((lift, list(verified)), (drag, [p.cd for p in verified.values()])):
            if verified:
                figure.add_scatter(x=x, y=[p.cl for p in verified.values()], mode="markers",
                                   name=f"{item.name}, XFoil",
                                   marker={"size": 10, "symbol": "diamond-open",
                                           "color": style["color"], "line": {"width": 2}},
                                   hovertemplate="%{x:.4g}, CL %{y:.3f}<br>XFoil")  # fmt: skip
    drag.update_xaxes(range=[0, MOST_DRAG])
    charts = []
    with st.container(horizontal=True, gap="small", key=f"{key}_charts"):
        for figure, name, title in ((lift, "alpha", "Angle of attack, °"), (drag, "drag", "CD")):
            with st.container(key=f"{key}_{name}_box"):
                legend = 1.14 if name == "alpha" else None
                drawn = chart.render(
                    figure, f"{key}_{name}", x=title, y="CL", height=height, legend=legend
                )
            charts.append(drawn)
    told = (
        f"NeuralFoil ({aerodynamics.CAREFUL}), Re {conditions.reynolds:,.0f}, incompressible, "
        f"{conditions.transition}."
    )
    told += " Diamonds: XFoil, where it converged." if any(s.verified for s in shown) else ""
    told += f" Points below 80 % confidence are marked × ({unsure})." if unsure else ""
    told += f" {', '.join(invalid)}: invalid, so not computed." if invalid else ""
    return charts, told
