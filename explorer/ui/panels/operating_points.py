"""The flows past a section: operating points, and how boundary layers become turbulent."""

import streamlit as st

from explorer import sections
from explorer.designs import aerodynamics
from explorer.designs.properties import MOST_POINTS, Conditions, OperatingPoint
from explorer.inference import Engine
from explorer.ui.address.controls import commit
from explorer.ui.address.views import Conditioned

HELD = {"alpha": "Angle", "cl": "CL"}
FIRST_CL = 0.5


def form(engine: Engine, view: Conditioned) -> None:
    """Render a row for each operating point, and the transition; nothing for other samples."""
    if not sections.is_section(engine.sketch):
        return
    if not aerodynamics.available():
        st.caption(
            'Lift and drag require NeuralFoil: `pip install -c constraints.txt -e ".[airfoil]"`.'
        )
        return
    now = view.conditions
    several = len(now.points) > 1
    for number, point in enumerate(now.points):
        with st.container(
            horizontal=True, vertical_alignment="bottom", gap="small",
            key=f"{view.page}_point_{number}",
        ):  # fmt: skip
            _row(view, number, point, several)
            if number == len(now.points) - 1:
                st.button(
                    "Point", key=f"{view.page}_point_add", icon=":material/add:", on_click=_add,
                    args=(now,), disabled=len(now.points) >= MOST_POINTS,
                    help="Add an operating point: objectives may be means over them",
                )  # fmt: skip
                _transition(view, now)


def _transition(view: Conditioned, now: Conditions) -> None:
    free = now.trips == (1.0, 1.0)
    with st.popover(f"Ncrit {now.ncrit:g}, {'free' if free else 'tripped'}"):
        _number(view, "ncrit", "Ncrit", now.ncrit, 1.0, 14.0, 0.5, 90,
                "Logarithm of the amplification at which a boundary layer becomes turbulent: "
                "9 in a usual wind tunnel, 4 to 8 in rough air, 11 to 14 on a glider")  # fmt: skip
        for side, name in enumerate(("upper", "lower")):
            _number(view, f"trip_{name}", f"Trip, {name}, x/c", now.trips[side], 0.0, 1.0, 0.05,
                    120, "Where transition is forced; 1 leaves it free")  # fmt: skip


def _row(view: Conditioned, number: int, point: OperatingPoint, several: bool) -> None:
    held = "alpha" if point.cl is None else "cl"
    key = f"{view.page}_point_{number}"
    st.session_state[f"{key}_held"] = held
    st.segmented_control(
        f"Point {number + 1} holds" if several else "Hold", list(HELD), key=f"{key}_held",
        format_func=HELD.__getitem__, required=True,
        on_change=_commit, args=(view.page, number),
        help="At a given lift coefficient each section has its own angle of attack",
    )  # fmt: skip
    if held == "alpha":
        _point(view, number, "alpha", "Angle of attack, °", point.alpha, -10.0, 20.0, 0.5, 130)
    else:
        _point(view, number, "cl", "CL", point.cl or 0.0, -2.0, 3.0, 0.05, 130)
    _point(view, number, "reynolds", "Reynolds number", point.reynolds, 1e4, 1e8, 1e5, 150)
    if several:
        _point(view, number, "weight", "Weight", point.weight, 0.01, 100.0, 0.5, 100)
        st.button(
            "", key=f"{key}_drop", icon=":material/close:", type="tertiary",
            help=f"Remove point {number + 1}", on_click=_drop, args=(view.conditions, number),
        )  # fmt: skip


def _point(
    view: Conditioned, number: int, field: str, label: str, value: float, low: float, high: float,
    step: float, width: int,
) -> None:  # fmt: skip
    key = f"{view.page}_point_{number}_{field}"
    st.session_state[key] = float(value)
    st.number_input(label, key=key, min_value=low, max_value=high, step=step, format="%g",
                    width=width, on_change=_commit, args=(view.page, number))  # fmt: skip


def _number(
    view: Conditioned, field: str, label: str, value: float, low: float, high: float,
    step: float, width: int, words: str,
) -> None:  # fmt: skip
    key = f"{view.page}_flow_{field}"
    st.session_state[key] = float(value)
    st.number_input(
        label, key=key, min_value=low, max_value=high, step=step, format="%g", width=width,
        help=words, on_change=_commit, args=(view.page, None),
    )  # fmt: skip


def write(now: Conditions) -> None:
    """Write conditions to the address; for callbacks."""
    usual = Conditions()
    commit(
        reynolds=None if now.reynolds == usual.reynolds else now.reynolds,
        alpha=None if now.alpha == usual.alpha else now.alpha,
        flow=now.text or None,
    )


def _commit(page: str, number: int | None) -> None:
    """Read what has changed from the widgets of the page."""
    now = Conditioned.from_address().conditions
    if number is None:
        trips = [
            float(st.session_state[f"{page}_flow_trip_{name}"]) for name in ("upper", "lower")
        ]
        write(
            now.model_copy(
                update={
                    "ncrit": float(st.session_state[f"{page}_flow_ncrit"]),
                    "trips": (trips[0], trips[1]),
                }
            )
        )
        return
    point = now.points[number]
    given = {
        field: float(st.session_state[key])
        for field in ("reynolds", "alpha", "cl", "weight")
        if (key := f"{page}_point_{number}_{field}") in st.session_state
    }
    held = st.session_state[f"{page}_point_{number}_held"]
    if held == "alpha":
        given["cl"] = None  # type: ignore[assignment]
    elif point.cl is None:
        given["cl"] = FIRST_CL
    write(_replaced(now, number, OperatingPoint(**{**point_fields(point), **given})))


def point_fields(point: OperatingPoint) -> dict[str, float | None]:
    """Return the fields of an operating point."""
    return {name: getattr(point, name) for name in OperatingPoint.model_fields}


def _replaced(now: Conditions, number: int, point: OperatingPoint) -> Conditions:
    if number == 0:
        return now.model_copy(update=point_fields(point))
    others = list(now.others)
    others[number - 1] = point
    return now.model_copy(update={"others": tuple(others)})


def _add(now: Conditions) -> None:
    last = now.points[-1]
    further = (
        OperatingPoint(alpha=min(20.0, last.alpha + 2), reynolds=last.reynolds)
        if last.cl is None
        else OperatingPoint(cl=round(last.cl + 0.3, 2), reynolds=last.reynolds)
    )
    write(now.model_copy(update={"others": (*now.others, further)}))


def _drop(now: Conditions, number: int) -> None:
    points = [point for place, point in enumerate(now.points) if place != number]
    write(now.model_copy(update={**point_fields(points[0]), "others": tuple(points[1:])}))
