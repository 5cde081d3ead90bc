"""Export of picks as a ZIP, and import from one."""

import hashlib
import io
import uuid
from collections.abc import Callable, Iterable, Sequence

import streamlit as st

from explorer import __version__, packing, sections
from explorer.designs import archive, cad, names
from explorer.designs.candidates import Store
from explorer.designs.picks import Pick, Project
from explorer.designs.properties import Conditions
from explorer.errors import ExportError, StoreError
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import printing
from explorer.ui.candidates.judged import MeasuredPick, as_measured
from explorer.ui.panels import export_menu

WHICH = {"all": "All shown", "keep": "Kept", "chosen": "Compared"}
AT_ONCE, BARE = 16, 6
"""Picks that are packed while the browser waits for its download; without pages times so many."""

_SAID, _PACKED = "candidates_import_said", "candidates_packed"


def export(items: Sequence[MeasuredPick], project: Project, view: CandidatesView) -> None:
    """Render the export menu: a ZIP with a folder for each pick, a table and the manifest."""
    with st.popover("Export", icon=":material/download:", disabled=not items):
        which = st.radio(
            "Which",
            list(WHICH),
            format_func=lambda key: WHICH[key],
            key="candidates_which",
            label_visibility="collapsed",
            horizontal=True,
        )
        chosen = [
            item
            for item in items
            if which == "all"
            or (which == "keep" and item.pick.verdict == "keep")
            or (which == "chosen" and item.pick.number in view.chosen)
        ]
        drawn = any(sections.is_section(item.pick.source.model.sketch) for item in chosen)
        chord = _chord() if drawn else cad.CHORD
        pages = st.checkbox(
            "One-page PDF of each",
            value=True,
            key="candidates_pages",
            help="The design, its numbers and polars by each method, and where it is from.",
        )
        name = names.slug(project.name)
        _offer(chosen, project, view.conditions, chord, pages)
        example = names.stem(project.name, chosen[0].pick.number if chosen else 1)
        kinds = "Selig .dat, CSV, SVG and DXF in mm, polars (CSV, XFLR5), " if drawn else ""
        st.caption(
            f"Each pick has a folder, such as `{example}`: {kinds}{'a page, ' if pages else ''}"
            "an image and its code. A table and a manifest lie beside them; "
            f"`latent-explorer rebuild {name}.zip` writes all of it anew and compares it."
        )
        if chosen:
            figure = printing.wall(chosen, project.name)
            export_menu.figure_buttons({"": figure}, name, "candidates_export")


def _chord() -> float:
    return float(
        st.number_input(
            "Chord of drawings, mm",
            min_value=cad.LEAST_CHORD,
            max_value=cad.MOST_CHORD,
            value=cad.CHORD,
            step=10.0,
            format="%g",
            key="candidates_chord",
            help="Of SVG and DXF. In .dat and CSV the chord is 1.",
        )
    )


def _offer(
    chosen: Sequence[MeasuredPick],
    project: Project,
    conditions: Conditions,
    chord: float,
    pages: bool,
) -> None:
    """Render the download; that of many picks is packed first, with progress."""
    words = f"{len(chosen)} pick{'' if len(chosen) == 1 else 's'}"

    def packed(done: Callable[[int], object] = lambda count: None) -> bytes:
        return packing.pack(
            project.name, [item.pick for item in chosen], list(map(as_measured, chosen)),
            conditions, __version__, chord, pages, done,
        )  # fmt: skip

    place = st.empty()
    content: bytes | Callable[[], bytes] = packed
    if len(chosen) > AT_ONCE * (1 if pages else BARE):
        mark = _mark(chosen, project, conditions, chord, pages)
        known = st.session_state.get(_PACKED)
        if known is None or known[0] != mark:
            st.session_state.pop(_PACKED, None)
            if not place.button(
                f"Pack {words}",
                key="candidates_pack",
                icon=":material/inventory_2:",
                width="stretch",
            ):
                return
            line = place.progress(0.0, text=f"Packing {words}")
            known = (
                mark,
                packed(
                    lambda count: line.progress(count / len(chosen), f"{count} of {len(chosen)}")
                ),
            )
            st.session_state[_PACKED] = known
        content = known[1]
    place.download_button(
        f"{words} (ZIP)",
        content,
        f"{names.slug(project.name)}.zip",
        key="candidates_zip",
        icon=":material/folder_zip:",
        on_click="ignore",
        disabled=not chosen,
        width="stretch",
    )


def _mark(
    chosen: Sequence[MeasuredPick],
    project: Project,
    conditions: Conditions,
    chord: float,
    pages: bool,
) -> str:
    """Return what changes if the files would."""
    facts = [
        (item.values, item.fault, pick.key, pick.number, pick.stars, pick.verdict, pick.notes,
         pick.tags, pick.treatment, pick.properties)
        for item in chosen
        for pick in (item.pick,)
    ]  # fmt: skip
    told = repr((project.name, conditions, chord, pages, facts))
    return hashlib.sha256(told.encode()).hexdigest()


def import_picks(store: Store, project: Project) -> None:
    """Render the import form, which adds the picks of an export to the project."""
    with (
        st.popover("Import", icon=":material/upload:"),
        st.form("candidates_import", border=False, clear_on_submit=True),
    ):
        file = st.file_uploader(
            "An export of candidates: ZIP or manifest.json",
            key="candidates_import_file",
            max_upload_size=archive.MOST_BYTES // 10**6,
        )
        if st.form_submit_button("Import") and file is not None:
            st.session_state[_SAID] = _import(store, project, file)
            st.rerun()
    said = st.session_state.pop(_SAID, None)
    if said is None:
        return
    good, words, broken = said
    (st.success if good else st.error)(words)
    if broken:
        st.warning(
            "Skipped (everything else was imported):\n" + "\n".join(f"- {line}" for line in broken)
        )


def _import(store: Store, project: Project, file: io.BytesIO) -> tuple[bool, str, tuple[str, ...]]:
    name = str(getattr(file, "name", "the file"))
    try:
        found = archive.read(file.getvalue(), name)
        before = {pick.key for pick in store.picks(project.id)}
        # A key identifies one pick across all projects: imports into another get new keys.
        items = [(uuid.uuid4().hex, item.source) for item in found.picks]
        said = {
            key: {
                "stars": item.entry.stars, "verdict": item.entry.verdict,
                "notes": item.entry.notes, "tags": item.entry.tags,
                "treatment": item.entry.treatment,
            }
            for (key, _), item in zip(items, found.picks, strict=True)
        }  # fmt: skip
        kept = store.keep(project.id, items, said) if items else []
        _restore(store, zip(kept, found.picks, strict=True))
    except (ExportError, StoreError) as error:
        return False, str(error), ()
    new = sum(pick.key not in before for pick in kept)
    known = len(items) - new
    words = f"Imported {new} pick{'' if new == 1 else 's'} from “{found.project}”"
    words += f" ({known} already present)." if known else "."
    return True, words, found.broken[:50]


def _restore(store: Store, picks: Iterable[tuple[Pick, archive.Returned]]) -> None:
    """Store what XFoil found of imported picks, where it is not known."""
    for pick, item in picks:
        for place, values in item.verified.items():
            if place not in pick.properties:
                store.measured({pick.key: values}, place)
