"""The door out of a dead end: a link to the nearest model of the same data that can do it."""

from collections.abc import Callable, Mapping

import streamlit as st

from explorer.checkpoint import ATLAS, SNAPSHOTS, Entry, results_folder
from explorer.inference import Engine
from explorer.naming import DATA
from explorer.relatives import siblings
from explorer.sections import is_section
from explorer.ui import cache
from explorer.ui.shell.pages import page_path
from explorer.ui.wording.naming import labels


def with_prior(engine: Engine, page: str) -> None:
    """Offer the nearest model that can be sampled."""
    _offer(engine, page, lambda entry: entry.prior != "none")


def to(entry: Entry, page: str) -> None:
    """Offer the same page of a model that is known to fit."""
    with st.container(key=f"{page}_to_{entry.slug}"):
        _door(entry, page, {})


def with_components(engine: Engine, page: str) -> None:
    """Offer the nearest model whose prior has several components."""
    _offer(engine, page, has_components)


def with_map(engine: Engine, page: str) -> None:
    """Offer the nearest model that has a map."""
    _offer(engine, page, lambda entry: _has(entry, ATLAS))


def with_snapshots(engine: Engine, page: str) -> None:
    """Offer the nearest model whose training can be replayed."""
    _offer(engine, page, lambda entry: _has(entry, SNAPSHOTS))


def has_components(entry: Entry) -> bool:
    """Return whether the prior of a model has several components."""
    prior = entry.config.prior if entry.config is not None else None
    return getattr(prior, "components", 1) > 1


def best_sections() -> Entry | None:
    """Return the model of sections with the highest log-likelihood of those with a prior."""
    found = [
        entry
        for entry in cache.entries()
        if entry.healthy
        and entry.prior != "none"
        and entry.config is not None
        and entry.config.sketch is not None
        and is_section(entry.config.sketch)
    ]
    return max(found, key=_likelihood, default=None)


def of_sections(page: str, query: Mapping[str, str]) -> None:
    """Offer the best model of sections."""
    found = best_sections()
    if found is not None:
        _link(found, page, query)


def _offer(engine: Engine, page: str, fits: Callable[[Entry], bool]) -> None:
    """Render a link to the same page of the nearest model of the same data, if one fits."""
    known = cache.entries()
    own = next((entry for entry in known if entry.slug == engine.slug), None)
    if own is None:
        return
    found = next((entry for entry in siblings(own, known) if fits(entry)), None)
    if found is not None:
        _link(found, page, {})


def _link(entry: Entry, page: str, query: Mapping[str, str]) -> None:
    with st.container(key=f"{page}_sibling"):
        _door(entry, page, query)


def _door(entry: Entry, page: str, query: Mapping[str, str]) -> None:
    st.page_link(
        page_path(page),
        label=f"Open {labels(cache.entries())[entry.slug]}, of {DATA[entry.data]}",
        icon=":material/arrow_forward:",
        query_params={"model": entry.slug, **query},
    )


def _has(entry: Entry, name: str) -> bool:
    return any((place / name).is_file() for place in (results_folder(entry.hash), entry.folder))


def _likelihood(entry: Entry) -> float:
    metric = entry.metrics.get("log_likelihood")
    return float("-inf") if metric is None else metric.value
