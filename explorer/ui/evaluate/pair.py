"""Comparison of two models on the same test samples: likelihood, its terms, and samples."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures
from explorer.checkpoint import Entry
from explorer.comparison import arrays, difference
from explorer.figures import PaperFigure
from explorer.ui.address.controls import commit
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate.table import Row
from explorer.ui.panels import chart
from explorer.ui.wording import glossary, palette, rules
from explorer.ui.wording.format import signed


def pair(rows: Sequence[Row], view: EvaluateView) -> PaperFigure | None:
    """Render a comparison of two models on the same test samples."""
    if len(rows) < 2:
        return None
    st.subheader("Two models on the same test samples", anchor=False)
    slugs = [row.entry.slug for row in rows]
    names = {row.entry.slug: row.name for row in rows}
    with st.container(horizontal=True, gap="medium"):
        for field, label in (("one", "Model A"), ("other", "minus model B")):
            st.session_state[f"evaluate_{field}"] = getattr(view, field)
            st.selectbox(
                label,
                slugs,
                key=f"evaluate_{field}",
                format_func=lambda slug: names[slug],
                on_change=_paired,
                args=(field,),
                width=420,
            )
    found = {row.entry.slug: row.entry for row in rows}
    one, other = found[view.one], found[view.other]
    _differences(one, other)
    return _histogram([one, other], names)


def default_pair(rows: Sequence[Row]) -> tuple[str, str]:
    """Return X-VAE and the standard normal prior of one model if both exist, else the best two."""
    entries = [row.entry for row in rows]
    for entry in entries:
        if entry.prior == "xvae":
            for other in entries:
                if other.prior == "standard" and (other.model, other.latent) == (
                    entry.model,
                    entry.latent,
                ):
                    return entry.slug, other.slug
    slugs = [entry.slug for entry in entries] or [""]
    return slugs[0], slugs[min(1, len(slugs) - 1)]


def _paired(field: str) -> None:
    commit(**{field: st.session_state[f"evaluate_{field}"]})


def _differences(one: Entry, other: Entry) -> None:
    shown = (
        ("log_likelihood", "log p(x), nats"),
        ("elbo", "ELBO, nats"),
        ("reconstruction", "log p(x|z), nats"),
        ("kl", "KL, nats"),
        ("density", "Fidelity: density"),
        ("coverage", "Diversity: coverage"),
        ("frechet_distance", "Fréchet distance"),
    )
    paired, common, n = 0, 0, 0
    with st.container(horizontal=True, gap="small"):
        for name, label in shown:
            found = difference(one, other, name)
            if found is None:
                continue
            paired += found.paired
            if found.paired:
                common, n = found.n, max(one.metrics[name].n, other.metrics[name].n)
            digits = 3 if name in ("density", "coverage") else 2
            with st.container(width=148, gap=None):
                value = signed(f"{found.value:+.{digits}f}")
                st.metric(label, value, help=glossary.define(label.removesuffix(", nats")))
                st.caption(
                    f"± {found.error:.{digits}f}{', paired' if found.paired else ''}  \n"
                    + ("significant" if found.significant else "not significant")
                    + ("; lower is better" if name == "frechet_distance" else "")
                )
    words = (
        "A minus B, ± one standard error. Significant is what a 95 % interval by Student’s t "
        "tells from 0; five draws of samples have a wide one."
    )
    depths = [
        entry.metrics["log_likelihood"].samples or 0
        for entry in (one, other)
        if "log_likelihood" in entry.metrics
    ]
    if len(set(depths)) > 1:
        words += (
            f" log p(x) was measured with S = {depths[0]:,} and {depths[1]:,}; the larger S looks "
            "better."
        )
    if paired:
        words += " Paired: on the same test samples, which gives a much smaller error."
    if common < n:
        words += f" The test sets differ: {common:,} of {n:,} samples are in both."
    if one.pseudo or other.pseudo:
        words += rules.PSEUDO
    st.caption(words)


def _histogram(entries: Sequence[Entry], names: dict[str, str]) -> PaperFigure | None:
    values = {
        entry.slug: arrays(entry).get("log_likelihood") for entry in entries if not entry.pseudo
    }
    known = {slug: value for slug, value in values.items() if value is not None and len(value)}
    if not known:
        return None
    everything = np.concatenate(list(known.values()))
    low, high = np.quantile(everything, (0.001, 0.999))
    edges = np.linspace(low, high, 61)
    figure = go.Figure()
    for index, (slug, value) in enumerate(known.items()):
        counts = np.histogram(value, edges)[0]
        figure.add_scatter(
            x=edges[:-1], y=counts / len(value), mode="lines", name=names[slug],
            line={"shape": "hv", "color": palette.CLASSES[index],
                  "dash": "solid" if index == 0 else "dash"},
            hovertemplate="from %{x:.1f} nats: %{y:.1%}<extra></extra>",
        )  # fmt: skip
    drawn = chart.render(
        figure,
        "evaluate_histogram",
        x="log p(x) of a test sample, nats",
        y={"title": "share of test samples", "tickformat": ".0%"},
        legend=1.2,
    )
    sizes = " and ".join(f"{len(scores):,}" for scores in known.values())
    told = f"Share of the test samples (n = {sizes}) in each of 60 bins"
    return figures.of_charts(entries, [drawn], "log p(x) of each test sample", told)
