"""One design to shape by hand: the model's nearest design follows the finger."""

import re

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
from explorer.ui.api.grab import lacking
from explorer.ui.components import outline
from explorer.ui.panels import constraints, hand
from explorer.ui.wording.format import signed

MOST_TOLD = 12
_NUMBERED = re.compile(r"_[0-9]$")


def grab(
    engine: Engine, view: DesignView, found: desk.Found, at: int | None
) -> tuple[str, np.ndarray] | None:
    """Render the design in hand, or the first of those found, as an outline one can grab.

    Returns:
        The name and the code of what is shaped, if it is none of those found.
    """
    if not isinstance(engine.sketch, CurveSketch):
        return None
    held = cache.thing(engine, view.hand) if view.hand else None
    z = found.z[at or 0] if held is None else held.z
    # What is shaped is what a link can hold: the code in half precision.
    text = code_text(z)
    begun = read_code(text, engine.space.size)
    if begun is None:
        return None
    places = [code_text(one) for one in found.z]
    name = f"Design {(at or 0) + 1}" if held is None else hand.title(view.hand, held)
    section, title = sections.is_section(engine.sketch), st.container()
    judged = desk.judge(engine, begun[None], view.conditions, cache.sound(engine))
    code = outline(
        codes_strip(engine, begun[None]),
        key="design_outline",
        code=text,
        z=begun,
        name=name,
        section=section,
        address=grab_address(engine, view.conditions, view.limits),
        pick={"model": engine.slug, "hash": engine.checkpoint.hash},
        properties=_told(engine, view),
        values={key: float(value[0]) for key, value in judged.measured.values.items()},
        unit="% of the chord" if section else engine.sketch.y_label,
        lacks=lacking(judged),
    )
    again = read_code(code, engine.space.size)
    if code != text and again is not None:
        begun = again
        name = f"{name.removesuffix(', shaped')}, shaped"
        if code in places:
            name = f"Design {places.index(code) + 1}"
        view.hand = hand.named(again, name)
    title.subheader(f"Shape it: {name}", anchor=False)
    st.caption(_how(engine, view))
    return None if code in places else (name, begun)


def _told(engine: Engine, view: DesignView) -> list[Property]:
    """List the properties that are told while it changes: those wished for come first."""
    properties = applicable_properties(engine.sketch, view.conditions)
    wished = {item.key for item in constraints.constraints(view, properties)}
    wished.add(view.goal.removeprefix("-"))
    after = ("cl", "cd", "cm", "inner_gap", "nose_radius", "tail_angle", "confidence")

    def rank(item: Property) -> tuple[bool, bool, bool]:
        stem = _NUMBERED.sub("", item.key)
        return item.key not in wished, not item.main, stem not in after

    points = len(view.conditions.points)
    return sorted(properties, key=rank)[: MOST_TOLD + 3 * (points - 1)]


def _how(engine: Engine, view: DesignView) -> str:
    floor = cache.floor_density(engine)
    kept = [f"log p(z) ≥ {floor:.1f} nats"] if floor is not None and np.isfinite(floor) else []
    properties = applicable_properties(engine.sketch, view.conditions)
    if sections.is_section(engine.sketch):
        kept.append(f"{desk.LEAST_GAP:g} % of the chord between the surfaces")
        wavy = cache.waviness_bound(engine)
        kept += [] if wavy is None else [f"a waviness of at most {wavy:.3f} %"]
    if constraints.constraints(view, properties):
        kept.append("your wishes")
    said = f" It keeps {', '.join(kept)}." if kept else ""
    keys = (
        " With the keyboard: arrows, and 1 to 4 for upper, lower, thickness and camber."
        if sections.is_section(engine.sketch)
        else " With the keyboard: arrows."
    )
    return signed(
        "While you drag, the model’s nearest design that passes through the point is sought in "
        "its latent space, by finite differences of the decoder, which need no gradient. "
        f"Dashed: as it was.{said} What leaves the sound is said above.{keys}"
    )
