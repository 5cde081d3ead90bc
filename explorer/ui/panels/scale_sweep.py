"""The scale sweep: samples of one or more models for s = 0 to 2, on one slider."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from explorer import figures
from explorer.designs.properties import Conditions
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.relatives import relatives
from explorer.strips import StripSpec, difference_strip
from explorer.ui import cache
from explorer.ui.api.address import (
    address_of,
    frames_address,
    novelty_address,
    positions_address,
    properties_address,
)
from explorer.ui.components import FilmstripState, filmstrip
from explorer.ui.components.filmstrip import Grid, Panel, SampleMap, Slider
from explorer.ui.panels import export_menu
from explorer.ui.picks import service
from explorer.ui.wording.naming import distinct_names

LABEL = "Scale (temperature)"
LOW, HIGH = "safer, less varied", "more varied, less faithful"
STEP = "Step from noise to code"


@dataclass(frozen=True)
class SweepOptions:
    """The layout of a sweep, and the annotations of its samples.

    Args:
        tile_width: Minimum width of a tile.
        columns: Maximum number of tiles in a row.
        titles: Whether each model is named.
        selectable: Whether samples can be selected.
        difference: Whether the other models are shown as differences from the first.
        novelty: Whether a line below says how many samples are new.
        signs: Whether each sample has a sign of its novelty, too.
        mapped: Whether a small map beside the samples shows where they lie.
        limits: Constraints on properties, as in a link.
        conditions: The conditions designs are evaluated under.
    """

    tile_width: int = 56
    columns: int | None = None
    titles: bool = True
    selectable: bool = True
    difference: bool = False
    novelty: bool = True
    signs: bool = False
    mapped: bool = False
    limits: str = ""
    conditions: Conditions = field(default_factory=Conditions)


def sweep(
    engines: list[Engine],
    spec: StripSpec,
    *,
    key: str,
    at: float,
    tile: int | None = None,
    options: SweepOptions = SweepOptions(),
) -> FilmstripState:
    """Render the same noise in every frame for each engine; return the released one and tile.

    Args:
        engines: The models, side by side.
        spec: The samples of each.
        key: Key of the widget.
        at: The scale, or the step of a flow.
        tile: The selected sample.
        options: The layout.
    """
    strips = [cache.strip(engine, spec) for engine in engines]
    picks = [
        service.pick_descriptor(engine, strip)
        for engine, strip in zip(engines, strips, strict=True)
    ]
    names = distinct_names(engines)
    curves = engines[0].sketch.kind == "curve"
    apart = options.difference and len(engines) > 1
    if apart and not curves:
        strips[1:] = [difference_strip(strip, strips[0]) for strip in strips[1:]]
        names[1:] = [f"|{name} − {names[0]}|" for name in names[1:]]
    elif apart:
        names[1:] = [f"{name} and {names[0]}" for name in names[1:]]
    tile_width, columns = options.tile_width, options.columns
    if curves:
        tile_width = 2 * tile_width if columns is None else 3 * tile_width // 2
        columns = columns and columns // 2
    panels = [
        Panel(
            strip,
            title=name if options.titles else "",
            pick=pick,
            novelty=novelty_address(engine, spec) if options.novelty and not apart else "",
            signs=options.signs,
            properties=""
            if apart
            else properties_address(engine, spec, options.conditions, options.limits),
            map=_sample_map(engine, spec) if options.mapped and not apart else None,
            over=0 if apart and curves and strip is not strips[0] else None,
            frames="" if apart and strip is not strips[0] else frames_address(engine, spec),
        )
        for engine, strip, name, pick in zip(engines, strips, names, picks, strict=True)
    ]
    return filmstrip(
        *panels,
        key=key,
        at=at,
        tile=tile,
        slider=_slider(spec),
        grid=Grid(tile_width=tile_width, columns=columns, selectable=options.selectable),
    )


def _slider(spec: StripSpec) -> Slider:
    """Return what the slider of a strip moves."""
    if spec.flow is None:
        return Slider(label=LABEL, low=LOW, high=HIGH, home=1.0)
    return Slider(label=STEP, low="noise", high="code", home=float(spec.flow), decimals=0)


def _sample_map(engine: Engine, spec: StripSpec) -> SampleMap | None:
    """Return the map of a wall's samples; None if the model has none, or it is damaged."""
    try:
        atlas = cache.atlas(engine)
    except CheckpointError:
        return None
    if atlas is None:
        return None
    words = (
        "This latent space is 2-D: each sample lies at its code."
        if atlas.method == "plane"
        else "Each sample lies among the data with the nearest codes (UMAP): its colour, not its "
        "place, tells how far from them it is."
    )
    return SampleMap(address_of(engine, "points"), positions_address(engine, spec), words)


def companions(engine: Engine) -> list[Engine]:
    """Return the engine with its VampPrior, X-VAE and standard normal counterparts."""
    if not engine.has_prior:
        return [engine]
    own = next(entry for entry in cache.entries() if entry.slug == engine.slug)
    near = [
        entry
        for entry in relatives(own, cache.entries())
        if (entry.model, entry.latent) == (own.model, own.latent)
    ]
    found = [engine]
    for kind in ("vamp", "xvae", "standard"):
        found += [cache.engine(entry) for entry in near if entry.prior == kind][:1]
    return found[:3]


def export(engines: Sequence[Engine], spec: StripSpec, state: FilmstripState) -> None:
    """Render the export menu of the samples on the page; codes are those of the first model."""
    engine = engines[0]
    strip = cache.strip(engine, spec)
    component = strip.spec.component if strip.spec is not None else None
    name = "scale" if component is None else f"component-{component}"
    flows = strip.spec is not None and strip.spec.flow is not None
    name = "flow" if flows else name
    export_menu.strip_menu(
        engine,
        strip,
        "sweep_take",
        name,
        state.frame,
        what="Samples of a flow on the codes" if flows else "Samples of the prior",
        others={"models": _beside(engines, spec, state)} if len(engines) > 1 else None,
    )


def _beside(
    engines: Sequence[Engine], spec: StripSpec, state: FilmstripState
) -> figures.PaperFigure:
    """Return the samples of all models, side by side, as a figure."""

    def walls() -> list[figures.Wall]:
        strips = [cache.strip(engine, spec) for engine in engines]
        columns = figures.columns(len(strips[0].components), engines[0].sketch)
        return [
            figures.Wall(
                strip.shown(state.frame), engine.sketch, columns, f"({chr(97 + k)}) {name}"
            )
            for k, (engine, strip, name) in enumerate(
                zip(engines, strips, distinct_names(engines), strict=True)
            )
        ]

    return figures.of_samples(
        [engine.checkpoint for engine in engines],
        walls,
        "Samples of several priors" if spec.flow is None else "Samples of several flows on codes",
        f"The same noise, seed {spec.seed}, at scale {state.value:g}"
        if spec.flow is None
        else f"The same noise, seed {spec.seed}, at scale {spec.spread:g}, after {state.value:g} "
        f"of {spec.flow} steps",
    )
