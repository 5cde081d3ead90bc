"""The scale under the finger: one or more models' samples over s = 0 to 2, on one slider."""

from urllib.parse import urlencode

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from explorer import settings
from explorer.designs.properties import Conditions, known
from explorer.inference import Engine
from explorer.naming import DATA, is_small, kind_words
from explorer.projection import SPLITS
from explorer.strips import ALL_LEVELS, Levels, difference_strip, samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit
from explorer.ui.api.routes import address_of
from explorer.ui.components import FilmstripState, filmstrip
from explorer.ui.panels import export_menu
from explorer.ui.picks import service
from explorer.ui.prototypes.wall import pictures_of
from explorer.ui.wording.format import percentile

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
    """Show the same noise at every scale for each engine; return what was released and chosen.

    Args:
        engines: The models, side by side.
        key: Key of the widget.
        at: The scale.
        tiles: Samples of each model.
        seed: Seed of components and noise.
        component: One component only.
        tile: The chosen sample.
        tile_width: Least width of a picture.
        titles: Whether each model is named.
        columns: Pictures in a row, at most.
        selectable: Whether samples can be chosen.
        difference: Whether the others are shown as differences from the first.
        judged: Whether each sample bears a glyph of how new it is.
        limits: Constraints on properties, as in a link.
        conditions: Under what samples are judged as designs.
        levels: Which level the scale moves, in models of two.
    """
    strips = [
        cache.strip(engine, tiles, seed, _own(engine, component), levels) for engine in engines
    ]
    names = told_apart(engines)
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
    keep = [service.keepable(engine, strip) for engine, strip in zip(engines, strips, strict=True)]
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


def prior_name(engine: Engine) -> str:
    """Name an engine's prior in words, and its model where that is not the plain one."""
    config = engine.checkpoint.config
    small = is_small(config)
    return kind_words(config.model.kind, prior_kind(engine), small=small, joint=" ")


def prior_kind(engine: Engine) -> str:
    """Name the kind of an engine's prior, as in its recipe."""
    prior = engine.checkpoint.config.prior
    return prior.kind if prior else "none"


def told_apart(engines: list[Engine]) -> list[str]:
    """Name each engine's prior, and its data where the engines have not the same."""
    kinds = [engine.checkpoint.config.data.kind for engine in engines]
    if len(set(kinds)) == 1:
        return [prior_name(engine) for engine in engines]
    return [
        f"{prior_name(engine)}, {DATA[kind]}" for engine, kind in zip(engines, kinds, strict=True)
    ]


def standing_address(
    engine: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> str:
    """Return where the browser asks how new and how typical a strip's samples are."""
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
    """Return where the browser asks for the properties of a strip's samples."""
    own = _own(engine, component)
    place = address_of(engine, "worth", tiles, seed, "all" if own is None else own)
    asked = (conditions or Conditions()).model_dump(exclude_defaults=True)
    asked |= {"limits": limits} if limits else {}
    # The browser keeps what it has fetched: other properties, as of a new package, other address.
    asked["of"] = ".".join(item.key for item in known(engine.sketch))
    asked |= _levels_asked(engine, levels)
    return f"{place}&{urlencode(asked)}"


def _levels_asked(engine: Engine, levels: Levels) -> dict[str, object]:
    """Write which level a strip's scale moves as parts of an address."""
    own = levels.of(engine.space)
    facts = {"level": own.moves, "held": own.held, "lower": own.lower}
    return {
        name: value for name, value in facts.items() if own != ALL_LEVELS and value is not None
    }


def component_count(engine: Engine) -> int:
    """Count the components of an engine's prior."""
    components = engine.components()
    return 0 if components is None else len(components)


def companions(engine: Engine) -> list[Engine]:
    """Return the engine with X-VAE and the standard prior of the same data and latent size."""
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


def sample_facts(
    engine: Engine,
    tile: int,
    scale: float,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> None:
    """Tell what one sample is worth: log p(z), typicality, and whether it is new or copied."""
    own = _own(engine, component)
    strip = cache.strip(engine, tiles, seed, own, levels)
    frame = strip.values.index(scale)
    density = float(strip.log_density[frame, tile])
    words = [
        f"**Sample {tile + 1}** of {prior_name(engine)} at scale {scale:g}",
        f"log p(z) {density:.1f} nats".replace("-", "−"),
    ]
    place = percentile(density, cache.held_out_density(engine))
    if place:
        words.append(place)
    if component_count(engine) > 1:
        words.append(f"component {int(strip.components[tile])}")
    st.markdown(" · ".join(words))
    found = cache.standing(engine, tiles, seed, own, levels)
    if found is None:
        return
    far = float(found.novelty[frame, tile])
    way, share = ("farther from", far) if far >= 50 else ("closer to", 100 - far)
    verdict = (
        "Nearly a copy" if far < 5 else "Far from the data" if far > 95 else "New, as data are"
    )
    st.caption(
        f"**{verdict}**: {way} its nearest training code than {share:.0f} % of "
        f"{found.held_out:,} held-out data, reconstructed, are {way.split()[1]} theirs "
        f"({found.training:,} training codes compared). More typical of the prior than "
        f"{found.typicality[frame, tile]:.0f} % of its own samples."
    )


def neighbours(
    engine: Engine,
    tile: int,
    scale: float,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> None:
    """Show the training data nearest to a sample, by code and, where at hand, by pixel."""
    atlas, measure = cache.atlas(engine), cache.yardstick(engine)
    if atlas is None or measure is None:
        return
    strip = cache.strip(engine, tiles, seed, _own(engine, component), levels)
    frame = strip.values.index(scale)
    x = strip.samples[frame, tile][None]
    training = np.flatnonzero(atlas.split == SPLITS.index("train"))
    rows = training[measure.judge(engine.encode(x).loc, k=8).nearest[0]]
    shown, words = pictures_of(engine, rows)
    st.markdown(f"**Nearest training data, {prior_name(engine)}**")
    width = 56 if engine.sketch.kind == "pixels" else 120
    key = f"generate_near_{engine.slug}"
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=2 * width):
            filmstrip(samples_strip(x, engine.sketch), key=f"{key}_own", selectable=False,
                      tile_width=width)  # fmt: skip
            st.caption("the sample")
        with st.container(width=9 * width):
            filmstrip(shown, key=f"{key}_codes", selectable=False, tile_width=width,
                      keep=[service.keepable(engine, z=atlas.codes[rows])])  # fmt: skip
            st.caption(f"by code, nearest first. {words}")
        data = cache.originals(engine)
        if data is None:
            return
        with st.container(width=9 * width):
            close = _pixel_neighbours(data.train.x, x[0], 8)
            filmstrip(
                samples_strip(data.train.x[close], engine.sketch),
                key=f"{key}_pixels",
                selectable=False,
                tile_width=width,
            )
            st.caption(f"by {'pixel' if width == 56 else 'height'}, of all {len(data.train):,}")


def take_along(
    engine: Engine,
    scale: float,
    seed: int,
    component: int | None,
    tiles: int = 64,
    levels: Levels = ALL_LEVELS,
) -> None:
    """Offer the samples on the page as files."""
    strip = cache.strip(engine, tiles, seed, _own(engine, component), levels)
    name = "scale" if component is None else f"component-{component}"
    export_menu.strip_menu(engine, strip, "sweep_take", name, strip.values.index(scale))


def hint(engines: list[Engine], difference: bool) -> str:
    """Say what can be done with the samples, and what a comparison means."""
    words = (
        "Drag the slider, or across the pictures: every sample keeps its component and its noise, "
        "only the scale changes. A larger scale leaves the region the decoder was trained on. "
    )
    if len(engines) > 1:
        words += (
            "The same noise means another code in another model: compare how samples change and "
            "how good they are, not what they show. "
        )
    if difference and len(engines) > 1:
        curves = engines[0].sketch.kind == "curve"
        return words + (
            "The first model’s curve is drawn in blue over the others’."
            if curves
            else "The others are shown as differences from the first, "
            + ("dark" if engines[0].sketch.shape[0] == 1 else "bright")
            + " where they differ."
        )
    return words + (
        "● nearly a training sample, ○ as new as held-out data, ◇ far from all training samples; "
        "click a sample to see what it is worth. The bookmark in its corner, or K with the "
        "pointer on it, keeps it as a candidate."
        + (
            " × marks a section whose surfaces cross by over 0.02 % of the chord."
            if engines[0].sketch.kind == "curve"
            else ""
        )
    )


def presets() -> None:
    """Offer three scales by name."""
    for words, scale in (("Safer", 0.7), ("As trained", 1.0), ("Wilder", 1.3)):
        st.button(words, on_click=commit, kwargs={"scale": scale}, help=f"Scale {scale:g}")


def no_prior(engine: Engine) -> None:
    """Say why nothing can be drawn, and stop."""
    st.info(
        f"{engine.slug} is a plain autoencoder: it has no prior, so there is nothing to draw "
        f"from. "
        "Choose another model in the sidebar; its codes can be seen on the latent map.",
        icon=":material/info:",
    )
    st.page_link(
        settings.beside("pages") / "latent_map.py",
        label="Open the latent map",
        icon=":material/scatter_plot:",
        query_params={"model": engine.slug},
    )
    st.stop()


def _own(engine: Engine, component: int | None) -> int | None:
    """Return the component where the engine's prior has one of that number."""
    return component if component is not None and component < component_count(engine) > 1 else None


def _pixel_neighbours(
    x: Float[np.ndarray, "samples *sample"], one: Float[np.ndarray, "*sample"], k: int
) -> Int[np.ndarray, " k"]:
    """Return the rows of the samples nearest to one, in data units."""
    flat, wanted = x.reshape(len(x), -1), one.ravel()
    square = np.concatenate(
        [((rows - wanted) ** 2).sum(1) for rows in np.array_split(flat, max(1, len(x) // 5000))]
    )
    return np.argsort(square, kind="stable")[:k]
