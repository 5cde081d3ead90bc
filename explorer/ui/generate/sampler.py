"""Which sampler draws: the prior, or a flow on the codes, fitted here where there is none yet."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import settings
from explorer.checkpoint import FLOW, results_folder
from explorer.devices import convolves
from explorer.inference import Engine
from explorer.metrics.downstream import BATCH, STEPS
from explorer.ui import cache
from explorer.ui.address.controls import choice
from explorer.ui.address.views import GenerateView
from explorer.ui.panels import fit_prior
from explorer.ui.shell import jobs_panel, sibling
from explorer.ui.wording.naming import distinct_names

SAMPLERS = {"prior": "Prior", "flow": "Flow on codes"}


def choose(engines: list[Engine], view: GenerateView, row: DeltaGenerator) -> list[Engine]:
    """Render the choice of the sampler; return the models that it can draw from.

    Where none of them can be drawn from yet, what is missing is offered and the page ends.

    Args:
        engines: The models.
        view: The page's view.
        row: Where to render the choice.
    """
    names = dict(zip((engine.slug for engine in engines), distinct_names(engines), strict=True))
    if engines[0].has_prior:
        with row:
            choice("Sampler", view, "sampler", SAMPLERS)
    else:
        view.fill("sampler", "flow")
    if view.sampler == "prior":
        return engines
    ready = [engine for engine in engines if cache.flow(engine) is not None]
    if not ready and not engines[0].has_prior:
        _no_prior(engines[0])
    for engine in engines:
        if engine not in ready:
            _offer(engine, names[engine.slug])
    if not ready:
        view.write()
        st.stop()
    return ready


def words(engines: list[Engine], view: GenerateView) -> str:
    """Say what a flow is fitted to, and what the slider moves."""
    said = [] if engines[0].has_prior else ["A plain autoencoder has no prior to sample. "]
    for engine, name in zip(engines, distinct_names(engines), strict=True):
        flow = cache.flow(engine)
        assert flow is not None
        facts = flow.facts
        drawn = "codes drawn for" if facts.drawn else "the codes of"
        said.append(
            f"{f'{name}: fitted' if len(engines) > 1 else 'This flow was fitted'} afterwards to "
            f"{drawn} {facts.codes:,} training samples, in {facts.steps:,} steps of "
            f"{facts.batch} (seed {facts.seed}); it is no part of the model. "
        )
    return "".join(said) + (
        "Drag the slider, or drag across the images: each sample is followed from noise, with the "
        f"codes’ mean and spread in each unit, to a code in {view.steps} equal steps, and decoded "
        "after each. The scale multiplies the noise it starts from. "
    )


def formula(view: GenerateView) -> None:
    """Render how a flow draws a code."""
    with st.expander("Show the formula"):
        st.latex(
            r"u_0 = s\,\varepsilon,\quad \varepsilon \sim \mathcal N(0, I),\qquad "
            r"u_{k+1} = u_k + \tfrac1n\,v(u_k, \tfrac kn),\qquad "
            r"z_k = \mu + \sigma \odot u_k,\qquad x_k = \mathbb E[p(x \mid z_k)]"
        )
        st.markdown(
            f"$v$ is a network trained by flow matching, $n = {view.steps}$ the number of Euler "
            "steps, $\\mu$ and $\\sigma$ are the codes’ mean and standard deviation in each unit. "
            "The same flow is measured beside those of other models on Evaluate, under "
            "*Matching and generation*."
        )


def _offer(engine: Engine, name: str) -> None:
    drawn = "codes drawn for" if engine.checkpoint.config.model.stochastic else "codes of"
    if (results_folder(engine.checkpoint.hash) / FLOW).is_file():
        st.caption("The flow that was kept for this model is damaged; fit it again.")
    opened = engine.checkpoint
    slow = len(engine.space.levels) > 1 or convolves(opened.model)
    long = "some minutes" if slow else "about half a minute"
    jobs_panel.offer(
        engine,
        "flow",
        f"Fit the flow of {name}",
        f"A small network learns to turn noise into {drawn} the training data: {STEPS:,} steps of "
        f"{BATCH} codes, {long} on two cores, once for this model.",
    )


def _no_prior(engine: Engine) -> None:
    """Say that only a flow can sample an autoencoder, and where there is a model with a prior."""
    st.info(
        "This model is a plain autoencoder: it has no prior to sample. A flow fitted to its codes "
        "can be sampled instead, or a prior be fitted to them.",
        icon=":material/info:",
    )
    fit_prior.offer(engine, "generate")
    if not fit_prior.fitted(engine):
        sibling.with_prior(engine, "generate")
    st.page_link(
        settings.beside("pages") / "latent_map.py",
        label="Open the latent map",
        icon=":material/scatter_plot:",
        query_params={"model": engine.slug},
    )
