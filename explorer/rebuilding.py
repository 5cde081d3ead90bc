"""Rebuilding of exports, strips or picks, with the deviation of each part."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from explorer import (
    __version__,
    checkpoint,
    drawing,
    exports,
    figures,
    manifests,
    packing,
    sections,
)
from explorer.designs import archive
from explorer.errors import ExplorerError, ExportError
from explorer.inference import Engine

SIDE = 224
STRIP, TABLE = "Strip", archive.TABLE


class Rebuilt(NamedTuple):
    """One part of an export, regenerated.

    `away` is its largest deviation as a fraction of the range of samples; `problem` says why it
    could not be regenerated: its model is `missing`, or its entry is `broken`. Of a pick whose
    sample is bit-identical, `files` were written anew and compared with the export's; `changed`
    names those that differ, `others` those not compared, since other software wrote them.
    """

    title: str
    same: bool
    away: float
    problem: str = ""
    lack: Literal["", "missing", "broken"] = ""
    files: int = 0
    changed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def close(self) -> bool:
        """Whether it is within the tolerance for another machine."""
        return not self.problem and self.away <= archive.CLOSE and not self.changed


def rebuild(path: Path, folder: Path, device: str = "auto") -> Iterator[Rebuilt]:
    """Regenerate an export, and write the images into a folder.

    Args:
        path: A manifest or an exported ZIP, of the current or the previous version.
        folder: Where to write images; created if absent.
        device: The device to run models on.

    Yields:
        The strip, or the picks one by one and their table.

    Raises:
        ExportError: If it is not an export, or the strip's weights are different here.
        UnknownCheckpointError: If the strip's checkpoint is not installed.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(archive.MOST_BYTES + 1)
    except OSError as error:
        raise ExportError(f"{path} cannot be read ({error.strerror}).") from error
    if manifests.read(archive.unpacked(content, path.name), path.name).project is None:
        yield _strip(path, folder, device)
        return
    found = archive.read(content, path.name)
    folder.mkdir(parents=True, exist_ok=True)
    for reason in found.broken:
        title, _, problem = reason.partition(": ")
        yield Rebuilt(title, False, math.inf, problem, lack="broken")
    engines: dict[str, Engine | str] = {}
    for item in found.picks:
        yield _pick(item, found, folder, engines, device)
    if found.table and not found.broken:
        yield _table(found, folder)


def _strip(path: Path, folder: Path, device: str) -> Rebuilt:
    facts = exports.read_manifest(path)
    found = exports.rebuild_strip(facts, device)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint.write(folder / f"{path.stem}.png", exports.picture(found.strip, facts.frame))
    checkpoint.write(folder / f"{path.stem}-sprite.png", exports.sprite(found.strip))
    figure = figures.of_strip(found.opened, found.strip, facts.frame, facts.title, facts.rows)
    for kind in ("svg", "pdf"):
        checkpoint.write(folder / f"{path.stem}.{kind}", figure.file(kind))
    # A strip is compared by its digest: equal, or not.
    return Rebuilt(STRIP, found.same, 0.0 if found.same else math.inf)


def _pick(
    item: archive.Returned,
    export: archive.Import,
    folder: Path,
    engines: dict[str, Engine | str],
    device: str,
) -> Rebuilt:
    model, title = item.source.model, f"Pick {item.entry.number}"
    geometry = item.entry.treatment or "decoded"
    if item.source.own:  # it is its heights, and those are in the export
        _write(item, sections.shaped(item.source.sample[None], model.sketch, geometry), folder)
        part = Rebuilt(f"{title} ({item.source.name})", True, 0.0)
        return _with_files(part, item, export, folder)
    if model.hash not in engines:
        engines[model.hash] = _engine(model.slug, model.hash, device)
    engine = engines[model.hash]
    if isinstance(engine, str):
        return Rebuilt(title, False, math.inf, engine, lack="missing")
    again = archive.rebuild(item, engine)
    if again.problem:
        return Rebuilt(title, again.same, again.away, again.problem)
    x = sections.shaped(engine.decode(item.source.code[None]), engine.sketch, geometry)
    _write(item, x, folder)
    part = Rebuilt(title, again.same, again.away)
    return _with_files(part, item, export, folder) if again.same else part


def _with_files(
    part: Rebuilt, item: archive.Returned, export: archive.Import, folder: Path
) -> Rebuilt:
    """Write the files of a pick anew, and compare them with the digests in the manifest."""
    try:
        files = packing.again(item, export)
    except ExplorerError as error:
        return part._replace(same=False, problem=str(error), lack="broken")
    for name, content in files.items():
        place = folder / item.entry.stem
        place.mkdir(exist_ok=True)
        checkpoint.write(place / name, content)
    known = item.entry.files
    differ = tuple(
        sorted(
            name
            for name in files.keys() | known.keys()
            if name not in files or packing.digest(files[name]) != known.get(name)
        )
    )
    if _same_software(export):
        return part._replace(files=len(files), changed=differ)
    return part._replace(files=len(files), others=differ)


def _table(export: archive.Import, folder: Path) -> Rebuilt:
    """Write the table of all picks anew, and compare it."""
    try:
        content = packing.table_again(export)
    except ExplorerError as error:
        return Rebuilt(TABLE, False, math.inf, str(error))
    checkpoint.write(folder / TABLE, content)
    same = packing.digest(content) == export.table
    other = () if same or _same_software(export) else (TABLE,)
    return Rebuilt(TABLE, same, 0.0 if same or other else math.inf, others=other)


def _same_software(export: archive.Import) -> bool:
    return export.library == __version__ and export.software == archive.software()


def _write(item: archive.Returned, x: Float[np.ndarray, "1 *sample"], folder: Path) -> None:
    picture = drawing.thumbnails(x, item.source.model.sketch, SIDE)[0]
    checkpoint.write(folder / f"pick-{item.entry.number:03d}.png", drawing.png(picture))


def _engine(slug: str, digest: str, device: str) -> "Engine | str":
    """Open a model with exactly these weights, or return the reason why not."""
    try:
        opened = checkpoint.load(slug)
        if opened.hash != digest:
            return f"{slug} has different weights here ({opened.hash}) from those of the export."
        return Engine(opened, device)
    except ExplorerError as error:
        return str(error)
