"""Which models can be compared, and which of them are the nearest relatives."""

from collections.abc import Sequence

from explorer.checkpoint import Entry
from explorer.comparison import same_data


def relatives(entry: Entry, among: Sequence[Entry]) -> list[Entry]:
    """List the models that can be sampled beside one of the same data, nearest first.

    Nearest are those that differ in the prior alone; then the same model and prior trained
    otherwise, as with other components or another seed; then the same prior in another model; then
    the same model, or number of units, with another prior.

    Args:
        entry: The model.
        among: The models to choose from.
    """
    if entry.prior == "none":
        return []
    return [other for other in siblings(entry, among) if other.prior != "none"]


def siblings(entry: Entry, among: Sequence[Entry]) -> list[Entry]:
    """List the other models of the same data, nearest relatives first, with or without a prior.

    Args:
        entry: The model.
        among: The models to choose from.
    """
    found = [
        other
        for other in among
        if other.slug != entry.slug
        and other.healthy
        and _drawn_alike(entry, other)
        and same_data(entry, other)
    ]
    return sorted(found, key=lambda other: (_distance(entry, other), other.slug))


def _distance(one: Entry, other: Entry) -> tuple[int, ...]:
    prior = one.prior == other.prior
    model, units = one.model == other.model, one.latent == other.latent
    alike = one.config is not None and other.config is not None
    size = not (alike and one.config.model == other.config.model)  # type: ignore[union-attr]
    if model and units:
        return int(prior), size
    return (2 if prior else 3), not model, abs(one.latent - other.latent)


def _drawn_alike(one: Entry, other: Entry) -> bool:
    a, b = one.config, other.config
    return a is not None and b is not None and a.sketch == b.sketch
