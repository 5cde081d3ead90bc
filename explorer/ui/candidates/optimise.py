"""Optimisation of a property of the pick in focus: a search with progress and stop."""

import numpy as np
import streamlit as st

from explorer import sections
from explorer.designs import search
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Constraint
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import pushed
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.candidates.pushed import Result
from explorer.ui.panels import constraints
from explorer.ui.wording.format import plain, signed


def offer(item: MeasuredPick | None, engine: Engine, view: CandidatesView) -> None:
    """Render a form to push a property of the pick in focus, and the result."""
    if item is None:
        st.caption("Select a pick made with this model: click its card.")
        return
    conditions = view.conditions
    listed = applicable_properties(engine.sketch, conditions)
    properties = {prop.key: prop for prop in listed if not prop.classes}
    if not properties:
        st.caption("These samples have no measured properties.")
        return
    usual = next((key for key in ("ld_mean", "ld") if key in properties), next(iter(properties)))
    is_section = sections.is_section(engine.sketch)
    gap = search.GAP
    with st.form("candidates_push", border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall")
        key = row.selectbox("Property", list(properties), index=list(properties).index(usual),
                            format_func=lambda key: properties[key].label, width=150)  # fmt: skip
        better = properties[key].better
        way = row.segmented_control("Direction", ["more", "less"],
                                    default="less" if better == "less" else "more",
                                    format_func=str.capitalize, required=True)  # fmt: skip
        if is_section:
            gap = row.number_input(
                "Min. gap, % c", search.LEAST_GAP, search.MOST_GAP, search.GAP, 0.05,
                key="candidates_push_gap", width=115,
                help="What is kept between the surfaces ahead of the last 5 % of the chord, where "
                "a section may close. 0.3 % are 0.6 mm at a chord of 200 mm.",
            )  # fmt: skip
        length = row.selectbox("Generations", [20, 60, 200], index=1,
                               key="candidates_push_length", width=95)  # fmt: skip
        submitted = row.form_submit_button("Push", key="candidates_push_start", type="primary")
    held_out = cache.held_out_density(engine)
    if held_out is None and engine.has_density:
        st.caption("The bound on log p(z) needs the model's map: build it on Latent map.")
        return
    floor = -np.inf if held_out is None else float(np.percentile(held_out, cache.FLOOR))
    if submitted:
        asked = Result(
            item.pick.key,
            engine.checkpoint.hash,
            key,
            "less" if way == "less" else "more",
            item.pick.source.code,
            floor,
            float(gap),
            0,
            int(length),
        )
        _search(engine, item, asked, view)
    found = pushed.last(item.pick.key, engine.checkpoint.hash)
    if found is not None:
        pushed.show(engine, item, found, conditions)
        return
    likely = (
        ""
        if held_out is None
        else f", keep log p(z) ≥ {signed(f'{floor:.1f}')} nats "
        f"(as {100 - cache.FLOOR:.0f} % of held-out codes do)"
    )
    st.caption(
        "Searches around the pick for valid designs that satisfy the constraints, are as "
        f"close to the data as {search.FIDELITY:g} % of held-out samples{likely} and, "
        "for sections, keep the gap between their surfaces and are no wavier than the pick or the "
        "median held-out section."
    )


def _search(engine: Engine, item: MeasuredPick, asked: Result, view: CandidatesView) -> None:
    """Search with progress and a stop button; the best so far is kept, however it ends."""
    conditions = view.conditions
    place = st.empty()
    row = place.container(horizontal=True, vertical_alignment="center")
    line = row.progress(0.0, text="Searching")
    row.button("Stop", key="candidates_push_stop", icon=":material/stop:")
    properties = applicable_properties(engine.sketch, conditions)
    prop = next(p for p in properties if p.key == asked.key)
    before = pushed.results()

    def report(done: int, value: float, z: np.ndarray) -> None:
        if np.isfinite(value):
            best = asked._replace(z=np.asarray(z, np.float32), done=done)
            pushed.remember([*before, best])
        text = f"Generation {done} of {asked.of}: {plain(f'{prop.label} {prop.words(value)}')}"
        line.progress(min(1.0, done / asked.of), text=text)

    def verified(done: int, of: int) -> None:
        line.progress(1.0, text=f"XFoil: {done} of {of}")

    try:
        search.push(
            engine,
            item.pick.source.code,
            asked.key,
            asked.way,
            floor=asked.floor,
            constraints=(
                *constraints.applicable_constraints(engine, view),
                *_smooth(engine, item),
            ),
            conditions=conditions,
            reference=cache.novelty_reference(engine),
            gap=asked.gap,
            generations=asked.of,
            seed=view.seed,
            report=report,
        )
        found = pushed.last(asked.pick, asked.model)
        if found is not None:
            pushed.verify_by_xfoil(engine, item, found, conditions, verified)
    except DesignError as error:
        pushed.remember(before)
        place.empty()
        st.info(str(error), icon=":material/info:")
        return
    place.empty()


def _smooth(engine: Engine, item: MeasuredPick) -> tuple[Constraint, ...]:
    """Bound the waviness of sections, so that what is decoded is what is shown."""
    usual = cache.held_out_waviness(engine)
    if usual is None:
        return ()
    return (Constraint("waviness", "<=", max(usual, item.values["waviness"])),)
