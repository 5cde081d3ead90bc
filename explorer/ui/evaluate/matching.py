"""Do codes have the law of their prior, and how well are they generated? Models side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import streamlit as st

from explorer.checkpoint import Entry, Metric
from explorer.comparison import same_data
from explorer.metrics.downstream import BATCH, EULER, STEPS
from explorer.metrics.evaluation import SENTINELS
from explorer.metrics.measures import ON_REQUEST
from explorer.ui import cache
from explorer.ui.address.controls import control
from explorer.ui.address.views import EvaluateView
from explorer.ui.evaluate import table
from explorer.ui.evaluate.table import Row
from explorer.ui.shell import jobs_panel
from explorer.ui.wording import glossary, palette
from explorer.ui.wording.naming import labels

TITLE = "Matching and generation"
PART_OF_ALL = "--part matching --part downstream"

MATCHING = {"c2st": "C2ST", "reference_sliced": "Sliced W²", "reference_mmd": "MMD²"}
LIKELIHOODS = {"log_likelihood": "log p(x)", "reconstruction": "log p(x|z)"}
SAMPLES = {
    "flow_floor": "Fréchet, reconstruction",
    "direct_frechet": "Fréchet, prior",
    "direct_copies": "Near copies, prior",
    "flow_frechet": "Fréchet, flow",
    "flow_copies": "Near copies, flow",
}
"""Metrics of the table and the headings of their columns; copies stand beside each distance."""


def rows(known: Sequence[Row]) -> list[Row]:
    """List the models of the data with at least one of these measures, autoencoders included."""
    entries = [row.entry for row in known]
    if entries:
        entries += [
            entry
            for entry in cache.entries()
            if entry.prior == "none" and entry.healthy and same_data(entry, entries[0])
        ]
    measured = [entry for entry in entries if _measured(entry)]
    names = labels(cache.entries())
    return [
        Row(entry, names[entry.slug] if entry.slug in names else table.title(entry, measured))
        for entry in measured
    ]


def matching(known: Sequence[Row], view: EvaluateView) -> list[Row]:
    """Render the table of models with as many units; return those that are shown."""
    found = rows(known)
    st.subheader(TITLE, anchor=False)
    if not found:
        st.caption(
            "No model of these data was measured yet. Run `latent-explorer evaluate SLUG "
            f"{PART_OF_ALL}`, or measure the open model here."
        )
        _offer(known, view)
        return []
    sizes = sorted({row.entry.latent for row in found}, reverse=True)
    own = next((row.entry.latent for row in known if row.entry.slug == view.model), 0)
    first = own if own in sizes else sizes[0]
    if view.latent not in sizes:
        if view.latent:
            view.fall_back("latent", first, "is no measured size", f"showing {first} units")
        else:
            view.fill("latent", first)
    if len(sizes) > 1:
        control(
            st.segmented_control,
            "Units",
            view,
            "latent",
            options=sizes,
            format_func=lambda size: f"{size} units",
            required=True,
        )
    shown = [row for row in found if row.entry.latent == view.latent]
    shown.sort(key=lambda row: _order(row.entry))
    _table("codes", [code_line(row) for row in shown], None)
    _table("flows", [sample_line(row) for row in shown], null_line(shown))
    st.caption(_explained(shown))
    _offer(known, view)
    return shown


class Way(NamedTuple):
    """How the prior and the codes of a model come together."""

    order: int
    words: str


def way(entry: Entry) -> Way:
    """Tell how a model's prior and its codes come together."""
    if entry.prior == "none":
        return Way(0, "no prior")
    objective = entry.config.objective.kind if entry.config is not None else "elbo"
    if objective == "matching":
        return Way(4, "codes matched to it")
    if entry.config is not None and entry.config.fitted is not None:
        return Way(2, "fitted afterwards")
    if entry.prior == "standard":
        return Way(1, "fixed")
    if entry.prior.startswith("xvae"):
        return Way(2, "from an autoencoder")
    return Way(3, "learned")


def code_line(row: Row) -> dict[str, str]:
    """Write how the codes of a model agree with its prior, and its likelihood."""
    cells = {"Model": short(row), "Prior": way(row.entry).words}
    return cells | _cells(row.entry, MATCHING | LIKELIHOODS) | {"n": _count(row.entry, MATCHING)}


def sample_line(row: Row) -> dict[str, str]:
    """Write what is decoded from codes of the prior, and from those of the flow."""
    metrics = row.entry.metrics
    units = [metrics[name].unit for name in SAMPLES if name in metrics and "copies" not in name]
    network = units[0].rpartition(" ")[2] if units else "none"
    cells = {"Model": short(row)} | _cells(row.entry, SAMPLES)
    return cells | {"Network": network, "n": _count(row.entry, SAMPLES)}


def null_line(shown: Sequence[Row]) -> dict[str, str]:
    """Write what real data score in place of samples."""
    cells = {"Model": "Real data"}
    for name in SAMPLES:
        nulls = [row.entry.metrics[name].null for row in shown if name in row.entry.metrics]
        if nulls and nulls[0] is not None:
            copied = "copies" in name
            cells[SAMPLES[name]] = f"{100 * nulls[0]:.1f} %" if copied else f"{nulls[0]:.1f}"
    return cells


def _table(name: str, lines: Sequence[dict[str, str]], null: dict[str, str] | None) -> None:
    grey = "color: " + palette.grey(st.context.theme.type == "dark")
    colours = [""] * len(lines) + [grey] * (null is not None)
    laid = pd.DataFrame([*lines, *filter(None, [null])]).fillna("–")
    st.dataframe(
        laid.style.apply(lambda column: colours),
        key=f"evaluate_{name}",
        hide_index=True,
        column_config={
            column: st.column_config.TextColumn(help=glossary.define(column)) for column in laid
        }
        | {"Model": st.column_config.TextColumn(pinned=True, width=210)},
    )


def short(row: Row) -> str:
    """Leave out the units, which all that are shown have in common."""
    return row.name.replace(f", {row.entry.latent} units", "")


def _cells(entry: Entry, names: Mapping[str, str]) -> dict[str, str]:
    known = entry.metrics
    return {
        heading: _cell(name, known[name]) if name in known else _lack(entry, name)
        for name, heading in names.items()
    }


def _count(entry: Entry, names: Iterable[str]) -> str:
    found = [entry.metrics[name].n for name in names if name in entry.metrics]
    return f"{max(found):,}" if found else "–"


def _cell(name: str, metric: Metric) -> str:
    if "copies" in name:
        return f"{100 * metric.value:.1f} ± {100 * (metric.se or 0):.1f} %"
    digits = {"c2st": 3, "reference_sliced": 4, "reference_mmd": 4}.get(name, 1)
    words = f"{metric.value:,.{digits}f}"
    if metric.se is not None:
        words += (
            f" ± {metric.se:,.{digits}f}" if round(metric.se, digits) else f" ± {metric.se:.1g}"
        )
    if metric.null_high is not None and metric.null is not None:
        words += f" ({metric.null:.{digits}f}; {metric.null_high:.{digits}f})"
    return words.replace("-", "−")


def _lack(entry: Entry, name: str) -> str:
    """Tell why a model lacks a measure."""
    if entry.prior == "none" and (name in MATCHING or name.startswith(("direct", "log_"))):
        return "no prior"
    config = entry.config
    if name == "log_likelihood" and config is not None and config.prior is not None:
        if entry.pseudo:
            return "pseudo-likelihood"
        if not config.model.has_likelihood:
            return "no likelihood"
        if not config.model.stochastic:
            return "deterministic encoder"
        if not config.prior.has_density:
            return "prior without density"
    featured = "frechet" in name or name == "flow_floor"
    if featured and SENTINELS["downstream"] in entry.metrics:
        return "no feature network"
    return "not measured"


def _measured(entry: Entry) -> bool:
    return any(SENTINELS[part] in entry.metrics for part in ON_REQUEST)


def _order(entry: Entry) -> tuple[int, str]:
    return way(entry).order, entry.slug


def _explained(shown: Sequence[Row]) -> str:
    few = min(
        (
            row.entry.metrics[name].n
            for row in shown
            for name in SAMPLES
            if name in row.entry.metrics
        ),
        default=0,
    )
    return (
        "C2ST: held-out accuracy of a classifier between drawn codes of test data and fresh codes "
        "of the prior. In brackets the prior against itself at the same size: the mean, and the "
        "value that 95 % of its draws stay below. Flow: the same flow matching on the "
        f"standardised codes of every model ({STEPS:,} steps of {BATCH} codes, {EULER[-1]} "
        "sampling steps), decoded by the model. Near copies lie closer to training data than 95 % "
        f"of held-out data do. Samples are compared with n = {few:,} test data; distances in "
        "features of the named network, to be compared at equal n only."
    )


def _offer(known: Sequence[Row], view: EvaluateView) -> None:
    """Offer to measure the open model, if only this is lacking."""
    entry = next((item for item in cache.entries() if item.slug == view.model), None)
    same = bool(known) and entry is not None and same_data(entry, known[0].entry)
    if entry is None or not same or not entry.healthy or _measured(entry):
        return
    usual = {name for part, name in SENTINELS.items() if part in ("likelihood", "fidelity")}
    if entry.prior != "none" and not usual <= entry.metrics.keys():
        return  # the button above measures these first
    jobs_panel.offer_of(
        entry,
        "evaluate",
        "Measure matching and generation",
        "Of the open model, on one core: about a minute for small data, three for MNIST.",
    )
