"""What does the number of components change, in models that differ by nothing else?"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from explorer import figures
from explorer.checkpoint import Entry
from explorer.comparison import difference
from explorer.figures import PaperFigure
from explorer.ui.evaluate import table
from explorer.ui.evaluate.table import Row
from explorer.ui.panels import chart
from explorer.ui.wording import palette
from explorer.ui.wording.format import signed


def over_components(rows: Sequence[Row]) -> PaperFigure | None:
    """Render ELBO and active units against K, for models trained with several K."""
    groups: dict[table.Form, list[tuple[int, Entry]]] = {}
    for row in rows:
        entry = row.entry
        count = getattr(entry.config.prior, "components", None) if entry.config else None
        if count is not None and "elbo" in entry.metrics:
            groups.setdefault(table.form(entry), []).append((count, entry))
    series = {key: sorted(found, key=lambda item: item[0]) for key, found in groups.items()
            if len(found) > 2}  # fmt: skip
    if not series:
        return None
    st.subheader("Effect of the number of components K", anchor=False)
    charts = []
    views = (("elbo", "ELBO, nats"), ("active_units_absolute", "active units, absolute"))
    with st.container(horizontal=True, gap="small"):
        for column, (name, label) in enumerate(views):
            figure = go.Figure()
            for index, (own, found) in enumerate(series.items()):
                shown = [(k, entry.metrics[name]) for k, entry in found if name in entry.metrics]
                figure.add_scatter(
                    x=[k for k, _ in shown],
                    y=[metric.value for _, metric in shown],
                    error_y={"array": [metric.se or 0 for _, metric in shown], "width": 3},
                    mode="lines+markers",
                    name=own.words,
                    line={"color": palette.CLASSES[index]},
                )
                plain = _without_components(found[0][1], rows)
                if plain is not None and name in plain.metrics:
                    figure.add_scatter(
                        x=[k for k, _ in shown],
                        y=[plain.metrics[name].value] * len(shown),
                        mode="lines",
                        showlegend=False,
                        hovertemplate=f"%{{y}} {label}, standard normal<extra></extra>",
                        line={"color": palette.CLASSES[index], "dash": "dot", "width": 1.5},
                    )
            ticks = sorted({k for found in series.values() for k, _ in found})
            with st.container(width=460):
                drawn = chart.render(
                    figure,
                    f"evaluate_components_{name}",
                    x={
                        "title": "components K",
                        "type": "log",
                        "tickvals": ticks,
                        "ticktext": [f"{k:,}" for k in ticks],
                    },
                    y=label,
                    legend=1.2 if column == 0 else None,
                )
            charts.append(drawn)
    words = (
        "Same model and training, increasing K; dotted line: standard normal prior. "
        f"{_rises(series)} Figures 2 and 3 of the VampPrior paper make the same comparison with "
        "wider networks; there more components did not help. Active units use the absolute "
        "criterion, as in the paper; the table of units has both."
    )
    st.caption(words)
    entries = [entry for found in series.values() for _, entry in found]
    return figures.of_charts(entries, charts, "Effect of the number of components K", words)


def _rises(series: Mapping[table.Form, Sequence[tuple[int, Entry]]]) -> str:
    """Tell by how much the ELBO changes from the fewest to the most components."""
    told = []
    for own, found in series.items():
        (few, first), (many, last) = found[0], found[-1]
        gap = difference(last, first, "elbo")
        if gap is None:
            continue
        paired = ", paired" if gap.paired else ""
        told.append(
            signed(
                f"{own.words}: {gap.value:+.2f} ± {gap.error:.2f} nats{paired}, from K = {few:,} "
                f"to {many:,}"
            )
        )
    return f"Change of the ELBO of {'; '.join(told)}." if told else ""


def _without_components(entry: Entry, rows: Sequence[Row]) -> Entry | None:
    """Find the same model with the same training and a standard normal prior."""

    def recipe(of: Entry) -> object:
        if of.config is None:
            return None
        unlike = {"init": None, "prior_learning_rate": None}
        return of.config.model, of.config.training.model_copy(update=unlike)

    return next(
        (
            row.entry
            for row in rows
            if row.entry.prior == "standard" and recipe(row.entry) == recipe(entry)
        ),
        None,
    )
