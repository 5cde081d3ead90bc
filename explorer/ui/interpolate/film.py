"""Interpolate: the ends of a way, the way itself, and what lies along it."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import paths
from explorer.geodesics import Geodesic
from explorer.inference import Engine
from explorer.projection import Atlas, place
from explorer.strips import Strip, grid_strip
from explorer.ui.address.places import path_codes
from explorer.ui.address.views import InterpolateView
from explorer.ui.components import filmstrip
from explorer.ui.interpolate.path import Way
from explorer.ui.panels import latent_plane
from explorer.ui.panels.units import spread
from explorer.ui.picks import service
from explorer.ui.wording import palette
from explorer.ui.wording.format import signed


def film(engine: Engine, walked: Way, view: InterpolateView) -> Strip:
    """Show the path as one large picture under a slider and as a row; return its strip."""
    strip = grid_strip(
        engine, walked.codes[:, None], tuple(float(k) for k in range(len(walked.codes)))
    )
    pixels = engine.sketch.kind == "pixels"
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=280):
            state = filmstrip(
                strip,
                keep=[service.pick_descriptor(engine, strip)],
                key="interpolate_film",
                at=float(min(view.at, len(walked.codes) - 1)),
                label="Frame",
                low=walked.ends[0],
                high=walked.ends[-1],
                decimals=0,
                selectable=False,
                tile_width=170 if pixels else 240,
                name="frame",
                numbered=False,
            )
            view.at = int(state.value)
        with st.container(key="interpolate_row"):
            filmstrip(
                grid_strip(engine, walked.codes[None], (0.0,)),
                keep=[service.pick_descriptor(engine, z=walked.codes)],
                key="interpolate_all",
                selectable=False,
                tile_width=48 if pixels else 110,
                name="frame",
            )
            profile(engine, walked, view.at)
    return strip


def profile(engine: Engine, walked: Way, at: int) -> None:
    """Plot log p(z) and the step size along the way, and say what the numbers are."""
    size = paths.steps(walked.codes, spread(engine))
    figure = go.Figure()
    frames = list(range(len(walked.codes)))
    if engine.has_prior:
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
        name="step, in spreads", line={"color": palette.CLASSES[1], "dash": "dot"},
        marker={"size": 5, "symbol": "diamond"},
    )  # fmt: skip
    stops = np.linspace(0, frames[-1], len(walked.ends))
    for number, stop in enumerate(stops, 1):
        figure.add_vline(x=stop, line={"width": 1, "dash": "dot", "color": "gray"},
                         annotation={"text": str(number), "yref": "paper", "y": 1.0})  # fmt: skip
    figure.update_layout(
        height=230,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "frame"},
        yaxis={"title": "log p(z), nats"},
        yaxis2={"overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False,
                "title": "step", "tickmode": "auto", "nticks": 4},
        legend={"orientation": "h", "y": 1.2},
    )  # fmt: skip
    st.plotly_chart(figure, key="interpolate_profile", config={"displayModeBar": False})
    words = f"Length {size.sum():.1f} spreads of the prior, largest step {size.max():.2f}"
    if engine.has_prior:
        words += f", lowest log p(z) {density.min():.1f} nats at frame {int(density.argmin())}"
    st.caption(signed(words) + ".")
    if walked.legs:
        st.caption(_saved(walked.legs))


def _saved(legs: tuple[Geodesic, ...]) -> str:
    """Say how much shorter than straight lines the way is in what is decoded."""
    length = sum(leg.length for leg in legs)
    line = sum(leg.straight_length for leg in legs)
    share = max(0.0, 100 * (1 - length / line)) if line > 0 else 0.0
    return (
        f"In what is decoded it is {length:.1f} long, the straight line {line:.1f}: "
        f"{share:.1f} % shorter."
    )


def chart(engine: Engine, atlas: Atlas, walked: Way, view: InterpolateView) -> None:
    """Show the way on the map."""
    if view.path:
        _, places = path_codes(atlas, view.path, view.frames)
    else:
        places = place(atlas.codes, atlas.xy, walked.codes)
        if atlas.method == "plane":
            places = walked.codes
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
        "The way itself: nothing is projected."
        if atlas.method == "plane"
        else "Each frame stands at the geometric median of the map places of its 15 nearest codes."
    )
    st.caption(f"{how} " + " · ".join(f"{k + 1} {words}" for k, words in enumerate(walked.ends)))


def remarks(engine: Engine, walked: Way, view: InterpolateView) -> None:
    """Say what the way means, and where it means nothing."""
    words = []
    objection = paths.slerp_objection(engine.components())
    if view.kind == "spherical" and not view.path and objection:
        st.caption(f":material/warning: {objection}")
    if walked.estimated:
        words.append(
            "The line lies on a projection: each code is the mean of the 15 nearest on the map, "
            "near ones first."
        )
    if view.kind == "following" and not view.path:
        words.append(
            "Under a single Gaussian this way bows towards the mean; under a mixture it goes "
            "from component to component. Dense need not mean realistic: look at the pictures."
        )
    if view.kind == "geodesic" and not view.path:
        words.append(
            "The shortest way as the decoder sees it: pictures change as evenly and as little as "
            "they can. Where the decoder is nearly flat, that is nearly the straight line."
        )
    words.append("Drag the slider, or across the large picture.")
    st.caption(" ".join(words))


def formula(view: InterpolateView) -> None:
    """Show how the way is made."""
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
            "Between steps the codes are spread to equal distances (the string method); "
            r"$\lambda$ is the closeness."
        )
    elif view.kind == "geodesic":
        st.latex(
            r"\min_{z_1 \dots z_{T-1}} \; T \sum_{i=0}^{T-1} "
            r"\lVert \varphi(z_{i+1}) - \varphi(z_i) \rVert^2,\qquad "
            r"\varphi(z) = 2 \arcsin \sqrt{p(z)} \ \text{ for binary pixels}"
        )
        st.markdown(
            "The metric that the decoder pulls back into the space of codes, never formed; from "
            "the straight line down, so that the energy never rises."
        )
    else:
        st.latex(r"z(t) = (1-t)\,a + t\,b")
