"""The candidates page's list: projects, filters, cards, and the pick in focus."""

import contextlib
import hashlib
import html
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from explorer.designs import geometry
from explorer.designs.candidates import Store
from explorer.designs.export import treated
from explorer.designs.picks import MOST_NAME, MOST_NOTES, Pick, Project
from explorer.designs.properties import Conditions, Measured, Property
from explorer.errors import StoreError
from explorer.inference import Engine
from explorer.sketch import PixelSketch
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.address.controls import commit, control
from explorer.ui.address.notation import code_text
from explorer.ui.address.views import CandidatesView
from explorer.ui.components import filmstrip
from explorer.ui.components.shortlist import Card, shortlist
from explorer.ui.panels import constraints
from explorer.ui.picks import service
from explorer.ui.shell import frame

MOST_CARDS = 240
MOST_COMPARED = 6
SHOWN = {"all": "All", "open": "Undecided", "keep": "To keep", "reject": "Rejected"}


class Judged(NamedTuple):
    """A pick with its properties and why it is no sound design ("" if it is one)."""

    pick: Pick
    properties: tuple[Property, ...]
    values: dict[str, float]
    fault: str


def project_of(store: Store, view: CandidatesView) -> Project:
    """Return the project of the view, or the one that picks go to; it is the current one now."""
    known = store.projects()
    found = next((item for item in known if item.id == view.project), None)
    if found is None:
        current, _ = service.current()
        found = current or known[-1]
    view.project = found.id if len(known) > 1 else None
    st.session_state[service.PROJECT] = found.id
    return found


def judged(store: Store, project: Project, conditions: Conditions) -> list[Judged]:
    """Read the project's picks and measure them; what is measured anew is stored with them."""
    picks = store.picks(project.id)
    found: dict[str, Judged] = {}
    for group in _alike(picks):
        sketch = group[0].made.model.sketch
        x = np.stack([treated(pick) for pick in group])
        names = "".join(pick.key + pick.treatment for pick in group)
        name = hashlib.sha256((names + sketch.model_dump_json()).encode()).hexdigest()
        worth = cache.picks_worth(name, conditions, x, sketch)
        for row, pick in enumerate(group):
            values = {key: float(value[row]) for key, value in worth.values.items()}
            found[pick.key] = Judged(pick, worth.properties, values, worth.faults[row])
    text = conditions.model_dump_json()
    new = {
        key: item.values
        for key, item in found.items()
        if not _same(item.pick.properties.get(text), item.values)
    }
    if new:
        with contextlib.suppress(StoreError):  # they are measured again next time
            store.measured(new, text)
    return [found[pick.key] for pick in picks]


def bar(store: Store, project: Project, all_picks: Sequence[Judged], view: CandidatesView) -> None:
    """Choose the project, and which of its picks are shown in which order."""
    known = store.projects()
    properties = common(all_picks, focus(all_picks, view))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        names = {item.id: f"{item.name} ({item.picks})" for item in known}
        control(st.selectbox, "Project", view, "project", options=list(names),
                value=project.id, format_func=names.get, width=170)  # fmt: skip
        with st.popover("New", icon=":material/add:"), st.form("candidates_new", border=False):
            st.text_input("Name", key="candidates_name", max_chars=MOST_NAME)
            st.form_submit_button("Make project", on_click=_new_project)
        control(st.segmented_control, "Show", view, "show", options=list(SHOWN),
                format_func=SHOWN.get, required=True)  # fmt: skip
        control(st.selectbox, "Stars", view, "stars", options=[0, 1, 2, 3, 4, 5],
                format_func=lambda n: "any" if n == 0 else f"{n} or more", width=100)  # fmt: skip
        tags = sorted({tag for item in all_picks for tag in item.pick.tags})
        if tags:
            control(st.selectbox, "Tag", view, "tag", options=["", *tags],
                    value=view.tag if view.tag in tags else "",
                    format_func=lambda tag: tag or "any", width=110)  # fmt: skip
        labels = {"number": "Number", "stars": "Stars"} | {p.key: p.label for p in properties}
        control(st.selectbox, "Sort by", view, "sort", options=list(labels),
                value=view.sort if view.sort in labels else "number",
                format_func=labels.get, width=135)  # fmt: skip


def limits(engine: Engine, view: CandidatesView) -> None:
    """Offer constraints on designs like those of the open model."""
    constraints.control_bounds(engine, view)
    if view.limits:
        control(st.toggle, "Hide what breaks them", view, "hide")


def shown(all_picks: Sequence[Judged], view: CandidatesView) -> list[Judged]:
    """Filter and sort picks as the view says; constraints dim, or hide where that is asked."""
    verdict = {"open": "", "keep": "keep", "reject": "reject"}.get(view.show)
    left = [
        item
        for item in all_picks
        if (verdict is None or item.pick.verdict == verdict)
        and item.pick.stars >= view.stars
        and (not view.tag or view.tag in item.pick.tags)
    ]
    asked = constraints.constraints(view, common(all_picks, focus(all_picks, view)))
    if asked and view.hide:
        left = [item for item in left if _row(item).meets(asked)[0]]
    if view.sort == "stars":
        left.sort(key=lambda item: -item.pick.stars)
    elif view.sort != "number":
        far = float("inf")
        left.sort(
            key=lambda item: -value if np.isfinite(value := item.values.get(view.sort, np.nan))
            else far
        )  # fmt: skip
    return left


def cards(project: Project, items: Sequence[Judged], view: CandidatesView) -> None:
    """Show picks as cards."""
    numbers = [item.pick.number for item in items]
    view.chosen = tuple(number for number in view.chosen if number in numbers)
    if view.at not in numbers:
        view.at = None
    groups = _alike([item.pick for item in items[:MOST_CARDS]])
    strips = [
        samples_strip(np.stack([treated(pick) for pick in group]), group[0].made.model.sketch)
        for group in groups
    ]
    places = {
        pick.key: (panel, at)
        for panel, group in enumerate(groups)
        for at, pick in enumerate(group)
    }
    asked = constraints.constraints(view, common(items, focus(items, view)))
    made, judged = [], []
    for item in items[:MOST_CARDS]:
        pick = item.pick
        judged.append(all(limit.key in item.values for limit in asked))
        met = not asked or bool(_row(item).meets(asked)[0])
        said = tuple(
            f"{prop.label} {prop.words(item.values[prop.key])}"
            for prop in item.properties
            if (prop.main or prop.key == view.sort) and prop.key in item.values
        )
        made.append(
            Card(pick.key, pick.number, *places[pick.key], pick.stars, pick.verdict, pick.tags,
                 said, item.fault, not met)
        )  # fmt: skip
    shortlist(
        strips,
        made,
        key="candidates_list",
        project=project.id,
        at=focus(items, view),
        chosen=view.chosen,
        most=MOST_COMPARED,
        on_held=lambda number, numbers: commit(at=number, chosen=numbers or None),
    )
    count = sum(told and not card.dim for told, card in zip(judged, made, strict=True))
    words = []
    if len(items) > MOST_CARDS:
        words.append(f"{MOST_CARDS} of {len(items):,} picks are shown: filter or sort.")
    if asked:
        others = len(made) - sum(judged)
        words.append(f"{count} of {sum(judged)} are sound and meet the constraints.")
        if others:
            words.append(f"{others} of other data do not have these properties.")
    words.append(
        "Arrows move, 1 to 5 give stars (0 takes them), K keeps, X rejects, U undoes, Enter "
        "compares."
    )
    st.caption(" ".join(words))


def detail(store: Store, project: Project, items: Sequence[Judged], view: CandidatesView) -> None:
    """Show the pick in focus: its picture, properties, notes and tags, and where it came from."""
    item = next((one for one in items if one.pick.number == focus(items, view)), None)
    if item is None:
        return
    pick, made = item.pick, item.pick.made
    # The pane stays beside the card it is about, however far down that is.
    st.html(
        "<style>@media (min-width: 1100px) {"
        " div:has(> .st-key-candidates_pane) { align-self: stretch; }"
        " .st-key-candidates_pane { position: sticky; top: 4rem; padding-right: .5rem;"
        " max-height: calc(100vh - 5rem); overflow-y: auto; } }</style>"
    )
    st.markdown(f"**{pick.title}**")
    filmstrip(
        samples_strip(treated(pick)[None], made.model.sketch),
        key="candidates_detail",
        selectable=False,
        tile_width=150 if isinstance(made.model.sketch, PixelSketch) else 300,
    )
    if item.fault:
        st.caption(f":material/warning: No sound design: {item.fault}.")
    origin = [f"`{made.model.slug}`"]
    if made.scale is not None:
        origin.append(f"scale {made.scale:g}, seed {made.seed}")
    if made.component is not None and made.component >= 0:
        origin.append(f"component {made.component}")
    if made.page:
        title = frame.TITLES.get(made.page)
        origin.append(f"picked on {title[0] if title else made.page}")
    st.caption(" · ".join(origin))
    rows = [
        f"<span>{html.escape(prop.label)}</span>"
        f'<b style="text-align:right">{prop.words(item.values[prop.key])}</b>'
        for prop in item.properties
        if prop.key in item.values
    ]
    st.html(
        '<div style="display:grid;grid-template-columns:1fr auto;gap:.15rem .8rem;'
        f'font-size:.85rem;font-variant-numeric:tabular-nums">{"".join(rows)}</div>'
    )
    if made.model.data == "airfoils" and not _aerodynamic(item):
        st.caption('Lift and drag: `pip install -c constraints.txt -e ".[airfoil]"`.')
    key = f"candidates_{pick.key}"
    st.session_state[f"{key}_notes"] = pick.notes
    st.session_state[f"{key}_tags"] = list(pick.tags)
    st.text_area("Notes", key=f"{key}_notes", max_chars=MOST_NOTES, height=80,
                 on_change=_said, args=(project.id, pick.key, "notes"))  # fmt: skip
    st.multiselect("Tags", sorted({tag for one in items for tag in one.pick.tags}),
                   key=f"{key}_tags", accept_new_options=True, max_selections=12,
                   on_change=_said, args=(project.id, pick.key, "tags"))  # fmt: skip
    if geometry.is_section(made.model.sketch):
        st.session_state[f"{key}_treatment"] = pick.treatment == "smoothed"
        st.toggle(
            "Smoothed",
            key=f"{key}_treatment",
            on_change=_said,
            args=(project.id, pick.key, "treatment"),
            help="Puts the section's Kulfan fit (8 + 8 weights) in its place, here and in "
            "exports. It is recorded, and the decoded section is kept.",
        )
    _links(item)
    st.button("Remove", key=f"{key}_remove", icon=":material/delete:",
              on_click=_remove, args=(project.id, pick.key, _beside(items, item)),
              help="U in the list brings it back")  # fmt: skip


def focus(items: Sequence[Judged], view: CandidatesView) -> int | None:
    """Return the number of the pick in focus: the link's, or the first."""
    numbers = [item.pick.number for item in items]
    return view.at if view.at in numbers else (numbers[0] if numbers else None)


def common(items: Sequence[Judged], at: int | None = None) -> tuple[Property, ...]:
    """List the properties of the pick in focus, or of the most frequent kind."""
    focus = next((item for item in items if item.pick.number == at), None)
    if focus is not None:
        return focus.properties
    kinds = _alike([item.pick for item in items])
    if not kinds:
        return ()
    largest = {pick.key for pick in max(kinds, key=len)}
    return next(item.properties for item in items if item.pick.key in largest)


def history(store: Store, project: Project) -> None:
    """List what was done, newest first, and offer to take the last change back."""
    changes = store.history(project.id, 12)
    if not changes:
        return
    with st.expander("History"):
        st.button("Undo the last change", icon=":material/undo:", on_click=_undo,
                  args=(project.id,), disabled=all(item.undone for item in changes))  # fmt: skip
        lines = []
        for change in changes:
            many = f" ({change.picks} picks)" if change.picks > 1 else ""
            struck = "~~" if change.undone else ""
            lines.append(f"- {struck}{change.words}{many}{struck}")
        st.markdown("\n".join(lines))


def _links(item: Judged) -> None:
    made = item.pick.made
    entry = next((one for one in cache.entries() if one.hash == made.model.hash), None)
    if entry is None:
        st.caption(f"{made.model.slug} is not here as it was: it can be shown, not explored.")
        return
    place = code_text(made.code)
    with st.container(horizontal=True, gap="small"):
        for page, words, field in (
            ("traverse", "Traverse from it", "centre"),
            ("interpolate", "Interpolate from it", "ends"),
        ):
            st.page_link(frame.page_path(page), label=words, icon=frame.TITLES[page][1],
                         query_params={"model": entry.slug, field: place})  # fmt: skip


def _alike(picks: Sequence[Pick]) -> list[list[Pick]]:
    """Group picks whose samples are drawn alike."""
    groups: dict[str, list[Pick]] = {}
    for pick in picks:
        groups.setdefault(pick.made.model.sketch.model_dump_json(), []).append(pick)
    return list(groups.values())


def _row(item: Judged) -> Measured:
    values = {key: np.array([value]) for key, value in item.values.items()}
    return Measured(item.properties, values, (item.fault,))


def _aerodynamic(item: Judged) -> bool:
    return any(prop.key == "cl" for prop in item.properties)


def _same(known: object, values: dict[str, float]) -> bool:
    if not isinstance(known, dict) or known.keys() != values.keys():
        return False
    return all(
        known[key] == value or (np.isnan(known[key]) and np.isnan(value))
        for key, value in values.items()
    )


def _new_project() -> None:
    try:
        made = service.store().add_project(st.session_state["candidates_name"])
    except StoreError as error:
        st.toast(str(error), icon=":material/error:")
        return
    commit(project=made, chosen=None, at=None)


def _said(project: int, key: str, what: str) -> None:
    value = st.session_state[f"candidates_{key}_{what}"]
    if what == "treatment":
        value = "smoothed" if value else ""
    _mark(project, [key], **{what: value})


def _beside(items: Sequence[Judged], item: Judged) -> int | None:
    """The next pick in the list, or the one before the last."""
    numbers = [one.pick.number for one in items]
    place = numbers.index(item.pick.number)
    left = numbers[:place] + numbers[place + 1 :]
    return left[min(place, len(left) - 1)] if left else None


def _remove(project: int, key: str, beside: int | None) -> None:
    _mark(project, [key], removed=True)
    commit(at=beside)


def _mark(project: int, keys: list[str], **said: object) -> None:
    try:
        service.store().mark(project, keys, **said)  # type: ignore[arg-type]
    except StoreError as error:
        st.toast(str(error), icon=":material/error:")


def _undo(project: int) -> None:
    try:
        words = service.store().undo(project)
    except StoreError as error:
        words = str(error)
    st.toast(f"Undone: {words}" if words else "There is nothing to undo.")


def empty(view: CandidatesView) -> None:
    """Say how the first pick is made."""
    st.markdown("**Nothing is picked yet**")
    st.caption(
        "On any page, click the bookmark in a picture's corner, or press K with the pointer on "
        "it. What you keep comes here, to be judged by keyboard, compared, and taken home."
    )
    with st.container(horizontal=True, gap="small"):
        for page, words in (("generate", "Pick on Generate"), ("latent_map", "Pick on the map")):
            st.page_link(frame.page_path(page), label=words, icon=frame.TITLES[page][1],
                         query_params={"model": view.model})  # fmt: skip
