"""How typical one sample is: its likelihood among held-out data, and its nearest neighbours."""

import streamlit as st

from explorer.inference import Engine
from explorer.metrics.likelihood import Likelihood
from explorer.metrics.novelty import anomaly
from explorer.projection import nearest, positions
from explorer.ui import cache
from explorer.ui.address.notation import code_text
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid
from explorer.ui.panels import latent_plane, table
from explorer.ui.panels.pictures import pictures_of
from explorer.ui.panels.upload import Given
from explorer.ui.shell import pages, sibling
from explorer.ui.wording import rules
from explorer.ui.wording.format import length
from explorer.ui.wording.naming import distinct_names, prior_name

LIKELIHOODS = ("log p(x)", "ELBO", "log p(x|z)")
FEW = 20
"""Below this effective sample size log p(x) is a loose lower bound."""


def place_among_data(engine: Engine, given: Given) -> None:
    """Render the sample's code on the map, and the data with the nearest codes."""
    q = engine.encode(given.x)
    atlas = cache.atlas(engine)
    if atlas is None:
        return
    st.markdown("**Position among the data**")
    spot = positions(atlas, q.loc)
    latent_plane.chart(
        engine,
        atlas,
        key="reconstruct_map",
        shown=("data",),
        colour="label" if atlas.classes else "log_prior",
        marks=[(float(spot[0, 0]), float(spot[0, 1]), "x")],
        height=340,
    )
    if atlas.method != "plane":
        st.caption("Placed at the geometric median of its 15 nearest neighbours’ map positions.")
    rows, distance = nearest(atlas.codes, q.loc[0], 17)
    keep = rows != given.row
    shown = pictures_of(engine, rows[keep][:16])
    st.markdown(shown.heading(f"Data with the nearest codes, {prior_name(engine)}"))
    filmstrip(
        shown.strip,
        key="reconstruct_near",
        grid=Grid(
            captions=[f"distance {length(float(value))}" for value in distance[keep][:16]],
            tile_width=engine.sketch.tile_width(44),
            noun="neighbour",
        ),
    )
    st.caption(shown.words)
    with st.container(horizontal=True):
        code = code_text(q.loc[0])
        st.page_link(
            pages.page_path("traverse"),
            label="Traverse from its code",
            icon=":material/tune:",
            query_params={"model": engine.slug, "centre": code},
        )
        st.page_link(
            pages.page_path("interpolate"),
            label="Interpolate from its code",
            icon=":material/timeline:",
            query_params={"model": engine.slug, "ends": code},
        )


def terms(engines: list[Engine], given: Given) -> None:
    """Render the terms of the ELBO, log p(x), and its percentile among held-out data."""
    scored = [engine for engine in engines if engine.scored]
    if not scored:
        st.caption(engines[0].why_unscored)
        if not engines[0].has_prior:
            sibling.with_prior(engines[0], "reconstruct")
        return
    rows, notes = [], []
    pseudo = [engine.checkpoint.pseudo for engine in scored]
    for engine, name in zip(scored, distinct_names(scored), strict=True):
        found = cache.scored(engine, given.x)
        place = None if given.smooth else _place(engine, found)
        terms = (found.log_likelihood, found.elbo, found.reconstruction, found.kl)
        loose = "≥ " if float(found.effective[0]) < FEW else ""
        values = [f"{float(term[0]):.1f}".replace("-", "−") for term in terms]
        if engine.checkpoint.pseudo and not all(pseudo):  # beside a likelihood
            loose, values[:3] = "", ["–"] * 3
        share = "–" if place is None else rules.anomaly(*place[:2])
        rows.append(table.Line(name, (f"{loose}{values[0]}", *values[1:], share)))
        notes.append(
            f"{name}: S = {cache.importance_samples(engine):,}, "
            f"{float(found.effective[0]):.0f} effective"
            + ("" if place is None else f", {place[2]:,} test samples")
        )
    kinds = ("Pseudo-likelihood", "Bound", "Reconstruction")
    columns = (*(kinds if all(pseudo) else LIKELIHOODS), "KL", "Anomaly percentile")
    table.render(rows, columns, label="Model", numbers=True)
    st.caption(
        "In nats, by importance sampling, seed 0; ≥ marks a loose lower bound, with under "
        f"{FEW} effective samples. The anomaly percentile is the percentage of test samples with "
        "a higher log p(x), estimated with as many samples; its error is that of this estimate. "
        f"{'; '.join(notes)}."
        + (rules.PSEUDO if any(pseudo) else "")
        + (" A decoded mean is smoother than data, and is not ranked." if given.smooth else "")
    )


def _place(engine: Engine, found: Likelihood) -> tuple[float, float, int] | None:
    """Return the percentage of test samples that are more likely, its error, and their number."""
    known = cache.test_likelihood(engine)
    if known is None or not len(known):
        return None
    error = float(found.error(cache.importance_samples(engine))[0])
    value, error = anomaly(float(found.log_likelihood[0]), error, known)
    return value, error, len(known)
