"""Details of one sample: its likelihood, novelty, and nearest training data."""

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from explorer import sections
from explorer.inference import Engine
from explorer.strips import StripSpec, samples_strip
from explorer.ui import cache
from explorer.ui.address.views import GenerateView
from explorer.ui.components import FilmstripState, filmstrip
from explorer.ui.components.filmstrip import Grid, Panel
from explorer.ui.generate import sampler
from explorer.ui.panels import scale_sweep
from explorer.ui.panels.pictures import training_pictures
from explorer.ui.picks import service
from explorer.ui.wording import rules
from explorer.ui.wording.format import percentile, prose, signed
from explorer.ui.wording.naming import distinct_names

_NOISED = (
    "This prior is a reference with noise on it: the time t goes from noise (0) to the reference "
    "itself (1), and each sample keeps both. "
)


def wall(engines: list[Engine], view: GenerateView) -> FilmstripState:
    """Render the samples of all models under the scale slider, and the selected one up close."""
    options = scale_sweep.SweepOptions(
        titles=len(engines) > 1,
        difference=view.difference,
        signs=True,
        mapped=True,
        limits=view.limits,
        conditions=view.conditions,
    )
    state = scale_sweep.sweep(
        engines, view.spec, key="generate_strip", at=view.frame, tile=view.tile, options=options
    )
    view.show(state.value)
    view.hold(state.tile)
    if view.tile is not None:
        for engine, name in zip(engines, distinct_names(engines), strict=True):
            sample_facts(engine, name, view.spec, state)
            neighbours(engine, name, view.spec, state)
    return state


def sample_facts(engine: Engine, name: str, spec: StripSpec, state: FilmstripState) -> None:
    """Render the facts about one sample: log p(z), typicality and novelty."""
    strip = cache.strip(engine, spec)
    frame, tile = state.frame, state.tile or 0
    density = float(strip.log_density[frame, tile])
    where = f"at scale {state.value:g}"
    where += f", time {strip.spec.time:g}" if strip.spec and strip.spec.time is not None else ""
    if spec.flow is not None:
        where = f"by its flow, step {state.value:g} of {spec.flow}"
    words = [f"**Sample {tile + 1}** of {name} {where}"]
    if engine.has_density:
        words.append(f"log p(z) {density:.1f} nats".replace("-", "−"))
    elif engine.bounded and spec.flow is None and strip.z is not None:
        bound = float(engine.log_bound(strip.z[frame][tile][None])[0])
        words.append(f"log p(z) at least {bound:.1f} nats (a bound)".replace("-", "−"))
    place = percentile(density, cache.held_out_density(engine))
    if place:
        words.append(place)
    if engine.component_count > 1:
        words.append(f"component {int(strip.components[tile])}")
    st.markdown(" · ".join(words))
    found = cache.novelty_of(engine, spec, frame, tile)
    measure = cache.novelty_reference(engine)
    if found is None or measure is None:
        return
    far = float(found.novelty[0, 0])
    st.caption(
        f"**{rules.verdict(far, measure)}**: distance to the nearest training code at percentile "
        f"{far:.0f} of {found.held_out:,} reconstructed held-out samples "
        f"({rules.compared_with(measure)})."
        + (
            f" Typicality: percentile {found.typicality[0, 0]:.0f} of prior samples."
            if engine.has_density
            else ""
        )
    )


def _fitted_words(engines: list[Engine]) -> str:
    """Say how each prior was fitted that was not trained with its model."""
    said = []
    for engine, name in zip(engines, distinct_names(engines), strict=True):
        known = engine.checkpoint.config.fitted
        if engine.fitted and known is not None:
            words = signed(prose(known.words))
            one = len(engines) == 1
            said.append(f"{words} " if one else f"{name}: {words[:1].lower()}{words[1:]} ")
    return "".join(said)


def neighbours(engine: Engine, name: str, spec: StripSpec, state: FilmstripState) -> None:
    """Render the training data nearest to a sample, by code and, if installed, by pixel."""
    measure = cache.novelty_reference(engine)
    if measure is None:
        return
    strip = cache.strip(engine, spec)
    x = strip.frames[state.frame][state.tile or 0][None]
    rows = measure.judge(engine.encode(x).loc, k=8).nearest[0]
    shown, codes = training_pictures(engine, measure, rows)
    st.markdown(shown.heading(f"Nearest training data, {name}"))
    width = engine.sketch.tile_width(56)
    key = f"generate_near_{engine.slug}"
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=2 * width):
            filmstrip(
                samples_strip(x, engine.sketch, geometry=strip.geometry),
                key=f"{key}_own",
                grid=Grid(tile_width=width),
            )
            st.caption("the sample")
        with st.container(width=9 * width):
            filmstrip(
                Panel(shown.strip, pick=service.pick_descriptor(engine, z=codes)),
                key=f"{key}_codes",
                grid=Grid(tile_width=width),
            )
            st.caption(f"by code, nearest first ({rules.compared_with(measure)}). {shown.words}")
        data = cache.originals(engine)
        if data is None:
            return
        with st.container(width=9 * width):
            close = _pixel_neighbours(data.train.x, x[0], 8)
            filmstrip(
                samples_strip(data.train.x[close], engine.sketch),
                key=f"{key}_pixels",
                grid=Grid(tile_width=width),
            )
            unit = "pixel" if engine.sketch.kind == "pixels" else "height"
            st.caption(f"by {unit}, of all {len(data.train):,}")


def hint(engines: list[Engine], view: GenerateView) -> str:
    """Return a caption on how to use the samples, and how to read a comparison."""
    difference = view.difference
    words = (
        sampler.words(engines, view)
        if view.sampler == "flow"
        else (
            "Drag the slider, or drag across the images. Each sample keeps its component and "
            "noise; only the scale changes. A larger scale leaves the region the decoder was "
            "trained on. " + (_NOISED if engines[0].timed else "") + _fitted_words(engines)
        )
    )
    if sections.is_section(engines[0].sketch):
        words += "Sections are shown, measured and exported as Kulfan sections (8 + 8 weights). "
    if len(engines) > 1:
        words += (
            "The same noise maps to different codes in different models, so compare quality and "
            "behaviour, not individual images. "
        )
    if difference and len(engines) > 1:
        curves = engines[0].sketch.kind == "curve"
        return words + (
            "The first model’s curve is drawn in blue over the others’."
            if curves
            else "The others are shown as differences from the first, dark where they differ."
        )
    return words + (
        _rates(engines)
        + "Click a sample for its likelihood and nearest neighbours. The bookmark in its corner, "
        "or K with the pointer on it, keeps it as a candidate."
        + (
            " Surfaces cross where they do by over 0.02 % of the chord."
            if engines[0].sketch.kind == "curve"
            else ""
        )
    )


def _rates(engines: list[Engine]) -> str:
    """Say of each model how often its signs err."""
    words = []
    for engine, name in zip(engines, distinct_names(engines), strict=True):
        found = cache.reference(engine)
        said = rules.error_rates(found.rates) if found is not None else ""
        if said:
            words.append(f"{name}: {said}" if len(engines) > 1 else said)
    return "".join(f"{said} " for said in words)


def _pixel_neighbours(
    x: Float[np.ndarray, "samples *sample"], one: Float[np.ndarray, "*sample"], k: int
) -> Int[np.ndarray, " k"]:
    """Return the rows of the nearest samples in data space."""
    flat, wanted = x.reshape(len(x), -1), one.ravel()
    square = np.concatenate(
        [((rows - wanted) ** 2).sum(1) for rows in np.array_split(flat, max(1, len(x) // 5000))]
    )
    return np.argsort(square, kind="stable")[:k]
