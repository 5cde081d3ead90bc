"""One design to shape by hand: the model's nearest design follows the finger."""

import numpy as np
import streamlit as st

from explorer import sections
from explorer.designs import desk
from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Property
from explorer.inference import Engine
from explorer.sketch import CurveSketch
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.address.notation import code_text, read_code
from explorer.ui.address.views import DesignView
from explorer.ui.api.address import grab_address
from explorer.ui.components import outline
from explorer.ui.panels import constraints, hand
from explorer.ui.wording.format import signed

MOST_TOLD = 12


def grab(engine: Engine, view: DesignView, found: desk.Found, at: int | None) -> None:
    """Render the design in hand, or the first of those found, as an outline one can grab."""
    if not isinstance(engine.sketch, CurveSketch):
        return
    held = cache.thing(engine, view.hand) if view.hand else None
    z = found.z[at or 0] if held is None else held.z
    # What is shaped is what a link can hold: the code in half precision.
    text = code_text(z)
    shaped = read_code(text, engine.space.size)
    if shaped is None:
        return
    name = f"Design {(at or 0) + 1}" if held is None else hand.title(view.hand, held)
    section = sections.is_section(engine.sketch)
    st.subheader(f"Shape it: {name}", anchor=False)
    values = cache.code_properties(engine, shaped[None], view.conditions).values
    code = outline(
        codes_strip(engine, shaped[None]),
        key="design_outline",
        code=text,
        z=shaped,
        name=name,
        section=section,
        address=grab_address(engine, view.conditions, view.limits),
        pick={"model": engine.slug, "hash": engine.checkpoint.hash},
        properties=_told(engine, view),
        values={key: float(value[0]) for key, value in values.items()},
        unit="% of the chord" if section else engine.sketch.y_label,
    )
    if code != text:
        again = read_code(code, engine.space.size)
        if again is not None:
            view.hand = hand.named(again, f"{name.removesuffix(', shaped')}, shaped")
    st.caption(_how(engine, view))


def _told(engine: Engine, view: DesignView) -> list[Property]:
    """List the properties that are told while it changes: those wished for come first."""
    properties = applicable_properties(engine.sketch, view.conditions)
    wished = {item.key for item in constraints.constraints(view, properties)}
    wished.add(view.goal.removeprefix("-"))
    after = ("cl", "cd", "cm", "inner_gap", "nose_radius", "tail_angle", "confidence")

    def rank(item: Property) -> tuple[bool, bool, bool]:
        return item.key not in wished, not item.main, item.key not in after

    return sorted(properties, key=rank)[:MOST_TOLD]


def _how(engine: Engine, view: DesignView) -> str:
    floor = cache.floor_density(engine)
    kept = [f"log p(z) ≥ {floor:.1f} nats"] if floor is not None and np.isfinite(floor) else []
    properties = applicable_properties(engine.sketch, view.conditions)
    if sections.is_section(engine.sketch):
        kept.append(f"{desk.LEAST_GAP:g} % of the chord between the surfaces")
    if constraints.constraints(view, properties):
        kept.append("your wishes")
    said = f" It keeps {', '.join(kept)}." if kept else ""
    keys = (
        " With the keyboard: arrows, and U, L, T, C for upper, lower, thickness and camber."
        if sections.is_section(engine.sketch)
        else " With the keyboard: arrows."
    )
    return signed(
        "While you drag, the model’s nearest design that passes through the point is sought in "
        "its latent space, by finite differences of the decoder, which need no gradient. "
        f"Dashed: as it was.{said}{keys}"
    )
