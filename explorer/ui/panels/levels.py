"""Controls for two-level models: what the top decides, and what the bottom adds."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.inference import Engine
from explorer.strips import StripSpec
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import Levelled, TraverseView
from explorer.ui.api.address import levelled_address, painted_address
from explorer.ui.components import FilmstripState, filmstrip
from explorer.ui.components.filmstrip import Grid, Panel, Slider
from explorer.ui.picks import service

TILES = 18
WORDS = {"z2": "top, z2", "z1": "bottom, z1"}


def several(engine: Engine) -> bool:
    """Whether a model has several levels."""
    return engine.has_prior and len(engine.space.levels) > 1


def choose(engine: Engine, view: Levelled) -> None:
    """Render the choice of the level the scale applies to, and the settings of the other."""
    if not several(engine):
        for field, value in (("level", ""), ("held", 1.0), ("lower", None)):
            if getattr(view, field) != value:
                view.fall_back(field, value, "is for models of two levels", "leaving it out")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = {"": "Both levels", "z2": "Top only, z2", "z1": "Bottom only, z1"}
        control(
            st.segmented_control,
            "Scale applies to",
            view,
            "level",
            options=list(names),
            format_func=names.get,
            required=True,
        )
        if view.level:
            other = "z1" if view.level == "z2" else "z2"
            control(
                st.slider,
                f"Scale of the {WORDS[other]}",
                view,
                "held",
                min_value=0.0,
                max_value=2.0,
                step=0.05,
                width=220,
            )
        control(
            st.number_input,
            "Seed for z1",
            view,
            "lower",
            min_value=0,
            max_value=2**31 - 1,
            step=1,
            placeholder="as above",
            width=150,
            help="Another seed resamples the bottom under the same top, which shows what it adds.",
        )


def apart(
    engine: Engine,
    z: Float[np.ndarray, " latent"],
    what: str,
    *,
    key: str,
    seed: int = 0,
    view: TraverseView | None = None,
) -> None:
    """Render one code with each of its levels resampled, each with its own scale.

    Args:
        engine: The model.
        z: The code.
        what: A description of the code.
        key: Prefix of the widgets' keys.
        seed: Seed of the draws.
        view: A view whose seed is chosen here.
    """
    if not several(engine):
        return
    st.subheader("What the top decides, what the bottom adds", anchor=False)
    if view is not None:
        control(st.number_input, "Seed of the samples", view, "seed", min_value=0,
                max_value=2**31 - 1, step=1, width=150)  # fmt: skip
        seed = view.seed
    variants = (
        ("z1", "z2 fixed, z1 resampled", "what the bottom adds"),
        ("z2", "z1 fixed, z2 resampled", "what the top decides"),
    )
    pixels = engine.sketch.kind == "pixels"
    for column, (level, words, short) in zip(st.columns(2, gap="large"), variants, strict=True):
        strip = cache.levelled(engine, z, level, TILES, seed)
        with column:
            st.markdown(f"**{words}**: {short}")
            filmstrip(
                Panel(
                    strip,
                    pick=service.pick_descriptor(engine, strip),
                    frames=levelled_address(engine, z, level, TILES, seed),
                ),
                key=f"{key}_{level}",
                at=1.0,
                slider=Slider(label=f"Scale of the {WORDS[level]}", home=1.0),
                grid=Grid(tile_width=engine.sketch.tile_width(56), columns=6 if pixels else 3),
            )
    st.caption(
        f"{what}, {TILES} samples per level, seed {seed}. At scale 0 a level is at its mean. "
        "If the images barely change, that level carries little information. Combining a fixed "
        "z1 with a new z2 is off-prior: it shows what the decoder reads from z2, not a sample."
    )


def of_sample(engine: Engine, spec: StripSpec, state: FilmstripState) -> None:
    """Render the levels of the selected sample of a scale strip, or of the first one."""
    if not several(engine):
        return
    strip = cache.strip(engine, spec)
    assert strip.z is not None
    tile = state.tile or 0
    what = f"Sample {tile + 1} at scale {state.value:g}"
    apart(engine, strip.z[state.frame, tile], what, seed=spec.seed, key="generate_levels")


def sampled(engine: Engine, spec: StripSpec, state: FilmstripState, *, key: str) -> None:
    """Render samples drawn pixel by pixel when they are ready, if p(x|z) is autoregressive."""
    if not engine.sequential:
        return
    st.subheader("Sampled pixel by pixel", anchor=False)
    filmstrip(
        Panel(
            cache.painted(engine, spec, state.value),
            frames=painted_address(engine, spec, state.frame),
            later=True,
        ),
        key=key,
        grid=Grid(tile_width=56),
    )
    st.caption(
        f"The same {spec.tiles} codes at scale {state.value:g}, each pixel sampled given the "
        f"preceding ones (seed {spec.seed}). Above are the means: each pixel’s probability given "
        "the preceding probabilities."
    )


def formula(engine: Engine) -> None:
    """Render the formula of a two-level draw."""
    if not several(engine):
        return
    st.latex(
        r"z_2 = \mu_k + s_2\,\sigma_k \odot \varepsilon_2,\qquad "
        r"z_1 = \mu(z_2) + s_1\,\sigma(z_2) \odot \varepsilon_1,\qquad "
        r"p(z) = p(z_2)\,p(z_1 \mid z_2)"
    )
    st.markdown("The prior is learned on the top, $z_2$; the bottom, $z_1$, is drawn given it.")
