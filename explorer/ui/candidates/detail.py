"""The pick in focus: its image, properties, notes, tags and origin."""

from collections.abc import Sequence

import streamlit as st

from explorer import sections
from explorer.designs.picks import AS_GIVEN, MOST_NOTES, VERDICTS, Project
from explorer.strips import samples_strip
from explorer.ui import cache
from explorer.ui.address.notation import code_text
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates.actions import beside, remove, store_field
from explorer.ui.candidates.judged import MeasuredPick, focus, is_aerodynamic
from explorer.ui.components import filmstrip
from explorer.ui.components.filmstrip import Grid
from explorer.ui.panels import table
from explorer.ui.shell import pages
from explorer.ui.shell.sibling import has_components
from explorer.ui.wording.format import plain


def detail(project: Project, items: Sequence[MeasuredPick], view: CandidatesView) -> None:
    """Render the pick in focus: its image, properties, notes, tags and origin."""
    item = next((one for one in items if one.pick.number == focus(items, view)), None)
    if item is None:
        return
    with st.container(key="candidates_detail_pane", horizontal=True, gap="medium"):
        with st.container():
            _picture(item)
            _fields(project, items, item)
            if not item.pick.source.own and view.hand != code_text(item.pick.source.code):
                _links(item)
            st.button("Remove", key=f"candidates_{item.pick.key}remove", icon=":material/delete:",
                      on_click=remove, args=(project.id, item.pick.key, beside(items, item)),
                      help="Press U in the list to undo")  # fmt: skip
        with st.container():
            _properties(item)


def _picture(item: MeasuredPick) -> None:
    """Render the pick, why it is invalid, and where it comes from."""
    pick, source = item.pick, item.pick.source
    st.markdown(f"**{plain(pick.title)}** · {VERDICTS[pick.verdict]}")
    filmstrip(
        samples_strip(pick.shown[None], source.model.sketch),
        key="candidates_detail",
        grid=Grid(tile_width=source.model.sketch.tile_width(150)),
    )
    if item.fault:
        st.caption(f":material/warning: Invalid geometry: {item.fault}.")
    if source.own:
        st.caption(f"Own section, {pick.geometry_name.lower()}: no model made it.")
        return
    origin = [f"`{source.model.slug}`"]
    if source.scale is not None:
        origin.append(f"scale {source.scale:g}, seed {source.seed}")
    if source.component is not None and _told(source.component, source.model.hash):
        origin.append(f"component {source.component}")
    if source.page:
        title = pages.TITLES.get(source.page)
        origin.append(f"picked on {title[0] if title else source.page}")
    st.caption(" · ".join(origin))


def _properties(item: MeasuredPick) -> None:
    """Render all properties, and how to get those that are missing."""
    table.render(
        [
            table.Line(prop.label, (prop.words(item.values[prop.key]),), help=prop.meaning)
            for prop in item.properties
            if prop.key in item.values
        ]
    )
    if item.pick.source.model.data == "airfoils" and not is_aerodynamic(item):
        st.caption('Lift and drag: `pip install -c constraints.txt -e ".[airfoil]"`.')


def _fields(project: Project, items: Sequence[MeasuredPick], item: MeasuredPick) -> None:
    """Render what can be said of a pick: notes, tags, and a section's geometry."""
    pick = item.pick
    key = f"candidates_{pick.key}"
    st.session_state[f"{key}_notes"] = pick.notes
    st.session_state[f"{key}_tags"] = list(pick.tags)
    st.text_area("Notes", key=f"{key}_notes", max_chars=MOST_NOTES, height=80,
                 on_change=store_field, args=(project.id, pick.key, "notes"))  # fmt: skip
    st.multiselect("Tags", sorted({tag for one in items for tag in one.pick.tags}),
                   key=f"{key}_tags", accept_new_options=True, max_selections=12,
                   on_change=store_field, args=(project.id, pick.key, "tags"))  # fmt: skip
    if not sections.is_section(pick.source.model.sketch):
        return
    whole = AS_GIVEN if pick.source.own else sections.NAMES["decoded"]
    names: dict[str, str] = {"kulfan": sections.NAMES["kulfan"], "": whole}
    if pick.treatment == "smoothed":
        names["smoothed"] = sections.NAMES["smoothed"]
    st.session_state[f"{key}_treatment"] = pick.treatment
    st.selectbox(
        "Geometry",
        list(names),
        key=f"{key}_treatment",
        format_func=lambda treatment: names[treatment],
        on_change=store_field,
        args=(project.id, pick.key, "treatment"),
        help="Picture, properties, polars and files are of this geometry. A Kulfan section "
        "has 8 + 8 weights, and surfaces that never cross. The decoded heights are kept, and "
        "exported beside it.",
    )


def _told(component: int, digest: str) -> bool:
    """Whether a component tells something: there are others."""
    entry = next((one for one in cache.entries() if one.hash == digest), None)
    return component > 0 or (component == 0 and entry is not None and has_components(entry))


def _links(item: MeasuredPick) -> None:
    source = item.pick.source
    entry = next((one for one in cache.entries() if one.hash == source.model.hash), None)
    if entry is None:
        st.caption(f"Model {source.model.slug} has changed or is missing: view only.")
        return
    place = code_text(source.code)
    with st.container(horizontal=True, gap="small"):
        for page, words, field in (
            ("traverse", "Traverse from here", "hand"),
            ("interpolate", "Interpolate from here", "ends"),
        ):
            st.page_link(pages.page_path(page), label=words, icon=pages.TITLES[page][1],
                         query_params={"model": entry.slug, field: place})  # fmt: skip
