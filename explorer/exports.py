"""Exports: images, animations, tables of codes, and the JSON that regenerates them."""

import base64
import csv
import hashlib
import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from explorer import checkpoint, drawing, manifests, sections
from explorer.checkpoint import MAX_TEXT_BYTES, Checkpoint
from explorer.designs.formats import cell, sheet
from explorer.errors import ExportError
from explorer.inference import Engine
from explorer.manifests import Backend, Codes, Drawn, Manifest, ModelEntry
from explorer.sketch import PixelSketch
from explorer.strips import Strip, grid_strip, scale_strip

MOST_TILES = 65_536
MILLISECONDS = 60
_SIDE = 96
_PAUSE = 8


class Rebuilt(NamedTuple):
    """A regenerated strip, whether every image is bit-identical, and the model it is of."""

    strip: Strip
    same: bool
    opened: Checkpoint


def picture(strip: Strip, frame: int = 0, dark_ink: bool = True) -> bytes:
    """Draw one frame as a grid in PNG."""
    tiles = _tiles(strip, frame, dark_ink)
    return drawing.png(drawing.grid(tiles, math.ceil(math.sqrt(len(tiles)))))


def sprite(strip: Strip, dark_ink: bool = True) -> bytes:
    """Draw all frames into one PNG, one row of tiles per frame."""
    rows = [_tiles(strip, frame, dark_ink) for frame in range(len(strip.values))]
    if len(rows[0]) == 1:
        return drawing.png(drawing.grid(np.concatenate(rows), len(rows)))
    return drawing.png(drawing.grid(np.concatenate(rows), len(rows[0])))


def animation(strip: Strip, kind: Literal["gif", "webp"], dark_ink: bool = True) -> bytes:
    """Animate the frames forwards and backwards in an endless loop."""
    order = [*range(len(strip.values)), *range(len(strip.values) - 2, 0, -1)]
    columns = math.ceil(math.sqrt(len(strip.components)))
    frames = [
        Image.fromarray(drawing.grid(_tiles(strip, frame, dark_ink), columns)) for frame in order
    ]
    stream = io.BytesIO()
    pause = [MILLISECONDS * (_PAUSE if k in (0, len(strip.values) - 1) else 1) for k in order]
    options = {"lossless": True, "quality": 60} if kind == "webp" else {"optimize": False}
    frames[0].save(
        stream,
        kind.upper(),
        save_all=True,
        append_images=frames[1:],
        duration=pause,
        loop=0,
        **options,
    )
    return stream.getvalue()


def table(columns: dict[str, np.ndarray], z: Float[np.ndarray, "codes latent"]) -> bytes:
    """Write codes as CSV, one row each, preceded by descriptive columns.

    Text that a spreadsheet would take for a formula is prefixed with an apostrophe.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([*map(cell, columns), *(f"z{unit}" for unit in range(z.shape[1]))])
    for row in range(len(z)):
        known = [cell(values[row]) for values in columns.values()]
        writer.writerow([*known, *(f"{value:.9g}" for value in z[row])])
    return sheet(stream)


def arrays(columns: dict[str, np.ndarray], z: Float[np.ndarray, "codes latent"]) -> bytes:
    """Write codes and descriptive columns as npz, without objects."""
    plain = {name: values.astype(np.str_) if values.dtype == object else values
             for name, values in columns.items()}  # fmt: skip
    stream = io.BytesIO()
    np.savez_compressed(stream, z=z.astype(np.float32), **plain)  # type: ignore[arg-type]
    return stream.getvalue()


def manifest(
    engine: Engine,
    strip: Strip,
    library: str,
    view: str = "",
    frame: int = 0,
    title: str = "",
    rows: Sequence[str] = (),
) -> bytes:
    """Write the JSON from which `rebuild` regenerates a strip.

    Args:
        engine: The model that made it.
        strip: The strip; it must have codes or a recipe.
        library: Version of this library.
        view: Address of the view, for human readers.
        frame: The frame on display.
        title: What it shows, for the caption of its figure.
        rows: Names of its tiles, likewise.

    Raises:
        ExportError: If the strip holds samples without codes.
    """
    drawn = codes = None
    if strip.spec is not None and strip.spec.flow is None:
        drawn = Drawn(**dict(strip.spec), scales=strip.values)
    elif strip.z is not None:
        z = np.ascontiguousarray(strip.z, "<f4")
        frames, tiles, latent = z.shape
        codes = Codes(
            shape=(frames, tiles, latent),
            values=strip.values,
            data=base64.b64encode(z.tobytes()).decode(),
        )
    else:
        raise ExportError("These are data, not samples of the model; export their codes instead.")
    known = engine.checkpoint.fingerprint
    model = ModelEntry(
        checkpoint=engine.slug,
        hash=engine.checkpoint.hash,
        kind=engine.checkpoint.config.data.kind,
        data=known.digest if known is not None else None,
    )
    facts = Manifest(
        library=library,
        models=(model,),
        backend=Backend.of(engine.device),
        view=view[:4000],
        frame=frame,
        drawn=drawn,
        codes=codes,
        geometry=strip.geometry if sections.is_section(strip.sketch) else None,
        digest=digest(strip),
        title=title[:200],
        rows=tuple(row[:80] for row in rows),
    )
    return manifests.write(facts)


def read_manifest(path: Path) -> Manifest:
    """Read and validate the manifest of a strip.

    Raises:
        ExportError: If it is not one.
    """
    try:
        if path.stat().st_size > 5 * MAX_TEXT_BYTES:
            raise ExportError(f"{path.name} is too large; it was not exported by Latent Explorer.")
        facts = manifests.read(path.read_bytes(), path.name)
    except OSError as error:
        raise ExportError(f"{path} cannot be read ({error.strerror}).") from error
    if facts.project is not None:
        raise ExportError(f"{path.name} holds candidates, not a strip.")
    return facts


def rebuild_strip(facts: Manifest, device: str = "auto") -> Rebuilt:
    """Regenerate a strip from its manifest, with exactly the weights it was made with.

    Raises:
        ExportError: If the weights differ, or the codes do not fit them.
        UnknownCheckpointError: If the checkpoint is missing.
    """
    opened = checkpoint.load(facts.model.checkpoint)
    if opened.hash != facts.model.hash:
        raise ExportError(
            f"{facts.model.checkpoint} has different weights here ({opened.hash}) from the "
            f"export's ({facts.model.hash}); get that version of the checkpoint."
        )
    engine = Engine(opened, device)
    if facts.drawn is not None:
        drawn = facts.drawn
        if drawn.component is not None and drawn.component >= engine.component_count:
            raise ExportError(f"{facts.model.checkpoint} has no component {drawn.component}.")
        if drawn.tiles * len(drawn.scales) > MOST_TILES:
            raise ExportError(f"The export asks for more than {MOST_TILES:,} images.")
        strip = scale_strip(engine, drawn, drawn.scales)
    else:
        assert facts.codes is not None
        strip = grid_strip(engine, _decoded(facts.codes, engine), facts.codes.values)
    # Exports that name no geometry are from releases that drew sections as decoded.
    strip = replace(strip, geometry=facts.geometry or "decoded")
    return Rebuilt(strip, digest(strip) == facts.digest, opened)


def digest(strip: Strip) -> str:
    """Hash a strip as sent to the browser: 8-bit images or 16-bit heights."""
    header, body = strip.panel
    kind = json.dumps([header["kind"], header["frames"], header["tiles"]]).encode()
    return hashlib.sha256(kind + body).hexdigest()


def _decoded(codes: Codes, engine: Engine) -> Float[np.ndarray, "frames tiles latent"]:
    frames, tiles, latent = codes.shape
    sound = (
        latent == engine.space.size
        and min(frames, tiles) > 0
        and frames * tiles <= MOST_TILES
        and len(codes.values) == frames
    )
    try:
        raw = base64.b64decode(codes.data, validate=True)
    except ValueError:
        sound = False
    if not sound or len(raw) != 4 * frames * tiles * latent:
        raise ExportError("The export's codes do not fit its shape or the model; export it again.")
    z = np.frombuffer(raw, "<f4").reshape(codes.shape).copy()
    if not np.isfinite(z).all() or np.abs(z).max() > 1e6:
        raise ExportError("The export's codes contain non-finite values; export it again.")
    return z


def _tiles(strip: Strip, frame: int, dark_ink: bool) -> UInt8[np.ndarray, "tiles height width 3"]:
    x = strip.shown(min(frame, len(strip.frames) - 1))
    pixels = isinstance(strip.sketch, PixelSketch)
    if dark_ink:
        x = drawing.on_paper(x, strip.sketch)
    return drawing.thumbnails(x, strip.sketch, _SIDE if pixels else 2 * _SIDE)
