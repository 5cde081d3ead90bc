"""Upload of airfoil files as samples, with what was done to read it and what it is worth."""

from typing import NamedTuple, cast

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.data.chords import Axes
from explorer.data.opened import MOST_SECTION_BYTES, Opened, open_section
from explorer.designs.measuring import applicable_properties, measure
from explorer.designs.properties import Conditions
from explorer.errors import DataError
from explorer.sketch import CurveSketch
from explorer.ui.panels.held_file import uploader, uploader_of_many
from explorer.ui.wording.format import prose

AXES = {"chord": "Its chord", "file": "The file’s axes"}

TOLD = ("thickness", "camber", "nose_radius", "cl", "cd", "ld")
"""Properties of an opened section that are told at once."""

MOST_FILES = 64
"""Airfoil files that are opened at once."""

NO_BREAK = "\N{NO-BREAK SPACE}"
_LEAST_TURN = 0.05


class Given(NamedTuple):
    """A sample to reconstruct, its description, and its row in the atlas, if any.

    `smooth` marks a decoded mean, which is more likely than any sample, and not ranked among them.
    """

    x: Float[np.ndarray, "1 *sample"]
    words: str
    row: int | None
    smooth: bool = False


def section(sketch: CurveSketch, key: str) -> Given | None:
    """Render the upload of an airfoil file; None until there is a valid one."""
    file = uploader("An airfoil: coordinates as .dat, .txt or .csv", key, 1)
    if file is None:
        st.caption(
            "Points of one section in any order: Selig, Lednicer, tables of upper and lower "
            f"heights; at most {MOST_SECTION_BYTES // 1024**2} MB. It is not part of the link."
        )
        return None
    axes = _axes(key)
    try:
        opened = open_section(file.content, file.name, sketch, axes)
    except DataError as error:
        st.error(prose(str(error)), icon=":material/error:")
        return None
    tell(opened, sketch, axes)
    return Given(opened.x[None], "Your section, resampled", None)


def sections_of(
    sketch: CurveSketch, key: str
) -> tuple[list[tuple[str, Opened]], list[tuple[str, str]], Axes]:
    """Render the upload of several airfoil files.

    Returns:
        Name and section of each valid file, name and sentence of each that was refused, and along
        which axes their chords are 1.
    """
    files = uploader_of_many("Airfoils: coordinates as .dat, .txt or .csv", key, 1, MOST_FILES)
    if not files:
        st.caption(
            "One section a file, several files at once. Points in any order: Selig, Lednicer, "
            f"tables of upper and lower heights; at most {MOST_SECTION_BYTES // 1024**2} MB each. "
            "They are not part of the link."
        )
        return [], [], "chord"
    axes = _axes(key)
    good, refused = [], []
    for file in files:
        try:
            good.append((file.name, open_section(file.content, file.name, sketch, axes)))
        except DataError as error:
            refused.append((file.name, str(error)))
    return good, refused, axes


def _axes(key: str) -> Axes:
    axes = st.segmented_control(
        "Unit chord along",
        list(AXES),
        default="chord",
        format_func=AXES.__getitem__,
        key=f"{key}_axes",
        help="The chord runs from the point farthest from the trailing edge; "
        "the file’s axes may lie at an angle to it.",
    )
    return cast("Axes", axes or "chord")


def tell(opened: Opened, sketch: CurveSketch, axes: Axes) -> None:
    """Say what was done to the section, and its numbers at an angle in the file's axes."""
    usual = Conditions()
    said = list(opened.notes)
    if abs(opened.turn) >= _LEAST_TURN:
        there = f"{usual.alpha:g}° there are {usual.alpha + opened.turn:.2f}° to the chord."
        turn = f"{abs(opened.turn):.2f}°"
        said.append(
            f"Its chord lies at {turn} to the file’s axes: {there}"
            if axes == "file"
            else f"Turned by {turn} from the file’s axes: {there}"
        )
    turned = Conditions(alpha=float(np.clip(usual.alpha + opened.turn, -10, 20)))
    values = measure(opened.x[None], sketch, turned).values
    names = {item.key: item for item in applicable_properties(sketch, usual)}
    told = [
        f"{names[key].label} {names[key].words(float(values[key][0]))}".replace(" ", NO_BREAK)
        for key in TOLD
        if key in names and np.isfinite(values[key][0])
    ]
    if told:
        said.append(f"As a Kulfan section, by the file’s axes: {', '.join(told)}.")
    st.caption("  \n".join(map(prose, said)))
