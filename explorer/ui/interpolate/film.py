"""The decoded path: its film, profile, position on the map, and remarks."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, paths
from explorer.figures import Chart
from explorer.geodesics import Geodesic
from explorer.inference import Engine
from explorer.projection import Atlas, positions
from explorer.strips import Strip, as_row, grid_strip
from explorer.ui.address.notation import code_text
from explorer.ui.address.places import path_codes
from explorer.ui.address.views import InterpolateView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel, Slider
from explorer.ui.interpolate.path import KINDS, WalkedPath
from explorer.ui.panels import asked, chart, export_menu, hand, latent_plane
from explorer.ui.panels.units import spread
from explorer.ui.picks import service
from explorer.ui.wording import palette
from explorer.ui.wording.format import signed


def film(engine: Engine, walked: WalkedPath, view: InterpolateView) -> tuple[Strip, list[Chart]]:
    """Render the path as one large image under a slider and as a row, and its charts."""
    last = len(walked.codes) - 1
    if view.at > last:
        view.fall_back("at", last, "is past the last frame", f"showing {last}")
    strip = grid_strip(
        engine, walked.codes[:, None], tuple(float(k) for k in range(len(walked.codes)))
    )
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=280):
            state = filmstrip(
                Panel(strip, pick=service.pick_descriptor(engine, strip)),
                key="interpolate_film",
                at=float(view.at),
                slider=Slider(label="Frame", low=walked.ends[0], high=walked.ends[-1], decimals=0),
                grid=Grid(tile_width=engine.sketch.tile_width(170), noun="frame", numbered=False),
            )
            view.at = int(state.value)
        with st.container(key="interpolate_row"):
            texts = [code_text(z) for z in walked.codes]
            before = texts.index(view.hand) if view.hand in texts else None
            chosen = filmstrip(
                Panel(
                    as_row(strip),
                    pick=service.pick_descriptor(engine, z=walked.codes),
                ),
                key="interpolate_all",
                tile=before,
                grid=Grid(tile_width=engine.sketch.tile_width(48), noun="frame", selectable=True),
            ).tile
            if chosen is not None and chosen != before:
                hand.take(view, walked.codes[chosen], f"Frame {chosen} of a path")
            drawn = [profile(engine, walked, view.at)]
            said = asked.profile(engine, walked.codes, view)
            drawn += [] if said is None else [said]
    return strip, drawn


def profile(engine: Engine, walked: WalkedPath, at: int) -> Chart:
    """Render log p(z) and the step size along the path, with a summary."""
    size = paths.steps(walked.codes, spread(engine))
    figure = go.Figure()
    frames = list(range(len(walked.codes)))
    if engine.has_density:
        density = engine.log_prior(walked.codes)
        figure.add_scatter(
            x=frames, y=density, mode="lines+markers", name="log p(z), nats",
            marker={"size": 5}, line={"color": palette.CLASSES[0]},
        )  # fmt: skip
        figure.add_scatter(
            x=[at], y=[density[at]], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"size": 13, "color": palette.CLASSES[0]},
        )  # fmt: skip
    figure.add_scatter(
        x=[k + 0.5 for k in frames[:-1]], y=size, mode="lines+markers", yaxis="y2",
        name="step size (prior std)", line={"color": palette.CLASSES[1], "dash": "dot"},
        marker={"size": 5, "symbol": "diamond"},
    )  # fmt: skip
    stops = np.linspace(0, frames[-1], len(walked.ends))
    for number, stop in enumerate(stops, 1):
        figure.add_vline(x=stop, line={"width": 1, "dash": "dot", "color": "gray"},
                         annotation={"text": str(number), "yref": "paper", "y": 1.0})  # fmt: skip
    drawn = chart.render(
        figure,
        "interpolate_profile",
        x="frame",
        y="log p(z), nats",
        y2={"rangemode": "tozero", "title": "step", "tickmode": "auto", "nticks": 4},
        height=230,
        legend=1.2,
    )
    words = (
        f"Latent length {size.sum():.1f} prior standard deviations, largest step {size.max():.2f}"
    )
    if engine.has_density:
        words += f", lowest log p(z) {density.min():.1f} nats at frame {int(density.argmin())}"
    st.caption(signed(words) + ".")
    if walked.legs:
        st.caption(_saved(walked.legs))
    return drawn


def export(
    engine: Engine, strip: Strip, drawn: list[Chart], walked: WalkedPath, view: InterpolateView
) -> None:
    """Render the export menu of the path: its frames and its profile."""
    how = "A line drawn on the map" if view.path else f"{KINDS[view.kind]} path"
    what = f"{how}: {' to '.join(end[:1].lower() + end[1:] for end in walked.ends)}"
    opened = engine.checkpoint
    words = "log p(z) of each frame, and the step to the next in standard deviations of the prior"
    profile_figure = figures.of_charts([opened], drawn, f"Profile of the path. {what}", words)
    export_menu.strip_menu(
        engine,
        strip,
        "interpolate_take",
        "way",
        view.at,
        what=what,
        others={"profile": profile_figure},
    )


def _saved(legs: tuple[Geodesic, ...]) -> str:
    """Describe how much shorter the path is than straight lines, in data space."""
    length = sum(leg.length for leg in legs)
    line = sum(leg.straight_length for leg in legs)
    share = max(0.0, 100 * (1 - length / line)) if line > 0 else 0.0
    return (
        f"Length in data space: {length:.1f} (straight line: {line:.1f}), {share:.1f} % shorter."
    )


def on_map(engine: Engine, atlas: Atlas, walked: WalkedPath, view: InterpolateView) -> None:
    """Render the path on the map."""
    if view.path:
        _, places = path_codes(atlas, view.path, view.frames)
    else:
        places = positions(atlas, walked.codes)
    n = len(walked.ends)
    stops = {round(k * (len(places) - 1) / (n - 1)): str(k + 1) for k in range(n)}
    marks = [(float(x), float(y), stops.get(k, "")) for k, (x, y) in enumerate(places)]
    colour = "label" if atlas.classes else "log_prior"
    latent_plane.chart(
        engine,
        atlas,
        key="interpolate_map",
        shown=("data", "prototypes"),
        colour=colour,
        marks=marks,
        height=420,
    )
    how = (
        "The actual path: this latent space is 2-D, so nothing is projected."
        if atlas.method == "plane"
        else "Each frame is placed at the geometric median of its 15 nearest neighbours."
    )
    st.caption(f"{how} " + " · ".join(f"{k + 1} {words}" for k, words in enumerate(walked.ends)))


def remarks(engine: Engine, walked: WalkedPath, view: InterpolateView) -> None:
    """Render how to read the path, and where it is not meaningful."""
    words = []
    objection = paths.slerp_objection(engine.components())
    if view.kind == "spherical" and not view.path and objection:
        st.caption(f":material/warning: {objection}")
    if walked.estimated:
        words.append(
            "The line lies on a projection: each code is the distance-weighted mean of the 15 "
            "nearest on the map."
        )
    if view.kind == "following" and not view.path:
        words.append(
            "With a Gaussian prior the path bends towards the mean; with a mixture it moves from "
            "component to component. High density does not guarantee realistic samples."
        )
    if view.kind == "geodesic" and not view.path:
        words.append(
            "Shortest path under the decoder’s pullback metric: images change as little and as "
            "evenly as possible. Where the decoder is nearly linear, it is nearly straight."
        )
    if not engine.differentiable:
        words.append(f"{engine.why_rigid} There is no geodesic.")
    asked.faults(engine)
    words.append("Drag the slider, or drag across the large image.")
    st.caption(" ".join(words))


def formula(view: InterpolateView) -> None:
    """Render the formula of the path."""
    if view.kind == "spherical":
        st.latex(
            r"u = \frac{z - \mu}{\sigma},\quad \hat u(t) = \frac{\sin((1-t)\,\Omega)}{\sin\Omega}"
            r"\,\hat a + \frac{\sin(t\,\Omega)}{\sin\Omega}\,\hat b,\quad "
            r"\lVert u(t)\rVert = (1-t)\lVert a\rVert + t\lVert b\rVert"
        )
    elif view.kind == "following":
        st.latex(
            r"\dot z_i = -\left(\nabla U - (\nabla U \cdot \hat\tau_i)\,\hat\tau_i\right),\quad "
            r"U(z) = -\lambda \log p(z) + (1-\lambda)\tfrac12\lVert z - z^{\text{line}}\rVert^2"
        )
        st.markdown(
            "Between steps the codes are redistributed to equal spacing (the string method); "
            r"$\lambda$ is the density weight."
        )
    elif view.kind == "geodesic":
        st.latex(
            r"\min_{z_1 \dots z_{T-1}} \; T \sum_{i=0}^{T-1} "
            r"\lVert \varphi(z_{i+1}) - \varphi(z_i) \rVert^2,\qquad "
            r"\varphi(z) = 2 \arcsin \sqrt{p(z)} \ \text{ for binary pixels}"
        )
        st.markdown(
            "This is the energy under the decoder’s pullback metric, which is never formed. "
            "Starting from the straight line, it never increases."
        )
    else:
        st.latex(r"z(t) = (1-t)\,a + t\,b")
