"""Cached checkpoints, engines and data sets."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageOps

from explorer import settings
from explorer.checkpoint import (
    ATLAS,
    FLOW,
    LIKELIHOOD,
    PREVIEW,
    REFERENCE,
    TRADEOFF,
    Entry,
    load,
    results_folder,
)
from explorer.data import DataSet
from explorer.data.named import load_shown
from explorer.errors import DataError
from explorer.inference import Engine
from explorer.registry import DataConfig
from explorer.ui.wording import palette

ENGINES = 6
MOST_PIXELS = 4_000_000
"""Pixels of a preview beyond which it is not decoded."""

PATIENCE = 1.5
"""Seconds for which a page waits until foreign networks have been tried."""

_RESULTS = (ATLAS, TRADEOFF, LIKELIHOOD, REFERENCE, FLOW)


def engine(entry: Entry) -> Engine:
    """Return the shared engine of a checkpoint; beyond six, the least recent is evicted."""
    return _engine(entry.slug, entry.hash, str(entry.folder), settings.current().device)


@st.cache_resource(max_entries=ENGINES, show_spinner=False, on_release=lambda old: old.release())
def _engine(slug: str, digest: str, folder: str, device: str) -> Engine:
    return Engine(load(Path(folder), PATIENCE), device)


def version(opened: Engine) -> str:
    """Return a short version string of a model's current results."""
    return f"{zlib.crc32(identity(opened).encode()):08x}"


def identity(opened: Engine) -> str:
    """Identify a model's weights and current results, which a job may have extended."""
    digest = opened.checkpoint.hash
    places = (results_folder(digest), opened.checkpoint.folder)
    files = [place / name for place in places for name in _RESULTS]
    times = (str(_changed(file) or "") for file in files)
    return f"{digest} {' '.join(times)}"


def _changed(file: Path) -> int:
    """Return when a file was changed; 0 if it cannot be seen, as behind a broken link."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def preview(entry: Entry, dark: bool) -> bytes | None:
    """Return a card's image, with ink dark on light or light on dark to suit the theme."""
    path = entry.folder / PREVIEW
    sketch = entry.config.sketch if entry.config is not None else None
    inked = sketch is None or sketch.inked
    changed = _changed(path)
    return _preview(str(path), changed, inked, dark) if changed else None


_BROKEN = (
    OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow raises over pictures that are broken, or too large."""


@st.cache_resource(max_entries=256, show_spinner=False)
def _preview(path: str, changed: int, inked: bool, dark: bool) -> bytes | None:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            drawn = ImageOps.grayscale(picture) if inked else picture.convert("RGB")
    except _BROKEN:
        return None
    stream = io.BytesIO()
    (ImageOps.invert(drawn) if inked and dark else drawn).save(stream, "PNG")
    return stream.getvalue()


@st.cache_resource(max_entries=1, show_spinner=False)
def icon() -> Image.Image:
    """Draw the favicon: codes, and the star of a prototype."""
    sheet = Image.new("RGBA", (256, 256))
    pen = ImageDraw.Draw(sheet)
    for x, y, radius in ((60, 80, 26), (190, 60, 22), (70, 200, 22), (205, 195, 28)):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=palette.CLASSES[0])
    turn = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2, 30, 70)
    corners = np.stack([130 + reach * np.cos(turn), 130 + reach * np.sin(turn)], 1)
    pen.polygon([(float(x), float(y)) for x, y in corners], fill=palette.PROTOTYPE)
    return sheet


def originals(opened: Engine) -> DataSet | None:
    """Return a model's data set if it is installed, else None."""
    return data_set(opened.checkpoint.config.data)


def data_set(config: DataConfig) -> DataSet | None:
    """Return a data set if it is installed, else None."""
    load_it = partial(load_shown, config)
    return _data(config.model_dump_json(), str(settings.current().data), _load=load_it)


@st.cache_resource(max_entries=2, show_spinner="Reading the data set")
def _data(config: str, root: str, _load: Callable[..., DataSet]) -> DataSet | None:
    try:
        return _load(settings.current().data)
    except DataError:
        return None
