"""The models of the catalogue: a group for each data set, one of them open, and their cards."""

import html

import streamlit as st

from explorer.checkpoint import Entry
from explorer.config import FittedConfig
from explorer.naming import DATA, by_flexibility
from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import CatalogueView
from explorer.ui.api.address import preview_address
from explorer.ui.panels import table
from explorer.ui.shell import frame
from explorer.ui.wording import naming
from explorer.ui.wording.format import facts, provenance

SORTS = {
    "name": "Size and prior",
    "likelihood": "Log-likelihood",
    "fidelity": "Fidelity (density)",
    "diversity": "Diversity (coverage)",
    "latent": "Latent size",
}
NONE = "none"
"""In a link, instead of a data set: no group is open."""

FEW = 8
"""Cards of a group that are shown at first."""

_NAMED = 3
"""Models without weights that are named."""

_METRICS = {"likelihood": "log_likelihood", "fidelity": "density", "diversity": "coverage"}


def toolbar(view: CatalogueView) -> None:
    """Render the search for models, and their order."""
    st.subheader("Models", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        control(
            st.text_input,
            "Search",
            view,
            "search",
            placeholder="Prior, model, data set",
            max_chars=60,
            icon=":material/search:",
            width=300,
        )
        control(
            st.selectbox,
            "Sort by",
            view,
            "sort",
            options=list(SORTS),
            format_func=SORTS.get,
            width=240,
        )


def groups(view: CatalogueView) -> dict[str, list[Entry]]:
    """Return the healthy models that the view searches for, by data set, in its order."""
    known = cache.entries()
    entries = [entry for entry in known if entry.healthy and entry.data in DATA]
    own = next((entry.data for entry in entries if entry.slug == view.model), "")
    order = [name for name in dict.fromkeys((own, *DATA)) if name]
    names = naming.labels(known)
    wanted = view.search.casefold().split()
    found: dict[str, list[Entry]] = {}
    for name in order:
        members = [
            entry
            for entry in entries
            if entry.data == name
            and all(
                word in f"{names[entry.slug]} {DATA[name]} {entry.slug}".casefold()
                for word in wanted
            )
        ]
        if members:
            found[name] = _sorted(members, view.sort)
    return found


def listing(view: CatalogueView) -> None:
    """Render the groups: with a search all that match, else the open one and the others closed."""
    found = groups(view)
    known = {entry.data for entry in cache.entries() if entry.healthy}
    if view.data not in ("", NONE, *known):
        view.fall_back("data", "", "has no model", "showing those of the open model")
    if not found:
        st.caption("No model matches this search.")
        return
    open_one = view.data or next(iter(found))
    for name, entries in found.items():
        _group(name, entries, view, is_open=bool(view.search) or name == open_one)


def broken() -> None:
    """Render the list of checkpoints that cannot be opened, each with the reason."""
    unopened = [entry for entry in cache.entries() if not entry.healthy]
    known = sorted(entry.slug for entry in unopened if entry.results_only)
    if known:
        more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
        listed = ", ".join(known[:_NAMED])
        st.caption(f"Results only (no weights), on the Evaluate page: {listed}{more}.")
    entries = [entry for entry in unopened if not entry.results_only]
    if not entries:
        return
    st.subheader("Broken checkpoints", anchor=False)
    for entry in entries:
        st.markdown(f"`{entry.slug.replace('`', '')}`")
        st.text(entry.reason)


def _sorted(entries: list[Entry], sort: str) -> list[Entry]:
    """Sort the models of one data set."""
    priors = by_flexibility()
    entries.sort(
        key=lambda entry: (-entry.latent, bool(_fitted(entry)), priors.index(entry.prior))
    )
    if sort in _METRICS:
        name = _METRICS[sort]
        absent = float("-inf")
        entries.sort(
            key=lambda entry: -(entry.metrics[name].value if name in entry.metrics else absent)
        )
    return entries


def _fitted(entry: Entry) -> FittedConfig | None:
    """Return how its prior was fitted afterwards, or that it was given; None if it was trained."""
    return None if entry.config is None else entry.config.fitted


def _group(name: str, entries: list[Entry], view: CatalogueView, *, is_open: bool) -> None:
    key = f"catalogue_group_{name}"
    st.session_state[key] = is_open
    count = "1 model" if len(entries) == 1 else f"{len(entries)} models"
    expander = st.expander(
        f"**{DATA[name]}** · {count}", key=key, on_change=_turn, args=(key, name)
    )
    if not is_open:
        return
    with expander:
        shown = entries if view.more else _few(entries, view.model)
        names = naming.labels(cache.entries())
        with st.container(horizontal=True, gap="small", key=f"catalogue_cards_{name}"):
            for entry in shown:
                with st.container(border=True, key=f"catalogue_card_{entry.slug}", gap="xsmall"):
                    _card(entry, names[entry.slug], entry.slug == view.model)
        if len(shown) < len(entries):
            st.button(
                f"Show {len(entries) - len(shown)} more",
                key=f"catalogue_more_{name}",
                on_click=commit,
                kwargs={"more": True},
            )


def _few(entries: list[Entry], slug: str) -> list[Entry]:
    """Return the first few models, and the open one in any case."""
    first = entries[:FEW]
    own = [entry for entry in entries[FEW:] if entry.slug == slug]
    return [*first[: FEW - len(own)], *own]


def _turn(key: str, name: str) -> None:
    """Open a group, which closes the others; or close it."""
    commit(data=name if st.session_state[key] else NONE, search=None, more=None)


def _card(entry: Entry, said: str, is_open: bool) -> None:
    source = preview_address(entry, st.context.theme.type == "dark")
    alt = html.escape(f"Samples of {said}", quote=True)
    # Relative, so that it holds below any path; lazy, so that only what is in view is loaded.
    picture = f'<img src="{source[1:]}" alt="{alt}" loading="lazy">' if source else ""
    st.html(f'<div class="latent-preview">{picture}</div>')
    st.markdown(f"**{said}**")
    names = ("log_likelihood", "pseudo_log_likelihood", "reconstruction", "squared_error")
    score = next((entry.metrics[name] for name in names if name in entry.metrics), None)
    read = "" if entry.config is None else entry.config.data.preparation
    fitted = _fitted(entry)
    after = "" if fitted is None or fitted.samples else "Its prior came with the networks"
    table.render(
        [table.Line(name, (value,)) for name, value in facts(entry).items()],
        note=". ".join(filter(None, (provenance(score), after, read))),
    )
    st.button(
        "Open" if not is_open else "Open now",
        key=f"catalogue_open_{entry.slug}",
        disabled=is_open,
        on_click=frame.open_model,
        args=(entry.slug,),
        width="stretch",
        help=entry.slug,
    )
