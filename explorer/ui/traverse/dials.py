"""Traversal: sliders for latent units and saved directions, from a centre."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.designs import directions
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.projection import Split, rows_of
from explorer.strips import Strip, codes_strip, grid_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.hand import datum_text
from explorer.ui.address.notation import code_text
from explorer.ui.address.places import place_code
from explorer.ui.address.views import TraverseView
from explorer.ui.api.address import address_of
from explorer.ui.cache.atlases import holes_of
from explorer.ui.components import traversal
from explorer.ui.components.traversal import Row, offsets
from explorer.ui.panels import export_menu, levels
from explorer.ui.panels.units import spread, units
from explorer.ui.picks import service
from explorer.ui.shell import pages
from explorer.ui.wording.format import plain

VALUES = tuple(round(-3 + 0.5 * step, 1) for step in range(13))
SAVED = 900
"""Slider keys from this number on are saved directions."""


def centre_of(engine: Engine, view: TraverseView) -> tuple[np.ndarray, str]:
    """Return the code from which offsets count; the prior mean if the link's does not exist."""
    atlas = cache.atlas(engine)
    found = place_code(engine, atlas, view.start, holes_of(engine, view.start))
    if found is None and view.start != "mean":
        field = "centre" if view.centre else "hand"
        view.fall_back(field, "", "is not in this model", "starting from the mean")
        view.centre = ""
        found = place_code(engine, atlas, "mean")
    if found is None:
        return np.zeros(engine.space.size, np.float32), "Origin"
    return found


def dials(engine: Engine, view: TraverseView) -> list[Row]:
    """Return the rows of the page: saved directions, then the most active units."""
    unit = spread(engine)
    rows = []
    try:
        saved = service.store().directions(engine.checkpoint.hash, engine.space.size)
    except StoreError as error:
        st.caption(f":material/error: {error}")
        saved = []
    for number, item in enumerate(saved[:99]):
        vector = np.array(item.vector, np.float32)
        rows.append(Row(str(SAVED + number), item.name, f"{item.n_a} − {item.n_b} codes", vector))
    known = [one for one in units(engine) if view.level in ("", level_of(engine, one.number))]
    known = known or units(engine)
    used = [one for one in known if one.active or view.dead]
    chosen = used[: view.rows] or known[: view.rows]
    turned = offsets(view.at)
    chosen += [one for one in known if str(one.number) in turned and one not in chosen]
    for one in chosen:
        note = "" if one.kl is None else f"KL {one.kl:.2f} nats"
        note += "" if one.active else " · dead"
        step = np.zeros(engine.space.size, np.float32)
        step[one.number] = unit[one.number]
        name = f"Unit {one.number}"
        if len(engine.space.levels) > 1:
            level = level_of(engine, one.number)
            start = next(item.start for item in engine.space.levels if item.name == level)
            name = f"{level}, unit {one.number - start}"
        rows.append(Row(str(one.number), name, note, step))
    return rows


def level_of(engine: Engine, unit: int) -> str:
    """Return the name of a unit's level."""
    return next(item.name for item in engine.space.levels if item.start <= unit < item.stop)


def choose_level(engine: Engine, view: TraverseView) -> None:
    """Render the choice of the level whose units are traversed, if there are several."""
    if not levels.several(engine):
        if view.level:
            view.fall_back("level", "", "is for models of two levels", "showing all units")
        return
    names = {"": "Both levels", "z2": "Top, z2", "z1": "Bottom, z1"}
    control(
        st.segmented_control,
        "Units of",
        view,
        "level",
        options=list(names),
        format_func=names.get,
        required=True,
        help="Units of the top vary with the bottom fixed, and vice versa.",
    )


def board(engine: Engine, view: TraverseView) -> tuple[np.ndarray, Strip, list[str]]:
    """Render the sliders; return the current code, the rows through it, and their names."""
    centre, words = centre_of(engine, view)
    rows = dials(engine, view)
    turned = offsets(view.at)
    keys = {row.key for row in rows}
    if not keys.issuperset(turned):
        left = ",".join(item for item in view.at.split(",") if item.partition(":")[0] in keys)
        view.fall_back("at", left, "has units that this model lacks", "leaving them out")
        turned = offsets(view.at)
    here = _turned(centre, rows, view.at)
    # Row r passes through the current code: its frames replace its own offset.
    z = np.stack(
        [
            [here + (value - turned.get(row.key, 0.0)) * row.direction for row in rows]
            for value in VALUES
        ]
    ).astype(np.float32)
    strip = grid_strip(engine, z, VALUES)
    view.at = traversal(
        strip,
        codes_strip(engine, here[None]),
        rows,
        key="traverse_board",
        centre=centre,
        at=view.at,
        address=address_of(engine, "decode"),
    )
    here = _turned(centre, rows, view.at)
    known = units(engine)
    dead = sum(not item.active for item in known)
    order = "KL" if engine.has_prior else "std of the codes"
    moves = (
        " Last tile in each row: pixels that change (blue)."
        if strip.sketch.kind == "pixels"
        else ""
    )
    folded = (
        f" {dead} inactive {'unit is' if dead == 1 else 'units are'} hidden."
        if dead and not view.dead
        else ""
    )
    st.caption(
        f"From {words[0].lower()}{words[1:]}. Offsets are in standard deviations of the "
        f"{'prior' if engine.has_prior else 'codes'}; units sorted by {order}.{folded} "
        "Move a slider or click an image in its row: the large image updates, and on release "
        f"every row is redrawn around the new code.{moves}"
    )
    return here, strip, [row.label for row in rows]


def onwards(
    engine: Engine,
    z: Float[np.ndarray, " latent"],
    rows: Strip,
    names: list[str],
    view: TraverseView,
) -> None:
    """Render what can be done with the current code."""
    text = code_text(z)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Take in hand",
            on_click=commit,
            kwargs={"hand": text, "centre": None, "at": None},
            disabled=not view.at,
        )
        st.page_link(
            pages.page_path("interpolate"),
            label="Interpolate from here",
            icon=":material/timeline:",
            query_params={"model": view.model, "hand": view.hand, "ends": text},
        )
        strip = codes_strip(engine, z[None])
        export_menu.strip_menu(engine, strip, "traverse_take", "sample", label="Export sample")
        export_menu.strip_menu(
            engine, rows, "traverse_rows", "traversal", label="Export traversal",
            what="Traversal", rows=names,
        )  # fmt: skip


def _turned(centre: np.ndarray, rows: list[Row], at: str) -> np.ndarray:
    here = centre.astype(np.float32).copy()
    turned = offsets(at)
    for row in rows:
        here += turned.get(row.key, 0.0) * row.direction
    return here


def centres(engine: Engine, view: TraverseView) -> None:
    """Render the choice of the centre."""
    atlas = cache.atlas(engine)
    options = {"mean": "Prior mean" if engine.has_prior else "Mean of the codes"}
    if atlas is not None:
        for row in rows_of(atlas, Split.TEST, 24):
            label = int(atlas.label[row])
            kind = f", class {atlas.classes[label]}" if atlas.classes and label >= 0 else ""
            options[datum_text(atlas, int(row))] = f"Data point {row}{kind}"
    components = engine.components()
    if components is not None and len(components) > 1:
        order = np.argsort(-components.log_weights.cpu().numpy(), kind="stable")[:24]
        options |= {f"prototypes:{k}": f"Prototype {k}" for k in order}
    found = centre_of(engine, view)
    if view.hand:
        options.setdefault(view.hand, f"In hand: {found[1]}" if not view.centre else "In hand")
    options.setdefault(view.start, found[1])
    st.session_state["traverse_centre"] = view.start
    st.selectbox(
        "Start from",
        list(options),
        key="traverse_centre",
        on_change=_start,
        args=(bool(view.hand),),
        format_func=lambda name: options.get(name, name),
        width=240,
        help="Or select any point on the latent map, and traverse from there.",
    )


def _start(held: bool) -> None:
    """Start from the chosen code, which is taken in hand, or from the mean."""
    start = st.session_state["traverse_centre"]
    if start == "mean":
        commit(centre="mean" if held else None)
    else:
        commit(hand=start, centre=None)


def saved(engine: Engine) -> None:
    """Render the list of saved directions, each with a button to remove it."""
    try:
        known = service.store().directions(engine.checkpoint.hash, engine.space.size)
    except StoreError:
        return
    folder = service.store().path.parent / "directions"
    if damage := directions.damage(folder, engine.checkpoint.hash):
        st.caption(f":material/error: {damage}")
    if not known:
        st.caption(
            "Custom directions: on the Latent map, set one selection as A and another as B."
        )
        return
    with st.expander(f"Saved directions ({len(known)})"):
        for item in known:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(item.name)}** · A: {plain(item.a)} · B: {plain(item.b)}")
                st.button(
                    "Remove",
                    key=f"traverse_remove_{item.name}",
                    on_click=_remove,
                    args=(engine.checkpoint.hash, engine.space.size, item.name),
                )


def _remove(digest: str, latent: int, name: str) -> None:
    try:
        service.store().remove_direction(digest, latent, name)
    except StoreError as error:
        st.toast(str(error), icon=":material/error:")
