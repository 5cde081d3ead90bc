"""Charts of all models of a data set, with errors, n and published results."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import figures, papers
from explorer.checkpoint import Entry
from explorer.comparison import arrays
from explorer.figures import PaperFigure
from explorer.metrics.published import Published, protocol
from explorer.naming import kind_words
from explorer.ui.address.controls import choice
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import table
from explorer.ui.evaluate.table import Row
from explorer.ui.panels import chart
from explorer.ui.wording import palette

_ROW = 36
_NAME = 60
"""Letters of a name in one line, which fit 390 pixels."""
_DIVERSITY = {"coverage": "Coverage", "recall": "Recall", "vendi": "Vendi score"}
DIVERSITY = {name: name.capitalize() for name in _DIVERSITY}


def likelihoods(rows: Sequence[Row], others: Sequence[Published]) -> PaperFigure:
    """Render log p(x) and the ELBO of every model, best first, with published results."""
    name, better = table.score_of(others)
    bits = name == "bits_per_dimension"
    items: list[tuple[float, str, Row | Published]] = [
        (row.entry.metrics[name].value, row.name, row) for row in rows if name in row.entry.metrics
    ]
    items += [
        (item.value, f"{kind_words(item.model, item.prior)}: {item.source}", item)
        for item in others
    ]
    items.sort(key=lambda item: better * item[0])
    figure = go.Figure()
    for place, (value, words, item) in enumerate(items):
        if isinstance(item, Published):
            figure.add_scatter(
                x=[value], y=[place], mode="markers", showlegend=False,
                marker={"symbol": "diamond-open", "size": 9, "color": _grey()},
                hovertemplate=f"{words}, {item.place}, S = {item.samples:,}: %{{x:.2f}}"
                "<extra></extra>",
            )  # fmt: skip
            continue
        metric = item.entry.metrics[name]
        bound = item.entry.metrics.get("elbo")
        colour = palette.PRIORS[item.entry.prior]
        if bound is not None and not bits:
            figure.add_scatter(
                x=[bound.value, value], y=[place, place], mode="lines+markers", showlegend=False,
                line={"color": colour, "width": 1}, opacity=0.55,
                marker={"symbol": "line-ns-open", "size": 8, "color": colour},
                hovertemplate="%{x:.2f}<extra>from the ELBO</extra>",
            )  # fmt: skip
        figure.add_scatter(
            x=[value], y=[place], mode="markers", showlegend=False,
            error_x={"array": [metric.se or 0], "thickness": 2, "width": 4},
            marker={"size": 10, "color": colour},
            hovertemplate=f"{words}: %{{x:.2f}} ± {metric.se or 0:.2f}, n = {metric.n:,}, "
            f"S = {metric.samples or 0:,}<extra></extra>",
        )  # fmt: skip
    figure.update_traces(cliponaxis=False)  # the best are at the edge
    # Names stand above their rows: beside them they would leave no room on a narrow screen. As
    # labels inside the axes that are wider than the plot, Plotly would never find a range.
    for place, (_, words, item) in enumerate(items):
        figure.add_annotation(
            text="<br>".join(wrap(words, _NAME)), align="left", showarrow=False,
            font={"color": _grey() if isinstance(item, Published) else _text()},
            x=0, xref="paper", xanchor="left", y=place, yanchor="bottom", yshift=3,
        )  # fmt: skip
    drawn = chart.render(
        figure,
        "evaluate_likelihood",
        x="bits per dimension (lower is better)" if bits else "log p(x), nats",
        y={
            "tickvals": list(range(len(items))),
            "ticktext": [words for _, words, _ in items],
            "showticklabels": False,
        },
        height=90 + _ROW * len(items),
    )
    what = "bits per dimension, from log p(x)," if bits else "log p(x)"
    words = f"Dots are {what} with one standard error over the test samples"
    words += "" if bits else ", the line extends to the ELBO"
    if others:
        words += (
            f"; grey diamonds are published results ({others[0].source}, "
            f"S = {others[0].samples:,}), {protocol(others[0].data)}"
        )
    st.caption(f"{words}. n and S are in the table; a smaller S looks worse on average.")
    return figures.of_charts(
        [row.entry for row in rows], [drawn], "Likelihood of the test samples", words, papers.VAMP
    )


def units(entries: Sequence[Entry], names: dict[str, str]) -> PaperFigure | None:
    """Render the KL of each unit in decreasing order, level by level."""
    figure = go.Figure()
    drawn = 0
    for index, entry in enumerate(entries):
        kl = arrays(entry).get("kl_per_unit")
        if kl is None or not np.isfinite(kl).all() or entry.config is None:
            continue
        drawn += 1
        for level, (start, stop) in levels_of(entry).items():
            sorted_kl = np.sort(kl[start:stop])[::-1]
            words = names[entry.slug] + (f", {level}" if level else "")
            figure.add_scatter(
                x=list(range(1, len(sorted_kl) + 1)), y=sorted_kl, mode="lines+markers",
                name=words, marker={"size": 4},
                line={"color": palette.CLASSES[index % len(palette.CLASSES)], "width": 1.5,
                      "dash": "dot" if level == "z1" else "solid"},
                hovertemplate="unit %{x}: %{y:.2f} nats<extra>" + words + "</extra>",
            )  # fmt: skip
    if not drawn:
        st.caption("The KL per unit was not measured for these models.")
        return None
    shown = chart.render(
        figure,
        "evaluate_units",
        x="latent unit (sorted by KL)",
        y={"title": "KL, nats", "rangemode": "tozero"},
        height=340,
        legend=1.25,
    )
    words = (
        "Mean KL of each unit over the test samples. Under a mixture the KL does not decompose "
        "over units; shown is the KL to the prior’s marginals, which does not sum to the total."
    )
    st.caption(words)
    return figures.of_charts(entries, [shown], "KL per latent unit", words)


def against_diversity(rows: Sequence[Row], view: EvaluateView) -> PaperFigure | None:
    """Render log p(x) against the diversity of samples."""
    figure = go.Figure()
    for row in rows:
        score = row.entry.metrics.get("log_likelihood")
        spread = row.entry.metrics.get(view.diversity)
        if score is None or spread is None:
            continue
        figure.add_scatter(
            x=[spread.value], y=[score.value], mode="markers", name=row.name,
            error_x={"array": [spread.se or 0], "thickness": 1, "width": 0},
            error_y={"array": [score.se or 0], "thickness": 1, "width": 0},
            marker={"size": 11, "color": palette.PRIORS[row.entry.prior],
                    "symbol": "square" if "hvae" in row.entry.model else "circle"},
            hovertemplate=f"{row.name}<br>%{{x:.3f}}, %{{y:.2f}} nats<extra></extra>",
        )  # fmt: skip
    if not figure.data:
        st.caption("Samples of these models were not compared with data.")
        return None
    nulls = [row.entry.metrics[view.diversity].null for row in rows
             if view.diversity in row.entry.metrics]  # fmt: skip
    real = [value for value in nulls if value is not None]
    if real:
        thin = {"width": 1, "dash": "dot", "color": _grey()}
        figure.add_vline(x=float(np.mean(real)), line=thin,
                         annotation={"text": "real data", "yref": "paper", "y": 1.0})  # fmt: skip
    drawn = chart.render(
        figure,
        "evaluate_scatter",
        x=f"diversity: {_DIVERSITY[view.diversity].lower()}",
        y="log p(x), nats",
        height=340,
    )
    st.caption(
        "High likelihood does not imply diverse samples. Squares have two levels; colours as in "
        "the first chart."
    )
    words = (
        "Bars are standard errors over test samples and over five draws; squares have two levels; "
        "the dotted line is the score of real data"
    )
    entries = [row.entry for row in rows]
    return figures.of_charts(entries, [drawn], "Likelihood and diversity", words, papers.DENSITY)


def levels_of(entry: Entry) -> dict[str, tuple[int, int]]:
    """Return each level's range of units; a single level has no name."""
    model = entry.config.model if entry.config is not None else None
    top = getattr(model, "top", None)
    if top is None:
        return {"": (0, entry.latent)}
    return {"z2": (0, top), "z1": (top, entry.latent)}


def _text() -> str:
    return palette.text(st.context.theme.type == "dark")


def _grey() -> str:
    return palette.grey(st.context.theme.type == "dark")


def details(rows: Sequence[Row], view: EvaluateView) -> dict[str, PaperFigure | None]:
    """Render the KL per unit beside likelihood against diversity; return both as figures."""
    names = {row.entry.slug: row.name for row in rows}
    shown = [row.entry for row in rows if row.entry.slug in (view.model, *view.compare)]
    sides = st.container(key="evaluate_details", horizontal=True, gap="large")
    with sides.container(width=460):
        st.subheader("KL per latent unit", anchor=False)
        kl = units(shown or [rows[0].entry], names)
    with sides.container(width=460):
        st.subheader("Likelihood and diversity", anchor=False)
        choice("Diversity", view, "diversity", DIVERSITY, label_visibility="collapsed")
        scatter = against_diversity(rows, view)
    return {"kl": kl, "diversity": scatter}
