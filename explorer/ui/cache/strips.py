"""Cached strips, prototypes and paths."""

import copy
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float

from explorer import geodesics, paths
from explorer.checkpoint import SNAPSHOTS
from explorer.errors import CheckpointError
from explorer.inference import Engine, Prototypes
from explorer.metrics.novelty import typicality
from explorer.paths import PathKind
from explorer.projection import SPLITS
from explorer.strips import ALL_LEVELS, Levels, Strip, level_strip, samples_strip, scale_strip
from explorer.ui.cache.atlases import atlas, drawn_density, novelty_reference
from explorer.ui.cache.engines import ENGINES, identity, originals

STRIPS = 24


def strip(
    opened: Engine,
    tiles: int,
    seed: int,
    component: int | None = None,
    levels: Levels = ALL_LEVELS,
) -> Strip:
    """Return the scale strip of a model."""
    own = levels.of(opened.space)
    return _strip(opened.slug, opened.checkpoint.hash, tiles, seed, component, own, _engine=opened)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _strip(
    slug: str,
    digest: str,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels,
    _engine: Engine,
) -> Strip:
    return scale_strip(_engine, tiles=tiles, seed=seed, component=component, levels=levels)


def levelled(opened: Engine, z: np.ndarray, level: str, tiles: int, seed: int) -> Strip:
    """Return the strip of a code with one level resampled."""
    code = np.ascontiguousarray(z, "<f4").tobytes()
    return _levelled(opened.slug, opened.checkpoint.hash, code, level, tiles, seed, _engine=opened)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _levelled(
    slug: str, digest: str, code: bytes, level: str, tiles: int, seed: int, _engine: Engine
) -> Strip:
    z = np.frombuffer(code, "<f4").astype(np.float32)
    return level_strip(_engine, z, level, tiles=tiles, seed=seed)


def painted(
    opened: Engine,
    tiles: int,
    scale: float,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> Strip:
    """Return images sampled pixel by pixel from a scale strip's codes, as a strip of one frame."""
    own = levels.of(opened.space)
    return _painted(
        opened.slug, opened.checkpoint.hash, tiles, scale, seed, component, own, _engine=opened
    )


@st.cache_resource(max_entries=STRIPS, show_spinner="Sampling pixel by pixel")
def _painted(
    slug: str,
    digest: str,
    tiles: int,
    scale: float,
    seed: int,
    component: int | None,
    levels: Levels,
    _engine: Engine,
) -> Strip:
    space = _engine.space
    z, _ = _engine.draw(tiles, levels.scale(space, scale), levels.seed(space, seed), component)
    return samples_strip(_engine.paint(z, seed), _engine.sketch, _engine.log_prior(z))


class Standing(NamedTuple):
    """Novelty and typicality of each sample of a strip, as percentiles of how many codes."""

    novelty: Float[np.ndarray, "frames tiles"]
    typicality: Float[np.ndarray, "frames tiles"]
    held_out: int
    training: int


def standing(
    opened: Engine,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels = ALL_LEVELS,
) -> Standing | None:
    """Return novelty and typicality of each sample of a scale strip."""
    own = levels.of(opened.space)
    return _standing(opened.slug, identity(opened), tiles, seed, component, own, _engine=opened)


@st.cache_resource(max_entries=STRIPS, show_spinner=False)
def _standing(
    slug: str,
    digest: str,
    tiles: int,
    seed: int,
    component: int | None,
    levels: Levels,
    _engine: Engine,
) -> Standing | None:
    measure = novelty_reference(_engine)
    if measure is None:
        return None
    shown = strip(_engine, tiles, seed, component, levels)
    flat = shown.samples.reshape(-1, *shown.samples.shape[2:])
    verdict = measure.judge(_engine.encode(flat).loc)
    form = shown.samples.shape[:2]
    usual = typicality(shown.log_density.ravel(), drawn_density(_engine))
    return Standing(
        verdict.percentile.reshape(form), usual.reshape(form), measure.held_out, measure.training
    )


def prototypes(opened: Engine) -> Prototypes | None:
    """Return the decoded components of a model's prior."""
    return _prototypes(opened.slug, opened.checkpoint.hash, _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _prototypes(slug: str, digest: str, _engine: Engine) -> Prototypes | None:
    return _engine.prototypes()


def snapshots(opened: Engine) -> dict[str, np.ndarray]:
    """Return the snapshots of pseudo-inputs during training, if any."""
    return _snapshots(opened.slug, opened.checkpoint.hash, _engine=opened)


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


def original(opened: Engine, row: int) -> np.ndarray | None:
    """Return one sample of the atlas from its data set; None if that is not installed."""
    known, data = atlas(opened), originals(opened)
    if known is None or data is None or row >= len(known.codes):
        return None
    split = data.split(SPLITS[known.split[row]])
    found = np.flatnonzero(split.ids == known.ids[row])
    return split.x[found[:1]] if len(found) else None


def path(opened: Engine, ends: bytes, kind: PathKind, frames: int, closeness: float) -> np.ndarray:
    """Return the codes of a path between endpoints, given as the bytes of float32 codes."""
    return _path(opened.slug, identity(opened), ends, kind, frames, closeness, _engine=opened)


@st.cache_resource(max_entries=32, show_spinner="Searching for a high-density path")
def _path(
    slug: str,
    digest: str,
    ends: bytes,
    kind: PathKind,
    frames: int,
    closeness: float,
    _engine: Engine,
) -> np.ndarray:
    z = np.frombuffer(ends, "<f4").reshape(-1, _engine.space.size)
    if kind == "straight" or not _engine.has_prior:
        return paths.straight(z, frames)
    loc, scale = _engine.moments()
    if kind == "spherical":
        return paths.spherical(z, frames, loc, scale)
    known = atlas(_engine)
    anchors = None if known is None else known.codes[known.split == SPLITS.index("train")]
    device = _engine.device

    def log_prob(codes: torch.Tensor) -> torch.Tensor:
        return _engine.prior.log_prob(codes.to(device)).cpu()

    return paths.following(z, frames, log_prob, loc, scale, closeness=closeness, anchors=anchors)


def shortest(
    opened: Engine, ends: bytes, frames: int
) -> tuple[np.ndarray, tuple[geodesics.Geodesic, ...]]:
    """Return the codes of the geodesic path through the endpoints, and its legs.

    Raises:
        NoDensityError: If the decoder is autoregressive.
    """
    return _shortest(opened.slug, opened.checkpoint.hash, ends, frames, _engine=opened)


@st.cache_resource(max_entries=32, show_spinner="Searching for the geodesic")
def _shortest(
    slug: str, digest: str, ends: bytes, frames: int, _engine: Engine
) -> tuple[np.ndarray, tuple[geodesics.Geodesic, ...]]:
    z = np.frombuffer(ends, "<f4").reshape(-1, _engine.space.size)
    # A separate copy in double precision, on the CPU, where short chains are fast.
    model = copy.deepcopy(_engine.checkpoint.model).to("cpu", torch.float64)
    scale = _engine.moments()[1] if _engine.has_prior else z.std(0) + 1e-3
    return geodesics.shortest(z, frames, geodesics.embedding(model), scale)
