"""What is expensive and shared; the only file with `st.cache_*`, keyed on slugs and scalars."""

import io
from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from explorer import settings
from explorer.checkpoint import PREVIEW, SNAPSHOTS, Entry, catalogue, load
from explorer.data import DataSet
from explorer.errors import CheckpointError, DataError
from explorer.inference import Engine, Prototypes
from explorer.projection import Atlas, load_atlas
from explorer.strips import Strip, scale_strip
from explorer.ui import palette

ENGINES = 4
STRIPS = 24


def entries() -> list[Entry]:
    """List all checkpoints; read again only when a file of theirs has changed."""
    return _entries(_signature())


def engine(entry: Entry) -> Engine:
    """Return the shared engine of a checkpoint; the least recent leaves when a fifth is opened."""
    return _engine(entry.slug, entry.hash, str(entry.folder), settings.current().device)


def strip(opened: Engine, tiles: int, seed: int, component: int | None = None) -> Strip:
    """Return the scale strip of a model."""
    return _strip(opened.slug, opened.checkpoint.hash, tiles, seed, component, _engine=opened)


def atlas(opened: Engine) -> Atlas | None:
    """Return the atlas of a model, or None where none was built.

    Raises:
        CheckpointError: If it is damaged.
    """
    return _atlas(opened.slug, opened.checkpoint.hash, _engine=opened)


def prototypes(opened: Engine) -> Prototypes | None:
    """Return the decoded components of a model's prior."""
    return _prototypes(opened.slug, opened.checkpoint.hash, _engine=opened)


def claims(opened: Engine) -> np.ndarray | None:
    """Return for each code of the atlas the component that most probably made it."""
    return _claims(opened.slug, opened.checkpoint.hash, _engine=opened)


def snapshots(opened: Engine) -> dict[str, np.ndarray]:
    """Return the pseudo-inputs kept along training, if any."""
    return _snapshots(opened.slug, opened.checkpoint.hash, _engine=opened)


@st.cache_resource(max_entries=1, show_spinner=False)
def icon() -> Image.Image:
    """Draw the icon of the browser's tab: codes, and the star of a prototype."""
    sheet = Image.new("RGBA", (256, 256))
    pen = ImageDraw.Draw(sheet)
    for x, y, radius in ((60, 80, 26), (190, 60, 22), (70, 200, 22), (205, 195, 28)):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=palette.CLASSES[0])
    turn = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2, 30, 70)
    corners = np.stack([130 + reach * np.cos(turn), 130 + reach * np.sin(turn)], 1)
    pen.polygon([(float(x), float(y)) for x, y in corners], fill=palette.PROTOTYPE)
    return sheet


def preview(entry: Entry, dark: bool) -> bytes | None:
    """Return a card's picture, dark on light or light on dark as the theme is."""
    path = entry.folder / PREVIEW
    return _preview(str(path), path.stat().st_mtime_ns, dark) if path.is_file() else None


def originals(opened: Engine) -> DataSet | None:
    """Return the data set itself where it is at hand; None elsewhere."""
    config = opened.checkpoint.config.data
    return _data(config.model_dump_json(), str(settings.current().data), _load=config.load)


def _signature() -> tuple[tuple[str, int], ...]:
    chosen = settings.current()
    places = (chosen.checkpoints, chosen.user / "checkpoints", chosen.user / "results")
    files = (file for place in places if place.is_dir() for file in place.glob("*/*.[js]*"))
    return tuple(sorted((str(file), file.stat().st_mtime_ns) for file in files))


@st.cache_resource(max_entries=2, show_spinner=False)
def _entries(signature: tuple[tuple[str, int], ...]) -> list[Entry]:
    return catalogue()


@st.cache_resource(max_entries=ENGINES, show_spinner=False, on_release=lambda old: old.release())
def _engine(slug: str, digest: str, folder: str, device: str) -> Engine:
    from pathlib import Path

    return Engine(load(Path(folder)), device)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _strip(
    slug: str, digest: str, tiles: int, seed: int, component: int | None, _engine: Engine
) -> Strip:
    return scale_strip(_engine, tiles=tiles, seed=seed, component=component)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _atlas(slug: str, digest: str, _engine: Engine) -> Atlas | None:
    return load_atlas(_engine.checkpoint)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _prototypes(slug: str, digest: str, _engine: Engine) -> Prototypes | None:
    return _engine.prototypes()


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _claims(slug: str, digest: str, _engine: Engine) -> np.ndarray | None:
    try:
        known = load_atlas(_engine.checkpoint)
    except CheckpointError:
        return None
    components = _engine.components()
    if known is None or components is None or len(components) < 2:
        return None
    return _engine.responsibilities(known.codes)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _snapshots(slug: str, digest: str, _engine: Engine) -> dict[str, np.ndarray]:
    try:
        kept = _engine.checkpoint.arrays(SNAPSHOTS)
    except CheckpointError:
        return {}
    inputs, epochs = kept.get("inputs"), kept.get("epochs")
    if inputs is None or epochs is None or inputs.shape[2:] != _engine.sketch.shape:
        return {}
    return {"inputs": inputs.astype(np.float32), "epochs": epochs}


@st.cache_resource(max_entries=256, show_spinner=False)
def _preview(path: str, changed: int, dark: bool) -> bytes | None:
    try:
        with Image.open(path) as picture:
            grey = ImageOps.grayscale(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    stream = io.BytesIO()
    (ImageOps.invert(grey) if dark else grey).save(stream, "PNG")
    return stream.getvalue()


@st.cache_resource(max_entries=2, show_spinner="Reading the data set")
def _data(config: str, root: str, _load: Callable[..., DataSet]) -> DataSet | None:
    try:
        return _load(settings.current().data)
    except DataError:
        return None
