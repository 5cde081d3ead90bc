"""The list of candidates: projects, filters, cards, and the pick in focus."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.designs.candidates import Store
from explorer.designs.picks import MOST_NAME, VERDICTS, Project
from explorer.designs.properties import Constraint, in_words
from explorer.inference import Engine
from explorer.strips import samples_strip
from explorer.ui.address.controls import commit, control
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import verify
from explorer.ui.candidates.actions import new_project
from explorer.ui.candidates.judged import MeasuredPick, alike, as_measured, common, focus
from explorer.ui.components.shortlist import Card, shortlist
from explorer.ui.panels import constraints, hand
from explorer.ui.picks import service
from explorer.ui.shell import pages
from explorer.ui.wording.format import plain

MOST_CARDS = 240
MOST_COMPARED = 6
SHOWN = {
    "all": "All", "open": VERDICTS[""], "keep": VERDICTS["keep"], "reject": VERDICTS["reject"],
}  # fmt: skip


def project_of(store: Store, view: CandidatesView) -> Project:
    """Return the project of the view, or the current one; it becomes the current one."""
    known = store.projects()
    found = next((item for item in known if item.id == view.project), None)
    if found is None:
        current, _ = service.current()
        found = current or known[-1]
        if view.project is not None:
            view.fall_back("project", found.id, "was not found", f"showing {plain(found.name)}")
    view.project = found.id if len(known) > 1 else None
    st.session_state[service.PROJECT] = found.id
    return found


def bar(
    store: Store, project: Project, all_picks: Sequence[MeasuredPick], view: CandidatesView
) -> None:
    """Render the filters of the toolbar: project, what is shown, and in which order."""
    known = store.projects()
    every = {item.pick.number for item in all_picks}
    if not every.issuperset(view.chosen):
        kept = tuple(number for number in view.chosen if number in every)
        view.fall_back("chosen", kept, "has picks that were not found", "leaving them out")
    if view.at is not None and view.at not in every:
        view.fall_back("at", None, "was not found", "showing the first pick")
    properties = common(all_picks, focus(all_picks, view))
    names = {item.id: f"{item.name} ({item.picks})" for item in known}
    control(st.selectbox, "Project", view, "project", options=list(names),
            value=project.id, format_func=names.get, width=145)  # fmt: skip
    with (
        st.popover("", icon=":material/add:", help="New project"),
        st.form("candidates_new", border=False),
    ):
        st.text_input("Name", key="candidates_name", max_chars=MOST_NAME)
        st.form_submit_button("Create project", key="candidates_create", on_click=new_project)
    control(st.segmented_control, "Show", view, "show", options=list(SHOWN),
            format_func=SHOWN.get, required=True)  # fmt: skip
    control(st.selectbox, "Stars", view, "stars", options=[0, 1, 2, 3, 4, 5],
            format_func=lambda n: "Any" if n == 0 else f"{n} or more", width=85)  # fmt: skip
    tags = sorted({tag for item in all_picks for tag in item.pick.tags})
    if view.tag and view.tag not in tags:
        view.fall_back("tag", "", "is on no pick", "showing all")
    if tags:
        control(st.selectbox, "Tag", view, "tag", options=["", *tags],
                format_func=lambda tag: tag or "Any", width=110)  # fmt: skip
    labels = {"number": "Number", "stars": "Stars"} | {p.key: p.label for p in properties}
    if view.sort not in labels:
        view.fall_back("sort", "number", "is not known of these picks", "sorting by number")
    control(st.selectbox, "Sort by", view, "sort", options=list(labels),
            format_func=labels.get, width=125)  # fmt: skip


def limits(engine: Engine, view: CandidatesView) -> None:
    """Render constraints on designs like those of the open model."""
    constraints.switch(engine, view)
    if view.limits:
        control(st.toggle, "Only those that meet them", view, "hide")


def shown(all_picks: Sequence[MeasuredPick], view: CandidatesView) -> list[MeasuredPick]:
    """Filter and sort picks as the view says; constraints dim picks, or hide them on request."""
    verdict = {"open": "", "keep": "keep", "reject": "reject"}.get(view.show)
    left = [
        item
        for item in all_picks
        if (verdict is None or item.pick.verdict == verdict)
        and item.pick.stars >= view.stars
        and (not view.tag or view.tag in item.pick.tags)
    ]
    bounds = constraints.constraints(view, common(all_picks, focus(all_picks, view)))
    if bounds and view.hide:
        left = [item for item in left if as_measured(item).meets(bounds)[0]]
    if view.sort == "stars":
        left.sort(key=lambda item: -item.pick.stars)
    elif view.sort != "number":
        far = float("inf")
        left.sort(
            key=lambda item: -value if np.isfinite(value := item.values.get(view.sort, np.nan))
            else far
        )  # fmt: skip
    return left


def cards(
    project: Project, items: Sequence[MeasuredPick], view: CandidatesView, engine: Engine
) -> None:
    """Render picks as cards; one of the open model that comes into focus is taken in hand."""
    numbers = [item.pick.number for item in items]
    view.chosen = tuple(number for number in view.chosen if number in numbers)
    if view.at not in numbers:
        view.at = None
    groups = alike([item.pick for item in items[:MOST_CARDS]])
    strips = [
        samples_strip(np.stack([pick.shown for pick in group]), group[0].source.model.sketch)
        for group in groups
    ]
    places = {
        pick.key: (panel, at)
        for panel, group in enumerate(groups)
        for at, pick in enumerate(group)
    }
    bounds = constraints.constraints(view, common(items, focus(items, view)))
    source, judged = [], []
    for item in items[:MOST_CARDS]:
        pick = item.pick
        judged.append(all(limit.key in item.values for limit in bounds))
        met = not bounds or bool(as_measured(item).meets(bounds)[0])
        said = tuple(
            f"{prop.label} {prop.words(item.values[prop.key])}"
            for prop in item.properties
            if (prop.main or prop.key == view.sort) and prop.key in item.values
        )
        mark = verify.words(item)
        failed = item.verified is not None and not item.verified.converged
        # A failure comes first, since the line of a card is cut at its end.
        said = mark + said if failed else said + mark
        source.append(
            Card(pick.key, pick.number, pick.source.name, *places[pick.key], pick.stars,
                 pick.verdict, pick.tags, said, item.fault, _reasons(item, bounds), not met)
        )  # fmt: skip
    shortlist(
        strips,
        source,
        key="candidates_list",
        project=project.id,
        at=focus(items, view),
        chosen=view.chosen,
        most=MOST_COMPARED,
        on_held=lambda number, numbers: _focus(items, engine, view, number, numbers),
    )
    count = sum(
        is_measured and not card.dim for is_measured, card in zip(judged, source, strict=True)
    )
    words = []
    if len(items) > MOST_CARDS:
        words.append(
            f"{MOST_CARDS} of {len(items):,} picks are shown; filter or sort to see others."
        )
    if bounds:
        others = len(source) - sum(judged)
        words.append(f"{count} of {sum(judged)} are valid and meet the constraints.")
        if others:
            words.append(f"{others} from other data sets lack these properties.")
    words.append(
        "Arrow keys move, 1–5 set stars (0 clears), K keeps, X rejects, U undoes, Enter compares."
    )
    st.caption(" ".join(words))
    verify.offer(items, view.conditions)


def _reasons(item: MeasuredPick, bounds: Sequence[Constraint]) -> tuple[str, ...]:
    """Say why a pick is invalid, or which constraints it violates and by which value."""
    if item.fault:
        return (f"Invalid: {item.fault}",)
    known = {prop.key: prop for prop in item.properties}
    said = []
    for bound in bounds:
        prop, value = known.get(bound.key), item.values.get(bound.key)
        if prop is None or value is None or as_measured(item).meets((bound,))[0]:
            continue
        wanted = in_words(bound, item.properties).removeprefix(f"{prop.label} ")
        said.append(f"{prop.label} {prop.words(value)}, not {wanted}")
    return tuple(said)


def _focus(
    items: Sequence[MeasuredPick],
    engine: Engine,
    view: CandidatesView,
    number: int | None,
    chosen: tuple[int, ...],
) -> None:
    """Put a pick into focus, and in hand if the open model made it; for callbacks.

    When a second one is chosen for comparison, the comparison takes the place of the pick.
    """
    changes: dict[str, object] = {"at": number, "chosen": chosen or None}
    if view.pane == "pick" and 1 < len(chosen) > len(view.chosen):
        changes["tab"] = "compare"
    pick = next((item.pick for item in items if item.pick.number == number), None)
    if pick is not None and pick.source.model.hash == engine.checkpoint.hash:
        changes["hand"] = hand.named(pick.source.code, pick.title)
    commit(**changes)


def empty(picks: Sequence[MeasuredPick], view: CandidatesView) -> None:
    """Render what to do while no pick is shown: to make the first, or to see others."""
    if picks:
        st.caption("No picks match these filters.")
        return
    st.markdown("**Nothing is picked yet**")
    st.caption(
        "On any page, click the bookmark in an image’s corner, or press K with the pointer on "
        "it. Your picks appear here, to be rated by keyboard, compared and exported."
    )
    with st.container(horizontal=True, gap="small"):
        for page, words in (("generate", "Pick on Generate"), ("latent_map", "Pick on the map")):
            st.page_link(pages.page_path(page), label=words, icon=pages.TITLES[page][1],
                         query_params={"model": view.model})  # fmt: skip
