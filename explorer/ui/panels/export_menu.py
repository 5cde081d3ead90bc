"""The export menu: images, figures for a paper, codes, and the JSON that regenerates them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np
import streamlit as st

from explorer import __version__, exports, figures, sections
from explorer.figures import PaperFigure
from explorer.inference import Engine
from explorer.strips import Frames, Strip


def strip_menu(
    engine: Engine,
    strip: Strip,
    key: str,
    name: str,
    frame: int = 0,
    label: str = "Export",
    what: str = "",
    rows: Sequence[str] = (),
    others: Mapping[str, PaperFigure] | None = None,
) -> None:
    """Render the export menu of a strip: PNG, animations, a figure, codes and the JSON.

    Args:
        engine: The model.
        strip: Its strip.
        key: Key of the menu.
        name: What it shows, for file names.
        frame: The frame on display.
        label: Label of the menu.
        what: What it shows, for the caption of its figure.
        rows: Names of its tiles, likewise.
        others: Further figures, by their names.
    """
    stem = f"{engine.slug}-{name}"
    with st.popover(label, icon=":material/download:"):
        _button("Image (PNG)", lambda: exports.picture(strip, frame), f"{stem}.png", key)
        if len(strip.values) > 1:
            sheet = f"{stem}-sprite.png"
            _button("All frames (PNG sprite)", lambda: exports.sprite(strip), sheet, key)
            kinds: tuple[Literal["gif", "webp"], ...] = ("gif", "webp")
            for kind, words in zip(kinds, ("GIF", "WebP"), strict=True):
                _button(
                    f"Animation ({words})",
                    partial(exports.animation, strip, kind),
                    f"{stem}.{kind}",
                    key,
                )
        known = {"": figures.of_strip(engine.checkpoint, strip, frame, what, rows)}
        if len(strip.values) > 1 and len(strip.components) > figures.MOST_ROWS:
            opened = engine.checkpoint
            known["scales"] = figures.of_strip(opened, strip, frame, what, sheet=True)
        figure_buttons(known | dict(others or {}), stem, key)
        if strip.z is not None:
            columns, z = _rows(strip)
            _tables(columns, z, stem, key)
            _recipe(engine, strip, stem, key, frame, what, rows)


def codes_menu(
    engine: Engine,
    columns: dict[str, np.ndarray],
    z: np.ndarray,
    key: str,
    stem: str,
    what: str = "",
    others: Mapping[str, PaperFigure] | None = None,
) -> None:
    """Render the export menu of codes: PNG, a figure, CSV and NPZ with identities, the JSON."""
    strip = _undecoded(engine, z)
    with st.popover("Export", icon=":material/download:"):
        _button("Decoded (PNG)", lambda: exports.picture(strip), f"{stem}.png", key)
        known = {"": figures.of_strip(engine.checkpoint, strip, 0, what)}
        figure_buttons(known | dict(others or {}), stem, key)
        _tables(columns, z, stem, key)
        _recipe(engine, strip, stem, key, 0, what)


def figures_menu(known: Mapping[str, PaperFigure], stem: str, key: str) -> None:
    """Render an export menu of figures alone, such as charts.

    Args:
        known: The figures, by names for their files.
        stem: How the names of files begin.
        key: Key of the menu.
    """
    with st.popover("Export", icon=":material/download:"):
        figure_buttons(known, stem, key)


def figure_buttons(known: Mapping[str, PaperFigure], stem: str, key: str) -> None:
    """Render the downloads of a figure: SVG, PDF, and caption and papers for LaTeX."""
    names = list(known)
    if not names:
        return
    name = names[0]
    if len(names) > 1:
        name = st.selectbox(
            "Figure for a paper",
            names,
            key=f"{key}_figure",
            format_func=lambda one: known[one].title,
        )
    figure, own = known[name], f"{stem}-{name}" if name else stem
    with st.container(horizontal=True, gap="small"):
        for label, make, suffix in (
            ("Figure (SVG)", partial(figure.file, "svg"), "svg"),
            ("Figure (PDF)", partial(figure.file, "pdf"), "pdf"),
            ("Caption (LaTeX)", partial(figure.latex, own), "tex"),
            ("Papers (BibTeX)", figure.bibtex, "bib"),
        ):
            with st.container(width=150):
                _button(label, make, f"{own}.{suffix}", f"{key}_{name}")
    st.code(figure.caption, language=None, wrap_lines=True, height=110)


def _undecoded(engine: Engine, z: np.ndarray) -> Strip:
    """Return codes as a strip of one frame, decoded when it is first drawn."""
    return Strip(
        Frames(1, lambda frame: engine.decode(z)),
        (0.0,),
        np.full(len(z), -1),
        np.zeros((1, len(z)), np.float32),
        engine.sketch,
        np.ascontiguousarray(z, np.float32)[None],
        geometry=sections.usual(engine.sketch),
    )


def _tables(columns: dict[str, np.ndarray], z: np.ndarray, stem: str, key: str) -> None:
    _button("Codes (CSV)", lambda: exports.table(columns, z), f"{stem}.csv", key)
    _button("Codes (NPZ)", lambda: exports.arrays(columns, z), f"{stem}.npz", key)


def _recipe(
    engine: Engine,
    strip: Strip,
    stem: str,
    key: str,
    frame: int = 0,
    what: str = "",
    rows: Sequence[str] = (),
) -> None:
    address = st.context.url or ""
    query = "&".join(f"{name}={value}" for name, value in st.query_params.items())
    view = f"{address}?{query}"
    _button(
        "Recipe to reproduce (JSON)",
        lambda: exports.manifest(engine, strip, __version__, view, frame, what, rows),
        f"{stem}.json",
        key,
    )
    st.caption(
        f"Run `latent-explorer rebuild {stem}.json` to regenerate and verify it bit for bit."
    )


def _rows(strip: Strip) -> tuple[dict[str, np.ndarray], np.ndarray]:
    assert strip.z is not None
    frames, tiles, latent = strip.z.shape
    columns = {
        "frame_value": np.repeat(np.array(strip.values), tiles),
        "tile": np.tile(np.arange(tiles), frames),
        "component": np.tile(strip.components, frames),
    }
    if strip.log_density.any():  # all 0 without a density
        columns["log_prior_nats"] = strip.log_density.ravel()
    return columns, strip.z.reshape(-1, latent)


def _button(label: str, make: Callable[[], bytes], name: str, key: str) -> None:
    st.download_button(
        label,
        make,
        name,
        key=f"{key}_{name.rpartition('.')[2]}_{label[:4]}",
        on_click="ignore",
        width="stretch",
    )
