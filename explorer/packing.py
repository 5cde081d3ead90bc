"""Designs as files to take home: what the folder of each holds, and the ZIP around all.

Every file follows from the manifest alone: `pick_files` makes the same bytes for a pick that was
read from it.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence

from explorer import drawing, sections
from explorer.designs import archive, cad, formats, names, polars
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions, Measured

_SIDE = 224
_BEGAN = (1980, 1, 1, 0, 0, 0)
"""The first date a ZIP file can hold: the time of now would make it another file each time."""


def pack(
    project: str,
    picks: Sequence[Pick],
    measured: Sequence[Measured],
    conditions: Conditions,
    library: str,
    chord: float = cad.CHORD,
    done: Callable[[int], None] = lambda count: None,
) -> bytes:
    """Pack picks into a ZIP file: a folder for each, a table, and the manifest.

    Args:
        project: Its name.
        picks: The picks.
        measured: For each pick in order, its properties, measured on one sample.
        conditions: The conditions they were measured under.
        library: Version of this library.
        chord: The chord of drawings of sections, in millimetres.
        done: Is told after each pick how many are packed.
    """
    stream = io.BytesIO()
    stems = [names.stem(project, pick.number) for pick in picks]
    digests: list[dict[str, str]] = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as parcel:

        def add(name: str, content: bytes) -> None:
            parcel.writestr(zipfile.ZipInfo(name, _BEGAN), content, zipfile.ZIP_DEFLATED)

        for number, (pick, stem, found) in enumerate(zip(picks, stems, measured, strict=True), 1):
            files = pick_files(pick, stem, found, conditions, chord)
            for name, content in files.items():
                add(f"{stem}/{name}", content)
            digests.append({name: digest(content) for name, content in files.items()})
            done(number)
        add(archive.TABLE, formats.table(picks, measured, stems, conditions))
        told = archive.manifest(
            project, picks, measured, conditions, library, stems, digests, chord
        )
        add(archive.MANIFEST, told)
    return stream.getvalue()


def pick_files(
    pick: Pick, stem: str, measured: Measured, conditions: Conditions, chord: float
) -> dict[str, bytes]:
    """Write the files of one pick, by their names.

    Args:
        pick: The pick.
        stem: Its name, and that of its files.
        measured: Its properties.
        conditions: The conditions they were measured under.
        chord: The chord of drawings, in millimetres.
    """
    source, sketch = pick.source, pick.source.model.sketch
    shown = drawing.on_paper(pick.shown[None], sketch)
    files = {
        f"{stem}.png": drawing.png(drawing.thumbnails(shown, sketch, _SIDE)[0]),
        f"{stem}-code.npy": formats.npy(source.code),
    }
    if sections.is_section(sketch):
        files |= formats.section_files(source.sample, sketch, stem, pick.geometry, chord)
        files |= polars.files(stem, polars.of(pick, conditions))
    return files


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()
