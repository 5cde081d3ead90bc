"""The door out of a dead end: a link to the nearest model of the same data that can do it."""

from collections.abc import Callable

import streamlit as st

from explorer.checkpoint import Entry
from explorer.inference import Engine
from explorer.naming import DATA
from explorer.relatives import siblings
from explorer.ui import cache
from explorer.ui.shell.pages import page_path
from explorer.ui.wording.naming import labels


def with_prior(engine: Engine, page: str) -> bool:
    """Offer the nearest model that can be sampled; return whether there is one."""
    return offer(engine, page, lambda entry: entry.prior != "none")


def with_components(engine: Engine, page: str) -> bool:
    """Offer the nearest model whose prior has several components; return whether there is one."""
    return offer(engine, page, has_components)


def has_components(entry: Entry) -> bool:
    """Whether a model's prior has several components, as its recipe tells."""
    prior = entry.config.prior if entry.config is not None else None
    return getattr(prior, "components", 1) > 1


def offer(engine: Engine, page: str, fits: Callable[[Entry], bool]) -> bool:
    """Render a link to a page of the nearest model of the same data that fits, if there is one.

    Args:
        engine: The model that lacks something.
        page: The page's name.
        fits: Whether another model has it.

    Returns:
        Whether there is such a model.
    """
    known = cache.entries()
    own = next((entry for entry in known if entry.slug == engine.slug), None)
    found = own and next((entry for entry in siblings(own, known) if fits(entry)), None)
    if not found:
        return False
    with st.container(key=f"{page}_sibling"):
        st.page_link(
            page_path(page),
            label=f"Open {labels(known)[found.slug]} of {DATA[found.data]}",
            icon=":material/arrow_forward:",
            query_params={"model": found.slug},
        )
    return True
