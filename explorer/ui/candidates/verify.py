"""Verification by XFoil, if installed: at one angle for all picks, as polars for a few."""

import contextlib
import time
from collections.abc import Callable, Generator, Sequence

import numpy as np
import streamlit as st

from explorer import sections
from explorer.designs import polars, xfoil
from explorer.designs.candidates import Store
from explorer.designs.changes import Opinion
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions
from explorer.errors import StoreError
from explorer.ui.candidates.judged import MeasuredPick, is_aerodynamic
from explorer.ui.picks import service

MOST_POLARS = 6
PATIENCE = 6.0
"""Seconds that a search's result waits for XFoil."""


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


def opinions(
    outlines: Sequence[np.ndarray],
    angles: Sequence[Sequence[float]],
    conditions: Conditions,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[Opinion, ...]:
    """Let XFoil judge the start and the result of a search at each operating point.

    Args:
        outlines: The start and the result, in chords and Selig order.
        angles: For each operating point, the angle of attack of each of the two; NaN where there
            is none.
        conditions: The operating points.
        report: Called with how many results there are, and of how many.
    """
    ends = time.monotonic() + PATIENCE
    of = sum(int(np.isfinite(angle)) for pair in angles for angle in pair)
    found: list[Opinion] = []
    done = 0
    for point, pair in zip(conditions.points, angles, strict=True):
        results: list[xfoil.Point | None] = [
            None if np.isfinite(angle) else xfoil.FAILED for angle in pair
        ]
        asked = [[angle] if np.isfinite(angle) else [] for angle in pair]
        flow = conditions.model_copy(update={"reynolds": point.reynolds})
        left = ends - time.monotonic()
        if left > 0:
            with contextlib.closing(_evaluated(outlines, asked, flow, left)) as evaluated:
                for index, _, result in evaluated:
                    results[index] = result
                    done += 1
                    report(done, of)
        found.append(Opinion(*results))
    return tuple(found)


def _evaluated(
    outlines: Sequence[np.ndarray],
    angles: Sequence[Sequence[float]],
    conditions: Conditions,
    within: float | None = None,
) -> Generator[tuple[int, float, xfoil.Point], None, None]:
    return xfoil.evaluate_all(
        outlines, angles, conditions.reynolds, ncrit=conditions.ncrit, trips=conditions.trips,
        within=within,
    )  # fmt: skip


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
