"""Design search: diverse, like one, between several, optimised, or from the user's airfoil."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.designs import search
from explorer.designs.properties import Conditions, words
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.strips import Strip, codes_strip, grid_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.notation import code_text
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import mine, optimise
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel, Slider
from explorer.ui.panels import constraints
from explorer.ui.picks import service
from explorer.ui.shell import pages, sibling
from explorer.ui.wording.naming import labels

KINDS = {
    "far": "Far apart",
    "like": "More like this",
    "between": "Between these",
    "push": "Push a property",
    "mine": "Start from my airfoil",
}
RADII = tuple(round(0.05 * step, 2) for step in range(21))
_APART = "candidates_apart"


def find(
    items: Sequence[MeasuredPick], engine: Engine, view: CandidatesView, focus: int | None
) -> None:
    """Render the searches for more designs with the open model, from the pick in focus."""
    kind = view.find or "far"
    control(st.segmented_control, "How", view, "find", options=list(KINDS), value=kind,
            format_func=KINDS.get, required=True, label_visibility="collapsed")  # fmt: skip
    if kind == "mine":
        mine.offer(engine, view)
        return
    if not engine.has_prior:
        st.caption("This model is a plain autoencoder: it has no prior to sample from.")
        sibling.with_prior(engine, "candidates")
        return
    known = cache.entries()
    st.caption(f"With {labels(known)[engine.slug]}, the model open in the sidebar.")
    of_model = [item for item in items if item.pick.source.model.hash == engine.checkpoint.hash]
    at = next((item for item in of_model if item.pick.number == focus), None)
    here = next((item for item in items if item.pick.number == focus), None)
    if (
        kind in ("like", "push")
        and here is not None
        and here.pick.source.own
        and here.pick.source.model.sketch == engine.sketch
    ):
        at = mine.version(engine, here, view.conditions)
    if kind == "far":
        _far(of_model, engine, view)
    elif kind == "like":
        _like(at, engine, view)
    elif kind == "between":
        _between([i for i in of_model if i.pick.number in view.chosen], engine, view)
    else:
        optimise.offer(at, engine, view)


def _far(items: Sequence[MeasuredPick], engine: Engine, view: CandidatesView) -> None:
    with (
        st.form("candidates_far", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        n = st.number_input("How many", 2, search.MOST_CHOSEN, 12, width=110)
        scale = st.number_input("Scale", 0.0, 2.0, 1.0, 0.1, width=110)
        fidelity = st.number_input(
            "Fidelity, %",
            1.0,
            100.0,
            95.0,
            1.0,
            width=120,
            help="A design is faithful if its nearest training code is no farther than "
            "that of this percentage of held-out samples. 100 excludes nothing.",
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, view.seed, width=110)
        submitted = st.form_submit_button("Find", key="candidates_search_start", type="primary")
    if submitted:
        rejected = [item.pick.source.code for item in items if item.pick.verdict == "reject"]
        conditions = view.conditions
        try:
            with st.spinner("Choosing"):
                st.session_state[_APART] = (
                    engine.checkpoint.hash,
                    search.far_apart(
                        engine,
                        int(n),
                        seed=int(seed),
                        scale=float(scale),
                        reference=cache.novelty_reference(engine),
                        fidelity=float(fidelity),
                        constraints=constraints.applicable_constraints(engine, view),
                        conditions=conditions,
                        rejected=np.stack(rejected) if rejected else None,
                    ),
                )
        except DesignError as error:
            st.session_state.pop(_APART, None)
            st.info(str(error), icon=":material/info:")
            return
    digest, found = st.session_state.get(_APART) or ("", None)
    if found is None or digest != engine.checkpoint.hash:
        st.caption(
            "Prior samples as different from each other as possible that are close to the data, "
            "valid, satisfying the constraints, and unlike rejected picks."
        )
        return
    _strip(engine, codes_strip(engine, found.z), "far", view.conditions)
    summary = " → ".join(f"{count:,} {words}" for words, count in found.steps)
    st.caption(
        f"{summary}. The closest two are {found.least:.2f} prior standard deviations apart."
    )


def _like(item: MeasuredPick | None, engine: Engine, view: CandidatesView) -> None:
    if item is None:
        st.caption("Bring a pick of this model into focus: click its card.")
        return
    z = search.like(engine, item.pick.source.code, 24, RADII, view.seed)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control(st.number_input, "Seed", view, "seed", min_value=0, max_value=2**31 - 1, step=1,
                width=120)  # fmt: skip
        st.button("Other directions", on_click=commit, kwargs={"seed": view.seed + 1})
    filmstrip(
        Panel(
            (strip := grid_strip(engine, z, RADII)), pick=service.pick_descriptor(engine, strip)
        ),
        key="candidates_like",
        at=0.3,
        slider=Slider(
            label=f"How different from {item.pick.title}",
            low="the same",
            high="one prior standard deviation",
            home=0.3,
        ),
        grid=Grid(tile_width=engine.sketch.tile_width(64)),
    )
    st.caption(
        "Each tile varies the pick in a different random direction. Drag to go farther; K keeps."
    )


def _between(items: Sequence[MeasuredPick], engine: Engine, view: CandidatesView) -> None:
    if len(items) < 2:
        st.caption(
            "Choose two to six picks of this model with Enter, or with the + on their cards."
        )
        return
    codes = np.stack([item.pick.source.code for item in items])
    z = search.between(codes, 12, view.seed)
    _strip(engine, codes_strip(engine, z), "between", view.conditions)
    names = " and ".join(item.pick.title for item in items)
    if len(items) == 2:
        st.caption(f"Twelve equal steps between {names}.")
        ends = tuple(code_text(code) for code in codes)
        st.page_link(pages.page_path("interpolate"), label="Open in Interpolate",
                     icon=":material/timeline:",
                     query_params={"model": engine.slug, "ends": "|".join(ends)})  # fmt: skip
    else:
        st.caption(f"Random mixtures of {names} (Dirichlet weights, seed {view.seed}).")
        st.button("Other mixtures", on_click=commit, kwargs={"seed": view.seed + 1})


def _strip(engine: Engine, strip: Strip, name: str, conditions: Conditions) -> None:
    assert strip.z is not None
    measured = cache.code_properties(engine, strip.z[0], conditions)
    captions = [
        " · ".join(words(measured.properties, {key: v[row] for key, v in measured.values.items()}))
        for row in range(len(strip.z[0]))
    ]
    filmstrip(
        Panel(strip, pick=service.pick_descriptor(engine, strip)),
        key=f"candidates_{name}",
        grid=Grid(captions=captions, tile_width=engine.sketch.tile_width(64), noun="design"),
        keep_all=True,
    )
