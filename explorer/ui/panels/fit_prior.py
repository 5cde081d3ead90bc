"""Fitting a prior to the codes of the open model: which kinds fit, which were fitted already."""

import streamlit as st

from explorer import fitting
from explorer.checkpoint import Entry
from explorer.inference import Engine
from explorer.ui import cache
from explorer.ui.shell import jobs_panel, sibling
from explorer.ui.wording.naming import labels


def section(engine: Engine, page: str) -> None:
    """Render it in an expander, open for a model without a prior."""
    title = "Fit another prior to its codes" if engine.has_prior else "Fit a prior to its codes"
    with st.expander(title, expanded=not engine.has_prior):
        offer(engine, page)


def offer(engine: Engine, page: str) -> None:
    """Render the kinds that fit the model, why others do not, and links to those fitted before.

    Args:
        engine: The model.
        page: The page it is rendered on, which the links open.
    """
    opened = engine.checkpoint
    reasons = {kind: fitting.why_not(opened.config, kind) for kind in fitting.KINDS}
    kinds = [kind for kind in fitting.KINDS if not reasons[kind]]
    if not kinds:
        st.caption(reasons[fitting.DEFAULT])
        return
    found = fitted(engine)
    if found:
        with st.container(horizontal=True, gap="small"):
            for entry in found:
                sibling.to(entry, page)
    # A choice of what to do, not of what is shown: it is no part of the page's address.
    kind = st.selectbox(
        "Prior",
        kinds,
        index=kinds.index(fitting.DEFAULT),
        key=f"{page}_fit_kind",
        format_func=fitting.TITLES.__getitem__,
        width=280,
    )
    known = next((one for one in found if one.slug == fitting.name_of(opened, kind)), None)
    if known is not None:
        st.caption(f"{fitting.WORDS[kind]} It was fitted: {labels(cache.entries())[known.slug]}.")
    else:
        jobs_panel.offer(
            engine,
            "fit",
            "Fit a prior to its codes",
            f"{fitting.WORDS[kind]} Fitted in at most three minutes, the networks as they are, "
            "then measured like any other, and stored as a model of its own.",
            prior=kind,
        )
    absent = [f"{fitting.TITLES[other]}: {reason}" for other, reason in reasons.items() if reason]
    if absent:
        st.caption(f"Not offered here. {' '.join(absent)}")


def fitted(engine: Engine) -> list[Entry]:
    """List the models with the same networks whose prior was fitted afterwards."""
    slug, digest = fitting.origin_of(engine.checkpoint)
    return [
        entry
        for entry in cache.entries()
        if entry.healthy
        and entry.slug != engine.slug
        and entry.config is not None
        and entry.config.fitted is not None
        and (entry.config.fitted.source, entry.config.fitted.source_hash) == (slug, digest)
    ]
