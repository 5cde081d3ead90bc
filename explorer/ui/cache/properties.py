"""The store of candidates, and cached properties of designs."""

import hashlib

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.designs.candidates import Store
from explorer.designs.geometry import SectionGeometry, is_section
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Constraint, Measured
from explorer.inference import Engine
from explorer.projection import SPLITS
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import ALL_LEVELS, Levels
from explorer.ui.cache.atlases import atlas
from explorer.ui.cache.engines import ENGINES, identity
from explorer.ui.cache.strips import STRIPS, strip

SHARE_SCALES = tuple(round(0.1 * step, 1) for step in range(21))
SHARE_SAMPLES = 256


def store(path: str) -> Store:
    """Return the open store of candidates for a file.

    Raises:
        StoreError: If it cannot be opened.
    """
    return _store(path)


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda old: old.close())
def _store(path: str) -> Store:
    from pathlib import Path

    return Store(Path(path))


def worth(
    opened: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    conditions: Conditions,
    levels: Levels = ALL_LEVELS,
) -> Measured:
    """Return the properties of all samples of a scale strip, frame by frame."""
    return _worth(
        opened.slug, opened.checkpoint.hash, tiles, seed, component, levels.of(opened.space),
        conditions.model_dump_json(), _engine=opened,
    )  # fmt: skip


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _worth(
    slug: str, digest: str, tiles: int, seed: int, component: int | None, levels: Levels,
    conditions: str, _engine: Engine,
) -> Measured:  # fmt: skip
    shown = strip(_engine, tiles, seed, component, levels).samples
    flat = shown.reshape(-1, *shown.shape[2:])
    return measure(flat, _engine.sketch, Conditions.model_validate_json(conditions))


def code_properties(opened: Engine, z: np.ndarray, conditions: Conditions) -> Measured:
    """Return the properties of decoded codes."""
    name = hashlib.sha256(np.ascontiguousarray(z, "<f4").tobytes()).hexdigest()
    return _code_properties(
        opened.slug,
        opened.checkpoint.hash,
        name,
        conditions.model_dump_json(),
        _engine=opened,
        _z=z,
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _code_properties(
    slug: str, digest: str, name: str, conditions: str, _engine: Engine, _z: np.ndarray
) -> Measured:
    known = Conditions.model_validate_json(conditions)
    return measure(_engine.decode(_z), _engine.sketch, known)


def usual_waviness(opened: Engine) -> float | None:
    """Return the median waviness of decoded held-out sections; None if there are none."""
    return _usual_waviness(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _usual_waviness(slug: str, digest: str, _engine: Engine) -> float | None:
    known = atlas(_engine)
    if known is None or not is_section(_engine.sketch):
        return None
    x = _engine.decode(known.codes[known.split == SPLITS.index("test")])
    found = SectionGeometry().measure(x, _engine.sketch, Conditions())["waviness"]
    return float(np.median(found))


def pick_properties(
    name: str, conditions: Conditions, x: np.ndarray, sketch: PixelSketch | CurveSketch
) -> Measured:
    """Return the properties of picks, cached by their keys and treatments."""
    return _pick_properties(name, conditions.model_dump_json(), _x=x, _sketch=sketch)


@st.cache_resource(max_entries=32, show_spinner=False)
def _pick_properties(
    name: str, conditions: str, _x: np.ndarray, _sketch: PixelSketch | CurveSketch
) -> Measured:
    return measure(_x, _sketch, Conditions.model_validate_json(conditions))


def shares(
    opened: Engine, constraints: tuple[Constraint, ...], conditions: Conditions
) -> Float[np.ndarray, " scales"]:
    """Return the share of valid designs that meet the constraints, at each of `SHARE_SCALES`."""
    found = _pool(
        opened.slug, opened.checkpoint.hash, conditions.model_dump_json(), _engine=opened
    )
    return found.meets(constraints).reshape(len(SHARE_SCALES), -1).mean(1)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _pool(slug: str, digest: str, conditions: str, _engine: Engine) -> Measured:
    samples = [_engine.sample(SHARE_SAMPLES, scale, 0).x for scale in SHARE_SCALES]
    known = Conditions.model_validate_json(conditions)
    return measure(np.concatenate(samples), _engine.sketch, known)
