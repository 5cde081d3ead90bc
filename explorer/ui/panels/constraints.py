"""Constraints on designs: their menu, and the conditions designs are evaluated under."""

from collections.abc import Sequence

import streamlit as st

from explorer import sections
from explorer.designs import aerodynamics
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import (
    MOST_CONSTRAINTS,
    Conditions,
    Constraint,
    Property,
    join,
    parse,
)
from explorer.inference import Engine
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import WISHES, CandidatesView, GenerateView

CROSSED = f"{100 * sections.CROSSED:.2f} % of the chord"
Bounded = GenerateView | CandidatesView


def conditions(view: Bounded) -> Conditions:
    """Return the conditions designs are evaluated under."""
    return view.conditions


def constraints(view: Bounded, properties: Sequence[Property]) -> tuple[Constraint, ...]:
    """Return the view's constraints on properties that these designs have."""
    keys = {item.key for item in properties}
    return tuple(bound for bound in parse(view.limits) if bound.key in keys)


def remember(view: Bounded) -> None:
    """Carry constraints and flow conditions from page to page."""
    for name, key in WISHES:
        st.session_state[key] = getattr(view, name)


def applicable_constraints(engine: Engine, view: Bounded) -> tuple[Constraint, ...]:
    """Return the view's constraints that apply to an engine's samples."""
    return constraints(view, applicable_properties(engine.sketch, conditions(view)))


def words(bound: Constraint, properties: Sequence[Property]) -> str:
    """Format a constraint for display."""
    found = next((item for item in properties if item.key == bound.key), None)
    if found is None:
        return str(bound)
    sign = "≥" if bound.way == ">=" else "≤"
    unit = f" {found.unit}" if found.unit else ""
    return f"{found.label} {sign} {bound.value:g}{unit}".replace("-", "−")


def control_bounds(engine: Engine, view: Bounded) -> None:
    """Render the menu of constraints and flow conditions."""
    properties = applicable_properties(engine.sketch, conditions(view))
    if not properties:
        return
    bounds = constraints(view, properties)
    if join(bounds) != view.limits:
        why = "has properties that these samples lack"
        view.fall_back("limits", join(bounds), why, "leaving them out")
    remember(view)
    page = type(view).__name__.removesuffix("View").lower()
    label = f"Constraints ({len(bounds)})" if bounds else "Constraints"
    with st.popover(label, icon=":material/rule:"):
        for bound in bounds:
            st.button(
                words(bound, properties),
                key=f"{page}_bound_{bound}",
                on_click=commit,
                kwargs={"limits": join(item for item in bounds if item != bound) or None},
                icon=":material/close:",
                help="Remove this constraint",
            )
        with st.form(f"{page}_bounds", border=False):
            keys = [item.key for item in properties]
            labels = {item.key: item.title for item in properties}
            st.selectbox(
                "Property", keys, key=f"{page}_bound_key", format_func=lambda key: labels[key]
            )
            with st.container(horizontal=True, vertical_alignment="bottom"):
                st.segmented_control(
                    "Bound",
                    [">=", "<="],
                    key=f"{page}_bound_way",
                    default=">=",
                    format_func=lambda way: "At least" if way == ">=" else "At most",
                    required=True,
                )
                st.number_input("Value", key=f"{page}_bound_value", value=0.0, step=0.1,
                                format="%g", min_value=-1e6, max_value=1e6, width=110)  # fmt: skip
            st.form_submit_button(
                "Add",
                on_click=_add,
                args=(page, bounds),
                disabled=len(bounds) >= MOST_CONSTRAINTS,
            )
        _flow(engine, view)


def _flow(engine: Engine, view: Bounded) -> None:
    if not sections.is_section(engine.sketch):
        return
    if not aerodynamics.available():
        st.caption(
            'Lift and drag require NeuralFoil: `pip install -c constraints.txt -e ".[airfoil]"`.'
        )
        return
    with st.container(horizontal=True):
        control(st.number_input, "Angle of attack, °", view, "alpha", min_value=-10.0,
                max_value=20.0, step=0.5, format="%g", width=140)  # fmt: skip
        control(st.number_input, "Reynolds number", view, "reynolds", min_value=1e4,
                max_value=1e8, step=1e5, format="%g", width=160)  # fmt: skip


def _add(page: str, bounds: tuple[Constraint, ...]) -> None:
    key, way = (st.session_state[f"{page}_bound_{part}"] for part in ("key", "way"))
    added = Constraint(key, way, round(float(st.session_state[f"{page}_bound_value"]), 6))
    same = [item for item in bounds if (item.key, item.way) != (key, way)]
    commit(limits=join([*same, added]))
