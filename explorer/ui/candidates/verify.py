"""Verification by XFoil, if installed: at one angle for all picks, as polars for a few."""

import contextlib
from collections.abc import Generator, Sequence

import numpy as np
import streamlit as st

from explorer import sections
from explorer.designs import polars, xfoil
from explorer.designs.candidates import Store
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.candidates.judged import MeasuredPick, is_aerodynamic
from explorer.ui.picks import service

MOST_POLARS = 6


def words(item: MeasuredPick) -> tuple[str, ...]:
    """Return the line of a card that XFoil did not converge for, or its lift-to-drag ratio."""
    if item.verified is None:
        return ()
    if not item.verified.converged:
        return ("XFoil did not converge",)
    return (f"XFoil L/D {xfoil.values(item.verified)['xfoil_ld']:.1f}",)


def offer(items: Sequence[MeasuredPick], conditions: Conditions) -> None:
    """Render the button that verifies all picks shown, and what is verified already."""
    able = [item for item in items if is_aerodynamic(item) and not item.fault]
    if not able:
        return
    if not xfoil.available():
        st.caption("A second opinion on lift and drag: `apt install xfoil`, then restart.")
        return
    known = [(item, item.verified) for item in able if item.verified is not None]
    failed = [item.pick.title for item, point in known if not point.converged]
    left = [item for item in able if item.verified is None]
    left = [item for item in left if np.isfinite(polars.angle(item.values, conditions))]
    place = st.container(horizontal=True, vertical_alignment="center")
    if left and place.button(
        f"Verify with XFoil ({len(left)})",
        key="candidates_verify",
        icon=":material/fact_check:",
        help=f"At {conditions.at} and Re {conditions.reynolds:,.0f}, {conditions.transition}; "
        "the results are kept.",
    ):
        angles = [[polars.angle(item.values, conditions)] for item in left]
        _run([item.pick for item in left], angles, conditions)
    if known:
        ratio = np.median(
            [point.cd / item.values["cd"] for item, point in known if point.converged] or [np.nan]
        )
        said = f"XFoil verified {len(known)} of {len(able)} at {conditions.at}"
        if np.isfinite(ratio):
            said += f"; median drag {ratio:.2f} times NeuralFoil’s"
        if failed:
            shown = ", ".join(failed[:6]) + (" and others" if len(failed) > 6 else "")
            said += f". Not converged: {shown}"
        place.caption(f"{said}.".replace("-", "−"))


def polar(items: Sequence[MeasuredPick], conditions: Conditions) -> None:
    """Render the button that adds XFoil's polars of the picks in the chart."""
    if not xfoil.available():
        return
    picks = [item.pick for item in items if not item.fault][:MOST_POLARS]
    left = [
        pick for pick in picks if not {*polars.ALPHAS} <= polars.known(pick, conditions).keys()
    ]
    if left and st.button(
        "Add XFoil’s polars",
        key="candidates_verify_polars",
        icon=":material/fact_check:",
        help=f"{len(polars.ALPHAS)} angles for each, at most {xfoil.SECONDS:g} seconds an angle; "
        "they are kept, and exported.",
    ):
        _run(left, [polars.ALPHAS.tolist()] * len(left), conditions)


def pushed(
    engine: Engine, codes: np.ndarray, found: dict[str, object], conditions: Conditions
) -> list[tuple[str, list[str], bool]]:
    """Render the button that verifies a search's start and result; return rows for its table."""
    if not sections.is_section(engine.sketch) or not xfoil.available():
        return []
    flow = conditions.model_dump_json()
    if st.button("Verify with XFoil", key="candidates_pushed_verify",
                 icon=":material/fact_check:"):  # fmt: skip
        outlines = [sections.outline(row, engine.sketch, "kulfan") for row in engine.decode(codes)]
        points = [xfoil.FAILED] * len(outlines)
        with st.spinner("Running XFoil"):
            worth = cache.code_properties(engine, codes, conditions).values
            angles = [
                [polars.angle({"alpha": at}, conditions)]
                for at in worth.get("alpha", np.zeros(len(codes)))
            ]
            for index, _, point in _evaluated(outlines, angles, conditions):
                points[index] = point
        found["xfoil"] = (flow, tuple(points))
    known = found.get("xfoil")
    if not isinstance(known, tuple) or known[0] != flow:
        return []
    values = [xfoil.values(point) for point in known[1]]
    return [
        (prop.label, [prop.words(each[prop.key]) for each in values], False)
        for prop in xfoil.properties(conditions.at)
    ] + [("XFoil", ["converged" if p.converged else "not converged" for p in known[1]], False)]


def _evaluated(
    outlines: Sequence[np.ndarray], angles: Sequence[Sequence[float]], conditions: Conditions
) -> Generator[tuple[int, float, xfoil.Point], None, None]:
    return xfoil.evaluate_all(
        outlines, angles, conditions.reynolds, ncrit=conditions.ncrit, trips=conditions.trips
    )


def _run(picks: Sequence[Pick], angles: Sequence[Sequence[float]], conditions: Conditions) -> None:
    """Verify picks with progress, storing each result, then render the page anew."""
    outlines = [
        sections.outline(pick.source.sample, pick.source.model.sketch, pick.geometry)
        for pick in picks
    ]
    count = sum(map(len, angles))
    line = st.progress(0.0, text=f"Running XFoil, at most {xfoil.AT_ONCE} at once")
    done = _evaluated(outlines, angles, conditions)
    with contextlib.closing(done):
        for number, (index, alpha, point) in enumerate(done, 1):
            _keep(service.store(), picks[index], alpha, point, conditions)
            line.progress(number / count, text=f"XFoil: {number} of {count}")
    st.rerun()


def _keep(
    store: Store, pick: Pick, alpha: float, point: xfoil.Point, conditions: Conditions
) -> None:
    place = polars.stored_under(pick, conditions)
    with contextlib.suppress(StoreError):  # it can be verified again
        store.measured({pick.key: xfoil.as_stored(alpha, point)}, place)
