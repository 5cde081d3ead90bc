"""Designs as files to take home: what the folder of each holds, and the ZIP around all.

Every file follows from the manifest alone: `pick_files` makes the same bytes for a pick that was
read from it.
"""

import hashlib
import io
import math
import zipfile
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from explorer import drawing, sections
from explorer.designs import archive, cad, formats, names, polars, xfoil
from explorer.designs.measuring import applicable_properties
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions, Measured

_SIDE = 224
_BEGAN = (1980, 1, 1, 0, 0, 0)
"""The first date a ZIP file can hold: the time of now would make it another file each time."""


class Told(NamedTuple):
    """What all picks of an export share.

    `conditions` are those that properties were measured under, `chord` is that of drawings in
    millimetres, `library` the version of this library; `pages` asks for a page of each, as PDF.
    """

    project: str
    conditions: Conditions
    chord: float
    library: str
    pages: bool = True


def pack(
    project: str,
    picks: Sequence[Pick],
    measured: Sequence[Measured],
    conditions: Conditions,
    library: str,
    chord: float = cad.CHORD,
    pages: bool = True,
    done: Callable[[int], object] = lambda count: None,
) -> bytes:
    """Pack picks into a ZIP file: a folder for each, a table, and the manifest.

    Args:
        project: Its name.
        picks: The picks.
        measured: For each pick in order, its properties, measured on one sample.
        conditions: The conditions they were measured under.
        library: Version of this library.
        chord: The chord of drawings of sections, in millimetres.
        pages: Whether each gets a page as PDF, which takes most of the time.
        done: Is told after each pick how many are packed.
    """
    stream = io.BytesIO()
    stems = [names.stem(project, pick.number) for pick in picks]
    digests: list[dict[str, str]] = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as parcel:

        def add(name: str, content: bytes) -> None:
            parcel.writestr(zipfile.ZipInfo(name, _BEGAN), content, zipfile.ZIP_DEFLATED)

        for number, (pick, stem, found) in enumerate(zip(picks, stems, measured, strict=True), 1):
            told = Told(project, conditions, chord, library, pages)
            files = pick_files(pick, stem, found, told)
            for name, content in files.items():
                add(f"{stem}/{name}", content)
            digests.append({name: digest(content) for name, content in files.items()})
            done(number)
        table = formats.table(picks, measured, stems, conditions)
        add(archive.TABLE, table)
        facts = archive.manifest(
            project, picks, measured, conditions, library,
            archive.Written(tuple(stems), tuple(digests), digest(table), chord),
        )  # fmt: skip
        add(archive.MANIFEST, facts)
    return stream.getvalue()


def pick_files(pick: Pick, stem: str, measured: Measured, told: Told) -> dict[str, bytes]:
    """Write the files of one pick, by their names.

    Args:
        pick: The pick.
        stem: Its name, and that of its files.
        measured: Its properties.
        told: What all picks of the export share.
    """
    source, sketch = pick.source, pick.source.model.sketch
    shown = drawing.on_paper(pick.shown[None], sketch)
    files = {f"{stem}.png": drawing.png(drawing.thumbnails(shown, sketch, _SIDE)[0])}
    if not source.own:
        files[f"{stem}-code.npy"] = formats.npy(source.code)
    if sections.is_section(sketch):
        files |= formats.section_files(
            source.sample, sketch, stem, pick.geometry, told.chord, pick.geometry_name
        )
    found = polars.of(pick, told.conditions)
    files |= polars.files(stem, found)
    if not told.pages:
        return files
    from explorer.figures.sheet import Sheet, of_design

    page = Sheet(
        pick, stem, told.project, measured, told.conditions, found, told.chord, told.library
    )
    return files | {f"{stem}.pdf": of_design(page)}


def again(item: archive.Returned, export: archive.Import) -> dict[str, bytes]:
    """Write the files of a pick anew from what its manifest tells; none if it tells no name.

    Args:
        item: The pick.
        export: The export that it was read from.

    Raises:
        ExportError: If the conditions in the manifest cannot be read.
    """
    if not item.entry.stem:
        return {}
    stem, chord = item.entry.stem, export.chord or cad.CHORD
    pages = f"{stem}.pdf" in item.entry.files
    told = Told(export.project, item.conditions, chord, export.library, pages)
    return pick_files(item.pick, stem, _measured(item), told)


def table_again(export: archive.Import) -> bytes:
    """Write the table of an export anew from what its manifest tells.

    Raises:
        ExportError: If the conditions in the manifest cannot be read.
    """
    items = export.picks
    conditions = items[0].conditions if items else Conditions()
    return formats.table(
        [item.pick for item in items],
        [_measured(item) for item in items],
        [item.entry.stem for item in items],
        conditions,
    )


def _measured(item: archive.Returned) -> Measured:
    """Return the properties of a pick as its manifest tells them."""
    entry, conditions = item.entry, item.conditions
    values = {
        key: np.array([math.nan if value is None else value])
        for key, value in entry.properties.items()
    }
    listed = applicable_properties(item.source.model.sketch, conditions)
    if any(key.startswith("xfoil") for key in values):
        listed += xfoil.properties(conditions.at)
    return Measured(listed, values, (entry.fault,))


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()
