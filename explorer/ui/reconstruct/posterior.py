"""The posterior of one sample: compared with the prior, and refined for this sample alone."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer.inference import Engine
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import ReconstructView
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid
from explorer.ui.panels import chart
from explorer.ui.panels.upload import Given
from explorer.ui.wording import palette
from explorer.ui.wording.format import signed
from explorer.ui.wording.naming import distinct_names, prior_name


def posterior(engine: Engine, given: Given) -> None:
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
        chart.render(
            figure,
            "reconstruct_posterior",
            x={"title": "latent unit (sorted by posterior std)", "type": "category"},
            y={"title": "mean ± std (prior std)", "zeroline": True},
            height=230,
        )


def refinement(engines: list[Engine], given: Given) -> None:
    """Render the refinement of this sample's posterior, and the amortisation gap it shows."""
    figure = go.Figure()
    said, sizes = [], ""
    with st.container(horizontal=True, gap="small"):
        names = distinct_names(engines)
        for index, (engine, name) in enumerate(zip(engines, names, strict=True)):
            if not engine.has_prior:
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
    chart.render(
        figure,
        "reconstruct_gap",
        x="gradient step on the mean and std of q",
        y="ELBO of this sample, nats",
        height=260,
        legend=1.15,
    )
    st.caption(
        f"Gain in the ELBO: {'; '.join(said)}. This is a lower bound on the amortisation gap of "
        f"the shared encoder. {sizes} fixed samples not used for the optimisation."
    )


def pane(engines: list[Engine], given: Given, view: ReconstructView) -> None:
    """Render the posterior of the sample, and how much it can be improved."""
    posterior(engines[0], given)
    st.markdown("**Refine**")
    control(st.toggle, "Optimise the posterior for this sample alone", view, "refine")
    if view.refine and engines[0].has_prior:
        refinement(engines, given)
    else:
        st.caption(
            "The encoder is amortised over all data. Optimising q(z|x) for this sample alone "
            "shows the amortisation gap in nats."
        )
