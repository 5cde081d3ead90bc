"""Tables of the metrics of all models of a data set, with published results."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from explorer.checkpoint import Entry
from explorer.comparison import DataGroup, data_groups
from explorer.designs.candidates import Store
from explorer.designs.formats import cell as quoted
from explorer.designs.formats import sheet
from explorer.designs.trials import score
from explorer.metrics.published import Published, published
from explorer.naming import DATA, is_small, kind_words
from explorer.ui import cache
from explorer.ui.wording.format import share_words
from explorer.ui.wording.naming import afterwards

GROUPS: dict[str, tuple[str, ...]] = {
    "likelihood": ("log_likelihood", "elbo", "reconstruction", "kl", "bits_per_dimension",
                   "effective_samples", "pseudo_log_likelihood", "squared_error"),
    "units": ("active_units", "active_units_absolute", "active_units_z2", "active_units_z1",
              "active_units_absolute_z2", "active_units_absolute_z1"),
    "samples": ("precision", "density", "recall", "coverage", "vendi", "frechet_distance",
                "kernel_distance", "smoothness"),
    "alignment": ("information", "marginal_kl", "misalignment", "mmd", "mmd_p_value",
                  "sliced_wasserstein", "two_sample_accuracy", "c2st", "reference_sliced",
                  "reference_mmd"),
}  # fmt: skip

TITLES = {
    "likelihood": "Likelihood",
    "units": "Units",
    "samples": "Samples",
    "alignment": "Posterior and prior",
}

NAMES = {
    "log_likelihood": "log p(x)",
    "pseudo_log_likelihood": "Pseudo-likelihood",
    "elbo": "ELBO",
    "reconstruction": "log p(x|z)",
    "squared_error": "Squared error",
    "kl": "KL",
    "bits_per_dimension": "Bits/dim",
    "effective_samples": "Effective S",
    "active_units": "Active",
    "active_units_absolute": "Active, absolute",
    "active_units_z2": "Active, z2",
    "active_units_z1": "Active, z1",
    "active_units_absolute_z2": "Absolute, z2",
    "active_units_absolute_z1": "Absolute, z1",
    "precision": "Precision",
    "density": "Density",
    "recall": "Recall",
    "coverage": "Coverage",
    "vendi": "Vendi",
    "frechet_distance": "Fréchet distance",
    "kernel_distance": "Kernel distance",
    "smoothness": "Path speed²",
    "information": "Index-code information",
    "marginal_kl": "Marginal KL",
    "misalignment": "Misalignment",
    "mmd": "MMD²",
    "mmd_p_value": "MMD² p-value",
    "sliced_wasserstein": "Sliced W²",
    "two_sample_accuracy": "Classifier",
    "c2st": "C2ST",
    "reference_sliced": "Sliced W², all codes",
    "reference_mmd": "MMD², all codes",
}
"""Display names of metrics."""

TOLD = "Told apart"
"""The column of blind tests."""

_DIGITS = {
    "precision": 3, "density": 3, "recall": 3, "coverage": 3, "bits_per_dimension": 3,
    "mmd": 4, "mmd_p_value": 3, "sliced_wasserstein": 3, "two_sample_accuracy": 3,
    "c2st": 3, "reference_sliced": 4, "reference_mmd": 4,
    "active_units": 0, "active_units_absolute": 0, "active_units_z2": 0, "active_units_z1": 0,
    "active_units_absolute_z2": 0, "active_units_absolute_z1": 0,
}  # fmt: skip

_LARGE = 10_000
"""From this value on decimals are dropped."""

EXPLAINED = {
    "likelihood": "log p(x) by importance sampling, ELBO and its two terms, in nats, ± the "
    "standard error over n test samples. The larger S, the tighter the bound: compare at equal S.",
    "units": "A unit is active where the variance of its posterior mean over the test samples "
    "exceeds 0.01: of the prior’s variance, or absolutely as in the literature, which depends on "
    "the scale of the units.",
    "samples": "Samples of the prior against test data, the mean of five draws ± its standard "
    "error over draws: precision and density "
    "are fidelity, recall, coverage and Vendi diversity (at most the number of components that "
    "samples are compared on: 50, or fewer). A density above that of real data means that samples "
    "cluster where data are dense, not that they are better. Fréchet and kernel distances use "
    "features of a small network trained on this data set’s classes: never compare them with "
    "Inception’s. Path speed² is |dx/dt|² along straight paths between samples.",
    "alignment": "Codes of test samples against codes of the prior, on the level whose prior is "
    "learned. Index-code information and marginal KL add up to the KL of that level; close to "
    "log n the first is saturated (limited by n). A classifier at 0.5 cannot tell the two apart. "
    "C2ST and the distances of all codes are explained under Matching and generation.",
}


class Row(NamedTuple):
    """A model of the table."""

    entry: Entry
    name: str


def told_apart(known: Sequence[Row], project: int, store: Store) -> dict[str, str]:
    """Return the scores of the blind tests of a project, by model."""
    found = {}
    for row in known:
        pooled = score(store.trials(project, row.entry.hash)) if row.entry.hash else None
        if pooled is not None:
            _, n, interval = pooled
            found[row.entry.slug] = (
                f"{100 * interval.share:.0f} % ({share_words(interval)}, n = {n})"
            )
    return found


def groups() -> dict[str, DataGroup]:
    """Group the models that have a prior and metrics by their data."""
    found = [
        entry
        for entry in cache.entries()
        if entry.data in DATA
        and entry.prior != "none"
        and (entry.healthy or entry.results_only)
        and entry.metrics
    ]
    found.sort(key=lambda entry: list(DATA).index(entry.data))
    return data_groups(found)


def data_sets() -> dict[str, str]:
    """Return the display names of the data sets with results, by their keys."""
    return {key: group.words for key, group in groups().items()}


def rows(data: str) -> list[Row]:
    """List the models of a data set that have a prior and metrics, best log p(x) first."""
    group = groups().get(data)
    found = [] if group is None else list(group.entries)
    worst = float("-inf")

    def score(entry: Entry) -> float:
        metric = entry.metrics.get("log_likelihood")
        return worst if metric is None else metric.value

    found.sort(key=lambda entry: (-score(entry), entry.slug))
    return [Row(entry, title(entry, found)) for entry in found]


def title(entry: Entry, among: Sequence[Entry]) -> str:
    """Name a model by what distinguishes it: prior, model, units, and K if others share them."""
    own = form(entry)
    words = own.words
    alike = [other for other in among if form(other) == own]
    count = getattr(entry.config.prior, "components", None) if entry.config is not None else None
    if len(alike) > 1:
        counts = [
            getattr(other.config and other.config.prior, "components", None) for other in alike
        ]
        distinct = count is not None and counts.count(count) == 1
        words += f" (K = {count})" if distinct else f" ({entry.slug})"
    return words + (", results only" if entry.results_only else "")


class Form(NamedTuple):
    """What models that differ only in their components have in common."""

    model: str
    prior: str
    latent: int
    small: bool
    after: str = ""

    @property
    def words(self) -> str:
        """Prior, whether it was fitted afterwards, model and units."""
        words = kind_words(self.model, self.prior, small=self.small) + self.after
        return f"{words}, {self.latent} units"


def form(entry: Entry) -> Form:
    """Return a model's form; it is small if published results used a wider one of its kind."""
    small = entry.config is not None and is_small(entry.config)
    return Form(entry.model, entry.prior, entry.latent, small, afterwards(entry.config))


def comparable(data: str, known: Sequence[Row]) -> list[Published]:
    """Return published results whose model and prior are in the table, or close to it."""
    models = {row.entry.model for row in known}
    return [item for item in published(data) if item.model in models]


def cell(metrics: object, name: str) -> str:
    """Format a metric with its error, or a dash."""
    metric = metrics.get(name) if isinstance(metrics, dict) else None
    if metric is None:
        return "–"
    digits = _digits(name, metric.value)
    words = f"{metric.value:,.{digits}f}"
    if metric.se is not None:
        words += (
            f" ± {metric.se:.1g}"
            if metric.se < 0.005
            else f" ± {metric.se:,.{digits if digits == 0 else max(digits, 2)}f}"
        )
    if name == "information" and metric.value > 0.95 * np.log(max(metric.n, 2)):
        words += ", saturated"
    return words.replace("-", "−")


def _digits(name: str, value: float) -> int:
    return 0 if round(abs(value), 2) >= _LARGE else _DIGITS.get(name, 2)


def table(known: Sequence[Row], group: str) -> list[dict[str, str]]:
    """Tabulate a group of metrics, one row per model; empty columns are dropped."""
    used = [name for name in GROUPS[group] if any(name in row.entry.metrics for row in known)]
    laid = []
    for row in known:
        metrics = row.entry.metrics
        facts = {"Model": row.name}
        first = next((metrics[name] for name in used if name in metrics), None)
        facts |= {NAMES[name]: cell(metrics, name) for name in used}
        if group == "likelihood":
            score = metrics.get("log_likelihood")
            facts["S"] = "–" if score is None or score.samples is None else f"{score.samples:,}"
        facts["n"] = "–" if first is None else f"{first.n:,}"
        laid.append(facts)
    return laid


class Line(NamedTuple):
    """A row of the table as shown; grey if it is not one of the models here."""

    cells: dict[str, str]
    grey: bool = False


def lines(
    known: Sequence[Row],
    group: str,
    others: Sequence[Published],
    told: Mapping[str, str] | None = None,
) -> list[Line]:
    """Tabulate a group, best first: models, published likelihoods among them, real data last."""
    laid = [Line(cells) for cells in table(known, group)]
    for row, line in zip(known, laid, strict=True):
        if told and group == "samples":
            n = line.cells.pop("n")  # last, of the measurements
            line.cells[TOLD] = told.get(row.entry.slug, "–")
            line.cells["n"] = n
    if group == "likelihood" and others:
        name, sign = score_of(others)
        values = [row.entry.metrics.get(name) for row in known]
        placed = [
            (-np.inf if value is None else sign * value.value, line)
            for value, line in zip(values, laid, strict=True)
        ]
        for item in others:
            words = f"{kind_words(item.model, item.prior)} ({initials(item.source)})"
            value = f"{item.value:.2f}".replace("-", "−")
            cells = {"Model": words, NAMES[name]: value, "S": f"{item.samples:,}"}
            placed.append((sign * item.value, Line(cells, grey=True)))
        laid = [line for _, line in sorted(placed, key=lambda pair: -pair[0])]
    null = null_row(known, group)
    return laid if null is None else [*laid, Line(null, grey=True)]


def initials(source: str) -> str:
    """Shorten a citation for a column: "Tomczak and Welling, 2018" to "T&W 2018"."""
    names, _, year = source.rpartition(", ")
    return f"{'&'.join(name[:1] for name in names.split(' and '))} {year}"


def score_of(others: Sequence[Published]) -> tuple[str, int]:
    """Return the metric of the published results, and 1 if higher is better."""
    bits = bool(others) and others[0].unit != "nats"
    return ("bits_per_dimension", -1) if bits else ("log_likelihood", 1)


def null_row(known: Sequence[Row], group: str) -> dict[str, str] | None:
    """Tabulate the score of real data in place of samples, if it was measured."""
    found: dict[str, str] = {}
    for name in GROUPS[group]:
        nulls = [
            row.entry.metrics[name].null
            for row in known
            if name in row.entry.metrics and row.entry.metrics[name].null is not None
        ]
        values = [value for value in nulls if value is not None]
        if values:
            mean = float(np.mean(values))
            found[NAMES[name]] = f"{mean:,.{_digits(name, mean)}f}".replace("-", "−")
    what = "Real data" if group == "samples" else "The prior against itself"
    return {"Model": what, **found} if found else None


def as_csv(data: str, known: Sequence[Row]) -> bytes:
    """Serialise every metric of every model with its settings, and published results."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(
        ["data", "model", "prior", "latent", "checkpoint", "hash", "measure", "value",
         "standard_error", "n", "samples", "seed", "unit", "real_against_real", "source"]
    )  # fmt: skip
    for row in known:
        entry = row.entry
        for name, metric in entry.metrics.items():
            facts = [data, entry.model, entry.prior, entry.latent, entry.slug, entry.hash, name]
            writer.writerow(
                [*map(quoted, facts), metric.value, metric.se, metric.n, metric.samples,
                 metric.seed, quoted(metric.unit), metric.null, "measured here"]
            )  # fmt: skip
    for item in comparable(data, known):
        name = "log_likelihood" if item.unit == "nats" else "bits_per_dimension"
        writer.writerow(
            [data, item.model, item.prior, "", "", "", name, item.value, "", "", item.samples, "",
             item.unit, "", f"{item.source}, {item.place}"]
        )  # fmt: skip
    return sheet(stream)
