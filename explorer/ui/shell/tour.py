"""A tour of a minute, which moves the app itself: the scale, the prototypes, the map, a hole.

Its step is in the address of a page of its own, so that every step is a link; what moves by itself
are the page's own controls.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from explorer.checkpoint import Entry
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.address.controls import commit
from explorer.ui.address.views import DEFAULT_MODEL, View
from explorer.ui.components import tour_clock
from explorer.ui.shell.pages import page_path

_OVER = "frame_tour_over"
"""Session key of the step whose time is over."""


class Step(NamedTuple):
    """A step: its page, its name, how long it lasts, and what there is to see.

    Args:
        page: The page it is on.
        name: Its name.
        seconds: How long it lasts.
        words: What there is to see, of a model.
        lack: What a model lacks for it; empty if nothing.
        address: What its page's address holds besides the model.
        sweep: Times and positions of the page's slider, which moves between them.
    """

    page: str
    name: str
    seconds: float
    words: Callable[[Engine], str]
    lack: Callable[[Engine], str]
    address: Callable[[Engine], dict[str, str]]
    sweep: Sequence[tuple[float, float]] = ()


def _no_prior(engine: Engine) -> str:
    return "" if engine.has_prior else "A plain autoencoder has no prior to draw from"


def _no_prototypes(engine: Engine) -> str:
    return (
        ""
        if engine.component_count > 1
        else "This prior is a single distribution, and so has no prototypes"
    )


def _no_map(engine: Engine) -> str:
    return "" if cache.atlas(engine) is not None else "This model has no map yet"


def _scale_words(engine: Engine) -> str:
    judged = cache.novelty_reference(engine) is not None
    return (
        "A prior is what a model draws from when it invents. Small scales draw near its "
        "centres, alike and safe; large ones far out, varied at first, then wrong"
        + (": an orange ◇ is far from all data." if judged else ".")
    )


def _prototype_words(engine: Engine) -> str:
    return (
        f"This prior was learned: {engine.component_count:,} prototypes, each the centre of a "
        "small cloud that samples are drawn from. Press one to see its cloud."
    )


def _map_words(engine: Engine) -> str:
    stars = "stars are prototypes, " if engine.component_count > 1 else ""
    drawn = "diamonds are samples of the prior" if engine.has_prior else "alike data lie together"
    return (
        f"Every dot is the code of a piece of data; {stars}{drawn}. "
        "Hover over one to see what is decoded there."
    )


def _hole_words(engine: Engine) -> str:
    found = cache.plane(engine) if engine.has_prior else None
    if found is None or not found.holes:
        return "No hole was found here: where this prior draws, there are data."
    return (
        "A hole: the prior draws here, but hardly any data have codes here. What is decoded, "
        "beside the map, is a guess that nothing taught the model."
    )


def _map_address(engine: Engine) -> dict[str, str]:
    layers = ["data"]
    layers += ["prior"] if engine.has_prior else []
    layers += ["prototypes"] if engine.component_count > 1 else []
    return {"layers": ",".join(layers)}


def _hole_address(engine: Engine) -> dict[str, str]:
    if not engine.has_prior:
        return {"layers": "data"}
    found = cache.plane(engine)
    held = {"hand": "holes:0"} if found is not None and found.holes else {}
    return {"layers": "data,holes"} | held


STEPS = (
    Step(
        "generate", "Scale", 17.0, _scale_words, _no_prior, lambda engine: {},
        sweep=((2.5, 0.5), (7.0, 1.0), (8.5, 1.0), (13.5, 0.0), (14.0, 0.0), (16.5, 0.5)),
    ),
    Step("prototypes", "Prototypes", 13.0, _prototype_words, _no_prototypes, lambda engine: {}),
    Step("latent_map", "Latent map", 14.0, _map_words, _no_map, _map_address),
    Step("latent_map", "A hole", 16.0, _hole_words, _no_map, _hole_address),
)  # fmt: skip
"""The steps, a minute in all."""


def start(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the address on Generate at which the tour of the catalogue starts."""
    fit = [entry for entry in entries if entry.healthy and entry.prior == "vamp"]
    own = next((entry for entry in fit if entry.slug == DEFAULT_MODEL), None)
    chosen = own or next(iter(fit), None)
    return {"tour": "1"} if chosen is None else {"model": chosen.slug, "tour": "1"}


def bar(name: str, view: View, engine: Engine) -> None:
    """Render the step of the tour that a page's address asks for, if it is one of that page.

    Args:
        name: The page.
        view: Its view.
        engine: The open model.
    """
    over = st.session_state.pop(_OVER, None)
    if view.tour is None:
        return
    step = STEPS[view.tour - 1]
    if step.page != name:
        _go(engine, view.tour)
    after = _after(view.tour, engine)
    with st.container(key="frame_tour", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(key="frame_tour_words"):
                st.markdown(_words(view.tour, engine))
            with st.container(horizontal=True, width="content", gap="xsmall"):
                pressed = st.button(
                    "Next" if after is not None else "Explore yourself",
                    key="frame_tour_next",
                    type="primary",
                    wrap=False,
                )
                st.button(
                    "Stop",
                    key="frame_tour_stop",
                    on_click=_stop,
                    shortcut="Esc",
                    wrap=False,
                )
        tour_clock(
            key="frame_tour_clock",
            step=view.tour,
            seconds=step.seconds,
            sweep=step.sweep,
            advances=after is not None,
            done=_over,
        )
    if after is not None and (pressed or over == view.tour):
        _go(engine, after)
    if pressed:
        last = "generate" if engine.has_prior else "catalogue"
        st.switch_page(page_path(last), query_params={"model": engine.slug})


def _words(number: int, engine: Engine) -> str:
    """Say what a step shows, and which steps before it this model has skipped."""
    step = STEPS[number - 1]
    head = f"**{number} of {len(STEPS)} · {step.name}**  \n"
    lack = step.lack(engine)
    if lack:
        return f"{head}{lack}: this step is skipped."
    before = STEPS[number - 2].lack(engine) if number > 1 else ""
    skipped = f"{before}: “{STEPS[number - 2].name}” was skipped. " if before else ""
    return f"{head}{skipped}{step.words(engine)}"


def _after(number: int, engine: Engine) -> int | None:
    """Return the next step that a model has something for; None after the last."""
    later = range(number + 1, len(STEPS) + 1)
    return next((other for other in later if not STEPS[other - 1].lack(engine)), None)


def _go(engine: Engine, number: int) -> None:
    step = STEPS[number - 1]
    address = {"model": engine.slug} | step.address(engine) | {"tour": str(number)}
    st.switch_page(page_path(step.page), query_params=address)


def _over(step: int) -> None:
    """Note that a step's time is over, unless the tour was stopped; for callbacks."""
    if st.query_params.get("tour") == str(step):
        st.session_state[_OVER] = step


def _stop() -> None:
    """End the tour on its page; for callbacks."""
    st.session_state.pop(_OVER, None)
    commit(tour=None)
