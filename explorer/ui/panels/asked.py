"""What installed networks say: the decision map, facts of a sample, the lines along a path."""

import html

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from explorer.designs.asked import Asked
from explorer.designs.decisions import painted
from explorer.designs.measuring import listed, networks
from explorer.figures import Chart, Shading
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import InterpolateView, LatentMapView
from explorer.ui.api.address import decision_address
from explorer.ui.components.point_map import Shade
from explorer.ui.panels import chart
from explorer.ui.wording import palette
from explorer.ui.wording.format import plain, prose

LIKELY = 0.05
"""Classes whose probability stays below it all along a path are left out of its chart."""

MOST_LINES = 10


def chooser(engine: Engine, view: LatentMapView | InterpolateView, label: str) -> None:
    """Render the choice of a network, if there are several; an unknown one falls back."""
    known = {item.description.key: item.description.label for item in cache.asked(engine)}
    if view.asked and view.asked not in known:
        view.fall_back("asked", "", "is not an installed network that fits", "asking the first")
    if len(known) > 1:
        control(
            st.selectbox, label, view, "asked", options=list(known), format_func=known.get,
            value=view.asked or next(iter(known)), width=200,
        )  # fmt: skip


def shade(engine: Engine, key: str) -> Shade | None:
    """Return the decision map as the map's component shows it."""
    family = cache.network(engine, key)
    found = None if family is None else cache.decision(engine, family.description.key)
    if found is None or family is None:
        return None
    about = family.description
    address = decision_address(engine, about.key)
    if found.found.best is not None:
        seen = _seen(found.found.best, about.classes)
        return Shade(address, found.box, f"{about.label}, decoded here",
                     [colour for _, colour in seen], [name for name, _ in seen])  # fmt: skip
    prop = listed(family)[0]
    low, high = (prop.words(value) for value in found.found.bounds)
    return Shade(address, found.box, prop.label, palette.RAMP, low=low, high=high)


def _seen(best: np.ndarray, classes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Name the classes that occur, with their colours."""
    numbers = np.unique(best[best >= 0])[: len(palette.MANY_CLASSES)]
    colours = palette.MANY_CLASSES
    return [(classes[int(k)], colours[int(k) % len(colours)]) for k in numbers]


def printed(engine: Engine, key: str) -> Shading | None:
    """Return the decision map as a figure draws it."""
    family = cache.network(engine, key)
    found = None if family is None else cache.decision(engine, family.description.key)
    if found is None or family is None:
        return None
    best = found.found.best
    colours = palette.RAMP if best is None else palette.MANY_CLASSES
    seen = [] if best is None else _seen(best, family.description.classes)
    return Shading(painted(found.found, colours), found.box, seen)


def words(engine: Engine, view: LatentMapView) -> str:
    """Say what a decision map shows."""
    family = cache.network(engine, view.asked) if "decision" in view.layers else None
    found = None if family is None else cache.decision(engine, family.description.key)
    if family is None or found is None:
        return ""
    about = family.description
    by = f" ({about.origin})" if about.origin else ""
    rows, columns = found.found.value.shape
    places = f"{columns} × {rows} places"
    if about.kind == "regressor":
        return (
            f" Decision map: {listed(family)[0].label} of what is decoded at {places}, "
            f"by the network {about.key}{by}."
        )
    return (
        f" Decision map: the class that {about.key}{by} gives to what is decoded at "
        f"{places}; the paler, the smaller its margin over the next class."
    )


def coloured(engine: Engine, view: LatentMapView) -> str:
    """Say what the colours of data are, if a network gives them."""
    prop = next((item for item in cache.map_properties(engine) if item.key == view.colour), None)
    if prop is None:
        return ""
    return f" Colour: {prop.label} of what each code decodes to, not of the data themselves."


def faults(engine: Engine) -> None:
    """Say of each installed network that is off, why; on pages that would show it."""
    for item in networks():
        fits = item.description is None or item.description.takes(engine.sketch)
        if item.family is None and fits:
            st.caption(f"Property “{plain(item.key)}” is off: {prose(item.reason)}")


def facts(engine: Engine, x: Float[np.ndarray, "1 *sample"]) -> list[str]:
    """Say what each network sees in a sample, for Markdown."""
    told = (family.told(x)[0] for family in cache.asked(engine))
    return [plain(line) for line in told if line]


def profile(
    engine: Engine, codes: Float[np.ndarray, "frames latent"], view: InterpolateView
) -> Chart | None:
    """Render what a network says along a path; None without one."""
    chooser(engine, view, "Along the path")
    family = cache.network(engine, view.asked)
    if family is None:
        return None
    about = family.description
    raw = family.ask(engine.decode(codes))
    figure = go.Figure()
    frames = list(range(len(codes)))
    if about.kind == "classifier":
        peaks = np.nan_to_num(raw).max(0)
        order = [int(k) for k in np.argsort(-peaks, kind="stable") if peaks[k] >= LIKELY]
        lines = [
            (about.classes[k], 100 * raw[:, k], palette.MANY_CLASSES[k % 20])
            for k in sorted(order[:MOST_LINES])
        ]
        title = f"{about.label}, %"
    else:
        lines = [
            (prop.title, raw[:, k], palette.MANY_CLASSES[k % 20])
            for k, prop in enumerate(listed(family)[:MOST_LINES])
        ]
        title = listed(family)[0].title if len(lines) == 1 else about.label
    for name, values, colour in lines:
        figure.add_scatter(
            x=frames, y=values, mode="lines+markers", name=html.escape(name), marker={"size": 5},
            line={"color": colour}, hovertemplate="%{y:.3g}",
        )  # fmt: skip
    figure.add_vline(x=view.at, line={"width": 1, "dash": "dot", "color": "gray"})
    figure.update_layout(legend_yanchor="bottom")  # of many classes it takes several rows
    drawn = chart.render(
        figure, "interpolate_asked", x="frame", y=html.escape(title), height=280, legend=1.04
    )
    st.caption(_along(family, raw))
    return drawn


def _along(family: Asked, raw: Float[np.ndarray, "frames outputs"]) -> str:
    """Say where the class changes along a path, or over which range the values run."""
    about = family.description
    if about.kind == "regressor":
        told = [
            f"{prop.label} {prop.words(float(np.nanmin(part)))} to "
            f"{prop.words(float(np.nanmax(part)))}"
            for prop, part in zip(listed(family), raw.T, strict=True)
            if np.isfinite(part).any()
        ]
        return plain("; ".join(told) or f"{about.label} is unknown all along") + "."
    known = np.isfinite(raw).all(1)
    best = np.where(known, np.nan_to_num(raw).argmax(1), -1)
    turns = [
        f"{about.classes[best[k]]} from frame {k}"
        for k in range(len(best))
        if best[k] >= 0 and (k == 0 or best[k] != best[k - 1])
    ]
    said = f"{about.label}: {', '.join(turns)}" if turns else f"{about.label} is unknown"
    return plain(said) + "."
