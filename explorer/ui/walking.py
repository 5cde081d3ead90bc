"""Traverse and Interpolate: rows of units, ends of a way, and what lies along it."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float

from explorer import directions, paths
from explorer.errors import DirectionError
from explorer.inference import Engine
from explorer.metrics.latent import ACTIVE_VARIANCE
from explorer.projection import Atlas, place
from explorer.regions import Plane
from explorer.strips import Strip, codes_strip, grid_strip
from explorer.ui import frame, palette, plane, resources, take
from explorer.ui.components import filmstrip, traversal
from explorer.ui.components.traversal import Row, offsets
from explorer.ui.controls import commit, control
from explorer.ui.notation import MOST_ENDS, NAMES, code_text, path_codes, place_code
from explorer.ui.reading import signed
from explorer.ui.routes import address_of
from explorer.ui.views import InterpolateView, TraverseView

VALUES = tuple(round(-3 + 0.5 * step, 1) for step in range(13))
SAVED = 900
"""Keys of dials from here on are saved directions."""

KINDS = {"straight": "Straight", "spherical": "Slerp", "following": "Along the density"}


class Unit(NamedTuple):
    """One unit of the code: its mean KL in nats (None for a plain autoencoder), and its use."""

    number: int
    kl: float | None
    active: bool


class Way(NamedTuple):
    """A walked path: its codes, its ends in words, and which frame belongs to which end."""

    codes: Float[np.ndarray, "frames latent"]
    ends: list[str]
    estimated: bool


def centre_of(engine: Engine, view: TraverseView) -> tuple[np.ndarray, str]:
    """Return the code from which dials count; the prior's mean if the link's is not here."""
    atlas = resources.atlas(engine)
    found = place_code(engine, atlas, view.centre, _holes(engine, view.centre))
    if found is None:
        view.centre = "mean"
        found = place_code(engine, atlas, "mean")
    if found is None:
        return np.zeros(engine.space.size, np.float32), "Origin"
    return found


def spread(engine: Engine) -> Float[np.ndarray, " latent"]:
    """Return the unit of the dials: the prior's standard deviation, or that of the codes."""
    if engine.has_prior:
        return engine.moments()[1].astype(np.float32)
    atlas = resources.atlas(engine)
    if atlas is None:
        return np.ones(engine.space.size, np.float32)
    return np.maximum(atlas.codes.std(0), 1e-6)


def units(engine: Engine) -> list[Unit]:
    """List the units, the most used first: by KL, or by the spread of the codes without one."""
    atlas = resources.atlas(engine)
    moved = np.zeros(engine.space.size)
    if atlas is not None:
        moved = atlas.codes.var(0)
    active = moved > ACTIVE_VARIANCE * spread(engine) ** 2
    kl = resources.unit_kl(engine)
    order = np.argsort(-(moved if kl is None else kl), kind="stable")
    return [Unit(int(j), None if kl is None else float(kl[j]), bool(active[j])) for j in order]


def dials(engine: Engine, view: TraverseView) -> list[Row]:
    """Make the rows of the page: saved directions, then the most used units."""
    unit = spread(engine)
    rows = []
    try:
        saved = directions.directions(engine.checkpoint.hash, engine.space.size)
    except DirectionError as error:
        st.caption(f":material/error: {error}")
        saved = []
    for number, item in enumerate(saved[:99]):
        vector = np.array(item.vector, np.float32)
        rows.append(Row(str(SAVED + number), item.name, f"{item.n_a} − {item.n_b} codes", vector))
    known = units(engine)
    used = [one for one in known if one.active or view.dead]
    chosen = used[: view.rows] or known[: view.rows]
    turned = offsets(view.at)
    chosen += [one for one in known if str(one.number) in turned and one not in chosen]
    for one in chosen:
        note = "" if one.kl is None else f"KL {one.kl:.2f} nats"
        note += "" if one.active else " · dead"
        step = np.zeros(engine.space.size, np.float32)
        step[one.number] = unit[one.number]
        rows.append(Row(str(one.number), f"Unit {one.number}", note, step))
    return rows


def board(engine: Engine, view: TraverseView) -> tuple[np.ndarray, Strip]:
    """Show the dials; return the code where they stand, and the rows through it."""
    centre, words = centre_of(engine, view)
    rows = dials(engine, view)
    here = _turned(centre, rows, view.at)
    turned = offsets(view.at)
    # Row r passes through the present code: its own offset is what its frames replace.
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
    order = "KL" if engine.has_prior else "spread of the codes"
    moves = (
        " The last tile of a row: what moves, in blue." if strip.sketch.kind == "pixels" else ""
    )
    folded = (
        f" {dead} dead {'unit is' if dead == 1 else 'units are'} folded away."
        if dead and not view.dead
        else ""
    )
    st.caption(
        f"From {words[0].lower()}{words[1:]}. Offsets are in standard deviations of the "
        f"{'prior' if engine.has_prior else 'codes'}; units by {order}, most used first.{folded} "
        "Turn a dial or press on a picture of its row: the large picture follows, and once "
        f"released all rows pass through the new code.{moves}"
    )
    return here, strip


def onwards(
    engine: Engine, z: Float[np.ndarray, " latent"], rows: Strip, view: TraverseView
) -> None:
    """Offer what can be done with the code where the dials stand."""
    text = code_text(z)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Make this the centre",
            on_click=commit,
            kwargs={"centre": text, "at": None},
            disabled=not view.at,
        )
        st.page_link(
            frame.page_path("interpolate"),
            label="Interpolate from here",
            icon=":material/timeline:",
            query_params={"model": view.model, "ends": text},
        )
        strip = codes_strip(engine, z[None])
        take.strip_menu(engine, strip, "traverse_take", "sample", label="Take this sample")
        take.strip_menu(engine, rows, "traverse_rows", "traversal", label="Take the rows")


def way(engine: Engine, atlas: Atlas, view: InterpolateView) -> Way | None:
    """Walk between the link's ends; None where fewer than two can be found."""
    if view.path:
        codes, _ = path_codes(atlas, view.path, view.frames)
        return Way(codes, ["start of the line", "end of the line"], atlas.method != "plane")
    found = [place_code(engine, atlas, end, _holes(engine, end)) for end in view.ends]
    known = [item for item in found if item is not None]
    if len(known) < 2:
        return None
    z = np.stack([item[0] for item in known]).astype("<f4")
    kind = view.kind
    assert kind in ("straight", "spherical", "following")
    codes = resources.path(engine, z.tobytes(), kind, view.frames, view.closeness)  # type: ignore[arg-type]
    return Way(codes.astype(np.float32), [item[1] for item in known], False)


def usual_ends(engine: Engine, atlas: Atlas) -> tuple[str, ...]:
    """Choose ends for a first look: two test data, of different classes where they are known."""
    test = np.flatnonzero(atlas.split == 2)
    rows = test if len(test) > 1 else np.arange(len(atlas.codes))
    first = int(rows[0])
    other = rows[atlas.label[rows] != atlas.label[first]] if atlas.classes else rows[1:]
    second = int(other[len(other) // 2]) if len(other) else int(rows[-1])
    return (f"data:{first}", f"data:{second}")


def film(engine: Engine, walked: Way, view: InterpolateView) -> Strip:
    """Show the path as one large picture under a slider and as a row; return its strip."""
    strip = grid_strip(
        engine, walked.codes[:, None], tuple(float(k) for k in range(len(walked.codes)))
    )
    pixels = engine.sketch.kind == "pixels"
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=280):
            state = filmstrip(
                strip,
                key="interpolate_film",
                at=float(min(view.at, len(walked.codes) - 1)),
                label="Frame",
                low=walked.ends[0],
                high=walked.ends[-1],
                decimals=0,
                selectable=False,
                tile_width=170 if pixels else 240,
                name="frame",
                numbered=False,
            )
            view.at = int(state.value)
        with st.container(key="interpolate_row"):
            filmstrip(
                grid_strip(engine, walked.codes[None], (0.0,)),
                key="interpolate_all",
                selectable=False,
                tile_width=48 if pixels else 110,
                name="frame",
            )
            profile(engine, walked, view.at)
    return strip


def profile(engine: Engine, walked: Way, at: int) -> None:
    """Plot log p(z) and the step size along the way, and say what the numbers are."""
    size = paths.steps(walked.codes, spread(engine))
    figure = go.Figure()
    frames = list(range(len(walked.codes)))
    if engine.has_prior:
        density = engine.log_prior(walked.codes)
        figure.add_scatter(
            x=frames, y=density, mode="lines+markers", name="log p(z), nats",
            marker={"size": 5}, line={"color": palette.CLASSES[0]},
        )  # fmt: skip
        figure.add_scatter(
            x=[at], y=[density[at]], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"size": 13, "color": palette.CLASSES[0]},
        )  # fmt: skip
    figure.add_scatter(
        x=[k + 0.5 for k in frames[:-1]], y=size, mode="lines+markers", yaxis="y2",
        name="step, in spreads", line={"color": palette.CLASSES[1], "dash": "dot"},
        marker={"size": 5, "symbol": "diamond"},
    )  # fmt: skip
    stops = np.linspace(0, frames[-1], len(walked.ends))
    for number, stop in enumerate(stops, 1):
        figure.add_vline(x=stop, line={"width": 1, "dash": "dot", "color": "gray"},
                         annotation={"text": str(number), "yref": "paper", "y": 1.0})  # fmt: skip
    figure.update_layout(
        height=230,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "frame"},
        yaxis={"title": "log p(z), nats"},
        yaxis2={"overlaying": "y", "side": "right", "rangemode": "tozero", "showgrid": False,
                "title": "step", "tickformat": ".1f", "nticks": 4},
        legend={"orientation": "h", "y": 1.2},
    )  # fmt: skip
    st.plotly_chart(figure, key="interpolate_profile", config={"displayModeBar": False})
    words = f"Length {size.sum():.1f} spreads of the prior, largest step {size.max():.2f}"
    if engine.has_prior:
        words += f", lowest log p(z) {density.min():.1f} nats at frame {int(density.argmin())}"
    st.caption(signed(words) + ".")


def chart(engine: Engine, atlas: Atlas, walked: Way, view: InterpolateView) -> None:
    """Show the way on the map."""
    if view.path:
        _, places = path_codes(atlas, view.path, view.frames)
    else:
        places = place(atlas.codes, atlas.xy, walked.codes)
        if atlas.method == "plane":
            places = walked.codes
    n = len(walked.ends)
    stops = {round(k * (len(places) - 1) / (n - 1)): str(k + 1) for k in range(n)}
    marks = [(float(x), float(y), stops.get(k, "")) for k, (x, y) in enumerate(places)]
    colour = "label" if atlas.classes else "log_prior"
    plane.chart(
        engine,
        atlas,
        key="interpolate_map",
        shown=("data", "prototypes"),
        colour=colour,
        marks=marks,
        height=420,
    )
    how = (
        "The way itself: nothing is projected."
        if atlas.method == "plane"
        else "Each frame stands at the geometric median of the map places of its 15 nearest codes."
    )
    st.caption(f"{how} " + " · ".join(f"{k + 1} {words}" for k, words in enumerate(walked.ends)))


def _turned(centre: np.ndarray, rows: list[Row], at: str) -> np.ndarray:
    here = centre.astype(np.float32).copy()
    turned = offsets(at)
    for row in rows:
        here += turned.get(row.key, 0.0) * row.direction
    return here


def _holes(engine: Engine, text: str) -> Plane | None:
    return resources.plane(engine) if text.startswith("holes:") else None


def centres(engine: Engine, view: TraverseView) -> None:
    """Choose what the dials count from."""
    atlas = resources.atlas(engine)
    options = {"mean": "Prior mean" if engine.has_prior else "Mean of the codes"}
    if atlas is not None:
        for row in np.flatnonzero(atlas.split == 2)[:24]:
            label = int(atlas.label[row])
            kind = f", class {atlas.classes[label]}" if atlas.classes and label >= 0 else ""
            options[f"data:{row}"] = f"Datum {row}{kind}"
    components = engine.components()
    if components is not None and len(components) > 1:
        order = np.argsort(-components.log_weights.cpu().numpy(), kind="stable")[:24]
        options |= {f"prototypes:{k}": f"Prototype {k}" for k in order}
    found = centre_of(engine, view)
    options.setdefault(view.centre, found[1])
    control(
        st.selectbox,
        "Start from",
        view,
        "centre",
        options=list(options),
        format_func=lambda name: options.get(name, name),
        width=240,
        help="Or pick any point on the latent map, and traverse from there.",
    )


def saved(engine: Engine) -> None:
    """List the saved directions, each to be removed by hand only."""
    try:
        known = directions.directions(engine.checkpoint.hash, engine.space.size)
    except DirectionError:
        return
    if not known:
        st.caption(
            "Directions of your own: on the latent map, set one selection as A and another as B."
        )
        return
    with st.expander(f"Saved directions ({len(known)})"):
        for item in known:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{_plain(item.name)}** · A: {_plain(item.a)} · B: {_plain(item.b)}")
                st.button(
                    "Remove",
                    key=f"traverse_remove_{item.name}",
                    on_click=_remove,
                    args=(engine.checkpoint.hash, engine.space.size, item.name),
                )


def ends(engine: Engine, atlas: Atlas, view: InterpolateView) -> None:
    """Choose two to four ends, each by layer and number, or as the link gave it."""
    if not view.ends:
        view.ends = usual_ends(engine, atlas)
    elif len(view.ends) == 1:
        first = view.ends[0]
        view.ends = (first, next(end for end in usual_ends(engine, atlas)[::-1] if end != first))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for number, end in enumerate(view.ends):
            _end(engine, atlas, view, number, end)
        if len(view.ends) < MOST_ENDS:
            more = f"data:{_another(atlas, len(view.ends))}"
            st.button(
                "Add an end", on_click=commit, kwargs={"ends": (*view.ends, more)},
                icon=":material/add:",
            )  # fmt: skip
        if len(view.ends) > 2:
            st.button(
                "Take the last out", on_click=commit, kwargs={"ends": view.ends[:-1]},
                icon=":material/remove:",
            )  # fmt: skip
        st.button(
            "Other data",
            on_click=commit,
            kwargs={"ends": _shuffled(atlas, view.ends)},
            icon=":material/casino:",
        )


def remarks(engine: Engine, walked: Way, view: InterpolateView) -> None:
    """Say what the way means, and where it means nothing."""
    words = []
    objection = paths.slerp_objection(engine.components())
    if view.kind == "spherical" and not view.path and objection:
        st.caption(f":material/warning: {objection}")
    if walked.estimated:
        words.append(
            "The line lies on a projection: each code is the mean of the 15 nearest on the map, "
            "near ones first."
        )
    if view.kind == "following" and not view.path:
        words.append(
            "Under a single Gaussian this way bows towards the mean; under a mixture it goes "
            "from component to component. Dense need not mean realistic: look at the pictures."
        )
    words.append("Drag the slider, or across the large picture.")
    st.caption(" ".join(words))


def formula(view: InterpolateView) -> None:
    """Show how the way is made."""
    if view.kind == "spherical":
        st.latex(
            r"u = \frac{z - \mu}{\sigma},\quad \hat u(t) = \frac{\sin((1-t)\,\Omega)}{\sin\Omega}"
            r"\,\hat a + \frac{\sin(t\,\Omega)}{\sin\Omega}\,\hat b,\quad "
            r"\lVert u(t)\rVert = (1-t)\lVert a\rVert + t\lVert b\rVert"
        )
    elif view.kind == "following":
        st.latex(
            r"\dot z_i = -\left(\nabla U - (\nabla U \cdot \hat\tau_i)\,\hat\tau_i\right),\quad "
            r"U(z) = -\lambda \log p(z) + (1-\lambda)\tfrac12\lVert z - z^{\text{line}}\rVert^2"
        )
        st.markdown(
            "Between steps the codes are spread to equal distances (the string method); "
            r"$\lambda$ is the closeness."
        )
    else:
        st.latex(r"z(t) = (1-t)\,a + t\,b")


def _end(engine: Engine, atlas: Atlas, view: InterpolateView, number: int, end: str) -> None:
    found = place_code(engine, atlas, end, _holes(engine, end))
    with st.container(width=190, gap="small"):
        layer, _, index = end.partition(":")
        if found is None:
            st.caption(f"End {number + 1} is not in this model")
        else:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                filmstrip(
                    codes_strip(engine, found[0][None]),
                    key=f"interpolate_end_{number}",
                    selectable=False,
                    tile_width=64 if engine.sketch.kind == "pixels" else 120,
                )
        if layer in ("data", "prior", "prototypes") and ";" not in end:
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
    test = np.flatnonzero(atlas.split == 2)
    return int(test[(number * len(test)) // 5]) if len(test) else 0


def _shuffled(atlas: Atlas, known: tuple[str, ...]) -> tuple[str, ...]:
    """Choose other test data, by a seed made of the present ones: a link says which."""
    seed = sum(map(ord, "".join(known)))
    test = np.flatnonzero(atlas.split == 2)
    chosen = np.random.default_rng(seed).permutation(test)[: len(known)]
    return tuple(f"data:{row}" for row in chosen) if len(chosen) == len(known) else known


def _plain(text: str) -> str:
    """Keep what a visitor has typed from being read as Markdown."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|~$:" else letter for letter in text
    )


def _remove(digest: str, latent: int, name: str) -> None:
    directions.remove_direction(digest, latent, name)
