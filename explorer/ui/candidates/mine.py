"""One's own sections: kept as they are, and the model's versions of them to go on from."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer import sections
from explorer.data.opened import Opened
from explorer.designs import search
from explorer.designs.geometry import faults
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Measured, Property
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.sketch import CurveSketch
from explorer.strips import codes_strip, grid_strip
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import compare
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel, Slider
from explorer.ui.panels import table
from explorer.ui.panels.upload import sections_of, tell
from explorer.ui.picks import service
from explorer.ui.shell import sibling
from explorer.ui.wording.format import plain, prose, signed

RADII = tuple(round(0.05 * step, 2) for step in range(21))
ERRORS = ("cl", "alpha", "cd", "ld")
"""Properties of the flow in which the error of the model's version is told."""


def offer(engine: Engine, view: CandidatesView) -> None:
    """Render the upload of own sections, and what can be done with them."""
    if not sections.is_section(engine.sketch):
        st.caption(
            "Airfoil files need an airfoil model. Images can be drawn or uploaded on Reconstruct."
        )
        sibling.of_sections("candidates", {"find": view.find})
        return
    assert isinstance(engine.sketch, CurveSketch)
    good, refused, axes = sections_of(engine.sketch, "candidates_mine")
    if refused:
        lines = [f"- **{plain(name[:60])}**: {prose(why)}" for name, why in refused]
        st.error("\n".join(["Not opened:", *lines]), icon=":material/error:")
    if not good:
        return
    place = 0
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if len(good) > 1:
            place = st.selectbox("Shown", range(len(good)), key="candidates_mine_shown",
                                 format_func=lambda k: good[k][0], width=200)  # fmt: skip
        name, opened = good[min(place, len(good) - 1)]
        st.button(
            "Keep as it is",
            key="candidates_mine_keep",
            type="primary",
            icon=":material/bookmark_add:",
            on_click=_keep,
            args=(engine, [(name, opened.x)]),
            help="As a candidate without the model: its heights at the 128 stations",
        )
        if len(good) > 1:
            st.button(f"Keep all {len(good)} as they are", key="candidates_mine_keep_all",
                      on_click=_keep,
                      args=(engine, [(each, one.x) for each, one in good]))  # fmt: skip
    tell(opened, engine.sketch, axes)
    _beside_the_model(engine, name, opened, view)


def version(engine: Engine, item: MeasuredPick, conditions: Conditions) -> MeasuredPick:
    """Return the model's version of an own section, from which searches start."""
    x = item.pick.source.sample[None]
    z = engine.encode(x).loc
    again = engine.decode(z)
    source = dataclasses.replace(
        item.pick.source, code=z[0], sample=again[0], model=service.model_of(engine)
    )
    measured = measure(again, engine.sketch, conditions)
    st.caption(
        f"From the model’s version of {item.pick.title}: RMS error "
        f"{100 * _away(engine, x, again)[0]:.3f} % of the chord."
    )
    return item._replace(
        pick=dataclasses.replace(item.pick, source=source, treatment="kulfan"),
        properties=measured.properties,
        values={key: float(value[0]) for key, value in measured.values.items()},
        fault=measured.faults[0],
    )


def _beside_the_model(engine: Engine, name: str, opened: Opened, view: CandidatesView) -> None:
    """Render a section and the model's version of it, with its errors, and more like it."""
    x = opened.x[None]
    z = engine.encode(x).loc
    again = engine.decode(z)
    drawn = [x[0], sections.shaped(again, engine.sketch)[0]]
    names = ["Yours", "The model’s"]
    compare.overlay(list(zip(names, drawn, strict=True)), engine.sketch, "candidates_mine_overlay")
    rms, most = _away(engine, x, again)
    conditions = view.conditions
    own = measure(x, engine.sketch, conditions, "decoded")
    theirs = measure(again, engine.sketch, conditions)
    st.caption(
        f"{plain(name[:60])} as given, at 128 stations, and the model’s version, a Kulfan "
        f"section. RMS error {100 * rms:.3f} % of the chord, maximum {100 * most:.3f} %, at the "
        f"stations as given and as decoded. {_errors(own, theirs)}"
    )
    rows = [
        table.Line(prop.label, (*_words(prop, own, theirs), _difference(prop, own, theirs)),
                   prop.main, prop.meaning)
        for prop in own.properties
    ]  # fmt: skip
    table.render(rows, [*names, "Error"])
    for whose, measured in zip(names, (own, theirs), strict=True):
        if measured.faults[0]:
            st.caption(f":material/warning: {whose}: invalid geometry, {measured.faults[0]}.")
    filmstrip(
        Panel((strip := codes_strip(engine, z)), pick=service.pick_descriptor(engine, strip)),
        key="candidates_mine_strip",
        grid=Grid(
            captions=["the model’s reconstruction of your section"],
            tile_width=engine.sketch.tile_width(64) * 3 // 2,
            numbered=False,
        ),
        keep_all=True,
    )
    if not engine.has_prior:
        return
    near = search.like(engine, z[0], 24, RADII)
    st.markdown("**More like this**")
    filmstrip(
        Panel(
            (more := grid_strip(engine, near, RADII)), pick=service.pick_descriptor(engine, more)
        ),
        key="candidates_mine_like",
        at=0.3,
        slider=Slider(
            label="How different from yours",
            low="the same",
            high="one prior standard deviation",
            home=0.3,
        ),
        grid=Grid(tile_width=engine.sketch.tile_width(64)),
    )


def _away(
    engine: Engine, x: Float[np.ndarray, "1 stations"], again: Float[np.ndarray, "1 stations"]
) -> tuple[float, float]:
    """Return the RMS and the largest distance of the decoded heights to those given, in chords."""
    assert isinstance(engine.sketch, CurveSketch)
    off = engine.sketch.heights(again[0]) - engine.sketch.heights(x[0])
    return float(np.sqrt((off**2).mean())), float(np.abs(off).max())


def _words(prop: Property, *measured: Measured) -> tuple[str, ...]:
    return tuple(prop.words(_value(prop, one)) for one in measured)


def _value(prop: Property, measured: Measured) -> float:
    return float(measured.values.get(prop.key, np.array([np.nan]))[0])


def _difference(prop: Property, own: Measured, theirs: Measured) -> str:
    off = _value(prop, theirs) - _value(prop, own)
    return "–" if not np.isfinite(off) else signed(f"{off:+.{prop.digits}f}")


def _errors(own: Measured, theirs: Measured) -> str:
    """Say by how much the flow past the model's version differs."""
    said = []
    for prop in own.properties:
        first, then = _value(prop, own), _value(prop, theirs)
        if prop.key.split("_")[0] in ERRORS and np.isfinite([first, then]).all() and first:
            share = f" ({100 * (then / first - 1):+.1f} %)" if prop.key[:5] != "alpha" else ""
            said.append(f"{prop.label} {_difference(prop, own, theirs)}{share}")
    return signed(f"Error of its flow: {', '.join(said)}.") if said else ""


def _keep(engine: Engine, given: Sequence[tuple[str, Float[np.ndarray, " stations"]]]) -> None:
    """Keep own sections as they are; for callbacks."""
    try:
        picks = service.keep_own(engine, given)
    except StoreError as error:
        st.toast(prose(str(error)), icon=":material/error:")
        return
    if len(picks) > 1:
        invalid = sum(
            bool(why) for pick in picks for why in faults(pick.source.sample[None], engine.sketch)
        )
        broken = f", {invalid} of them invalid" if invalid else ""
        st.toast(f"{len(picks)} own sections kept{broken}; History takes them back.")
