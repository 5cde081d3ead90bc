"""Charts of all models of a data set, with errors, n and published results."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import figures, papers
from explorer.checkpoint import Entry
from explorer.comparison import arrays, difference
from explorer.errors import StoreError
from explorer.figures import PaperFigure
from explorer.metrics.published import Published, protocol
from explorer.naming import kind_words
from explorer.ui.address.controls import choice, control
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import pair, table
from explorer.ui.evaluate.table import Row
from explorer.ui.panels import chart, export_menu
from explorer.ui.picks import service
from explorer.ui.shell import jobs_panel
from explorer.ui.wording import glossary, palette, rules
from explorer.ui.wording.format import signed

_ROW = 36
_WANTED = ("reconstruction", "active_units_absolute", "density", "mmd")
"""Metrics of which each stands for a part that may be lacking."""
_DIVERSITY = {"coverage": "Coverage", "recall": "Recall", "vendi": "Vendi score"}
DIVERSITY = {name: name.capitalize() for name in _DIVERSITY}


def resolve_data_set(view: EvaluateView, own: str) -> list[Row]:
    """Resolve the data set and the two compared models; return all its models."""
    known = table.groups()
    if view.of not in known:
        kin = [key for key, group in known.items() if view.of == group.entries[0].data]
        named = [key for key in kin if view.one in {e.slug for e in known[key].entries}]
        home = [key for key, g in known.items() if own in {entry.slug for entry in g.entries}]
        first = (named + kin + home + list(known) + [""])[0]
        if view.of and not kin:
            instead = f"showing {known[first].words}" if first else "showing none"
            view.fall_back("of", first, "has no results", instead)
        elif view.of:
            view.of = first
        else:
            view.fill("of", first)
    rows = table.rows(view.of) if view.of else []
    slugs = [row.entry.slug for row in rows]
    one, other = pair.default_pair(rows)
    names = {row.entry.slug: row.name for row in rows} | {"": "none"}
    why = "has no results on this data set"
    if view.one not in slugs:
        view.fall_back("one", one, why, f"showing {names[one]}")
    second = other if other != view.one else one
    if view.other not in slugs or (view.other == view.one and len(slugs) > 1):
        again = "is model A as well" if view.other in slugs else why
        view.fall_back("other", second, again, f"showing {names[second]}")
    return rows


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
    drawn = chart.render(
        figure,
        "evaluate_likelihood",
        x="bits per dimension (lower is better)" if bits else "log p(x), nats",
        y={
            "tickvals": list(range(len(items))),
            # Above their rows: beside them, names would leave no room on a narrow screen.
            "ticklabelposition": "inside top",
            "ticktext": [
                f"<span style='color:{_grey() if isinstance(item, Published) else _text()}'>"
                f"{words}</span>"
                for _, words, item in items
            ],
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


def measures(rows: Sequence[Row], view: EvaluateView) -> None:
    """Render one group of metrics as a table; published results and real data in grey."""
    told = _told_apart(rows) if view.group == "samples" else {}
    others = table.comparable(view.of, rows)
    lines = table.lines(rows, view.group, others, told)
    ours_first = sorted(lines, key=lambda line: line.grey)
    columns = list(dict.fromkeys(name for line in ours_first for name in line.cells))
    laid = pd.DataFrame([line.cells for line in lines], columns=columns).fillna("–")
    grey = [f"color: {_grey()}" if line.grey else "" for line in lines]
    st.dataframe(
        laid.style.apply(lambda column: grey),
        key="evaluate_table",
        hide_index=True,
        column_config={
            name: st.column_config.TextColumn(help=glossary.define(name)) for name in columns
        }
        | {"Model": st.column_config.TextColumn(pinned=True, width=280)},
    )
    pseudo = view.group == "likelihood" and any(row.entry.pseudo for row in rows)
    blind = (
        f" {table.TOLD}: your blind tests on Generate, with a 95 % interval; 50 % is chance."
        if told
        else ""
    )
    cited = [
        f" {table.initials(source)}: {source}."
        for source in dict.fromkeys(item.source for item in others)
        if view.group == "likelihood"
    ]
    said = table.EXPLAINED[view.group] + "".join(cited) + blind
    st.caption(said + (rules.PSEUDO if pseudo else ""))


def _told_apart(rows: Sequence[Row]) -> dict[str, str]:
    project, _ = service.current()
    if project is None:
        return {}
    try:
        return table.told_apart(rows, project.id, service.store())
    except StoreError:
        return {}


def missing(rows: Sequence[Row]) -> None:
    """Render buttons that compute missing metrics."""
    lacking = [
        row
        for row in rows
        if row.entry.healthy and any(name not in row.entry.metrics for name in _WANTED)
    ]
    if not lacking:
        return
    count = f"{len(lacking)} models lack" if len(lacking) > 1 else "One model lacks"
    with st.expander(f"{count} metrics"):
        for row in lacking:
            st.markdown(f"**{row.name}**")
            jobs_panel.offer_of(
                row.entry,
                "evaluate",
                f"Compute missing metrics for {row.name}",
                "On the whole test split (log p(x) with S = 500); can be stopped and resumed.",
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


def export(
    where: DeltaGenerator,
    view: EvaluateView,
    rows: Sequence[Row],
    known: Mapping[str, PaperFigure | None],
) -> None:
    """Render the export menu in its place: results as CSV, and the charts as figures."""
    drawn = {name: figure for name, figure in known.items() if figure is not None}
    with where.popover("Export", icon=":material/download:"):
        st.download_button(
            "Results (CSV)",
            table.as_csv(view.of, rows),
            f"{view.of}-results.csv",
            "text/csv",
            width="stretch",
        )
        export_menu.figure_buttons(drawn, f"{view.of}-results", "evaluate_export")


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


def require_rows(view: EvaluateView, own: str) -> list[Row]:
    """Return the models of the view's data set; stop with a message if none was evaluated."""
    rows = resolve_data_set(view, own)
    if not rows:
        st.info("No model has been evaluated yet. Run `latent-explorer evaluate SLUG`.")
        view.write()
        st.stop()
    return rows


def toolbar(view: EvaluateView) -> DeltaGenerator:
    """Render the choice of the data set; return the place of the export menu beside it."""
    known = table.data_sets()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control(
            st.selectbox,
            "Data set",
            view,
            "of",
            options=list(known),
            format_func=known.get,
            width=300,
        )
        return st.container(width="content")


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
