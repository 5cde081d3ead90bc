"""Two-dimensional latent spaces side by side: prior, data, and the holes between them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import papers, regions
from explorer.figures import Chart
from explorer.inference import Engine
from explorer.strips import grid_strip
from explorer.ui import cache
from explorer.ui.address.views import PriorsLabView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import chart
from explorer.ui.picks import service
from explorer.ui.priors_lab import lineup
from explorer.ui.wording import palette

PLANE = 15
"""Codes per side of the decoded plane."""

_HOLES = "Prior samples in holes"


def planes(engines: list[Engine], view: PriorsLabView, opened: Engine | None = None) -> None:
    """Render each model's plane: densities and holes, or the decoded plane."""
    found = {engine.slug: cache.plane(engine) for engine in engines}
    known = [(engine, plane) for engine in engines if (plane := found[engine.slug]) is not None]
    charts = []
    row = st.container(horizontal=True, gap="medium")
    if view.show == "density" and len(known) > 2:
        with row.container(width=450):
            st.markdown(f"**{_HOLES}**")
            charts.append(replace(_shares(known), title=_HOLES))
    for engine in engines:
        with row.container(width=450):
            beside = "" if opened is None else lineup.relation(engine, opened)
            st.markdown(f"**{lineup.named(engine)}**" + (f" :blue[· {beside}]" if beside else ""))
            plane = found[engine.slug]
            if plane is None:
                st.caption("This model has no map yet: build it on the Latent map page.")
            elif view.show == "decoded":
                _decoded(engine, plane)
            else:
                charts.append(replace(_density(engine, plane), title=lineup.named(engine)))
    words = (
        "Shading: prior density. Dashed: contours enclosing 50, 90 and 99 % of the aggregated "
        "posterior. Hatched: holes, where the prior has mass but almost no data are encoded. "
        "The planes are the latent spaces themselves: nothing is projected. Each has its own "
        "axes: models have no latent units in common."
        if view.show == "density"
        else f"{PLANE} × {PLANE} codes over the same window, decoded, including between the data."
    )
    st.caption(words)
    if charts:
        lineup.export(engines, charts, "Prior densities and holes", words, papers.SURGERY)


def _shares(known: Sequence[tuple[Engine, regions.Plane]]) -> Chart:
    """Render how many prior samples fall into holes, for all models, the fewest first."""
    rows = sorted(known, key=lambda item: item[1].hole_mass)
    figure = go.Figure()
    figure.add_bar(
        y=[lineup.named(engine) for engine, _ in rows],
        x=[100 * plane.hole_mass for _, plane in rows],
        error_x={
            "array": [100 * plane.hole_error for _, plane in rows],
            "thickness": 1.5,
            "color": palette.text(st.context.theme.type == "dark"),
        },
        orientation="h",
        marker={"color": palette.HOLE},
        hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
    )
    figure.add_vline(x=100 * regions.RARE, line={"width": 1.5, "dash": "dot", "color": "gray"})
    drawn = chart.render(
        figure,
        "lab_holes",
        x={"title": "%", "rangemode": "tozero"},
        y={"autorange": "reversed", "automargin": True},
        height=340,
    )
    st.caption(
        f"Of {rows[0][1].samples:,} samples of each prior, with standard errors. Dotted: "
        f"{100 * regions.RARE:.0f} %, the share of posterior samples of held-out data."
    )
    return drawn


def dashed(figure: go.Figure, found: regions.Plane) -> None:
    """Add the contours that enclose 50, 90 and 99 % of the aggregated posterior."""
    for lines in regions.contours(found.x, found.y, found.aggregated):
        for line in lines:
            figure.add_scatter(
                x=line[:, 0], y=line[:, 1], mode="lines", hoverinfo="skip", showlegend=False,
                line={"color": "#8C6D31", "width": 1.6, "dash": "dash"},
            )  # fmt: skip


def _density(engine: Engine, found: regions.Plane) -> Chart:
    figure = go.Figure()
    figure.add_heatmap(
        x=found.x, y=found.y, z=found.prior, showscale=False,
        colorscale=[[0, "rgba(86,130,180,0)"], [1, "rgba(86,130,180,0.85)"]],
        hovertemplate="p(z) = %{z:.3g}<extra></extra>",
    )  # fmt: skip
    dashed(figure, found)
    gap = np.full((1, 2), np.nan)
    rings = [part for line in regions.outlines(found) for part in (line, gap)]
    if rings:
        # One trace: rings inside rings are cut out only within a single path.
        x, y = np.concatenate(rings).T
        figure.add_scatter(
            x=x, y=y, mode="lines", fill="toself", hoverinfo="skip",
            fillpattern={"shape": "/", "size": 6, "fgcolor": palette.HOLE},
            fillcolor="rgba(0,0,0,0)", line={"color": palette.HOLE, "width": 1},
        )  # fmt: skip
    drawn = chart.render(
        figure,
        f"lab_plane_{engine.slug}",
        x={"title": "z₁", "showgrid": False},
        y={"title": "z₂", "scaleanchor": "x", "showgrid": False},
        height=340,
    )
    st.caption(
        f"{100 * found.hole_mass:.1f} ± {100 * found.hole_error:.1f} % of prior samples fall into "
        "holes."
    )
    return drawn


def _decoded(engine: Engine, found: regions.Plane) -> None:
    xs = np.linspace(found.x[0], found.x[-1], PLANE)
    ys = np.linspace(found.y[-1], found.y[0], PLANE)
    z = np.stack(np.meshgrid(xs, ys), -1).reshape(1, -1, 2).astype(np.float32)
    filmstrip(
        Panel(grid_strip(engine, z, (0.0,)), pick=service.pick_descriptor(engine, z=z[0])),
        key=f"lab_decoded_{engine.slug}",
        grid=Grid(
            captions=[f"z = ({a:.1f}, {b:.1f})".replace("-", "−") for a, b in z[0]],
            tile_width=22,
            columns=PLANE,
            fixed=True,
            noun="code",
            numbered=False,
        ),
    )
