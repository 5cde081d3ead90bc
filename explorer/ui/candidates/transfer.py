"""Export of picks as a ZIP, and import from one."""

import io
import uuid
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer import __version__, packing
from explorer.designs import archive
from explorer.designs.candidates import Store
from explorer.designs.picks import Project
from explorer.designs.properties import Conditions, Measured
from explorer.errors import ExportError, StoreError
from explorer.ui.address.views import CandidatesView
from explorer.ui.candidates import printing
from explorer.ui.candidates.judged import MeasuredPick
from explorer.ui.panels import constraints, export_menu

WHICH = {"all": "All shown", "keep": "Kept", "chosen": "Compared"}
_SAID = "candidates_import_said"


def export(items: Sequence[MeasuredPick], project: Project, view: CandidatesView) -> None:
    """Render the export menu: a ZIP with images, codes, geometry, a table and a manifest."""
    with st.popover("Export", icon=":material/download:", disabled=not items):
        which = st.radio("Which", list(WHICH), format_func=lambda key: WHICH[key],
                         key="candidates_which", label_visibility="collapsed")  # fmt: skip
        chosen = [
            item
            for item in items
            if which == "all"
            or (which == "keep" and item.pick.verdict == "keep")
            or (which == "chosen" and item.pick.number in view.chosen)
        ]
        name = "-".join(project.name.lower().split())[:40] or "candidates"
        st.download_button(
            f"{len(chosen)} pick{'' if len(chosen) == 1 else 's'} (ZIP)",
            lambda: _zip(chosen, project, constraints.conditions(view)),
            f"{name}.zip",
            key="candidates_zip",
            on_click="ignore",
            disabled=not chosen,
            width="stretch",
        )
        if chosen:
            figure = printing.wall(chosen, project.name)
            export_menu.figure_buttons({"": figure}, name, "candidates_export")
        st.caption(
            "Each pick’s image, code (NPY) and, for sections, Selig .dat, CSV, SVG "
            "and DXF of its geometry, the decoded heights beside a Kulfan section, and polars; "
            "a table; and `manifest.json`: `latent-explorer rebuild manifest.json` "
            "regenerates and verifies them."
        )


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
    except (ExportError, StoreError) as error:
        return False, str(error), ()
    new = sum(pick.key not in before for pick in kept)
    known = len(items) - new
    words = f"Imported {new} pick{'' if new == 1 else 's'} from “{found.project}”"
    words += f" ({known} already present)." if known else "."
    return True, words, found.broken[:50]


def _zip(items: Sequence[MeasuredPick], project: Project, conditions: Conditions) -> bytes:
    measured = [
        Measured(
            item.properties,
            {key: np.array([value]) for key, value in item.values.items()},
            (item.fault,),
        )
        for item in items
    ]
    return packing.pack(
        project.name, [item.pick for item in items], measured, conditions, __version__
    )
