"""Optimisation of a property: a search with progress and stop, and its result beside the start."""

import numpy as np
import streamlit as st

from explorer import sections
from explorer.designs import aerodynamics, search
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Conditions, Constraint
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import compare, verify
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import constraints, table
from explorer.ui.picks import service
from explorer.ui.wording.format import signed

FLOOR = 5.0
"""A search keeps log p(z) above this percentile of held-out codes."""

_FOUND = "candidates_pushed"


def offer(item: MeasuredPick | None, engine: Engine, view: CandidatesView) -> None:
    """Render a form to push a property of the pick in focus, and the result."""
    if item is None:
        st.caption("Select a pick made with this model: click its card.")
        return
    conditions = constraints.conditions(view)
    properties = {prop.key: prop for prop in applicable_properties(engine.sketch, conditions)}
    if not properties:
        st.caption("These samples have no measured properties.")
        return
    usual = "ld" if "ld" in properties else next(iter(properties))
    with (
        st.form("candidates_push", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        key = st.selectbox("Property", list(properties), index=list(properties).index(usual),
                           format_func=lambda key: properties[key].label, width=190)  # fmt: skip
        better = properties[key].better
        way = st.segmented_control("Direction", ["more", "less"],
                                   default="less" if better == "less" else "more",
                                   format_func=str.capitalize, required=True)  # fmt: skip
        length = st.selectbox("Search", [20, 60, 200], index=1, key="candidates_push_length",
                              format_func=lambda n: f"{n} generations", width=170)  # fmt: skip
        submitted = st.form_submit_button("Push", key="candidates_push_start", type="primary")
    held_out = cache.held_out_density(engine)
    if held_out is None and engine.has_density:
        st.caption("The bound on log p(z) needs the model's map: build it on Latent map.")
        return
    floor = -np.inf if held_out is None else float(np.percentile(held_out, FLOOR))
    if submitted:
        _search(engine, item, key, way, int(length), floor, view)
    found = st.session_state.get(_FOUND)
    if found is None or found["pick"] != item.pick.key or found["hash"] != engine.checkpoint.hash:
        likely = (
            ""
            if held_out is None
            else f", keep log p(z) ≥ {signed(f'{floor:.1f}')} nats "
            f"(as {100 - FLOOR:.0f} % of held-out codes do)"
        )
        st.caption(
            "Searches around the pick for valid designs that satisfy the constraints, are as "
            f"close to the data as {search.FIDELITY:g} % of held-out samples{likely} and, "
            "for sections, are no wavier than the pick or the median held-out section."
        )
        return
    _before_and_after(engine, item, found, conditions)


def _search(
    engine: Engine,
    item: MeasuredPick,
    key: str,
    way: str,
    generations: int,
    floor: float,
    view: CandidatesView,
) -> None:
    """Search with progress and a stop button; the best so far is kept, however it ends."""
    conditions = constraints.conditions(view)
    st.session_state[_FOUND] = None
    place = st.empty()
    row = place.container(horizontal=True, vertical_alignment="center")
    line = row.progress(0.0, text="Searching")
    row.button("Stop", key="candidates_push_stop", icon=":material/stop:")
    prop = next(p for p in applicable_properties(engine.sketch, conditions) if p.key == key)

    def report(done: int, value: float, z: np.ndarray) -> None:
        if np.isfinite(value):
            st.session_state[_FOUND] = {
                "pick": item.pick.key, "hash": engine.checkpoint.hash, "key": key, "way": way,
                "z": np.asarray(z, np.float32), "floor": floor, "done": done, "of": generations,
            }  # fmt: skip
        text = f"Generation {done} of {generations}: {prop.label} {prop.words(value)}"
        line.progress(min(1.0, done / generations), text=text)

    try:
        search.push(
            engine,
            item.pick.source.code,
            key,
            "less" if way == "less" else "more",
            floor=floor,
            constraints=(
                *constraints.applicable_constraints(engine, view),
                *_smooth(engine, item),
            ),
            conditions=conditions,
            reference=cache.novelty_reference(engine),
            generations=generations,
            seed=view.seed,
            report=report,
        )
    except DesignError as error:
        place.empty()
        st.info(str(error), icon=":material/info:")
        return
    place.empty()


def _smooth(engine: Engine, item: MeasuredPick) -> tuple[Constraint, ...]:
    """Bound the waviness of sections, so that what is decoded is what is shown."""
    usual = cache.typical_waviness(engine)
    if usual is None:
        return ()
    return (Constraint("waviness", "<=", max(usual, item.values["waviness"])),)


def _before_and_after(
    engine: Engine, item: MeasuredPick, found: dict[str, object], conditions: Conditions
) -> None:
    z = found["z"]
    assert isinstance(z, np.ndarray)
    codes = np.stack([item.pick.source.code, z])
    x = sections.shaped(engine.decode(codes), engine.sketch)
    names = [item.pick.title, "Found"]
    if sections.is_section(engine.sketch):
        compare.overlay(
            list(zip(names, x, strict=True)), engine.sketch, "candidates_pushed_overlay"
        )
    filmstrip(
        Panel(
            (strip := codes_strip(engine, z[None])), pick=service.pick_descriptor(engine, strip)
        ),
        key="candidates_pushed_strip",
        grid=Grid(
            captions=["the search result"],
            tile_width=engine.sketch.tile_width(64) * 3 // 2,
            numbered=False,
        ),
        keep_all=True,
    )
    worth = cache.code_properties(engine, codes, conditions)
    rows = [
        (prop.label, [prop.words(float(value)) for value in worth.values[prop.key]],
         prop.key == found["key"])
        for prop in worth.properties
    ]  # fmt: skip
    if sections.is_section(engine.sketch) and aerodynamics.available():
        for number, found_at in enumerate(
            aerodynamics.operations(x, engine.sketch, conditions, aerodynamics.CAREFUL), 1
        ):
            point = f" ({number})" if conditions.others else ""
            for label, values, digits, unit in (
                ("CL, verified", found_at.cl, 2, ""), ("CD, verified", found_at.cd, 4, ""),
                ("L/D, verified", found_at.cl / found_at.cd, 1, ""),
                ("Confidence, verified", 100 * found_at.confidence, 0, " %"),
            ):  # fmt: skip
                rows.append(
                    (label + point, [f"{value:z.{digits}f}{unit}" for value in values], False)
                )
    rows += verify.pushed(engine, codes, found, conditions)
    if engine.has_density:
        density = [signed(f"{value:z.1f}") for value in engine.log_prior(codes)]
        rows.append(("log p(z), nats", density, False))
    table.render([table.Line(*row) for row in rows], names)
    said = (
        f"{found['done']} of {found['of']} generations of {search.POPULATION} designs, within "
        f"{search.REACH:g} prior standard deviations"
        + (f"; log p(z) ≥ {found['floor']:.1f} nats." if engine.has_density else ".")
    )
    if sections.is_section(engine.sketch):
        said += (
            f" Verified: recomputed with NeuralFoil's largest network ({aerodynamics.CAREFUL}), "
            "not used in the search. Optimised at a single angle of attack: keep it, and compare "
            "the polars."
        )
    st.caption(signed(said))
