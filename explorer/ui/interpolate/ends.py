"""The endpoints of a path: choose, add, replace."""

import numpy as np
import streamlit as st

from explorer.inference import Engine
from explorer.projection import Atlas, Split
from explorer.strips import codes_strip
from explorer.ui.address.controls import commit
from explorer.ui.address.hand import map_pick
from explorer.ui.address.notation import MOST_ENDS
from explorer.ui.address.places import NAMES, place_code
from explorer.ui.address.views import InterpolateView
from explorer.ui.cache.atlases import holes_of
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.picks import service


def default_ends(engine: Engine, atlas: Atlas) -> tuple[str, ...]:
    """Return default endpoints: two test samples, of different classes if known."""
    test = np.flatnonzero(atlas.split == Split.TEST)
    rows = test if len(test) > 1 else np.arange(len(atlas.codes))
    first = int(rows[0])
    other = rows[atlas.label[rows] != atlas.label[first]] if atlas.classes else rows[1:]
    second = int(other[len(other) // 2]) if len(other) else int(rows[-1])
    return (f"data:{first}", f"data:{second}")


def ends(engine: Engine, atlas: Atlas, view: InterpolateView) -> None:
    """Render the choice of two to four endpoints, each by layer and number, or from the link."""
    known = tuple(
        end
        for end in view.ends
        if place_code(engine, atlas, end, holes_of(engine, end)) is not None
    )
    if known != view.ends:
        view.fall_back("ends", known, "has codes that this model lacks", "replacing them by data")
    if not view.ends:
        first, second = default_ends(engine, atlas)
        held = place_code(engine, atlas, view.hand, holes_of(engine, view.hand))
        view.fill(
            "ends",
            (view.hand, second if first == view.hand else first) if held else (first, second),
        )
    elif len(view.ends) == 1:
        first = view.ends[0]
        view.ends = (first, next(end for end in default_ends(engine, atlas)[::-1] if end != first))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for number, end in enumerate(view.ends):
            _end(engine, atlas, view, number, end)
        if len(view.ends) < MOST_ENDS:
            more = f"data:{_another(atlas, len(view.ends))}"
            st.button(
                "Add endpoint", key="interpolate_add", on_click=commit,
                kwargs={"ends": (*view.ends, more)}, icon=":material/add:",
            )  # fmt: skip
        if len(view.ends) > 2:
            st.button(
                "Remove last endpoint", on_click=commit, kwargs={"ends": view.ends[:-1]},
                icon=":material/remove:",
            )  # fmt: skip
        st.button(
            "Other data",
            on_click=commit,
            kwargs={"ends": _shuffled(atlas, view.ends)},
            icon=":material/casino:",
        )


def _end(engine: Engine, atlas: Atlas, view: InterpolateView, number: int, end: str) -> None:
    found = place_code(engine, atlas, end, holes_of(engine, end))
    with st.container(width=190, gap="small"):
        layer, _, index = (map_pick(atlas, end) or end).partition(":")
        if found is None:
            st.caption(f"Endpoint {number + 1} is not in this model")
        else:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                filmstrip(
                    Panel(
                        codes_strip(engine, found[0][None]),
                        pick=service.pick_descriptor(engine, z=found[0][None]),
                    ),
                    key=f"interpolate_end_{number}",
                    grid=Grid(tile_width=engine.sketch.tile_width(64)),
                )
        if layer in ("data", "prior", "prototypes") and ";" not in index:
            sizes = {
                "data": len(atlas.codes),
                "prior": len(atlas.sample_xy),
                "prototypes": len(atlas.prototype_xy),
            }
            st.session_state[f"interpolate_number_{number}"] = min(int(index), sizes[layer] - 1)
            st.number_input(
                f"{number + 1}. {NAMES[layer]}",
                min_value=0,
                max_value=max(sizes[layer] - 1, 0),
                step=1,
                key=f"interpolate_number_{number}",
                on_change=_choose,
                args=(view.ends, number, layer),
            )
        else:
            st.caption(f"{number + 1}. {'' if found is None else found[1]}")


def _choose(known: tuple[str, ...], number: int, layer: str) -> None:
    index = st.session_state[f"interpolate_number_{number}"]
    changed = tuple(f"{layer}:{index}" if k == number else end for k, end in enumerate(known))
    commit(ends=changed)


def _another(atlas: Atlas, number: int) -> int:
    test = np.flatnonzero(atlas.split == Split.TEST)
    return int(test[(number * len(test)) // 5]) if len(test) else 0


def _shuffled(atlas: Atlas, known: tuple[str, ...]) -> tuple[str, ...]:
    """Choose other test samples, seeded by the current ones, so that a link restores them."""
    seed = sum(map(ord, "".join(known)))
    test = np.flatnonzero(atlas.split == Split.TEST)
    chosen = np.random.default_rng(seed).permutation(test)[: len(known)]
    return tuple(f"data:{row}" for row in chosen) if len(chosen) == len(known) else known
