"""Formatting of numbers: metrics with error and n, and percentiles among held-out data."""

import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from explorer.checkpoint import Entry, Metric
from explorer.metrics.proportions import Interval


def number(metric: Metric | None, digits: int = 2) -> str:
    """Format a metric with its standard error, or a dash."""
    if metric is None:
        return "–"
    error = "" if metric.se is None else f" ± {_error(metric.se, digits)}"
    return f"{metric.value:.{digits}f}{error}".replace("-", "−")


def provenance(metric: Metric | None) -> str:
    """Describe how a metric was measured."""
    if metric is None:
        return "Not measured yet. Run `latent-explorer evaluate SLUG`."
    parts = [f"n = {metric.n:,}"]
    if metric.samples is not None and metric.samples != metric.n:
        parts.append(f"S = {metric.samples:,}")
    if metric.seed is not None:
        parts.append(f"seed {metric.seed}")
    if metric.null is not None:
        parts.append(f"real vs. real {metric.null:.2f}")
    return ", ".join(parts)


def share_words(interval: Interval) -> str:
    """Format the bounds of a share in per cent."""
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def plain(text: str) -> str:
    """Escape text from outside for Markdown."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|~$:&" else letter for letter in text
    )


def prose(text: str) -> str:
    """Escape what Markdown would take for markup in a sentence from outside; code stays code."""
    return "".join(f"\\{letter}" if letter in "[]*~$<" else letter for letter in text)


def length(value: float) -> str:
    """Format a distance between codes."""
    return f"{value:.3g}"


def signed(text: str) -> str:
    """Write negative numbers with a minus sign; keep hyphens."""
    return re.sub(r"(?<![\w)])-(?=\d)", "−", text)


def percentile(
    value: float, known: Float[np.ndarray, " codes"] | None, means: bool = False
) -> str | None:
    """Describe the percentile of a log p(z) among held-out posterior samples, or means."""
    words = percentile_words(value, known)
    if words is None or known is None:
        return None
    what = "posterior means" if means else "posterior samples"
    return f"{words} of {len(known):,} {what} of held-out data"


def percentile_words(value: float, known: Float[np.ndarray, " codes"] | None) -> str | None:
    """Describe the percentile of a log p(z) among held-out codes."""
    if known is None or len(known) == 0:
        return None
    below = int((known < value).sum())
    if below in (0, len(known)):
        return "lower than all" if below == 0 else "higher than all"
    return f"percentile {100 * below / len(known):.1f}"


def higher_than(share: float) -> str:
    """Describe a percentage of values that lie below."""
    if share in (0, 100):
        return "lower than all" if share == 0 else "higher than all"
    return f"higher than {share:.0f} %" if 0.5 <= share <= 99.5 else f"higher than {share:.1f} %"


def facts(entry: Entry) -> Mapping[str, str]:
    """Select the metrics shown on a card."""
    metrics = entry.metrics
    shown = {}
    if "log_likelihood" in metrics:
        shown["log p(x)"] = f"{number(metrics['log_likelihood'])} nats"
    elif "pseudo_log_likelihood" in metrics:
        shown["Pseudo-likelihood"] = f"{number(metrics['pseudo_log_likelihood'])} nats"
    elif "reconstruction" in metrics:
        shown["log p(x|z)"] = f"{number(metrics['reconstruction'])} nats"
    elif "squared_error" in metrics:
        shown["Squared error"] = number(metrics["squared_error"])
    if "active_units" in metrics:
        shown["Active units"] = (
            f"{metrics['active_units'].value:.0f} {metrics['active_units'].unit}"
        )
    if "density" in metrics:
        shown["Fidelity"] = number(metrics["density"])
        shown["Diversity"] = number(metrics["coverage"])
    return shown


def mix(labels: Int[np.ndarray, " n"], classes: tuple[str, ...]) -> str:
    """List the classes of a selection, most frequent first."""
    known = labels[labels >= 0]
    if len(known) == 0 or not classes:
        return ""
    counts = np.bincount(known, minlength=len(classes))
    if counts.max() == len(known):
        return classes[int(counts.argmax())]
    order = np.argsort(-counts, kind="stable")[:4]
    return ", ".join(
        f"{classes[k]} ({100 * counts[k] / len(known):.0f} %)"
        for k in order
        if counts[k] >= 0.005 * len(known)
    )


def _error(se: float, digits: int) -> str:
    """Format an error with the digits of its value, or with one significant digit."""
    return f"{se:.{digits}f}" if se >= 0.5 * 10**-digits else f"{se:.1g}"
