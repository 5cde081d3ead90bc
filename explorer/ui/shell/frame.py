"""The frame around every page: navigation, model selection, comparison, device and timing."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import numpy as np
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from explorer.checkpoint import Entry
from explorer.errors import ExplorerError
from explorer.inference import Engine
from explorer.naming import DATA
from explorer.relatives import relatives
from explorer.ui import cache
from explorer.ui.address import fallbacks
from explorer.ui.address.views import (
    CARRIED,
    COMPARED,
    CURRENT,
    DEFAULT_MODEL,
    LAST,
    PAGES,
    CandidatesView,
    View,
    begin_run,
    latest_address,
    write_address,
)
from explorer.ui.components import copy_link
from explorer.ui.picks import service
from explorer.ui.shell import given, jobs_panel, login, navigation, shelf_panel, terms_panel, tour
from explorer.ui.shell.pages import PURPOSES, TITLES, page_path
from explorer.ui.wording.format import plain, prose
from explorer.ui.wording.naming import labels

STYLE = Path(__file__).with_name("style.css")

Shown = TypeVar("Shown", bound=View)

_KEPT = (
    "scale", "seed", "layers", "colour", "sort", "data", "limits", "reynolds", "alpha", "flow",
    "goal", "spread", "project", "show", "chosen", "at", "tab", "find", "source", "refine",
    "sampler", "steps", "t",
)  # fmt: skip
"""Fields of a link that keep their meaning for another model."""

_OF_DATA = ("index", "ends", "hand")
"""Fields that may name data; rows of a map are kept if the other model's map has the same rows."""

_FITS = 36
"""Characters of a model’s name that its picker has room for."""

_GO = "frame_go"
"""Session key of the page and query that a callback leaves for."""


def run() -> None:
    """Render the frame and run the page at the current address."""
    st.set_page_config(
        page_title="Latent Explorer",
        page_icon=cache.icon(),
        layout="wide",
        initial_sidebar_state=330,
    )
    st.html(STYLE)
    pages = {
        name: st.Page(page_path(name), title=title, icon=icon, url_path=name)
        for name, (title, icon) in TITLES.items()
    }
    # A default page answers only at "/": a hidden one redirects, so every page has an address.
    first = st.Page(
        lambda: st.switch_page(
            pages["generate" if st.query_params.get("tour") == "1" else "catalogue"],
            query_params=st.query_params.to_dict(),
        ),
        title="Latent Explorer",
        default=True,
        visibility="hidden",
    )
    try:
        stranger = login.needed()
    except ExplorerError as error:
        st.error(prose(str(error)), icon=":material/error:")
        return
    # The sidebar's own links hold whole addresses: see `navigation`.
    page = st.navigation([first, *pages.values()], position="hidden")
    if stranger:
        login.offer()
        return
    name = next((name for name, (title, _) in TITLES.items() if title == page.title), None)
    if leaving := st.session_state.pop(_GO, None):
        leave(*leaving)
    if name is not None:
        try:
            fallbacks.begin(name)
            begin_run()
            view = _sidebar(name, pages)
            if view.tour is not None:
                tour.bar(name, view, cache.engine(_healthy()[view.model]))
            st.title(page.title, anchor=False)
            st.markdown(PURPOSES[name])
            fallbacks.place()
            page.run()
        except ExplorerError as error:
            st.error(prose(str(error)), icon=":material/error:")
    else:
        page.run()


def go(page: str, query: Mapping[str, str]) -> None:
    """Open a page in the next run; for callbacks."""
    st.session_state[_GO] = (page, dict(query))


def leave(page: str, query: Mapping[str, str]) -> NoReturn:
    """Open a page now."""
    st.switch_page(page_path(page), query_params=dict(query))


def open_models(view: View) -> list[Engine]:
    """Return the engines of the view's model and of those compared with it."""
    chosen = _healthy()
    st.session_state[CURRENT], st.session_state[COMPARED] = view.model, view.compare
    return [cache.engine(chosen[slug]) for slug in (view.model, *view.compare)]


def open_model(slug: str) -> None:
    """Open a model on all pages; for callbacks."""
    query = latest_address()
    kept = {name: query[name] for name in _KEPT if name in query}
    places = {name: query[name] for name in _OF_DATA if name in query}
    if any(_names_rows(value) for value in places.values()) and not _same_rows(
        st.session_state.get(CURRENT, DEFAULT_MODEL), slug
    ):
        places = {name: value for name, value in places.items() if not _names_rows(value)}
    kept |= {name: value for name, value in places.items() if _is_common(value)}
    if "hand" in places and "hand" not in kept:
        place = given.seen_by(cache.engine(_healthy()[slug]), places["hand"])
        kept |= {} if place is None else {"hand": place}
    st.session_state[CURRENT] = slug
    fallbacks.forget()
    write_address({"model": slug} | kept)


def _same_rows(one: str, other: str) -> bool:
    """Whether the maps of two models show the same samples in the same order."""
    chosen = _healthy()
    if one not in chosen or other not in chosen:
        return False
    first, second = (cache.atlas(cache.engine(chosen[slug])) for slug in (one, other))
    return first is not None and second is not None and np.array_equal(first.ids, second.ids)


def _names_rows(value: str) -> bool:
    """Whether a field names rows of a map."""
    return any(re.fullmatch(r"(data:)?\d+", place) for place in value.split("|"))


def _is_common(value: str) -> bool:
    """Whether a field names what other models of the data know: data, and noise to draw from."""
    return all(re.fullmatch(r"(data:)?\d+|(datum|sample):.*", place) for place in value.split("|"))


def large_type() -> None:
    """Enlarge all type, for a classroom."""
    st.html("<style>html { font-size: 135% !important; }</style>")


def finish(view: View, engine: Engine) -> None:
    """Finish a page: write its view to the address bar, and its timing to the sidebar."""
    view.write()
    timing(engine)


def timing(engine: Engine) -> None:
    """Render device and duration of the last inference."""
    with st.sidebar:
        if engine.components_words:
            st.caption(engine.components_words)
        st.caption(f"{engine.device.upper()} · last inference {engine.milliseconds:.0f} ms")


def resolve_models(view: Shown) -> Shown:
    """Replace models of a link that cannot be opened, or not be compared."""
    chosen = _healthy()
    if not chosen:
        st.info("No checkpoint can be opened. Train one with `latent-explorer train RECIPE.json`.")
        for entry in cache.entries():
            if not entry.results_only:
                st.text(f"{entry.slug}: {entry.reason}")
        st.stop()
    if view.model not in chosen:
        slug = DEFAULT_MODEL if DEFAULT_MODEL in chosen else _first(chosen)
        shown = f"showing {labels(cache.entries())[slug]} of {DATA[chosen[slug].data]}"
        view.fall_back("model", slug, _lack(view.model), shown)
    fitting = {entry.slug for entry in relatives(chosen[view.model], cache.entries())}
    kept = tuple(dict.fromkeys(slug for slug in view.compare if slug in fitting))
    if kept != view.compare:
        why = (
            "has models that cannot be opened"
            if any(slug not in chosen for slug in view.compare)
            else "has models that are not of the same data"
        )
        view.fall_back("compare", kept, why, "leaving them out")
    return view


def _lack(slug: str) -> str:
    """Say why a model cannot be opened."""
    entry = next((item for item in cache.entries() if item.slug == slug), None)
    if entry is None:
        return "was not found"
    reason = plain(entry.reason.rstrip("."))
    return f"has no weights ({reason})" if entry.results_only else f"is broken ({reason})"


def _sidebar(name: str, pages: Mapping[str, StreamlitPage]) -> View:
    view = resolve_models(PAGES[name].from_address())
    if isinstance(view, CandidatesView) and view.project is not None:
        st.session_state[service.PROJECT] = view.project  # new picks go to the visible project
    chosen = _healthy()
    names = labels(list(chosen.values()))
    order = sorted(chosen, key=lambda slug: (list(DATA).index(chosen[slug].data), slug))
    st.set_page_config(page_title=f"{TITLES[name][0]} · {names[view.model]} · Latent Explorer")
    with st.sidebar:
        navigation.links(pages, view)
        st.session_state["frame_picker"] = view.model
        st.selectbox(
            "Model",
            order,
            key="frame_picker",
            format_func=lambda slug: f"{DATA[chosen[slug].data]} — {names[slug]}",
            on_change=_pick_model,
        )
        whole = f"{DATA[chosen[view.model].data]} — {names[view.model]}"
        if len(whole) > _FITS:
            with st.container(key="frame_whole_name"):
                st.caption(prose(whole))
        partners = [entry.slug for entry in relatives(chosen[view.model], list(chosen.values()))]
        st.session_state["frame_partners"] = list(view.compare)
        st.multiselect(
            "Compare with",
            partners,
            placeholder="No other model",
            key="frame_partners",
            max_selections=3,
            format_func=names.__getitem__,
            on_change=_pick_partners,
            select_all=False,
            help="Up to three models of the same data, nearest relatives first, shown with the "
            "same noise or image.",
        )
        with st.container(horizontal=True, gap="small"):
            copy_link(key="frame_copy")
            st.button(
                "Start over",
                key="frame_start_over",
                icon=":material/restart_alt:",
                type="tertiary",
                help="Opens this page as it is at first, with nothing in hand; picks stay.",
                on_click=_start_over,
                args=(view.model,),
            )
        terms_panel.sidebar()
        shelf_panel.sidebar(listens=name == "candidates")
        jobs_panel.listing()
        login.sidebar()
    return view


def _start_over(model: str) -> None:
    """Forget the last view of every page, and what is in hand; for callbacks."""
    for key in (LAST, COMPARED, *dict(CARRIED).values()):
        st.session_state.pop(key, None)
    fallbacks.forget()
    write_address({"model": model})


def _pick_model() -> None:
    open_model(st.session_state["frame_picker"])


def _pick_partners() -> None:
    slugs = tuple(st.session_state["frame_partners"])
    st.session_state[COMPARED] = slugs
    address = {name: value for name, value in latest_address().items() if name != "compare"}
    write_address(address | ({"compare": ",".join(slugs)} if slugs else {}))


def _healthy() -> dict[str, Entry]:
    return {entry.slug: entry for entry in cache.entries() if entry.healthy and entry.data in DATA}


def _first(chosen: dict[str, Entry]) -> str:
    with_prior = [slug for slug, entry in chosen.items() if entry.prior != "none"]
    return (with_prior or list(chosen))[0]
