"""The thing in hand: a card that stays in sight on every page of a model, and its next moves."""

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer import sections
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit
from explorer.ui.address.hand import read_sample
from explorer.ui.address.notation import code_text
from explorer.ui.address.views import View
from explorer.ui.cache.things import Thing
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import asked, flip
from explorer.ui.panels.pictures import training_pictures
from explorer.ui.picks import service
from explorer.ui.shell import frame, given, navigation
from explorer.ui.wording import rules
from explorer.ui.wording.format import higher_than, plain, prose, signed

NAMED, FROM = "hand_named", "hand_from"
"""Session keys: the names of codes, and the end to interpolate from."""

MOST_NAMED = 64
NEAREST = 8


def take(view: View, z: Float[np.ndarray, " latent"], words: str) -> None:
    """Take a code in hand, and remember within this visit what it is."""
    view.hand = named(z, words)


def named(z: Float[np.ndarray, " latent"], words: str) -> str:
    """Return the notation of a code, and remember within this visit what it is."""
    place = code_text(z)
    known = [item for item in st.session_state.get(NAMED, {}).items() if item[0] != place]
    st.session_state[NAMED] = dict([*known, (place, words)][-MOST_NAMED:])
    return place


def take_given(engine: Engine, view: View, x: Float[np.ndarray, "1 *sample"], words: str) -> None:
    """Take a drawing or upload in hand, once: until it changes, another choice stays."""
    place = given.place_of(engine, x, words)
    view.hand = view.hand if place is None else place


def card(
    engine: Engine,
    view: View,
    *,
    empty: str = "",
    beside: bool = False,
    more: Callable[[], None] | None = None,
) -> None:
    """Render what is in hand, with its next moves, and finish the page's address.

    Args:
        engine: The page's model.
        view: The page's view.
        empty: What to do on this page to take something in hand; without it nothing is rendered
            while nothing is.
        beside: Whether it stands in the pane it is rendered in, instead of beside the page.
        more: Renders what this page adds to it, where there is room for that.
    """
    with st.container(key="hand_beside") if beside else nullcontext():
        _card(engine, view, empty, more)


def _card(engine: Engine, view: View, empty: str, more: Callable[[], None] | None) -> None:
    found = cache.thing(engine, view.hand) if view.hand else None
    if view.hand and found is None:
        view.fall_back("hand", "", "is not in this model", "holding nothing")
    navigation.refresh(view)
    _arrive(view)
    if found is None:
        if empty:
            with st.container(key="hand_empty"):
                st.caption(f"**In hand: nothing yet.** {empty}")
        return
    own = given.given(view.hand)
    with st.container(key="hand_card"):
        x = found.x if own is None else own.x
        with st.container(key="hand_picture"):
            filmstrip(
                samples_strip(x, engine.sketch, geometry=sections.usual(engine.sketch)),
                key="hand_image",
                grid=Grid(tile_width=engine.sketch.tile_width(88), noun="thing in hand"),
            )
        with st.container(key="hand_words", gap="xxsmall"):
            st.markdown(f"**{title(view.hand, found)}**")
            for line in [*facts(engine, view.hand, found), *asked.facts(engine, x)]:
                st.caption(line)
            if st.session_state.get(FROM) == (view.model, view.hand):
                st.caption("**What you choose next, on any page, is the other end.**")
        if more is not None:
            with st.container(key="hand_more", gap="xxsmall"):
                more()
        with st.container(key="hand_moves", horizontal=True, gap="xsmall"):
            _moves(engine, view, found)


def title(hand: str, found: Thing) -> str:
    """Name what is in hand."""
    own = given.given(hand)
    if own is not None:
        return prose(own.words)
    return prose(st.session_state.get(NAMED, {}).get(hand, found.words))


def facts(engine: Engine, hand: str, found: Thing) -> list[str]:
    """Say in plain sentences how new a thing is, and how probable under the prior."""
    lines = []
    if given.given(hand) is not None:
        lines.append("A link carries the model’s version of it.")
    if found.row is not None:
        lines.append(
            "Decoded from its code: the data set is not installed."
            if found.decoded
            else "A sample of the data."
        )
    measure = cache.novelty_reference(engine)
    if found.novelty is not None and measure is not None:
        lines.append(rules.how_new(found.novelty, measure))
    if found.log_density is not None:
        where = "" if found.place is None else f", {higher_than(found.place)} of held-out data"
        lines.append(signed(f"log p(z) {found.log_density:.1f} nats{where}"))
    if found.bound is not None:
        lines.append(signed(f"log p(z) at least {found.bound:.1f} nats (a bound)"))
    return lines


def _moves(engine: Engine, view: View, found: Thing) -> None:
    """Render what can be done next, each also by a key."""
    armed = st.session_state.get(FROM) == (view.model, view.hand)
    moves = (
        ("traverse", "Traverse", ":material/tune:", "t", "Change its latent units one at a time"),
        ("latent_map", "On the map", ":material/scatter_plot:", "m", "Find it on the latent map"),
        ("reconstruct", "Reconstruct", ":material/compare:", "e", "Encode and decode it"),
    )
    for page, words, icon, key, help_text in moves:
        st.button(
            words, key=f"hand_to_{page}", icon=icon, shortcut=key, help=help_text, width="stretch",
            on_click=frame.go, args=(page, _address(page, view)),
        )  # fmt: skip
    st.button(
        "Cancel" if armed else "Interpolate to…",
        key="hand_interpolate", shortcut="i", width="stretch",
        icon=":material/close:" if armed else ":material/timeline:",
        help="The next thing you choose, on any page, becomes the other end",
        type="primary" if armed else "secondary", on_click=_arm, args=(view.model, view.hand),
    )  # fmt: skip
    if cache.novelty_reference(engine) is not None and st.button(
        "Nearest data", key="hand_nearest", icon=":material/near_me:", shortcut="n",
        help="The training data nearest to it", width="stretch",
    ):  # fmt: skip
        _nearest(engine, found)
    flip.button(
        engine,
        found.z,
        lambda z, words: commit(hand=named(z, words), pick=None),
        lambda z, words: frame.go(
            "interpolate",
            _address("interpolate", view) | {"ends": f"{view.hand}|{named(z, words)}"},
        ),
    )
    st.button(
        "Keep", key="hand_keep", icon=":material/bookmark_add:", shortcut="b", width="stretch",
        help="Keep it as a candidate", on_click=_keep, args=(engine, view.hand, found.z),
    )  # fmt: skip
    st.button(
        "Put down", key="hand_drop", icon=":material/close:", type="tertiary", width="stretch",
        on_click=commit, kwargs={"hand": None, "pick": None},
    )  # fmt: skip


_ELSEWHERE = {
    "traverse": ("centre", "at"),
    "latent_map": ("pick",),
    "reconstruct": ("source",),
    "interpolate": ("path", "at", "ends"),
}
"""Fields of a page's last view that show something else than the thing in hand."""


def _address(page: str, view: View) -> dict[str, str]:
    """Return the address of a page's last view, turned to the thing in hand."""
    query = navigation.address(page, view)
    return {name: value for name, value in query.items() if name not in _ELSEWHERE[page]}


def _arm(model: str, hand: str) -> None:
    """Take the thing in hand as one end of a path, or leave that; for callbacks."""
    armed = st.session_state.get(FROM) == (model, hand)
    st.session_state[FROM] = None if armed else (model, hand)


def _arrive(view: View) -> None:
    """Interpolate from the thing that waits as one end, once another is in hand."""
    model, start = st.session_state.get(FROM) or ("", "")
    if not start or not view.hand or view.hand == start:
        return
    st.session_state[FROM] = None
    if model == view.model:
        frame.leave(
            "interpolate", _address("interpolate", view) | {"ends": f"{start}|{view.hand}"}
        )


@st.dialog("Nearest training data", width="large")
def _nearest(engine: Engine, found: Thing) -> None:
    """Render the training data whose codes are nearest."""
    measure = cache.novelty_reference(engine)
    assert measure is not None
    rows = measure.judge(engine.encode(engine.decode(found.z[None])).loc, k=NEAREST).nearest[0]
    shown, codes = training_pictures(engine, measure, rows)
    if shown.decoded:
        st.markdown(shown.heading("Training data"))
    filmstrip(
        Panel(shown.strip, pick=service.pick_descriptor(engine, z=codes)),
        key="hand_nearest_data",
        grid=Grid(tile_width=engine.sketch.tile_width(72), noun="training sample"),
    )
    st.caption(f"By code, nearest first ({rules.compared_with(measure)}). {shown.words}")


def _keep(engine: Engine, hand: str, z: Float[np.ndarray, " latent"]) -> None:
    """Keep the thing in hand as a candidate; for callbacks."""
    try:
        service.keep(engine, read_sample(hand), z)
    except ExplorerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
