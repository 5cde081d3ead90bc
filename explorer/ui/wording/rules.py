"""Sentences on how samples are judged: what they are compared with, and how often that errs."""

import math

from explorer.checkpoint import Metrics
from explorer.metrics.novelty import COPIED, FAR, NoveltyReference

PSEUDO = (
    " A Bernoulli likelihood of grey values is a pseudo-likelihood: it is no log p(x), and is "
    "compared with none."
)


def compared_with(measure: NoveltyReference) -> str:
    """Say which training codes are searched."""
    n = f"{measure.training:,}"
    if measure.total is None:
        return f"{n} training codes of the map searched; all after `latent-explorer project`"
    if measure.whole:
        return f"all {n} training samples searched"
    return f"{n} of {measure.total:,} training samples searched"


def verdict(percentile: float, measure: NoveltyReference) -> str:
    """Name what a percentile among held-out samples says of a sample."""
    if percentile < COPIED:
        return "Nearly a copy"
    if percentile > FAR:
        return "Far from the data" if measure.whole else "Far from the training samples searched"
    return "Novel"


def how_new(percentile: float, measure: NoveltyReference) -> str:
    """Say in a plain sentence how far a sample is from the training data, and what that means."""
    where = "training data" if measure.whole else "the training samples searched"
    if percentile < COPIED:
        return f"Nearly a copy: nearer to {where} than {100 - percentile:.0f} % of held-out data."
    if percentile > FAR:
        share = "all" if percentile == 100 else f"{percentile:.0f} %"
        return f"Far: farther from {where} than {share} of held-out data."
    return f"New: as far from {where} as held-out data at percentile {percentile:.0f}."


def error_rates(rates: Metrics) -> str:
    """Say how often the rule for copies and far samples errs, as measured; empty without rates."""
    words = {
        "held_out_copied": "{} of held-out samples it was not set on are called nearly copies",
        "held_out_far": "{} far",
        "training_copied": "{} of training samples decoded from their own code nearly copies",
        "training_drawn_copied": "{} decoded from a code drawn for them",
        "noise_far": "of white noise {} is far",
    }
    found = [line.format(share(rates, name)) for name, line in words.items() if name in rates]
    if not found:
        return ""
    n = min(rates[name].n for name in words if name in rates)
    return f"By this rule {', '.join(found)} (n \N{GREATER-THAN OR EQUAL TO} {n:,})."


def share(rates: Metrics, name: str) -> str:
    """Write a share in per cent with its standard error."""
    metric = rates[name]
    error = 100 * (metric.se or 0)
    digits = 0 if error >= 1 else 1
    shown = f"{100 * metric.value:.{digits}f}"
    return (
        f"{shown} \N{PLUS-MINUS SIGN} {error:.{digits}f} %"
        if round(error, digits)
        else f"{shown} %"
    )


def anomaly(value: float, error: float) -> str:
    """Write a percentile with its own error, to whole points: 52 \N{PLUS-MINUS SIGN} 4 %."""
    return f"{value:.0f} \N{PLUS-MINUS SIGN} {max(1, math.ceil(error))} %"
