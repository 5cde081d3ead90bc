"""The prototypes of a learned prior: their order, assigned data, and details of one."""

from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Int

from explorer import figures, sections
from explorer.inference import Engine, Prototypes
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import choice
from explorer.ui.address.views import PrototypesView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.panels import chart, export_menu
from explorer.ui.panels.pictures import contrast, pictures_of
from explorer.ui.picks import service
from explorer.ui.shell import sibling
from explorer.ui.wording import palette
from explorer.ui.wording.format import mix, prose

MOST = 500
CLAIMED = 24

_ASSIGNED = "Data assigned to it"

SORTS = {"claimed": "Data assigned", "weight": "Weight", "number": "Number"}


class Gallery(NamedTuple):
    """Prototypes in display order, and the number of data assigned to each."""

    prototypes: Prototypes
    order: Int[np.ndarray, " shown"]
    claimed: Int[np.ndarray, " components"] | None
    total: int

    @property
    def has_inputs(self) -> bool:
        """Whether the components have pseudo-inputs."""
        return self.prototypes.pseudo_inputs is not None


def gallery(engine: Engine, sort: str) -> Gallery | None:
    """Collect the prototypes; None if the prior has at most one component."""
    known = cache.prototypes(engine)
    if known is None or len(known.weights) < 2:
        return None
    best = cache.assigned_components(engine)
    claimed = None if best is None else np.bincount(best, minlength=len(known.weights))
    rank = np.arange(len(known.weights))
    if sort == "claimed" and claimed is not None:
        rank = np.argsort(-claimed, kind="stable")
    elif sort == "weight":
        rank = np.argsort(-known.weights, kind="stable")
    return Gallery(known, rank[:MOST], claimed, 0 if best is None else len(best))


def wall(engine: Engine, shown: Gallery, which: str, component: int | None) -> int | None:
    """Render all prototypes as one strip; return the selected component."""
    inputs = shown.prototypes.pseudo_inputs
    learned = inputs is not None and which == "inputs"
    pictures = cache.decoded_prototypes(engine) if inputs is None or not learned else inputs
    gain = contrast(engine, pictures) if learned else 1.0
    position = (
        int(np.flatnonzero(shown.order == component)[0]) if component in shown.order else None
    )
    state = filmstrip(
        Panel(
            samples_strip(
                gain * pictures[shown.order],
                engine.sketch,
                geometry="decoded" if learned else sections.usual(engine.sketch),
            ),
            pick=service.pick_descriptor(engine, z=shown.prototypes.loc[shown.order]),
        ),
        key="prototypes_wall",
        tile=position,
        grid=Grid(
            captions=[_claim(shown, int(k)) for k in shown.order],
            tile_width=engine.sketch.tile_width(36 if len(shown.order) > 120 else 52),
            noun="prototype",
            numbered=False,
            selectable=True,
        ),
    )
    return None if state.tile is None else int(shown.order[state.tile])


def choose(view: PrototypesView, component: int | None) -> None:
    """Take the chosen prototype in hand; open or close it."""
    if component == view.component:
        return
    if component is not None:
        view.hand = f"prototypes:{component}"
        view.fill("component", component)
    else:
        view.hand = "" if view.hand == f"prototypes:{view.component}" else view.hand
        view.component = None


def export(engine: Engine, shown: Gallery) -> None:
    """Render the export menu of the components on the wall, in their order."""
    columns = {
        "component": shown.order,
        "weight": shown.prototypes.weights[shown.order],
    }
    if shown.claimed is not None:
        columns["claimed"] = shown.claimed[shown.order]
    z = shown.prototypes.loc[shown.order]
    others = {}
    if shown.has_inputs:
        others["pseudo-inputs"] = _inputs_figure(engine, shown)
    export_menu.codes_menu(
        engine,
        columns,
        z,
        "prototypes_take",
        f"{engine.slug}-prototypes",
        what="Decoded means of the components",
        others=others,
    )


def _inputs_figure(engine: Engine, shown: Gallery) -> figures.PaperFigure:
    """Return the pseudo-inputs as a figure, in the order of the wall."""
    inputs = shown.prototypes.pseudo_inputs
    assert inputs is not None
    gain = contrast(engine, inputs)

    def walls() -> list[figures.Wall]:
        pictures = gain * inputs[shown.order]
        columns = figures.columns(len(pictures), engine.sketch)
        return [figures.Wall(pictures, engine.sketch, columns)]

    return figures.of_samples(
        [engine.checkpoint],
        walls,
        "Pseudo-inputs of the VampPrior",
        f"{len(shown.order):,} of {len(shown.prototypes.weights):,} components. "
        + brightened(engine, shown, "inputs"),
    )


def brightened(engine: Engine, shown: Gallery, which: str) -> str:
    """Return a note on the contrast of the images, if it was raised."""
    inputs = shown.prototypes.pseudo_inputs
    gain = 1.0 if inputs is None or which == "decoded" else contrast(engine, inputs)
    return f"Contrast ×{gain:g} (pseudo-inputs are faint). " if gain > 1 else ""


def summary(engine: Engine, shown: Gallery) -> str:
    """Summarise the number of components, and of unused ones."""
    count = len(shown.prototypes.weights)
    words = f"{count} components"
    if shown.claimed is not None:
        dead = int((shown.claimed == 0).sum())
        codes = f"the {shown.total:,} data points on the map"
        words += f"; {dead} unused by {codes}" if dead else f", all used by {codes}"
    return words + "."


def spread(engine: Engine, shown: Gallery, component: int) -> None:
    """Render a component's standard deviation per unit, among those of all components."""
    scale = shown.prototypes.scale
    order = np.argsort(scale.mean(0), kind="stable")
    low, high = np.percentile(scale, [5, 95], axis=0)
    units = [str(unit) for unit in order]
    figure = go.Figure()
    figure.add_scatter(
        x=units, y=high[order], mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False
    )
    figure.add_scatter(
        x=units,
        y=low[order],
        mode="lines",
        fill="tonexty",
        line={"width": 0},
        name="90 % of components",
        fillcolor="rgba(127,127,127,.25)",
    )
    figure.add_scatter(
        x=units,
        y=scale[component][order],
        mode="markers",
        name=f"component {component}",
        marker={"color": palette.PROTOTYPE, "size": 8},
    )
    chart.render(
        figure,
        "prototypes_spread",
        x={"title": "latent unit (sorted by std)", "type": "category"},
        y={"title": "standard deviation", "rangemode": "tozero"},
        height=240,
        legend=1.15,
    )


def assigned_data(engine: Engine, component: int) -> None:
    """Render the data assigned to a component: originals if installed, else reconstructions."""
    atlas, best = cache.atlas(engine), cache.assigned_components(engine)
    if atlas is None or best is None:
        st.markdown(f"**{_ASSIGNED}**")
        st.caption(f"No latent map yet. Run `latent-explorer project {engine.slug}`.")
        return
    rows = np.flatnonzero(best == component)
    if len(rows) == 0:
        st.markdown(f"**{_ASSIGNED}**")
        st.caption(
            "No data are assigned to this component: it is unused, or covers rare data not in "
            "this sample."
        )
        return
    components = engine.components()
    assert components is not None
    centre = components.loc[component].cpu().numpy()
    nearest = rows[
        np.argsort(np.linalg.norm(atlas.codes[rows] - centre, axis=1), kind="stable")[:CLAIMED]
    ]
    pictured = pictures_of(engine, nearest)
    st.markdown(pictured.heading(_ASSIGNED))
    classes = mix(atlas.label[rows], atlas.classes)
    filmstrip(
        Panel(pictured.strip, pick=service.pick_descriptor(engine, z=atlas.codes[nearest])),
        key="prototypes_claimed",
        grid=Grid(tile_width=engine.sketch.tile_width(44), noun="data point"),
    )
    count = f"{len(nearest)} of {len(rows):,}" if len(rows) > len(nearest) else f"{len(rows):,}"
    kinds = f" Classes: {prose(classes)}." if classes else ""
    st.caption(f"{count} codes, nearest first.{kinds} {pictured.words}")


def _claim(shown: Gallery, component: int) -> str:
    words = f"component {component}, weight {shown.prototypes.weights[component]:.4f}"
    if shown.claimed is None:
        return words
    count = int(shown.claimed[component])
    return f"{words}, {count:,} data assigned" if count else f"{words}, unused: no data assigned"


def open_gallery(engine: Engine, view: PrototypesView) -> Gallery:
    """Collect the prototypes; where the prior has none, say so and stop."""
    shown = gallery(engine, view.sort)
    if shown is None:
        st.info(
            "This model’s prior has at most one component, so it has no prototypes. "
            "A VampPrior or a mixture has many.",
            icon=":material/info:",
        )
        sibling.with_components(engine, "prototypes")
        view.write()
        st.stop()
    return shown


def toolbar(shown: Gallery, view: PrototypesView) -> None:
    """Render the order of the prototypes, and what is shown of each."""
    kinds = {"inputs": "Pseudo-inputs", "decoded": "Decoded means"}
    if not shown.has_inputs:
        del kinds["inputs"]
        if view.shown == "inputs":
            why = "is for priors with pseudo-inputs"
            view.fall_back("shown", "decoded", why, "showing decoded means")
    layer, _, number = view.hand.partition(":")
    if layer == "prototypes" and int(number) in shown.order:
        view.fill("component", int(number))
    if view.component is not None and view.component not in shown.order:
        view.fall_back("component", None, "is not on the wall", "showing none up close")
    sorts = {name: words for name, words in SORTS.items() if name != "claimed" or shown.total}
    if view.sort not in sorts:
        view.fall_back("sort", "number", "needs a latent map", "sorting by number")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        choice("Sort by", view, "sort", sorts)
        choice("Show", view, "shown", kinds)


def caption(engine: Engine, shown: Gallery, which: str) -> None:
    """Render what the prototypes are, and what a click shows."""
    st.caption(
        f"{summary(engine, shown)} {brightened(engine, shown, which)}"
        + (
            "A VampPrior is the mixture of the encoder’s posteriors at these learned inputs. "
            if shown.has_inputs
            else "Each image is the decoded mean of one component. "
        )
        + "Click a prototype to see its samples and the data assigned to it."
    )
