"""Display names of models and priors: the same on every page, and no two alike."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain, combinations
from pathlib import PurePath

from explorer.checkpoint import Checkpoint, Entry
from explorer.config import RunConfig
from explorer.inference import Engine
from explorer.naming import DATA, is_small, kind_words
from explorer.objectives import MatchingConfig

Named = Entry | Checkpoint
Fact = Callable[[RunConfig], str]


def _source(config: RunConfig) -> str:
    return PurePath(getattr(config.data, "path", "")).stem


def _components(config: RunConfig) -> str:
    count = getattr(config.prior, "components", None)
    return "" if count is None else f"K = {count}"


def _reference(config: RunConfig) -> str:
    return PurePath(getattr(config.prior, "path", "")).stem


def _distance(config: RunConfig) -> str:
    if not isinstance(config.objective, MatchingConfig):
        return ""
    return {"sliced": "by sliced distance", "mmd": "by MMD", "score": "by score"}[
        config.objective.distance
    ]


def _encoder(config: RunConfig) -> str:
    if not config.model.deterministic:
        return ""
    if config.training.pretraining is not None:
        return "contrastive features"
    return "bottleneck" if config.training.freeze == "trunk" else "by reconstruction"


def _when(config: RunConfig) -> str:
    return "fitted afterwards" if config.fitted is not None else "as trained"


def _seed(config: RunConfig) -> str:
    return f"seed {config.training.seed}"


def _units(config: RunConfig) -> str:
    return f"{config.model.latent} units"


FACTS: tuple[Fact, ...] = (
    _source, _components, _distance, _reference, _encoder, _when, _seed,
)  # fmt: skip
"""What may tell two models of the same words apart, before their slugs do."""


def prior_name(engine: Engine) -> str:
    """Return the name of an engine's prior, and of its model unless that is the plain one."""
    return _prior_of(engine.checkpoint)


def prior_kind(engine: Engine) -> str:
    """Return the kind of an engine's prior, as in its recipe."""
    prior = engine.checkpoint.config.prior
    return prior.kind if prior else "none"


def distinct_names(engines: Sequence[Engine]) -> list[str]:
    """Return each engine's prior name, with whatever tells it apart from the others."""
    return side_by_side([engine.checkpoint for engine in engines])


def side_by_side(models: Sequence[Named]) -> list[str]:
    """Name models that are shown beside each other by their priors, and what tells them apart."""
    words = [_prior_of(model) for model in models]
    kinds = [model.config.data.kind for model in models if model.config is not None]
    if len(set(kinds)) > 1:
        words = [f"{name}, {DATA[kind]}" for name, kind in zip(words, kinds, strict=True)]
    told = _told_apart(words, models, (_units, *FACTS))
    return [f"{name}{_bracketed(fact)}" for name, fact in zip(words, told, strict=True)]


def labels(entries: Sequence[Entry]) -> dict[str, str]:
    """Name every model by its prior, model and units; models of one kind of data differ.

    Args:
        entries: The catalogue; only what can be opened is told apart.

    Returns:
        Names by slug.
    """
    known = [entry for entry in entries if entry.healthy]
    words = [
        kind_words(entry.model, entry.prior, small=_small(entry)) + afterwards(entry.config)
        for entry in known
    ]
    keys = [
        f"{entry.data}, {name}, {entry.latent}" for entry, name in zip(known, words, strict=True)
    ]
    told = _told_apart(keys, known, FACTS)
    return {
        entry.slug: f"{name}{_bracketed(fact)}, {entry.latent} units"
        for entry, name, fact in zip(known, words, told, strict=True)
    }


def describe(entry: Entry, among: Sequence[Entry]) -> str:
    """Return a model's name among all that can be opened."""
    return labels(among)[entry.slug]


def _prior_of(model: Named) -> str:
    config = model.config
    assert config is not None
    prior = config.prior.kind if config.prior else "none"
    return kind_words(config.model.kind, prior, small=is_small(config), joint=" ") + afterwards(
        config
    )


def afterwards(config: RunConfig | None) -> str:
    """Mark a prior that was fitted to the codes of a finished model."""
    known = None if config is None else config.fitted
    return "" if known is None or not known.samples else ", fitted afterwards"


def _bracketed(fact: str) -> str:
    return f" ({fact})" if fact else ""


def _told_apart(words: Sequence[str], items: Sequence[Named], facts: Sequence[Fact]) -> list[str]:
    """Return for each item the fewest facts that tell it apart from others of the same words.

    Where no facts do, it is the slug, of which there are no two.
    """
    counts = Counter(words)
    told = [""] * len(words)
    for name in (name for name, count in counts.items() if count > 1):
        places = [place for place, other in enumerate(words) if other == name]
        for place, fact in zip(places, _facts_of([items[k] for k in places], facts), strict=True):
            told[place] = fact
    return told


def _facts_of(items: Sequence[Named], facts: Sequence[Fact]) -> list[str]:
    configs = [item.config for item in items if item.config is not None]
    if len(configs) == len(items):
        sizes = range(1, len(facts) + 1)
        for chosen in chain.from_iterable(combinations(facts, size) for size in sizes):
            found = [[fact(config) for fact in chosen] for config in configs]
            texts = [", ".join(values) for values in found]
            if all(map(all, found)) and len(set(texts)) == len(texts):
                return texts
    return [item.slug for item in items]


def _small(entry: Entry) -> bool:
    return entry.config is not None and is_small(entry.config)
