"""Numbers in words: metrics with error and n, and where a value stands among held-out data."""

import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from explorer.checkpoint import Entry, Metric


def number(metric: Metric | None, digits: int = 2) -> str:
    """Write a metric with its standard error, or a dash."""
    if metric is None:
        return "–"
    error = "" if metric.se is None else f" ± {_error(metric.se, digits)}"
    return f"{metric.value:.{digits}f}{error}".replace("-", "−")


def provenance(metric: Metric | None) -> str:
    """Say how a metric was measured."""
    if metric is None:
        return "Not measured yet: `latent-explorer evaluate` does it."
    parts = [f"n = {metric.n:,}"]
    if metric.samples is not None and metric.samples != metric.n:
        parts.append(f"S = {metric.samples:,}")
    if metric.seed is not None:
        parts.append(f"seed {metric.seed}")
    if metric.null is not None:
        parts.append(f"real against real {metric.null:.2f}")
    return ", ".join(parts)


def signed(text: str) -> str:
    """Write negative numbers with a minus sign; hyphens stay."""
    return re.sub(r"(?<![\w)])-(?=\d)", "−", text)


def percentile(
    value: float, known: Float[np.ndarray, " codes"] | None, means: bool = False
) -> str | None:
    """Say where a log p(z) stands among those of held-out data: of codes drawn, or of means."""
    words = percentile_words(value, known)
    if words is None or known is None:
        return None
    what = "held-out posterior means" if means else "codes drawn for held-out data"
    return f"{words} of {len(known):,} {what}"


def percentile_words(value: float, known: Float[np.ndarray, " codes"] | None) -> str | None:
    """Say how many of the held-out codes a log p(z) exceeds."""
    if known is None or len(known) == 0:
        return None
    below = int((known < value).sum())
    if below in (0, len(known)):
        return "lower than all" if below == 0 else "higher than all"
    return f"higher than {100 * below / len(known):.1f} %"


def facts(entry: Entry) -> Mapping[str, str]:
    """Pick the numbers a card shows."""
    metrics = entry.metrics
    shown = {}
    if "log_likelihood" in metrics:
        shown["log p(x)"] = f"{number(metrics['log_likelihood'])} nats"
    elif "reconstruction" in metrics:
        shown["log p(x|z)"] = f"{number(metrics['reconstruction'])} nats"
    if "active_units" in metrics:
        shown["Active units"] = (
            f"{metrics['active_units'].value:.0f} {metrics['active_units'].unit}"
        )
    if "density" in metrics:
        shown["Fidelity"] = number(metrics["density"])
        shown["Diversity"] = number(metrics["coverage"])
    return shown


def mix(labels: Int[np.ndarray, " n"], classes: tuple[str, ...]) -> str:
    """Say which classes a selection holds, most frequent first."""
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
    """Write an error with as many digits as its value, or with one that is not zero."""
    return f"{se:.{digits}f}" if se >= 0.5 * 10**-digits else f"{se:.1g}"
