"""What pushes of picks found: before and after laid over each other, what got worse, and undo."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer import sections
from explorer.designs import aerodynamics, changes, search, xfoil
from explorer.designs.aerodynamics import Operation
from explorer.designs.changes import Change, Opinion
from explorer.designs.geometry import CLOSING
from explorer.designs.properties import Conditions
from explorer.inference import Engine
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.candidates import compare, polar_chart, verify
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import table
from explorer.ui.picks import service
from explorer.ui.wording.format import plain, signed

MOST = 12
"""Results that can be undone."""

_FOUND = "candidates_pushed"
"""Session key of the results, the last one last."""


class Result(NamedTuple):
    """The best design of a search, and what it was asked for.

    `opinions` are XFoil's under the conditions `flow`, if it was asked.
    """

    pick: str
    model: str
    key: str
    way: Literal["more", "less"]
    z: Float[np.ndarray, " latent"]
    floor: float
    gap: float
    done: int
    of: int
    flow: str = ""
    opinions: tuple[Opinion, ...] = ()


def results() -> list[Result]:
    """Return all results of this visit, the last one last."""
    return list(st.session_state.get(_FOUND, ()))


def remember(found: Sequence[Result]) -> None:
    """Replace the results of this visit."""
    st.session_state[_FOUND] = tuple(found[-MOST:])


def last(pick: str, model: str) -> Result | None:
    """Return the last result from a pick by a model, if there is one."""
    return next(
        (one for one in reversed(results()) if (one.pick, one.model) == (pick, model)), None
    )


def undo(found: Result) -> None:
    """Go back to what was there before a search; for callbacks."""
    remember([one for one in results() if one is not found])


def verify_by_xfoil(
    engine: Engine,
    item: MeasuredPick,
    found: Result,
    conditions: Conditions,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Let XFoil judge a result at all operating points, and remember what it finds."""
    if not (sections.is_section(engine.sketch) and xfoil.available() and aerodynamics.available()):
        return
    decoded = engine.decode(np.stack([item.pick.source.code, found.z]))
    before, after = _operations(engine, decoded, conditions)
    outlines = [sections.outline(row, engine.sketch, "kulfan") for row in decoded]
    angles = [
        [round(float(at.alpha[0]), 2) for at in pair] for pair in zip(before, after, strict=True)
    ]
    judged = found._replace(
        flow=conditions.model_dump_json(),
        opinions=verify.opinions(outlines, angles, conditions, report),
    )
    remember([judged if one is found else one for one in results()])


def show(engine: Engine, item: MeasuredPick, found: Result, conditions: Conditions) -> None:
    """Render the result of a search beside its start."""
    codes = np.stack([item.pick.source.code, found.z])
    decoded = engine.decode(codes)
    x = sections.shaped(decoded, engine.sketch)
    is_section = sections.is_section(engine.sketch)
    names = [item.pick.title, "Found"]
    worth = cache.code_properties(engine, codes, conditions)
    judged = [
        changes.compare(prop, *(float(value) for value in worth.values[prop.key]))
        for prop in worth.properties
        if prop.key in worth.values
    ]
    with st.container(horizontal=True, key="candidates_pushed_row", gap="small"):
        with st.container(key="candidates_pushed_result", width=engine.sketch.tile_width(64) + 20):
            strip = codes_strip(engine, found.z[None])
            filmstrip(
                Panel(strip, pick=service.pick_descriptor(engine, strip)),
                key="candidates_pushed_strip",
                grid=Grid(
                    captions=["the search result"],
                    tile_width=engine.sketch.tile_width(64),
                    numbered=False,
                ),
                keep_all=True,
            )
            st.button("Undo push", key="candidates_push_undo", icon=":material/undo:",
                      on_click=undo, args=(found,),
                      help="Back to what was here before; what you kept stays kept")  # fmt: skip
        with st.container(key="candidates_pushed_words"):
            st.markdown(_summary(judged, found))
            if is_section and aerodynamics.available():
                _second_opinion(engine, item, found, decoded, conditions)
    if is_section:
        overlaid = list(zip(names, x, strict=True))
        compare.overlay(overlaid, engine.sketch, "candidates_pushed_overlay")
    if is_section and aerodynamics.available():
        shown = [
            polar_chart.Section(name, row, engine.sketch, fault)
            for name, row, fault in zip(names, x, worth.faults, strict=True)
        ]
        _, told = polar_chart.render(shown, conditions, "candidates_pushed_polar", 280)
        st.caption(told)
    _table(engine, codes, judged, found, names)
    _tell(engine, found, is_section)


def _summary(judged: Sequence[Change], found: Result) -> str:
    """Say what was gained, and what got worse."""
    lines = [
        f"**{plain(one.prop.label)} {_way(one)}**" for one in judged if one.prop.key == found.key
    ]
    worse = [
        f"{plain(one.prop.label)} ({_way(one)})"
        for one in judged
        if one.mark == "worse" and one.prop.key != found.key
    ]
    lines.append(
        f":material/warning: Worse: {', '.join(worse)}." if worse else "Nothing else got worse."
    )
    return "  \n".join(lines)


def _way(one: Change) -> str:
    return plain(f"{one.prop.words(one.before)} → {one.prop.words(one.after)}")


def _table(
    engine: Engine,
    codes: Float[np.ndarray, "2 latent"],
    judged: Sequence[Change],
    found: Result,
    names: Sequence[str],
) -> None:
    lines = [
        table.Line(
            one.prop.label,
            (one.prop.words(one.before), one.prop.words(one.after), one.words),
            one.prop.key == found.key or one.mark == "worse",
            one.prop.meaning,
        )
        for one in judged
    ]
    if engine.has_density:
        density = [signed(f"{value:z.1f}") for value in engine.log_prior(codes)]
        lines.append(table.Line("log p(z), nats", (*density, "")))
    table.render(lines, [*names, "Change"])


def _second_opinion(
    engine: Engine,
    item: MeasuredPick,
    found: Result,
    decoded: Float[np.ndarray, "2 stations"],
    conditions: Conditions,
) -> None:
    """Say what NeuralFoil's largest network and XFoil find, and whether they agree."""
    before, after = _operations(engine, decoded, conditions)
    judged: tuple[tuple[bool, str], ...] = ((True, ""),) * len(before)
    if found.opinions and found.flow == conditions.model_dump_json():
        judged = changes.agreement(found.opinions, before, after, found.key, found.way)
    lines = [
        f"{':material/check:' if good else ':material/warning:'} **{point.at}, Re "
        f"{point.reynolds:,.0f}:** NeuralFoil’s largest network, not used in the search, finds "
        f"L/D {_ratio(first)} → {_ratio(then)} (confidence "
        f"{100 * float(then.confidence[0]):.0f} %){f'; {words}' if words else ''}."
        for (good, words), point, first, then in zip(
            judged, conditions.points, before, after, strict=True
        )
    ]
    if not xfoil.available():
        lines.append("XFoil is not installed (`apt install xfoil`): no second opinion.")
    st.caption("  \n".join(lines))
    if xfoil.available() and not judged[0][1]:
        st.button("Verify with XFoil", key="candidates_pushed_verify",
                  icon=":material/fact_check:", on_click=verify_by_xfoil,
                  args=(engine, item, found, conditions))  # fmt: skip


def _operations(
    engine: Engine, decoded: Float[np.ndarray, "2 stations"], conditions: Conditions
) -> tuple[list[Operation], list[Operation]]:
    """Evaluate start and result at each operating point, by the network that verifies."""
    x = sections.shaped(decoded, engine.sketch)
    found = aerodynamics.operations(x, engine.sketch, conditions, aerodynamics.CAREFUL)
    first, then = ([Operation(*(part[k : k + 1] for part in at)) for at in found] for k in (0, 1))
    return first, then


def _ratio(at: Operation) -> str:
    return signed(f"{float(at.cl[0] / at.cd[0]):z.1f}")


def _tell(engine: Engine, found: Result, is_section: bool) -> None:
    said = (
        f"{found.done} of {found.of} generations of {search.POPULATION} designs, within "
        f"{search.REACH:g} prior standard deviations"
        + (f"; log p(z) ≥ {found.floor:.1f} nats" if engine.has_density else "")
        + (
            f"; at least {found.gap:g} % of the chord between the surfaces ahead of its last "
            f"{100 * CLOSING:.0f} %"
            if is_section
            else ""
        )
        + "."
    )
    st.caption(signed(said))
