"""The posterior of one sample: compared with the prior, and refined for this sample alone."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures
from explorer.figures import Chart
from explorer.inference import Engine
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import ReconstructView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid
from explorer.ui.panels import chart, export_menu
from explorer.ui.panels.upload import Given
from explorer.ui.wording import palette
from explorer.ui.wording.format import signed
from explorer.ui.wording.naming import distinct_names, prior_name


def posterior(engine: Engine, given: Given) -> Chart | None:
    """Render the posterior beside the prior, unit by unit."""
    q = engine.encode(given.x)
    if q.scale is not None:
        loc, scale = engine.moments()
        mean, spread = (q.loc[0] - loc) / scale, q.scale[0] / scale
        order = np.argsort(spread, kind="stable")
        figure = go.Figure()
        figure.add_scatter(
            x=[str(unit) for unit in order],
            y=mean[order],
            error_y={"array": spread[order], "thickness": 1.5, "width": 0},
            mode="markers",
            marker={"color": palette.CLASSES[0], "size": 6},
            name="posterior",
        )
        st.markdown(f"**Posterior, {prior_name(engine)}**")
        return chart.render(
            figure,
            "reconstruct_posterior",
            x={"title": "latent unit (sorted by posterior std)", "type": "category"},
            y={"title": "mean ± std (prior std)", "zeroline": True},
            height=230,
        )
    return None


def refinement(engines: list[Engine], given: Given) -> tuple[Chart, str]:
    """Render the refinement of this sample's posterior, and the amortisation gap it shows."""
    figure = go.Figure()
    said, sizes = [], ""
    with st.container(horizontal=True, gap="small"):
        names = distinct_names(engines)
        for index, (engine, name) in enumerate(zip(engines, names, strict=True)):
            if not engine.refinable:
                continue
            with st.spinner("Refining"):
                found = cache.refined(engine, given.x)
            sizes = f"{len(found.elbo) - 1} Adam steps; the ELBO is evaluated on {found.samples}"
            bound = found.elbo.numpy()
            figure.add_scatter(
                y=bound, mode="lines", name=name, line={"color": palette.CLASSES[index]}
            )
            said.append(signed(f"{name} {found.rise:+.2f} ± {found.error:.2f} nats"))
            x = engine.decode(found.loc.numpy()[None])
            with st.container(width=150, key=f"reconstruct_refined_{engine.slug}"):
                filmstrip(
                    samples_strip(x, engine.sketch),
                    key=f"reconstruct_{engine.slug}_refined",
                    grid=Grid(tile_width=engine.sketch.tile_width(75)),
                )
                st.caption(f"{name}, refined")
    drawn = chart.render(
        figure,
        "reconstruct_gap",
        x="gradient step on the mean and std of q",
        y="ELBO of this sample, nats",
        height=260,
        legend=1.15,
    )
    words = (
        f"Gain in the ELBO: {'; '.join(said)}. This is a lower bound on the amortisation gap of "
        f"the shared encoder. {sizes} fixed samples not used for the optimisation."
    )
    st.caption(words)
    return drawn, words


def pane(engines: list[Engine], given: Given, view: ReconstructView) -> None:
    """Render the posterior of the sample, and how much it can be improved."""
    known = {}
    first = engines[0].checkpoint
    drawn = posterior(engines[0], given)
    if drawn is not None:
        known["posterior"] = figures.of_charts(
            [first], [drawn], f"Posterior of {_named(given)}",
            "Mean and standard deviation of each unit, in standard deviations of the prior",
        )  # fmt: skip
    st.markdown("**Refine**")
    if engines[0].scored and not engines[0].refinable:
        if view.refine:
            view.fall_back("refine", False, "needs derivatives", "leaving the posterior as it is")
        st.caption(f"{engines[0].why_rigid} A posterior cannot be refined.")
        export_menu.figures_menu(known, f"{first.slug}-reconstruct", "reconstruct_charts")
        return
    control(st.toggle, "Optimise the posterior for this sample alone", view, "refine")
    if view.refine and engines[0].refinable:
        gap, words = refinement(engines, given)
        models = [engine.checkpoint for engine in engines if engine.refinable]
        known["gap"] = figures.of_charts(
            models, [gap], f"Refined posterior of {_named(given)}", words
        )
    else:
        st.caption(
            "The encoder is amortised over all data. Optimising q(z|x) for this sample alone "
            "shows the amortisation gap in nats."
        )
    export_menu.figures_menu(known, f"{first.slug}-reconstruct", "reconstruct_charts")


def _named(given: Given) -> str:
    return given.words[:1].lower() + given.words[1:]
