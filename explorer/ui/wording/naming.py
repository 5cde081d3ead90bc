"""Display names of models and priors, the same on every page."""

from collections.abc import Sequence

from explorer.checkpoint import Entry
from explorer.inference import Engine
from explorer.naming import DATA, is_small, kind_words


def prior_name(engine: Engine) -> str:
    """Return the name of an engine's prior, and of its model unless that is the plain one."""
    config = engine.checkpoint.config
    small = is_small(config)
    return kind_words(config.model.kind, prior_kind(engine), small=small, joint=" ")


def prior_kind(engine: Engine) -> str:
    """Return the kind of an engine's prior, as in its recipe."""
    prior = engine.checkpoint.config.prior
    return prior.kind if prior else "none"


def distinct_names(engines: list[Engine]) -> list[str]:
    """Return each engine's prior name, with its data if the engines differ in them."""
    kinds = [engine.checkpoint.config.data.kind for engine in engines]
    if len(set(kinds)) == 1:
        return [prior_name(engine) for engine in engines]
    return [
        f"{prior_name(engine)}, {DATA[kind]}" for engine, kind in zip(engines, kinds, strict=True)
    ]


def describe(entry: Entry, among: Sequence[Entry]) -> str:
    """Describe a model by its prior and size, and what distinguishes it from others."""
    small = _small(entry)
    words = kind_words(entry.model, entry.prior, small=small)
    same = [
        other
        for other in among
        if other.healthy
        and (other.data, other.model, other.prior, other.latent)
        == (entry.data, entry.model, entry.prior, entry.latent)
        and _small(other) == small
    ]
    count = getattr(entry.config.prior, "components", None) if entry.config is not None else None
    if len(same) > 1 and count is not None:
        words += f" (K = {count})"
    return f"{words}, {entry.latent} units"


def _small(entry: Entry) -> bool:
    return entry.config is not None and is_small(entry.config)
