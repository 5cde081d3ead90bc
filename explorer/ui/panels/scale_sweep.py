"""The scale sweep: samples of one or more models for s = 0 to 2, on one slider."""

from urllib.parse import urlencode

from explorer.designs.measuring import applicable_properties
from explorer.designs.properties import Conditions
from explorer.inference import Engine
from explorer.strips import ALL_LEVELS, Levels, difference_strip
from explorer.ui import cache
from explorer.ui.api.address import address_of
from explorer.ui.components import FilmstripState, filmstrip
from explorer.ui.panels import export_menu
from explorer.ui.picks import service
from explorer.ui.wording.naming import distinct_names

LABEL = "Scale (temperature)"
LOW, HIGH = "safer, less varied", "more varied, less faithful"


def sweep(
    engines: list[Engine],
    *,
    key: str,
    at: float,
    tiles: int = 64,
    seed: int = 0,
    component: int | None = None,
    tile: int | None = None,
    tile_width: int = 56,
    titles: bool = True,
    columns: int | None = None,
    selectable: bool = True,
    difference: bool = False,
    judged: bool = False,
    limits: str = "",
    conditions: Conditions | None = None,
    levels: Levels = ALL_LEVELS,
) -> FilmstripState:
    """Render the same noise at every scale for each engine; return the scale and selection.

    Args:
        engines: The models, side by side.
        key: Key of the widget.
        at: The scale.
        tiles: Samples of each model.
        seed: Seed of components and noise.
        component: Sample only this component.
        tile: The selected sample.
        tile_width: Minimum width of a tile.
        titles: Whether to name each model.
        columns: Maximum number of tiles per row.
        selectable: Whether samples can be selected.
        difference: Whether to show the others as differences from the first.
        judged: Whether each sample has a glyph for its novelty.
        limits: Constraints on properties, as in a link.
        conditions: The conditions designs are evaluated under.
        levels: Which level the scale applies to, in two-level models.
    """
    strips = [
        cache.strip(engine, tiles, seed, _own(engine, component), levels) for engine in engines
    ]
    names = distinct_names(engines)
    under: dict[int, int] = {}
    if difference and len(engines) > 1 and engines[0].sketch.kind == "pixels":
        strips[1:] = [difference_strip(strip, strips[0]) for strip in strips[1:]]
        names[1:] = [f"|{name} − {names[0]}|" for name in names[1:]]
    elif difference:
        under = dict.fromkeys(range(1, len(engines)), 0)
        names[1:] = [f"{name} and {names[0]}" for name in names[1:]]
    standing = [standing_address(engine, tiles, seed, component, levels) for engine in engines]
    worth = [worth_address(engine, tiles, seed, component, limits, conditions, levels)
             for engine in engines]  # fmt: skip
    keep = [
        service.pick_descriptor(engine, strip)
        for engine, strip in zip(engines, strips, strict=True)
    ]
    if engines[0].sketch.kind == "curve":
        tile_width = 2 * tile_width if columns is None else 3 * tile_width // 2
        columns = columns and columns // 2
    return filmstrip(
        *strips,
        key=key,
        titles=names if titles else (),
        standing=standing if judged and not (difference and len(engines) > 1) else (),
        under=under,
        keep=keep,
        worth=worth if not (difference and len(engines) > 1) else (),
        at=at,
        home=1.0,
        label=LABEL,
        low=LOW,
        high=HIGH,
        tile=tile,
        tile_width=tile_width,
        columns=columns,
        selectable=selectable,
    )


def standing_address(
    engine: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> str:
    """Return the URL of novelty and typicality of a strip's samples."""
    own = _own(engine, component)
    place = address_of(engine, "standing", tiles, seed, "all" if own is None else own)
    asked = _levels_asked(engine, levels)
    return f"{place}&{urlencode(asked)}" if asked else place


def worth_address(
    engine: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    limits: str,
    conditions: Conditions | None,
    levels: Levels = ALL_LEVELS,
) -> str:
    """Return the URL of the properties of a strip's samples."""
    own = _own(engine, component)
    place = address_of(engine, "worth", tiles, seed, "all" if own is None else own)
    asked = (conditions or Conditions()).model_dump(exclude_defaults=True)
    asked |= {"limits": limits} if limits else {}
    # Browsers cache responses: other properties, as of a new plug-in, need another URL.
    asked["of"] = ".".join(item.key for item in applicable_properties(engine.sketch))
    asked |= _levels_asked(engine, levels)
    return f"{place}&{urlencode(asked)}"


def _levels_asked(engine: Engine, levels: Levels) -> dict[str, object]:
    """Return the query parameters for the level a strip's scale applies to."""
    own = levels.of(engine.space)
    facts = {"level": own.moves, "held": own.held, "lower": own.lower}
    return {
        name: value for name, value in facts.items() if own != ALL_LEVELS and value is not None
    }


def component_count(engine: Engine) -> int:
    """Return the number of components of an engine's prior."""
    components = engine.components()
    return 0 if components is None else len(components)


def companions(engine: Engine) -> list[Engine]:
    """Return the engine with its X-VAE and standard normal counterparts."""
    own = engine.checkpoint.config
    if not engine.has_prior:
        return [engine]
    found = [engine]
    for kind in ("vamp", "xvae", "standard"):
        for entry in cache.entries():
            same = entry.healthy and (entry.data, entry.model, entry.latent, entry.prior) == (
                own.data.kind, own.model.kind, own.model.latent, kind
            )  # fmt: skip
            if same and entry.slug not in {item.slug for item in found}:
                found.append(cache.engine(entry))
                break
    return found[:3]


def take_along(
    engine: Engine,
    scale: float,
    seed: int,
    component: int | None,
    tiles: int = 64,
    levels: Levels = ALL_LEVELS,
) -> None:
    """Render the export menu of the samples on the page."""
    strip = cache.strip(engine, tiles, seed, _own(engine, component), levels)
    name = "scale" if component is None else f"component-{component}"
    export_menu.strip_menu(engine, strip, "sweep_take", name, strip.values.index(scale))


def _own(engine: Engine, component: int | None) -> int | None:
    """Return the component if the engine's prior has it, else None."""
    return component if component is not None and component < component_count(engine) > 1 else None
