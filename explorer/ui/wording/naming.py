"""What models and priors are called, on every page alike."""

from collections.abc import Sequence

from explorer.checkpoint import Entry
from explorer.inference import Engine
from explorer.naming import DATA, is_small, kind_words


def prior_name(engine: Engine) -> str:
    """Name an engine's prior in words, and its model where that is not the plain one."""
    config = engine.checkpoint.config
    small = is_small(config)
    return kind_words(config.model.kind, prior_kind(engine), small=small, joint=" ")


def prior_kind(engine: Engine) -> str:
    """Name the kind of an engine's prior, as in its recipe."""
    prior = engine.checkpoint.config.prior
    return prior.kind if prior else "none"


def told_apart(engines: list[Engine]) -> list[str]:
    """Name each engine's prior, and its data where the engines have not the same."""
    kinds = [engine.checkpoint.config.data.kind for engine in engines]
    if len(set(kinds)) == 1:
        return [prior_name(engine) for engine in engines]
    return [
        f"{prior_name(engine)}, {DATA[kind]}" for engine, kind in zip(engines, kinds, strict=True)
    ]


def said_of(entry: Entry, among: Sequence[Entry]) -> str:
    """Describe a model in words: its prior and its size, and what sets it apart from others."""
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
