"""A run of matching, played in the browser: codes on the plane, and what the plane decodes to."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float, UInt8
from plotly.subplots import make_subplots

from explorer.figures import Chart
from explorer.inference import Engine
from explorer.replay import GRID, Replay
from explorer.ui import cache
from explorer.ui.panels import chart
from explorer.ui.wording import palette

_HEIGHT, _REFERENCE = 330, 600
_STEP = 700
"""Milliseconds a frame is shown for."""


def player(engine: Engine, found: Replay, key: str) -> None:
    """Render codes over their reference and the decoded plane, with one slider over the epochs."""
    assert found.codes is not None
    z = engine.draw(_REFERENCE, seed=2)[0]
    shown = 2 if found.planes is not None else 1
    figure = make_subplots(1, shown, horizontal_spacing=0.06)
    figure.add_scatter(
        x=z[:, 0], y=z[:, 1], mode="markers", hoverinfo="skip", name="reference",
        marker={"size": 4, "color": "gray", "opacity": 0.35}, row=1, col=1,
    )  # fmt: skip
    last = len(found.epochs) - 1
    moving = [_codes(engine, found, last)]
    figure.add_trace(moving[0], row=1, col=1)
    if found.planes is not None:
        figure.add_trace(_plane(found.planes[last]), row=1, col=2)
        figure.update_xaxes(visible=False, row=1, col=2)
        figure.update_yaxes(visible=False, scaleanchor="x2", autorange="reversed", row=1, col=2)
    figure.frames = [
        go.Frame(
            name=str(int(epoch)),
            data=[
                _codes(engine, found, at),
                *([] if found.planes is None else [_plane(found.planes[at])]),
            ],
            traces=list(range(1, 1 + shown)),
        )
        for at, epoch in enumerate(found.epochs)
    ]
    window(figure, np.concatenate([z, found.codes[last]]))
    figure.update_layout(
        height=_HEIGHT + 60,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        showlegend=False,
        sliders=[_slider(found)],
        updatemenus=[_buttons()],
    )
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})


def window(figure: go.Figure, z: Float[np.ndarray, "codes 2"]) -> None:
    """Show some codes whole, both units to one scale; what is farther off lies outside."""
    low, high = z.min(0), z.max(0)
    reach = 0.62 * float((high - low).max())
    for centre, axis in zip((low + high) / 2, ("x", "y"), strict=True):
        figure.update_layout({f"{axis}axis": {"range": [centre - reach, centre + reach]}})
    figure.update_layout(
        xaxis={"constrain": "domain"}, yaxis={"scaleanchor": "x", "constrain": "domain"}
    )


def live(
    epoch: int,
    reference: Float[np.ndarray, "points 2"],
    codes: Float[np.ndarray, "codes 2"],
    plane: UInt8[np.ndarray, "cells *sample"] | None,
    key: str,
) -> None:
    """Render one state of a match that is running."""
    figure = make_subplots(1, 2, horizontal_spacing=0.06)
    for name, z, colour, size in (
        ("reference", reference[:_REFERENCE], "gray", 4), ("codes", codes, palette.DATA, 5),
    ):  # fmt: skip
        figure.add_scatter(
            x=z[:, 0], y=z[:, 1], mode="markers", hoverinfo="skip", name=name,
            marker={"size": size, "color": colour, "opacity": 0.6}, row=1, col=1,
        )  # fmt: skip
    if plane is not None:
        figure.add_trace(_plane(plane), row=1, col=2)
        figure.update_xaxes(visible=False, row=1, col=2)
        figure.update_yaxes(visible=False, scaleanchor="x2", autorange="reversed", row=1, col=2)
    window(figure, reference)
    figure.update_layout(
        height=_HEIGHT, margin={"l": 10, "r": 10, "t": 30, "b": 10}, showlegend=False,
        title={"text": f"Epoch {epoch}", "font": {"size": 14}},
    )  # fmt: skip
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})


def distance(found: Mapping[str, Replay], key: str) -> Chart:
    """Render the distance to the reference over training, beside its null."""
    figure = go.Figure()
    for index, (name, each) in enumerate(found.items()):
        figure.add_scatter(
            x=each.epochs, y=np.maximum(each.distance, 1e-5), mode="lines+markers", name=name,
            marker={"size": 5}, line={"color": palette.CLASSES[index]},
        )  # fmt: skip
    one = next(iter(found.values()))
    figure.add_hline(y=one.null, line={"dash": "dot", "width": 1, "color": "gray"})
    figure.add_hrect(y0=1e-5, y1=one.null_high, fillcolor="gray", opacity=0.12, line_width=0)
    return chart.render(
        figure,
        key,
        x="epoch",
        y={
            "title": "squared sliced distance",
            "type": "log",
            "exponentformat": "none",
            "range": [np.log10(one.null / 4), np.log10(4 * max(map(_first, found.values())))],
        },
        height=240,
        legend=1.15,
    )


def _first(found: Replay) -> float:
    return float(found.distance.max())


def words(found: Replay) -> str:
    """Say how far codes were at first and at last, beside what the reference is from itself."""
    return (
        f"Squared sliced distance from the reference, in its variance: {found.distance[0]:.3f} "
        f"before, {found.distance[-1]:.3f} at the end. Two samples of the reference are "
        f"{found.null:.3f} apart (95 % of them under {found.null_high:.3f}; "
        f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{len(found.labels)})."
    )


def section(engine: Engine, key: str) -> None:
    """Render the replay of a model's matching, if it was kept."""
    found = cache.replayed(engine)
    if found is None:
        return
    with st.expander("Matching, replayed", icon=":material/movie:"):
        st.caption(words(found))
        if found.codes is not None:
            player(engine, found, f"{key}_player")
        distance({"this model": found}, f"{key}_distance")


def _codes(engine: Engine, found: Replay, at: int) -> go.Scatter:
    assert found.codes is not None
    known = found.labels >= 0
    colours = np.where(
        known, [palette.CLASSES[k % len(palette.CLASSES)] for k in found.labels], palette.DATA
    )
    known_map = cache.atlas(engine)
    names = () if known_map is None else known_map.classes
    texts = [names[k] if 0 <= k < len(names) else "" for k in found.labels]
    return go.Scatter(
        x=found.codes[at][:, 0], y=found.codes[at][:, 1], mode="markers", name="codes",
        text=texts, hovertemplate="%{text}<extra></extra>",
        marker={"size": 5, "color": colours},
    )  # fmt: skip


def _plane(cells: UInt8[np.ndarray, "cells *sample"]) -> go.Heatmap:
    """Draw the decoded plane as one image, ink dark on light as everywhere."""
    return go.Heatmap(
        z=mosaic(cells), colorscale=[[0, "#FFFFFF"], [1, "#1B2430"]], zmin=0, zmax=1,
        showscale=False, hoverinfo="skip",
    )  # fmt: skip


def mosaic(cells: UInt8[np.ndarray, "cells *sample"]) -> Float[np.ndarray, "height width"]:
    """Lay the cells of the plane out as one grey image."""
    grey = cells.astype(np.float32).mean(1) / 255
    height, width = grey.shape[1:]
    rows = grey.reshape(GRID, GRID, height, width)
    return rows.transpose(0, 2, 1, 3).reshape(GRID * height, GRID * width).round(2)


def _slider(found: Replay) -> dict[str, object]:
    at_once = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}}
    return {
        "active": len(found.epochs) - 1,
        "currentvalue": {"prefix": "epoch ", "font": {"size": 13}},
        "pad": {"t": 30},
        "x": 0.3,
        "len": 0.7,
        "bgcolor": "#9AA5B1",
        "activebgcolor": "#5B7A99",
        "bordercolor": "#9AA5B1",
        "steps": [
            {"label": str(int(epoch)), "method": "animate", "args": [[str(int(epoch))], at_once]}
            for epoch in found.epochs
        ],
    }


def _buttons() -> dict[str, object]:
    play = {"frame": {"duration": _STEP, "redraw": True}, "transition": {"duration": 400}}
    return {
        "type": "buttons",
        "showactive": False,
        "bgcolor": "rgba(0,0,0,0)",
        "bordercolor": "#9AA5B1",
        "direction": "left",
        "x": 0,
        "y": 0,
        "xanchor": "left",
        "yanchor": "top",
        "pad": {"t": 45},
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play | {"fromcurrent": False}]},
            {"label": "Stop", "method": "animate", "args": [[None], {"mode": "immediate"}]},
        ],
    }
