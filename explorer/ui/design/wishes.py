"""What is wished for: conditions, constraints with what is in reach, and an order."""

import streamlit as st

from explorer.designs.properties import Property
from explorer.inference import Engine
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import DesignView
from explorer.ui.panels import constraints, operating_points


def form(engine: Engine, view: DesignView) -> tuple[Property, ...]:
    """Render the form, which is in sight while designs change; return the properties."""
    properties = constraints.settle(engine, view)
    if not properties:
        return ()
    usual = _usual_goal(properties)
    known = {sign + item.key for item in properties for sign in ("", "-")}
    if view.goal not in known:
        if view.goal:
            view.fall_back("goal", usual, "is no property of these samples", "using the default")
        view.fill("goal", usual)
    with st.container(border=True, key="design_wishes", gap="small"):
        operating_points.form(engine, view)
        constraints.tuned(engine, view)
        constraints.added(engine, view)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        control(st.selectbox, "Best first by", view, "goal", options=_goals(properties),
                format_func=lambda goal: _goal_words(properties, goal), width=220)  # fmt: skip
        control(st.slider, "Best, or different", view, "spread", min_value=0.0, max_value=1.0,
                step=0.05, format="percent", width=190,
                help="0 %: the best designs, however alike. 100 %: the most different ones, "
                "however good")  # fmt: skip
        control(st.number_input, "Seed", view, "seed", min_value=0, max_value=2**31 - 1, step=1,
                width=110)  # fmt: skip
        st.button("Other samples", key="design_others", on_click=commit,
                  kwargs={"seed": view.seed + 1})  # fmt: skip
    return properties


def _usual_goal(properties: tuple[Property, ...]) -> str:
    """Return the mean over operating points, the lift-to-drag ratio, or the first property."""
    keys = [item.key for item in properties]
    for key in ("ld_mean", "ld"):
        if key in keys:
            return key
    quantities = [item for item in properties if not item.classes]
    first = next((item for item in quantities if item.better), quantities[0])
    return f"-{first.key}" if first.better == "less" else first.key


def _goals(properties: tuple[Property, ...]) -> list[str]:
    """List each property in its better direction, or in both."""
    found = []
    for item in (prop for prop in properties if not prop.classes):
        found += [item.key] if item.better != "less" else []
        found += [f"-{item.key}"] if item.better != "more" else []
    return found


def _goal_words(properties: tuple[Property, ...], goal: str) -> str:
    label = next(item.label for item in properties if item.key == goal.removeprefix("-"))
    return f"{label}, {'least' if goal.startswith('-') else 'most'}"
