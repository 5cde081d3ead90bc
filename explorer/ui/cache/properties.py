"""Cached properties of designs: of strips, codes and picks, and the share that is valid."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from explorer.designs import measuring
from explorer.designs.geometry import SectionDecode
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Constraint, Measured
from explorer.inference import Engine
from explorer.projection import Split
from explorer.sections import Geometry, is_section
from explorer.sketch import CurveSketch, PixelSketch
from explorer.strips import StripSpec
from explorer.ui.cache.atlases import atlas
from explorer.ui.cache.engines import ENGINES
from explorer.ui.cache.per_engine import per_engine
from explorer.ui.cache.strips import STRIPS, strip

SHARE_SCALES = tuple(round(0.1 * step, 1) for step in range(21))
SHARE_SAMPLES = 256
RANGE_SAMPLES = 256


@per_engine(4 * STRIPS, measured=True, asking=True)
def strip_properties(
    engine: Engine, spec: StripSpec, conditions: Conditions, frame: int | None = None
) -> Measured:
    """Return the properties of all samples of a scale strip frame by frame, or of one frame."""
    shown = strip(engine, spec)
    x = shown.samples if frame is None else shown.frames[frame][None]
    return measure(x.reshape(-1, *x.shape[2:]), engine.sketch, conditions)


@per_engine(32, asking=True)
def code_properties(
    engine: Engine, z: Float[np.ndarray, "codes latent"], conditions: Conditions
) -> Measured:
    """Return the properties of decoded codes."""
    return measure(engine.decode(z), engine.sketch, conditions)


@per_engine(ENGINES, measured=True)
def held_out_waviness(engine: Engine, percentile: float = 50.0) -> float | None:
    """Return a percentile of the waviness of decoded held-out sections; None if there are none."""
    known = atlas(engine)
    if known is None or not is_section(engine.sketch):
        return None
    x = engine.decode(known.codes[known.split == Split.TEST])
    found = SectionDecode().measure(x, engine.sketch, Conditions())["waviness"]
    return float(np.percentile(found, percentile))


@per_engine(32, asking=True)
def property_ranges(
    engine: Engine, conditions: Conditions
) -> dict[str, tuple[float, float, float]]:
    """Return the 1st, 50th and 99th percentile of each property over samples of the prior.

    Without a prior they are those of decoded codes of data. What no sample has is left out.
    """
    if engine.has_prior:
        z = engine.sample(RANGE_SAMPLES, 1.0, 0).z
    else:
        known = atlas(engine)
        if known is None:
            return {}
        z = known.codes[:RANGE_SAMPLES]
    measured = measure(engine.decode(z), engine.sketch, conditions)
    found = {}
    for key, values in measured.values.items():
        sound = values[measured.valid & np.isfinite(values)]
        if len(sound):
            low, middle, high = np.percentile(sound, [1, 50, 99])
            found[key] = (float(low), float(middle), float(high))
    return found


def pick_properties(
    name: str,
    conditions: Conditions,
    x: np.ndarray,
    sketch: PixelSketch | CurveSketch,
    geometry: Geometry,
) -> Measured:
    """Return the properties of picks in one geometry, cached by their keys and geometry."""
    asked = measuring.fingerprint()
    text = conditions.model_dump_json()
    return _pick_properties(name + asked, text, geometry, _x=x, _sketch=sketch)


@st.cache_resource(max_entries=32, show_spinner=False)
def _pick_properties(
    name: str,
    conditions: str,
    geometry: Geometry,
    _x: np.ndarray,
    _sketch: PixelSketch | CurveSketch,
) -> Measured:
    return measure(_x, _sketch, Conditions.model_validate_json(conditions), geometry)


def shares(
    engine: Engine, constraints: tuple[Constraint, ...], conditions: Conditions
) -> Float[np.ndarray, " scales"]:
    """Return the share of valid designs that meet the constraints, at each of `SHARE_SCALES`."""
    pool = _pool(engine, conditions)
    return pool.meets(constraints).reshape(len(SHARE_SCALES), -1).mean(1)


@per_engine(STRIPS, asking=True)
def _pool(engine: Engine, conditions: Conditions) -> Measured:
    samples = [engine.sample(SHARE_SAMPLES, scale, 0).x for scale in SHARE_SCALES]
    return measure(np.concatenate(samples), engine.sketch, conditions)
