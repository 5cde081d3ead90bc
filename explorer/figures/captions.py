"""Captions: the model, its prior and data, how samples were drawn, numbers with errors."""

import re
from collections.abc import Iterable, Sequence

from explorer import __version__, papers
from explorer.checkpoint import Checkpoint, Entry, Metric
from explorer.naming import DATA, MODELS, PRIORS
from explorer.papers import Paper
from explorer.strips import Levels, Strip

Described = Checkpoint | Entry
MOST_NAMED = 4
"""Of more models only the weights are named, not network, prior and data."""

_MEASURED = {
    "log_likelihood": ("log p(x)", "nats", 2),
    "pseudo_log_likelihood": ("pseudo-likelihood", "nats", 2),
    "elbo": ("ELBO", "nats", 2),
    "density": ("density", "", 3),
    "coverage": ("coverage", "", 3),
}


def described(opened: Described) -> str:
    """Name a model: its network and units, its prior and components, and its data."""
    config = opened.config
    if config is None:
        return opened.slug
    count = getattr(config.prior, "components", None)
    prior = config.prior.kind if config.prior is not None else "none"
    model = MODELS.get(config.model.kind, config.model.kind)
    words = f"{model}, {config.model.latent} latent units"
    if config.prior is not None:
        words += f", prior: {PRIORS.get(prior, prior)}"
        words += "" if count is None else f" (K = {count:,})"
    return f"{words}; data: {DATA.get(config.data.kind, config.data.kind)}"


def measured(opened: Described) -> str:
    """Return a model's main metrics with their standard errors, n and number of draws."""
    found = [
        (words, unit, digits, opened.metrics[name])
        for name, (words, unit, digits) in _MEASURED.items()
        if name in opened.metrics
    ]
    if not found:
        return ""
    parts = [_number(words, unit, digits, metric) for words, unit, digits, metric in found]
    return f"On test data, ± standard error: {', '.join(parts)}."


def of_strip(opened: Checkpoint, strip: Strip, frame: int | None, what: str, tiles: int) -> str:
    """Write the caption of a strip.

    Args:
        opened: Its model.
        strip: The strip.
        frame: The frame that is drawn; None for all of them.
        what: What it shows, in a few words.
        tiles: How many of its tiles are drawn.
    """
    noun = strip.sketch.noun
    spec = strip.spec
    words = [f"{what}. " if what else "", described(opened), ". "]
    if spec is not None and spec.flow is not None:
        at = "" if frame is None else f" after {strip.values[frame]:g} of {spec.flow} steps"
        at = at or f", {spec.flow} steps from noise to code"
        words.append(
            f"{_many(tiles, 'sample')} of a flow fitted to the codes of training data{at}"
        )
        words.append(f", noise at scale {spec.spread:g}, seed {spec.seed}. ")
    elif spec is not None:
        words.append(f"{_many(tiles, 'sample')} of the prior")
        if frame is not None:
            words.append(f" at scale {_held(spec.levels, strip.values[frame])}")
        else:
            words.append(f", scale {strip.values[0]:g} to {strip.values[-1]:g}, same noise")
        words.append(f", seed {spec.seed}")
        if spec.levels.lower is not None:
            words.append(f" (lower levels {spec.levels.lower})")
        if spec.time is not None:
            words.append(f", time {spec.time:g}")
        if spec.component is not None:
            words.append(f", component {spec.component} only")
        words.append(". ")
    else:
        count = tiles if frame is not None else tiles * len(strip.frames)
        words.append(f"{_many(count, noun)}, decoded. ")
    if strip.geometry != "decoded":
        words.append("Shown as Kulfan sections. ")
    return "".join([*words, _ending(opened)])


def cited(opened: Iterable[Described], *others: Paper) -> tuple[Paper, ...]:
    """Return the papers of models, their priors, data and measurements, each once."""
    found: list[Paper] = []
    for item in opened:
        config = item.config
        for part in () if config is None else (config.model, config.prior, config.data):
            found += () if part is None else part.references
        found += [papers.IWAE] if "log_likelihood" in item.metrics else []
        found += [papers.DENSITY] if "density" in item.metrics else []
    return tuple(dict.fromkeys([*found, *others]))


def of_models(opened: Sequence[Described], what: str, words: str = "") -> str:
    """Write the caption of what several models show.

    Args:
        opened: The models, in the order of the panels.
        what: What is shown, in a few words.
        words: Further sentences, perhaps with markup.
    """
    named = ""
    if len(opened) <= MOST_NAMED:
        known = [described(item) for item in opened]
        letters = [f"({chr(97 + k)}) " if len(known) > 1 else "" for k in range(len(known))]
        named = "; ".join(f"{mark}{item}" for mark, item in zip(letters, known, strict=True))
    parts = (what, named, _plain(words).rstrip("."), weights(opened).rstrip("."))
    return ". ".join(filter(None, parts)) + "."


def weights(opened: Sequence[Described]) -> str:
    """Name the weights and the library, so that a reader can ask for the same."""
    library = f"Latent Explorer {__version__}"
    digits = 12 if len(opened) <= MOST_NAMED else 6
    names = ", ".join(f"{item.slug} ({item.hash[:digits]})" for item in opened if item.hash)
    return f"Weights: {names}; {library}." if names else f"{library}."


def _plain(text: str) -> str:
    """Remove Markdown from the words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"[*`\\]|:material/\w+:", "", text)).strip()


def _ending(opened: Described) -> str:
    return " ".join(filter(None, (measured(opened), weights([opened]))))


def _number(words: str, unit: str, digits: int, metric: Metric) -> str:
    value = f"{metric.value:,.{digits}f}".replace("-", "−")
    if metric.se is not None:
        value += (
            f" ± {metric.se:.{digits}f}" if metric.se >= 10**-digits else f" ± {metric.se:.1g}"
        )
    facts = f"n = {metric.n:,}"
    if metric.samples is not None and metric.samples != metric.n:
        facts += f", S = {metric.samples:,}"
    return f"{words} {value}{f' {unit}' if unit else ''} ({facts})"


def _held(levels: Levels, scale: float) -> str:
    if not levels.moves:
        return f"{scale:g}"
    return f"{scale:g} of {levels.moves}, {levels.held:g} of the others"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
