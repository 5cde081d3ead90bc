"""Twelve designs that satisfy the wishes, with their polars; or why there are fewer, or none."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, papers, sections
from explorer.designs import aerodynamics, desk, search
from explorer.designs.polars import ALPHAS
from explorer.designs.properties import Constraint, Property, in_words
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.address.notation import code_text
from explorer.ui.address.views import DesignView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import chart, constraints, export_menu, hand, table
from explorer.ui.picks import service
from explorer.ui.wording import palette
from explorer.ui.wording.format import plain

LEAST_WIDTH = 116
"""Width of a tile, in CSS pixels, that has room for what is written below it."""


def wall(
    engine: Engine, view: DesignView, properties: tuple[Property, ...]
) -> tuple[desk.Found, int | None] | None:
    """Render the designs; return them with the number of the one in hand."""
    wishes = constraints.constraints(view, properties)
    try:
        found = cache.designs(
            engine, view.conditions, view.limits, view.goal, view.spread, view.seed
        )
    except DesignError as error:
        st.info(str(error), icon=":material/info:")
        return None
    goal = next(item for item in properties if item.key == view.goal.removeprefix("-"))
    places = [code_text(z) for z in found.z]
    at = places.index(view.hand) if view.hand in places else None
    _headline(found, wishes, properties)
    strip = codes_strip(engine, found.z)
    state = filmstrip(
        Panel(strip, pick=service.pick_descriptor(engine, strip)),
        key="design_wall",
        tile=at,
        grid=Grid(
            tile_width=max(engine.sketch.tile_width(72), LEAST_WIDTH),
            selectable=True,
            noun="design",
            feet=_feet(found, goal, wishes, properties, engine.sketch.kind == "curve"),
        ),
        keep_all=True,
    )
    if state.tile is not None and state.tile < len(places):
        at = state.tile
        view.hand = hand.named(found.z[at], f"Design {at + 1}")
    elif at is not None:
        view.hand = ""
        at = None
    export_menu.strip_menu(
        engine, strip, "design_export", "designs", what=f"Designs by {goal.label}"
    )
    _relaxed(found, wishes, properties)
    with st.expander("How they are chosen"):
        st.caption(_how(engine, found))
    return found, at


def _headline(
    found: desk.Found, wishes: tuple[Constraint, ...], properties: tuple[Property, ...]
) -> None:
    """Say how many satisfy the wishes, or what cannot be met."""
    if found.met.any():
        met = int(found.met.sum())
        words = "sound" if not wishes else "sound, and satisfy the wishes"
        few = (
            ""
            if found.flying == found.sound
            else (
                f"; only {found.flying:,} of {found.sound:,} sound samples reach the lift "
                "coefficients asked for"
            )
        )
        st.markdown(f"**{met} designs** that are {words}{few}")
        return
    known = {item.key: item for item in properties}
    nearest = []
    for wish in wishes:
        prop = known[wish.key]
        value = float(found.measured.values[wish.key][0])
        missed = value < wish.value if wish.way == ">=" else value > wish.value
        if missed or not np.isfinite(value):
            nearest.append(plain(f"{prop.label} {prop.words(value)}"))
    said = f" The first has {', '.join(dict.fromkeys(nearest))}." if nearest else ""
    st.warning(
        "No design satisfies all wishes, not even after a search. These are the nearest."
        f"{said} Relax a wish below.",
        icon=":material/search_off:",
    )


def _feet(
    found: desk.Found,
    goal: Property,
    wishes: tuple[Constraint, ...],
    properties: tuple[Property, ...],
    wide: bool,
) -> list[list[str]]:
    """Write lines below each design: its number and objective, then what was wished for."""
    known = {item.key: item for item in properties}
    keys = list(dict.fromkeys(wish.key for wish in wishes if wish.key != goal.key))
    keys = keys[:2] or [item.key for item in properties if item.main and item.key != goal.key][:2]
    lines = []
    for row in range(len(found.z)):
        values = {key: float(value[row]) for key, value in found.measured.values.items()}
        first = f"{row + 1} · {goal.label} {goal.words(values[goal.key])}"
        others = [f"{known[key].label} {known[key].words(values[key])}" for key in keys]
        lines.append([first, *([" · ".join(others)] if wide else others)])
    return lines


def _how(engine: Engine, found: desk.Found) -> str:
    """Say in a sentence how they were chosen."""
    parts = [f"{found.drawn:,} samples of the prior, {found.sound:,} sound"]
    if found.flying < found.sound:
        parts.append(f"{found.flying:,} of these reach the lift coefficients asked for")
    parts.append(f"{found.feasible:,} satisfy the wishes")
    if found.searched:
        parts.append(f"a search evaluated {found.searched:,} more")
    unit = "% of the chord" if sections.is_section(engine.sketch) else "% of the range"
    section = (
        f" Sound sections have {desk.LEAST_GAP:g} % of the chord between their surfaces ahead of "
        f"the tail, at most {desk.REVERSALS} curvature reversals, and are no wavier than nine in "
        "ten held-out ones."
        if sections.is_section(engine.sketch)
        else ""
    )
    return (
        f"{'; '.join(parts)}. Chosen by a k-DPP: by rank, and by the distance between outlines; "
        f"the closest two are {found.apart:.2f} {unit} apart (RMS).{section} Sound designs are as "
        f"close to the data as {search.FIDELITY:g} % of held-out ones"
        + (
            f", and as probable under the prior as {100 - cache.FLOOR:.0f} % of them."
            if engine.has_density
            else "."
        )
    )


def _relaxed(
    found: desk.Found, wishes: tuple[Constraint, ...], properties: tuple[Property, ...]
) -> None:
    """Say for each wish how many samples there would be without it."""
    if not wishes:
        return
    known = {item.key: item for item in properties}
    rows = [table.Line("All wishes", (f"{found.feasible:,} of {found.drawn:,} samples",))]
    for item in found.relaxed:
        best = ""
        if item.nearest is not None:
            first = item.wishes[0]
            side = "up to" if first.way == ">=" else "down to"
            best = f", {side} {known[first.key].words(item.nearest)}"
        left = " and ".join(in_words(wish, properties) for wish in item.wishes)
        words = f"{item.others:,} ({item.others - found.feasible:+,}){best}"
        rows.append(table.Line(f"Without {left}", (words,)))
    table.render(rows)


def polars(
    engine: Engine,
    view: DesignView,
    found: desk.Found,
    at: int | None,
    shaped: tuple[str, np.ndarray] | None,
) -> None:
    """Render lift over angle of attack and over drag; the one in hand or shaped stands out."""
    if not sections.is_section(engine.sketch) or not aerodynamics.available():
        return
    st.subheader("Polars", anchor=False)
    now = view.conditions
    flows = sorted({point.reynolds for point in now.points})
    flow = now.reynolds
    if len(flows) > 1:
        flow = st.segmented_control(
            "Reynolds number", flows, default=flow, format_func=lambda one: f"{one:,.0f}",
            required=True, key="design_polar_flow",
        )  # fmt: skip
    names, x = [f"{row + 1}" for row in range(len(found.z))], found.x
    own = at
    if shaped is not None:
        names.append(shaped[0])
        x = np.concatenate([x, engine.decode(shaped[1][None])])
        own = len(x) - 1
    polar = aerodynamics.polars(
        sections.shaped(x, engine.sketch), engine.sketch, ALPHAS, flow,
        ncrit=now.ncrit, trips=now.trips,
    )  # fmt: skip
    lift, drag = go.Figure(), go.Figure()
    for row, name in enumerate(names):
        style = {
            "color": palette.CLASSES[row % len(palette.CLASSES)],
            "width": 3.5 if row == own else 1.5,
        }
        for figure, across in ((lift, ALPHAS), (drag, polar.cd[row])):
            figure.add_scatter(
                x=across, y=polar.cl[row], mode="lines", name=name, line=style,
                opacity=1.0 if row == own or own is None else 0.35,
                hovertemplate=f"{name}: %{{x:.4g}}, CL %{{y:.3f}}<extra></extra>",
            )  # fmt: skip
    for point in now.points:
        if point.reynolds != flow:
            continue
        if point.cl is not None:
            for figure in (lift, drag):
                figure.add_hline(y=point.cl, line={"width": 1, "dash": "dot", "color": "gray"})
        else:
            lift.add_vline(x=point.alpha, line={"width": 1, "dash": "dot", "color": "gray"})
    drag.update_xaxes(range=[0, 0.04])
    charts = []
    with st.container(horizontal=True, gap="medium"):
        for figure, name, title in ((lift, "alpha", "Angle of attack, °"), (drag, "drag", "CD")):
            with st.container(key=f"design_polar_{name}_box"):
                charts.append(
                    chart.render(figure, f"design_polar_{name}", x=title, y="CL", height=280)
                )
    stands = (
        "the shaped design stands out" if shaped is not None else "the design in hand stands out"
    )
    told = (
        f"NeuralFoil ({aerodynamics.QUICK}), Re {flow:,.0f}, {now.transition}; dotted: the "
        f"operating points there. Rest on a line to read its number; {stands}. "
        "Verify what you keep with XFoil on Candidates."
    )
    st.caption(told)
    figure = figures.of_charts([engine.checkpoint], charts, "Polars", told, papers.NEURALFOIL)
    export_menu.figures_menu({"polars": figure}, engine.slug, "design_polars_export")
