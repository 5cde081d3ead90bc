"""Take with you: pictures, animations and codes of what is on the page, and what rebuilds them."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from explorer import __version__, exports
from explorer.inference import Engine
from explorer.strips import Strip


def strip_menu(engine: Engine, strip: Strip, key: str, name: str, frame: int = 0) -> None:
    """Offer a strip: one frame as PNG, all as sprite, GIF and WebP, codes, and the JSON."""
    stem = f"{engine.slug}-{name}"
    moving = len(strip.values) > 1
    view = st.context.url or ""
    query = "&".join(f"{name}={value}" for name, value in st.query_params.items())
    with st.popover("Take with you", icon=":material/download:"):
        _button("Picture (PNG)", lambda: exports.picture(strip, frame), f"{stem}.png", key)
        if moving:
            _button(
                "All frames (PNG sprite)", lambda: exports.sprite(strip), f"{stem}-sprite.png", key
            )
            _button("Animation (GIF)", lambda: exports.animation(strip, "gif"), f"{stem}.gif", key)
            _button(
                "Animation (WebP)", lambda: exports.animation(strip, "webp"), f"{stem}.webp", key
            )
        if strip.z is not None:
            columns, z = _rows(strip)
            _button("Codes (CSV)", lambda: exports.table(columns, z), f"{stem}.csv", key)
            _button("Codes (NPZ)", lambda: exports.arrays(columns, z), f"{stem}.npz", key)
            _button(
                "What rebuilds it (JSON)",
                lambda: exports.manifest(engine, strip, __version__, f"{view}?{query}", frame),
                f"{stem}.json",
                key,
            )
            st.caption(f"`latent-explorer rebuild {stem}.json` makes it again and compares.")


def codes_menu(columns: dict[str, np.ndarray], z: np.ndarray, key: str, stem: str) -> None:
    """Offer codes with their identities as CSV and NPZ."""
    with st.popover("Take with you", icon=":material/download:"):
        _button("Codes (CSV)", lambda: exports.table(columns, z), f"{stem}.csv", key)
        _button("Codes (NPZ)", lambda: exports.arrays(columns, z), f"{stem}.npz", key)


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
