"""The smallest change of class: a move of the thing in hand, its strip and its sentence."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.designs.flips import Flip
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.picks import service
from explorer.ui.wording.format import plain, prose, signed

FRAMES = 9
"""Frames from what is in hand to the class flipped."""

Move = Callable[[np.ndarray, str], None]

_ANY = -1


def button(engine: Engine, z: Float[np.ndarray, " latent"], take: Move, walk: Move) -> None:
    """Render the move that looks for the smallest change of class, if a classifier fits.

    Args:
        engine: The model.
        z: The code in hand.
        take: Takes a code in hand, and says what it is.
        walk: Interpolates from what is in hand to a code.
    """
    able = [item for item in cache.asked(engine) if item.description.kind == "classifier"]
    if not able:
        return
    why = cache.why_not_flipped(engine)
    if st.button(
        "Flip its class", key="hand_flip", icon=":material/swap_horiz:", shortcut="f",
        width="stretch", disabled=bool(why),
        help=why or "The nearest code within the prior that is taken for another class",
    ):  # fmt: skip
        _dialog(engine, z, take, walk)


@st.dialog("Smallest change of class", width="large")
def _dialog(engine: Engine, z: Float[np.ndarray, " latent"], take: Move, walk: Move) -> None:
    """Render the nearest code of another class: a strip to it, and a sentence."""
    able = {
        item.description.key: item
        for item in cache.asked(engine)
        if item.description.kind == "classifier"
    }
    with st.container(horizontal=True, gap="small"):
        key = next(iter(able))
        if len(able) > 1:
            names = {name: item.description.label for name, item in able.items()}
            key = st.selectbox(
                "By", list(names), key="hand_flip_by", format_func=names.__getitem__
            )
        classes = able[key].description.classes
        options = [_ANY, *range(len(classes))]
        chosen = st.selectbox(
            "To", options, key=f"hand_flip_to_{key}", width=220,
            format_func=lambda k: "the nearest other class" if k == _ANY else classes[k],
        )  # fmt: skip
    try:
        found = cache.flipped(engine, key, z, None if chosen == _ANY else int(chosen))
    except ExplorerError as error:
        st.caption(prose(str(error)))
        return
    if found is None:
        target = "another class" if chosen == _ANY else f"“{plain(classes[int(chosen)])}”"
        st.caption(f"No code of {target} was found within the prior. Try another class.")
        return
    way = z + np.linspace(0, 1, FRAMES)[:, None].astype(np.float32) * (found.z - z)
    codes = np.concatenate([way[:-1], found.z[None]]).astype(np.float32)
    told = able[key].told(engine.decode(codes))
    label = able[key].description.label
    filmstrip(
        Panel(codes_strip(engine, codes), pick=service.pick_descriptor(engine, z=codes)),
        key="hand_flip_way",
        grid=Grid(
            tile_width=engine.sketch.tile_width(72), noun="frame", numbered=False,
            feet=[[line.removeprefix(f"{label} ").partition(", then")[0]] for line in told],
        ),
    )  # fmt: skip
    st.markdown(sentence(found, classes))
    what = _named(found, classes, key)
    with st.container(horizontal=True, gap="small"):
        if st.button("Take it in hand", key="hand_flip_take", icon=":material/back_hand:"):
            take(found.z, what)
            st.rerun()
        if st.button("Interpolate to it", key="hand_flip_walk", icon=":material/timeline:"):
            walk(found.z, what)
            st.rerun()


def sentence(found: Flip, classes: tuple[str, ...]) -> str:
    """Say how far away the other class is, and how that was found, for Markdown."""
    one, other = (plain(classes[k]) for k in (found.before, found.after))
    ended = "" if found.complete else " The search ended at its limit: there may be a nearer one."
    return signed(
        f"From **{one}** to **{other}** in {found.distance:.2f} standard deviations of the prior; "
        f"log p(z) there is {found.log_density:.1f} nats, above that of 5 % of held-out data. It "
        f"is the nearest found by trying {found.evaluations:,} codes, without derivatives." + ended
    )


def _named(found: Flip, classes: tuple[str, ...], key: str) -> str:
    one, other = classes[found.before], classes[found.after]
    return f"Nearest {other} to this {one}, by {key}"
