"""Constraints on designs, docked above what they judge: tuned in place, with what is in reach."""

import math
from collections.abc import Sequence

import streamlit as st

from explorer import sections
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import (
    MOST_CONSTRAINTS,
    Constraint,
    Property,
    in_words,
    join,
    parse,
)
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.address.controls import commit
from explorer.ui.address.views import WISHES, Conditioned
from explorer.ui.panels import operating_points
from explorer.ui.wording.format import plain, prose

CROSSED = f"{100 * sections.CROSSED:.2f} % of the chord"
SIGNS = {">=": "At least", "<=": "At most"}


def constraints(view: Conditioned, properties: Sequence[Property]) -> tuple[Constraint, ...]:
    """Return the view's constraints on properties that these designs have."""
    keys = {item.key for item in properties}
    return tuple(bound for bound in parse(view.limits) if bound.key in keys)


def remember(view: Conditioned) -> None:
    """Carry constraints and flow conditions from page to page."""
    for name, key in WISHES:
        st.session_state[key] = getattr(view, name)


def applicable_constraints(engine: Engine, view: Conditioned) -> tuple[Constraint, ...]:
    """Return the view's constraints that apply to an engine's samples."""
    return constraints(view, applicable_properties(engine.sketch, view.conditions))


def settle(engine: Engine, view: Conditioned) -> tuple[Property, ...]:
    """Drop constraints that these samples lack, and say so; return the properties they have."""
    properties = applicable_properties(engine.sketch, view.conditions)
    if properties:
        bounds = constraints(view, properties)
        if join(bounds) != view.limits:
            why = "has properties that these samples lack"
            view.fall_back("limits", join(bounds), why, "leaving them out")
        remember(view)
    return properties


def switch(engine: Engine, view: Conditioned) -> None:
    """Render the switch that docks the form above what the constraints judge."""
    if applicable_properties(engine.sketch, view.conditions):
        st.toggle("Constraints", key=_opened(view), help="Bounds on what samples must be")


def docked(engine: Engine, view: Conditioned) -> None:
    """Render the constraints; while the switch is on, also a form to add some, and the flow."""
    if not settle(engine, view):
        return
    opened = bool(st.session_state.get(_opened(view)))
    bounds = constraints(view, applicable_properties(engine.sketch, view.conditions))
    if not (bounds or opened):
        return
    with st.container(key=f"{view.page}_bounds", border=opened, gap="small"):
        tuned(engine, view)
        if opened:
            added(engine, view)
            operating_points.form(engine, view)


def tuned(engine: Engine, view: Conditioned) -> None:
    """Render each constraint as a number that can be tuned, with a button that removes it."""
    properties = applicable_properties(engine.sketch, view.conditions)
    bounds = constraints(view, properties)
    if not bounds:
        return
    known = {item.key: item for item in properties}
    reach = cache.property_ranges(engine, view.conditions)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for bound in bounds:
            prop = known[bound.key]
            key = f"{view.page}_bound_{bound.key}_{bound.way}"
            others = [item for item in bounds if item != bound]
            with st.container(
                horizontal=True, vertical_alignment="bottom", gap="xxsmall", width=230,
                key=f"{key}_box",
            ):  # fmt: skip
                st.session_state[key] = bound.value
                st.number_input(
                    f"{plain(prop.label)} {'≥' if bound.way == '>=' else '≤'}"
                    + (f", {plain(prop.unit)}" if prop.unit else ""),
                    key=key, step=_step(reach.get(bound.key)), format="%g",
                    min_value=-1e6, max_value=1e6, help=_in_reach(prop, reach.get(bound.key)),
                    on_change=_tune, args=(key, bound, others),
                )  # fmt: skip
                st.button(
                    "", key=f"{key}_drop", icon=":material/close:", type="tertiary",
                    help=f"Remove {plain(in_words(bound, properties))}", on_click=commit,
                    kwargs={"limits": join(others) or None},
                )  # fmt: skip


def added(engine: Engine, view: Conditioned) -> None:
    """Render a form for another constraint: its value starts where half of the samples meet it."""
    properties = applicable_properties(engine.sketch, view.conditions)
    bounds = constraints(view, properties)
    properties = tuple(item for item in properties if not item.classes)
    labels = {item.key: item.title for item in properties}
    reach = cache.property_ranges(engine, view.conditions)
    page = view.page
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox("Property", list(labels), key=f"{page}_bound_key",
                              format_func=labels.__getitem__, width=210)  # fmt: skip
        prop = next(item for item in properties if item.key == chosen)
        usual = "<=" if prop.better == "less" else ">="
        ways: list[str] = list(SIGNS)
        st.segmented_control("Bound", ways, key=f"{page}_bound_way_{chosen}",
                                   default=usual, format_func=SIGNS.__getitem__,
                                   required=True)  # fmt: skip
        span = reach.get(prop.key)
        st.number_input(
            "Value" + (f", {plain(prop.unit)}" if prop.unit else ""),
            key=f"{page}_bound_value_{chosen}",
            value=0.0 if span is None else round(span[1], prop.digits),
            step=_step(span), format="%g", min_value=-1e6, max_value=1e6, width=120,
        )  # fmt: skip
        st.button(
            "Add", key=f"{page}_bound_add", icon=":material/add:", on_click=_add,
            args=(page, bounds, prop.key), disabled=len(bounds) >= MOST_CONSTRAINTS,
        )  # fmt: skip
    st.caption(_in_reach(prop, span))


def _opened(view: Conditioned) -> str:
    return f"{view.page}_bounds_open"


def _in_reach(prop: Property, span: tuple[float, float, float] | None) -> str:
    meaning = prose(f"{prop.meaning[:1].upper()}{prop.meaning[1:]}. ") if prop.meaning else ""
    if span is None:
        return f"{meaning}No sample has a value."
    low, middle, high = (f"{value:z.{prop.digits}f}" for value in span)
    unit = f" {plain(prop.unit)}" if prop.unit else ""
    return f"{meaning}Samples: {low} to {high}{unit}, half of them above {middle}.".replace(
        "-", "−"
    )


def _step(span: tuple[float, float, float] | None) -> float:
    """Return a round step of about a fiftieth of the range."""
    if span is None or span[2] <= span[0]:
        return 0.1
    power = 10.0 ** math.floor(math.log10((span[2] - span[0]) / 50))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= (span[2] - span[0]) / 50)


def _tune(key: str, bound: Constraint, others: Sequence[Constraint]) -> None:
    value = round(float(st.session_state[key]), 6)
    commit(limits=join([*others, bound._replace(value=value)]))


def _add(page: str, bounds: Sequence[Constraint], key: str) -> None:
    way = st.session_state[f"{page}_bound_way_{key}"]
    value = st.session_state[f"{page}_bound_value_{key}"]
    added = Constraint(key, ">=" if way == ">=" else "<=", round(float(value), 6))
    same = [item for item in bounds if (item.key, item.way) != (added.key, added.way)]
    commit(limits=join([*same, added]))
