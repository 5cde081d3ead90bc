"""The export menu: images, animations, codes, and the JSON that regenerates them."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import streamlit as st

from explorer import __version__, exports
from explorer.inference import Engine
from explorer.strips import Strip, codes_strip


def strip_menu(
    engine: Engine,
    strip: Strip,
    key: str,
    name: str,
    frame: int = 0,
    label: str = "Export",
) -> None:
    """Render the export menu of a strip: PNG, sprite, GIF, WebP, codes and the JSON.

    Args:
        engine: The model.
        strip: Its strip.
        key: Key of the menu.
        name: What it shows, for file names.
        frame: The frame on display.
        label: Label of the menu.
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
        if strip.z is not None:
            columns, z = _rows(strip)
            _tables(columns, z, stem, key)
            _recipe(engine, lambda: strip, stem, key, frame)


def codes_menu(
    engine: Engine, columns: dict[str, np.ndarray], z: np.ndarray, key: str, stem: str
) -> None:
    """Render the export menu of codes: CSV and NPZ with their identities, PNG, and the JSON."""

    def decoded() -> Strip:
        return codes_strip(engine, z)

    with st.popover("Export", icon=":material/download:"):
        _button("Decoded (PNG)", lambda: exports.picture(decoded()), f"{stem}.png", key)
        _tables(columns, z, stem, key)
        _recipe(engine, decoded, stem, key)


def _tables(columns: dict[str, np.ndarray], z: np.ndarray, stem: str, key: str) -> None:
    _button("Codes (CSV)", lambda: exports.table(columns, z), f"{stem}.csv", key)
    _button("Codes (NPZ)", lambda: exports.arrays(columns, z), f"{stem}.npz", key)


def _recipe(
    engine: Engine, make: Callable[[], Strip], stem: str, key: str, frame: int = 0
) -> None:
    view = st.context.url or ""
    query = "&".join(f"{name}={value}" for name, value in st.query_params.items())
    _button(
        "Recipe to reproduce (JSON)",
        lambda: exports.manifest(engine, make(), __version__, f"{view}?{query}", frame),
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
        "log_prior_nats": strip.log_density.ravel(),
    }
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
