"""The latent map: its layers, colours and hidden points."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import streamlit as st

from explorer import figures, papers, regions
from explorer.inference import Engine
from explorer.projection import Atlas, Split, place
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.hand import from_pick, map_pick
from explorer.ui.address.places import path_codes, place_code, select
from explorer.ui.address.views import LatentMapView
from explorer.ui.api.address import address_of
from explorer.ui.cache.atlases import holes_of
from explorer.ui.components import Layer, point_map
from explorer.ui.components.point_map import Column, MapState, Sources
from explorer.ui.panels import asked, export_menu
from explorer.ui.wording import glossary, palette
from explorer.ui.wording.format import prose
from explorer.ui.wording.naming import labels

COLOURS = {
    "label": "Class",
    "kl": "KL",
    "reconstruction": "Reconstruction error",
    "log_prior": "log p(z)",
    "typicality": "Typicality",
    "claimed": "Nearest prototype",
    "trust": "Trustworthiness",
    "differs": "Where they differ",
    "split": "Split",
}
LAYERS = {
    "data": "Data",
    "prior": "Prior samples",
    "prototypes": "Prototypes",
    "density": "Prior contours",
    "aggregated": "Aggregated posterior",
    "holes": "Holes",
    "transport": "Transport",
    "decision": "Decision map",
}


def colours(engine: Engine, atlas: Atlas) -> dict[str, str]:
    """List the colourings available for this model's map."""
    absent = set() if atlas.classes else {"label"}
    absent |= set() if engine.has_density else {"log_prior", "typicality"}
    absent |= set() if engine.divergent else {"kl"}
    absent |= set() if cache.assigned_components(engine) is not None else {"claimed"}
    absent |= {"trust"} if atlas.method == "plane" else set()
    absent |= set() if cache.can_differ(engine) else {"differs"}
    told = {item.key: item.label for item in cache.map_properties(engine)}
    return {name: words for name, words in COLOURS.items() if name not in absent} | told


def layers(engine: Engine) -> dict[str, str]:
    """List the layers available for this model's map."""
    components = engine.components()
    absent = set() if components is not None and len(components) > 1 else {"prototypes"}
    absent |= set() if engine.has_prior else {"prior"}
    between = engine.has_prior and engine.checkpoint.config.model.stochastic
    absent |= set() if between else {"density", "aggregated", "holes"}
    absent |= set() if cache.can_transport(engine) else {"transport"}
    known = cache.atlas(engine)
    flat = known is not None and known.method == "plane" and engine.space.size == 2
    absent |= set() if flat and cache.asked(engine) else {"decision"}
    return {name: words for name, words in LAYERS.items() if name not in absent}


def toolbar(engine: Engine, atlas: Atlas, view: LatentMapView) -> None:
    """Render the choice of layers and colouring; what is unavailable falls back."""
    offered = colours(engine, atlas)
    if view.colour not in offered:
        first = next(iter(offered))
        why = "is not known for this model’s map"
        view.fall_back("colour", first, why, f"colouring by {offered[first].lower()}")
    names = layers(engine)
    if left := tuple(name for name in view.layers if name not in names):
        kept = tuple(name for name in view.layers if name in names)
        words = ", ".join(LAYERS[name].lower() for name in left)
        view.fall_back("layers", kept, "has layers that this model lacks", f"leaving out {words}")
    for field in ("only", "a", "b"):
        wanted = getattr(view, field)
        if wanted and select(engine, atlas, wanted, holes_of(engine, wanted)) is None:
            view.fall_back(field, "", "is not on this model’s map", "leaving it out")
    with st.container(horizontal=True, gap="small"):
        control(
            st.pills,
            "Layers",
            view,
            "layers",
            options=list(names),
            format_func=names.get,
            selection_mode="multi",
            help=glossary.listed(names.values()),
            width="content",
        )
        control(
            st.selectbox,
            "Colour data by",
            view,
            "colour",
            options=list(offered),
            format_func=offered.get,
            help=glossary.define(offered[view.colour]) or "What an installed network says",
            width=200,
        )
        if "decision" in view.layers and "decision" in names:
            asked.chooser(engine, view, "Decision map of")


def draw(engine: Engine, atlas: Atlas, view: LatentMapView) -> None:
    """Render the page's map; take in hand what is chosen on it.

    An area, or several points, are the page's own selection; a single point is the thing in hand.
    """
    kept = select(engine, atlas, view.only)
    hidden: np.ndarray = np.empty(0, np.int64)
    if kept is not None and len(kept.rows):
        hidden = np.setdiff1d(np.arange(len(atlas.codes)), kept.rows)
    traced: list[Literal["prior", "aggregated"]] = []
    traced += ["prior"] if "density" in view.layers else []
    traced += ["aggregated"] if "aggregated" in view.layers else []
    held = map_pick(atlas, view.hand)
    state = chart(
        engine,
        atlas,
        key="latent_map_map",
        shown=view.layers,
        colour=view.colour,
        hidden=hidden,
        pick=view.pick or held,
        path=view.path,
        contours=traced,
        holes="holes" in view.layers,
        marks=[] if held else _mark(engine, atlas, view.hand),
        transport="transport" in view.layers,
        decision=view.asked if "decision" in view.layers else None,
        live=True,
    )
    view.path = state.path
    if state.pick == (view.pick or held):
        return
    chosen = from_pick(atlas, state.pick)
    if chosen or not (state.pick or view.pick):
        view.hand = chosen
    view.pick = "" if chosen else state.pick


def _mark(engine: Engine, atlas: Atlas, hand: str) -> list[tuple[float, float, str]]:
    """Place what is in hand on the map, if it is none of its points."""
    found = place_code(engine, atlas, hand) if hand else None
    if found is None:
        return []
    if atlas.method == "plane":
        x, y = found[0]
    else:
        x, y = place(atlas.codes, atlas.xy, found[0][None])[0]
    return [(float(x), float(y), "in hand")]


def chart(
    engine: Engine,
    atlas: Atlas,
    *,
    key: str,
    shown: Sequence[str],
    colour: str,
    hidden: np.ndarray | None = None,
    pick: str = "",
    path: str = "",
    contours: Sequence[Literal["prior", "aggregated"]] = (),
    holes: bool = False,
    marks: Sequence[tuple[float, float, str]] = (),
    transport: bool = False,
    decision: str | None = None,
    height: int = 560,
    live: bool = False,
) -> MapState:
    """Render a map of a model's codes; if live, places under the pointer are decoded."""
    column = _column(engine, atlas, colour)
    ramp = palette.MANY_CLASSES if column is not None and column.classes else palette.RAMP
    offered = layers(engine)
    below = [Layer("data", "Data", "dot", palette.DATA, "data" in shown)]
    if "prior" in offered:
        below.append(Layer("prior", "Prior samples", "diamond", palette.INK, "prior" in shown))
    if "prototypes" in offered:
        below.append(Layer("prototypes", "Prototypes", "star", palette.INK, "prototypes" in shown))
    found = cache.transported(engine) if transport else None
    name = labels(cache.entries())[engine.slug]
    kind = "not projected" if atlas.method == "plane" else "projected by UMAP"
    return point_map(
        below,
        key=key,
        sources=Sources(
            address_of(engine, "points"),
            address_of(engine, "regions"),
            address_of(engine, "card", "{layer}", "{i}"),
            address_of(engine, "here") if live else "",
        ),
        column=column,
        ramp=ramp,
        hidden=() if hidden is None else hidden,
        pick=pick,
        path=path,
        contours=contours if engine.has_prior else (),
        holes=palette.HOLE if holes and engine.has_prior else "",
        marks=marks,
        arrows=found.places if found is not None else None,
        shade=None if decision is None else asked.shade(engine, decision),
        axes=atlas.method == "plane",
        smooth=engine.sketch.kind == "curve",
        inked=engine.sketch.inked,
        summary=(
            f"Latent map of {name}, {kind}: {len(atlas.xy):,} codes of data. Arrow keys "
            "move from point to point, Enter selects, Escape clears, plus and minus zoom."
        ),
        height=height,
    )


def export(engine: Engine, atlas: Atlas, view: LatentMapView) -> None:
    """Render the export menu of the map: a figure with the layers, colours and selection shown."""
    others = () if atlas.method == "plane" else (papers.UMAP,)
    figure = figures.of_plane(
        engine.checkpoint,
        lambda: _plane_figure(engine, atlas, view),
        caption(atlas)
        + transported(engine, atlas, view)
        + asked.words(engine, view)
        + asked.coloured(engine, view),
        *others,
    )
    export_menu.figures_menu({"map": figure}, engine.slug, "latent_map_export")


def _plane_figure(engine: Engine, atlas: Atlas, view: LatentMapView) -> figures.PlaneFigure:
    """Describe the map as shown, without the points that are hidden."""
    kept = select(engine, atlas, view.only)
    rows = np.arange(len(atlas.codes)) if kept is None else np.sort(kept.rows)
    column = _column(engine, atlas, view.colour)
    names = layers(engine)
    wanted_layers = {*view.layers} & {*names}
    clouds = []
    if "data" in view.layers:
        facts = {} if column is None else _coloured(column, rows)
        clouds.append(figures.Cloud(atlas.xy[rows], "data", "dot", palette.DATA, **facts))
    ink = palette.text(dark=False)
    if "prior" in view.layers and "prior" in names:
        clouds.append(figures.Cloud(atlas.sample_xy, "prior samples", "diamond", ink))
    if "prototypes" in view.layers and "prototypes" in names:
        clouds.append(figures.Cloud(atlas.prototype_xy, "prototypes", "star", ink))
    wanted = {"density", "aggregated", "holes"} & wanted_layers
    found = cache.plane(engine) if wanted else None
    contours = []
    if found is not None:
        densities = (
            ("density", "prior, 50, 90, 99 %", found.prior, palette.CLASSES[0]),
            ("aggregated", "aggregated posterior", found.aggregated, palette.CLASSES[8]),
        )
        contours = [
            (words, colour, [line for lines in regions.contours(found.x, found.y, density)
                             for line in lines])
            for layer, words, density, colour in densities if layer in wanted
        ]  # fmt: skip
    chosen = select(engine, atlas, view.pick, holes_of(engine, view.pick))
    path = path_codes(atlas, view.path, 60)[1] if view.path else None
    return figures.PlaneFigure(
        clouds,
        contours,
        regions.outlines(found) if found is not None and "holes" in wanted else (),
        None if chosen is None else atlas.xy[chosen.rows],
        path,
        arrows=_arrows(engine, view),
        shade=asked.printed(engine, view.asked) if "decision" in wanted_layers else None,
        axes=atlas.method == "plane",
    )


def _arrows(engine: Engine, view: LatentMapView) -> np.ndarray | None:
    found = cache.transported(engine) if "transport" in view.layers else None
    return None if found is None else found.places


def _coloured(column: Column, rows: np.ndarray) -> dict[str, Any]:
    """Return how a column colours points in a figure."""
    if column.classes:
        group = np.where(np.isfinite(column.values), column.values, -1).astype(int)[rows]
        return {"classes": column.classes, "group": group, "palette": palette.MANY_CLASSES}
    words = f"{column.label}, {column.unit}" if column.unit else column.label
    return {"values": column.values[rows], "palette": palette.RAMP, "label": words}


def caption(atlas: Atlas) -> str:
    """Return a caption on what the map shows, and what it does not."""
    train, test = (atlas.split == Split.TRAIN).sum(), (atlas.split == Split.TEST).sum()
    where = f"{train:,} training and {test:,} test codes (posterior means)."
    if atlas.method == "plane":
        return (
            f"{where} This latent space is 2-D: the map shows it exactly (no projection), and "
            "decodes every place as it is."
        )
    return (
        f"{where} UMAP preserves neighbourhoods, not distances: gaps and sizes on this map are "
        "not distances in latent space. "
        f"Mean trustworthiness {atlas.trust.mean():.2f}: the share of a code’s 15 nearest "
        "neighbours preserved among its 15 nearest on the map. A place between dots is decoded "
        "from the distance-weighted mean of its 15 nearest codes, unless the nearest is farther "
        "than 99 % of the codes are from their 15th nearest: there it says “no code here”."
    )


def difference(engine: Engine, view: LatentMapView) -> str:
    """Say what a colouring by the classifier means, and how far it can be believed."""
    found = cache.differing(engine) if view.colour == "differs" else None
    if found is None:
        return ""
    return (
        " Colour: above 0 data have more codes here than the prior has samples, below 0 fewer, by "
        f"a classifier that tells codes from prior in {100 * found.accuracy:.0f} ± "
        f"{100 * found.error:.0f} % of {found.n:,} it has not seen (50 % is chance"
        + (", as here: these colours are noise)." if found.at_chance else ").")
    )


def transported(engine: Engine, atlas: Atlas, view: LatentMapView) -> str:
    """Say what the arrows of the transport are, and how long beside those of equal laws."""
    found = cache.transported(engine) if "transport" in view.layers else None
    if found is None:
        return ""
    drawn = "codes drawn for" if engine.checkpoint.config.model.stochastic else "codes of"
    several = "" if len(engine.space.levels) == 1 else " of the top level"
    shown = len(found.places)
    some = f"; {shown} of {found.n:,} are drawn" if shown < found.n else ""
    words = (
        f" Arrows: {drawn} {found.n:,} test data, each to the one of {found.n:,} fresh "
        f"samples of the prior that an exact optimal assignment gives it, by squared distance in "
        f"code space{several}{some}. Their root mean square length, the 2-Wasserstein distance, "
        f"is {found.distance:.2f}; between samples of the prior itself it is {found.null:.2f}."
    )
    return (
        words
        if atlas.method == "plane"
        else (words + " They are projected afterwards: their lengths on the map tell nothing.")
    )


def decided(engine: Engine, view: LatentMapView) -> str:
    """Say what the decision map shows, and what colours that a network gives mean."""
    return prose(asked.words(engine, view) + asked.coloured(engine, view))


def _column(engine: Engine, atlas: Atlas, name: str) -> Column | None:
    if name == "label" and atlas.classes:
        return Column("Class", atlas.label.astype(np.float32), classes=atlas.classes)
    if name == "split":
        return Column(
            "Split", atlas.split.astype(np.float32), classes=[item.label for item in Split]
        )
    if name == "claimed":
        best = cache.assigned_components(engine)
        if best is not None:
            names = [str(k) for k in range(len(palette.CLASSES))]
            return Column(
                "Nearest prototype (coloured by last digit of its number)",
                (best % len(palette.CLASSES)).astype(np.float32),
                classes=names,
            )
    if name == "typicality":
        usual = cache.data_typicality(engine)
        if usual is not None:
            return Column(COLOURS[name], usual.astype(np.float32), "%", 0)
    if name == "differs":
        known = cache.differing(engine)
        if known is not None:
            return Column("log q(z) / p(z), by a classifier", known.ratio, "nats", 1)
    prop = next((item for item in cache.map_properties(engine) if item.key == name), None)
    values = None if prop is None else cache.map_values(engine, name)
    if prop is not None and values is not None:
        values = values.astype(np.float32)
        return Column(prop.label, values, prop.unit, prop.digits, classes=prop.classes or None)
    if name in ("kl", "reconstruction", "log_prior", "trust"):
        unitless = name == "trust" or (name == "reconstruction" and not engine.has_likelihood)
        unit, decimals = ("", 2) if unitless else ("nats", 1)
        return Column(COLOURS[name], getattr(atlas, name), unit, decimals)
    return None
