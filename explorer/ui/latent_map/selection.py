"""The details of a selection on the map: its members, mean, facts and neighbours."""

import numpy as np
import streamlit as st

from explorer.inference import Engine
from explorer.projection import Atlas, Split, nearest
from explorer.strips import codes_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.hand import map_pick
from explorer.ui.address.notation import code_text
from explorer.ui.address.places import Selection, place_code, select
from explorer.ui.address.views import LatentMapView
from explorer.ui.cache.atlases import holes_of
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import export_menu
from explorer.ui.panels.pictures import pictures_of
from explorer.ui.picks import service
from explorer.ui.wording.format import length, mix, percentile, prose, signed

MEMBERS = 64
METRICS = {"euclidean": "Euclidean", "cosine": "Cosine", "whitened": "Whitened"}


def selected(engine: Engine, atlas: Atlas, view: LatentMapView) -> Selection | None:
    """Return the page's selection, or else the thing in hand."""
    pick = pick_of(atlas, view)
    if pick or not view.hand:
        return select(engine, atlas, pick, holes_of(engine, pick))
    found = place_code(engine, atlas, view.hand)
    return None if found is None else Selection(found[0][None], found[1], np.empty(0, int))


def pick_of(atlas: Atlas, view: LatentMapView) -> str:
    """Return the selection in the notation of the map: the page's own, or the point in hand."""
    return view.pick or map_pick(atlas, view.hand)


def details(engine: Engine, atlas: Atlas, chosen: Selection, view: LatentMapView) -> None:
    """Render a selection: members decoded, their mean, facts, and the nearest data."""
    n = len(chosen.z)
    if n != 1:
        st.markdown(f"**{chosen.words}**")
    if n == 0:
        st.caption("No data are encoded there. Draw a box or a lasso over some dots.")
        return
    _acts(engine, atlas, chosen, view)
    members = chosen.z
    if n > MEMBERS:
        members = members[np.sort(np.random.default_rng(0).choice(n, MEMBERS, replace=False))]
    if n > 1:
        filmstrip(
            Panel(codes_strip(engine, members), pick=service.pick_descriptor(engine, z=members)),
            key="latent_map_members",
            grid=Grid(tile_width=engine.sketch.tile_width(40), noun="member"),
            keep_all=True,
        )
    if n > MEMBERS:
        st.caption(f"{MEMBERS} of them, chosen at random (seed 0), decoded.")
    _facts(engine, atlas, chosen)
    mean = chosen.z.mean(0)
    if n > 1:
        st.markdown("**Their mean, decoded**")
        filmstrip(
            Panel(
                codes_strip(engine, mean[None]), pick=service.pick_descriptor(engine, z=mean[None])
            ),
            key="latent_map_mean",
            grid=Grid(tile_width=engine.sketch.tile_width(96)),
        )
    if _in_hole(engine, pick_of(atlas, view)):
        st.caption(
            "Almost no data are encoded here, but the prior samples here: the decoder was never "
            "trained on it, and extrapolates."
        )
    order, distance = nearest(atlas.codes, mean, view.neighbours + n, view.metric)
    keep = ~np.isin(order, chosen.rows) if n == 1 else np.ones(len(order), bool)
    order, distance = order[keep][: view.neighbours], distance[keep][: view.neighbours]
    shown = pictures_of(engine, order)
    st.markdown(shown.heading(f"Nearest data to {'their mean' if n > 1 else 'it'}"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control(
            st.slider, "Neighbours", view, "neighbours", min_value=4, max_value=48, step=4,
            width=150,
        )  # fmt: skip
        control(
            st.selectbox,
            "Distance",
            view,
            "metric",
            options=list(METRICS),
            format_func=METRICS.get,
            width=140,
        )
    filmstrip(
        Panel(shown.strip, pick=service.pick_descriptor(engine, z=atlas.codes[order])),
        key="latent_map_neighbours",
        grid=Grid(
            captions=[f"distance {length(float(value))}" for value in distance],
            tile_width=engine.sketch.tile_width(40),
            noun="neighbour",
        ),
    )
    reach = f"{length(float(distance[0]))} to {length(float(distance[-1]))}"
    st.caption(f"{METRICS[view.metric]} distance of codes, {reach}. {shown.words}")


def _acts(engine: Engine, atlas: Atlas, chosen: Selection, view: LatentMapView) -> None:
    n = len(chosen.z)
    with st.container(horizontal=True, gap="small"):
        if len(chosen.rows) > 1:
            st.button("Isolate", on_click=commit, kwargs={"only": view.pick},
                      disabled=view.only == view.pick)  # fmt: skip
        if len(chosen.rows):
            pick = pick_of(atlas, view)
            st.button("Set as A", on_click=commit, kwargs={"a": pick})
            st.button("Set as B", on_click=commit, kwargs={"b": pick})
        columns = _identities(atlas, chosen, engine)
        export_menu.codes_menu(
            engine, columns, chosen.z, "latent_map_take", f"{engine.slug}-selection"
        )
    if n > 1:
        st.button(
            "Take their mean in hand",
            key="latent_map_take_mean",
            icon=":material/back_hand:",
            on_click=commit,
            kwargs={"hand": code_text(chosen.z.mean(0))},
        )


def _identities(atlas: Atlas, chosen: Selection, engine: Engine) -> dict[str, np.ndarray]:
    rows = chosen.rows
    if not len(rows):
        return {"name": np.array([chosen.words] * len(chosen.z))}
    columns = {
        "row": rows,
        "split": np.array([Split(k).label for k in atlas.split[rows]]),
        "source_row" if engine.checkpoint.config.data.fixed else "sample": atlas.ids[rows],
    }
    if atlas.names is not None:
        columns["name"] = atlas.names[rows]
    if atlas.classes:
        names = [*atlas.classes, "unknown"]
        columns["class"] = np.array([names[int(k)] for k in atlas.label[rows]])
    if engine.has_density:
        columns["log_prior_nats"] = atlas.log_prior[rows]
    if engine.divergent:
        columns["kl_nats"] = atlas.kl[rows]
    error = "reconstruction_error_nats" if engine.has_likelihood else "squared_error"
    columns[error] = atlas.reconstruction[rows]
    columns |= {"map_x": atlas.xy[rows, 0], "map_y": atlas.xy[rows, 1]}
    return columns


def _facts(engine: Engine, atlas: Atlas, chosen: Selection) -> None:
    rows, words = chosen.rows, []
    if len(rows):
        words += (
            [prose(str(atlas.names[rows[0]]))]
            if len(rows) == 1 and atlas.names is not None
            else []
        )
        classes = mix(atlas.label[rows], atlas.classes)
        words += [f"class {prose(classes)}"] if classes else []
        words.append(", ".join(sorted({Split(split).label for split in atlas.split[rows]})))
        if engine.divergent:
            words.append(f"KL {atlas.kl[rows].mean():.1f} nats")
        error = atlas.reconstruction[rows].mean()
        words.append(
            f"reconstruction error {error:.1f} nats"
            if engine.has_likelihood
            else f"squared error {error:.2f}"
        )
    if engine.has_density:
        density = float(cache.code_density(engine, chosen.z, chosen.rows).mean())
        words.append(f"log p(z) {density:.1f} nats")
        means = len(rows) > 0
        place = percentile(density, cache.held_out_density(engine, means), means)
        words += [place] if place and len(chosen.z) == 1 else []
    elif engine.bounded:
        bound = float(engine.log_bound(chosen.z).mean())
        words.append(f"log p(z) at least {bound:.1f} nats (a bound)")
    st.caption(signed(" · ".join(words)) + (" (means)" if len(chosen.z) > 1 else ""))


def _in_hole(engine: Engine, pick: str) -> bool:
    """Whether a selection is a hole, or a point inside one."""
    if not pick.startswith("spot:"):
        return pick.startswith("holes:")
    found = cache.plane(engine)
    if found is None or not found.exact:
        return False
    x, y = (float(value) for value in pick.removeprefix("spot:").split(","))
    column, row = np.abs(found.x - x).argmin(), np.abs(found.y - y).argmin()
    return bool(found.hole[row, column])


def pane(engine: Engine, atlas: Atlas, view: LatentMapView) -> None:
    """Render what is selected on the map."""
    chosen = selected(engine, atlas, view)
    if chosen is None and view.pick:
        view.fall_back("pick", "", "is not on this model’s map", "selecting nothing")
    if view.pick or view.hand or view.only:
        with st.container(horizontal=True, gap="small"):
            if view.pick or view.hand:
                cleared = {"pick": None} if view.pick else {"hand": None}
                st.button("Clear selection", on_click=commit, kwargs=cleared)
            if view.only:
                st.button("Show all", on_click=commit, kwargs={"only": None})
    if chosen is None:
        st.markdown("**Nothing is selected**")
        st.caption(
            "Move over the map to see what the model decodes there; rest on a dot for its facts. "
            "Click it for its neighbours, "
            "Shift-click to add, Alt-click to remove. Shift-drag a box, Shift-Ctrl-drag a lasso, "
            "or choose them above the map; scroll to zoom, drag to pan, double-click empty space "
            "to clear. Draw a path to decode along it."
        )
    else:
        details(engine, atlas, chosen, view)
