"""One look for every Plotly chart: its margins, its axes and its legend."""

from collections.abc import Callable, Mapping

import plotly.graph_objects as go
import streamlit as st

from explorer.figures import Chart
from explorer.ui.panels.printed import printed

Axis = str | Mapping[str, object]
"""The title of an axis, or Plotly's description of it."""

MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
"""Room around a chart, in pixels. Streamlit's theme gives fonts and colours."""


def render(
    figure: go.Figure,
    key: str,
    *,
    x: Axis,
    y: Axis,
    y2: Axis | None = None,
    height: int = 300,
    legend: float | None = None,
    title: str = "",
    on_click: Callable[[], None] | None = None,
) -> Chart:
    """Render a chart without Plotly's tool bar; return it as a figure of a paper is drawn.

    Args:
        figure: Its traces.
        key: Key of the widget.
        x: The horizontal axis.
        y: The vertical axis.
        y2: A second vertical axis, on the right.
        height: In CSS pixels.
        legend: Height of the legend above the plot, as a multiple of it; None for no legend.
        title: A title above the plot.
        on_click: Called when a point is selected.
    """
    figure.update_layout(
        height=height,
        margin=MARGIN,
        xaxis=_axis(x),
        yaxis=_axis(y),
        showlegend=legend is not None,
        legend={"orientation": "h"} if legend is None else {"orientation": "h", "y": legend},
    )
    if y2 is not None:
        right = {"overlaying": "y", "side": "right", "showgrid": False}
        figure.update_layout(yaxis2=_axis(y2) | right)
    if title:
        room = {"l": 10, "r": 20, "t": 40, "b": 30}
        figure.update_layout(title={"text": title, "font": {"size": 14}}, margin=room)
    elif legend is not None and legend < 1.2:
        figure.update_layout(margin={"t": 30})
    config = {"displayModeBar": False}
    if on_click is None:
        st.plotly_chart(figure, key=key, config=config)
    else:
        st.plotly_chart(
            figure, key=key, config=config, on_select=on_click, selection_mode="points"
        )
    return printed(figure, title)


def _axis(axis: Axis) -> dict[str, object]:
    return {"title": axis} if isinstance(axis, str) else dict(axis)
