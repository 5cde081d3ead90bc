"""The settings of the Generate page, and the formula behind its samples."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.inference import Engine
from explorer.sampler import MOST_STEPS
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import TIMES, GenerateView
from explorer.ui.panels import constraints, levels


def toolbar(engines: list[Engine], view: GenerateView, row: DeltaGenerator) -> None:
    """Render seed, component or steps, scales, constraints and the comparison.

    Args:
        engines: The models.
        view: The page's view.
        row: Where to, beside the choice of the sampler.
    """
    engine, flows = engines[0], view.sampler == "flow"
    count = engine.component_count
    if not flows and view.component is not None and view.component >= count:
        view.fall_back("component", None, "is not in this model", "showing all components")
    with row:
        control(
            st.number_input,
            "Seed",
            view,
            "seed",
            min_value=0,
            max_value=2**31 - 1,
            step=1,
            width=140,
        )
        if flows:
            _flow(view)
        else:
            _component(view, count)
            _time(engine, view)
        st.button(
            "Resample", key="generate_resample", on_click=commit, kwargs={"seed": view.seed + 1}
        )
        if not flows:
            presets(engine)
        constraints.switch(engine, view)
        if len(engines) > 1:
            control(st.toggle, "Difference", view, "difference")
    if not flows:
        levels.choose(engine, view)
    constraints.docked(engine, view)


def _flow(view: GenerateView) -> None:
    """Render the settings of a flow."""
    control(
        st.slider,
        "Steps",
        view,
        "steps",
        min_value=1,
        max_value=MOST_STEPS,
        width=200,
        help="Euler steps from noise to a code. With few, codes are pulled towards their mean.",
    )
    control(
        st.slider,
        "Scale of the noise",
        view,
        "scale",
        min_value=0.0,
        max_value=2.0,
        step=0.05,
        width=200,
        help="It multiplies the noise that each sample starts from; 1 is the flow as fitted.",
    )


def _time(engine: Engine, view: GenerateView) -> None:
    """Render the time of a prior that is a reference with noise; no other has one."""
    if not engine.timed:
        if view.t is not None:
            view.fall_back("t", None, "is for noised priors", "leaving it out")
        return
    trained = getattr(engine.checkpoint.config.prior, "t", None)
    own = "a t of its own" if trained is None else f"{trained:g}"
    control(
        st.select_slider,
        "Time t",
        view,
        "t",
        value="" if view.t is None else view.t,
        options=["", *TIMES],
        format_func=lambda t: f"As trained ({own})" if t == "" else f"{t:g}",
        width=240,
        help="How far a sample is from noise (0) to the reference itself (1): "
        "z = t r + (1 − t) s ε.",
    )


def _component(view: GenerateView, count: int) -> None:
    """Render the choice of one component of a mixture."""
    control(
        st.selectbox,
        "Component",
        view,
        "component",
        options=list(range(count)),
        index=None,
        placeholder="All, by weight",
        format_func=lambda k: f"Only component {k}",
        disabled=count < 2,
        help="A VampPrior or mixture samples a component first, then a code around its mean.",
        width=240,
    )


def formula(engine: Engine) -> None:
    """Render the formula of a draw at a scale."""
    with st.expander("Show the formula"):
        dial = engine.prior.dial
        st.latex(dial.formula + r",\qquad x = \mathbb E[p(x \mid z)]")
        made = _made(engine)
        words = f"The scale multiplies {dial.words}. At $s = 1$ this is the prior as {made}"
        words += f"; at $s = 0$ every sample is {dial.rest}. "
        if dial.most is not None:
            words += f"Beyond $s = {dial.most:g}$ there is nothing. "
        if engine.has_density:
            words += f"$\\log p(z)$ is always taken under the prior as {made}."
        elif engine.bounded:
            words += f"$\\log p(z)$ of this prior is known by a lower bound only, as {made}."
        st.markdown(words)
        levels.formula(engine)


def presets(engine: Engine) -> None:
    """Render buttons for three named scales, of which none may be larger than the most."""
    most = engine.prior.dial.most
    for words, scale in (("Safer", 0.7), (f"As {_made(engine)}", 1.0), ("Wilder", 1.3)):
        st.button(
            words,
            key=f"generate_preset_{scale:g}",
            on_click=commit,
            kwargs={"scale": scale},
            disabled=most is not None and scale > most,
            help=f"Scale {scale:g}",
        )


def _made(engine: Engine) -> str:
    return "fitted" if engine.fitted else "trained"
