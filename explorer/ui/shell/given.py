"""A drawing or upload in hand: within a visit it stays as it was, while a link has its code."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.inference import Engine
from explorer.ui.address.notation import code_text

_GIVEN = "frame_given"


class Given(NamedTuple):
    """A drawing or upload: its place as a model encodes it, and the data it is like."""

    place: str
    x: Float[np.ndarray, "1 *sample"]
    words: str
    data: str


def given(place: str) -> Given | None:
    """Return the drawing or upload behind a code, if it was made in this visit."""
    held: Given | None = st.session_state.get(_GIVEN)
    return held if held is not None and held.place == place else None


def place_of(engine: Engine, x: Float[np.ndarray, "1 *sample"], words: str) -> str | None:
    """Remember a drawing or upload and return its place; None if it is the one remembered."""
    held: Given | None = st.session_state.get(_GIVEN)
    if held is not None and np.array_equal(held.x, x):
        return None
    return _remember(engine, x, words)


def seen_by(engine: Engine, place: str) -> str | None:
    """Return the place of a drawing or upload for another model of the same data, if it is one."""
    held = given(place)
    if held is None or held.data != engine.checkpoint.config.data.kind:
        return None
    return _remember(engine, held.x, held.words)


def _remember(engine: Engine, x: Float[np.ndarray, "1 *sample"], words: str) -> str:
    place = code_text(engine.encode(x).loc[0])
    st.session_state[_GIVEN] = Given(place, x, words, engine.checkpoint.config.data.kind)
    return place
