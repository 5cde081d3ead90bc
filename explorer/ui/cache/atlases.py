"""Cached facts about a model: its map, the densities over it, and its measurements."""

import hashlib
import json

import numpy as np
import streamlit as st
import torch

from explorer import regions
from explorer.checkpoint import LIKELIHOOD
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.interfaces import Posterior
from explorer.metrics.likelihood import Likelihood
from explorer.metrics.novelty import MOST_HELD_OUT, NoveltyReference, typicality
from explorer.metrics.surgery import Surgery, elbo_surgery
from explorer.metrics.tradeoff import Tradeoff, read_tradeoff
from explorer.projection import SPLITS, Atlas, codes_drawn, load_atlas, prior_codes
from explorer.regions import Plane
from explorer.ui.cache.engines import ENGINES, identity

SLOW_HELD_OUT = 128
"""Held-out samples behind the novelty reference of an autoregressive model."""


def atlas(opened: Engine) -> Atlas | None:
    """Return the atlas of a model, or None if none was built.

    Raises:
        CheckpointError: If it is damaged.
    """
    return _atlas(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _atlas(slug: str, digest: str, _engine: Engine) -> Atlas | None:
    return load_atlas(_engine.checkpoint)


def claims(opened: Engine) -> np.ndarray | None:
    """Return for each code of the atlas the component with the highest responsibility."""
    return _claims(opened.slug, identity(opened), _engine=opened)


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


def plane(opened: Engine) -> Plane | None:
    """Return the densities over a model's map and the holes between them."""
    return _plane(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _plane(slug: str, digest: str, _engine: Engine) -> Plane | None:
    known = atlas(_engine)
    return None if known is None else regions.plane(_engine, known)


def traced(opened: Engine) -> bytes | None:
    """Return contours and holes of a model's map, serialised for the browser."""
    return _traced(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _traced(slug: str, digest: str, _engine: Engine) -> bytes | None:
    found = plane(_engine)
    if found is None:
        return None

    def flat(lines: list[np.ndarray]) -> list[list[float]]:
        return [[round(float(value), 4) for value in line.ravel()] for line in lines]

    how = "exact" if found.exact else "estimated"
    words = (
        f"Holes ({how} here): {100 * found.hole_mass:.1f} ± {100 * found.hole_error:.1f} % of "
        f"{found.samples:,} prior samples fall into them, and {100 * regions.RARE:.0f} % of codes "
        "drawn for held-out data"
    )
    facts = {
        "prior": [flat(lines) for lines in regions.contours(found.x, found.y, found.prior)],
        "aggregated": [
            flat(lines) for lines in regions.contours(found.x, found.y, found.aggregated)
        ],
        "outlines": flat(regions.outlines(found)),
        "holes": [[*(round(float(v), 4) for v in hole.xy), hole.mass] for hole in found.holes],
        "words": words,
        "exact": found.exact,
    }
    return json.dumps(facts).encode()


def novelty_reference(opened: Engine) -> NoveltyReference | None:
    """Return the reference that samples are compared with; None without an atlas."""
    return _novelty_reference(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _novelty_reference(slug: str, digest: str, _engine: Engine) -> NoveltyReference | None:
    known = atlas(_engine)
    if known is None or not (known.split == 0).any() or not (known.split == 2).any():
        return None
    most = SLOW_HELD_OUT if _engine.sequential else MOST_HELD_OUT
    held_out = np.flatnonzero(known.split == SPLITS.index("test"))[:most]
    seen = _engine.decode(codes_drawn(known, held_out))
    return NoveltyReference(known.codes[known.split == 0], _engine.encode(seen).loc)


def data_typicality(opened: Engine) -> np.ndarray | None:
    """Return the typicality under the prior of the atlas's data, by one posterior sample each.

    Not by their posterior means, which lie closer to the prior's mean than any sample.
    """
    return _data_typicality(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _data_typicality(slug: str, digest: str, _engine: Engine) -> np.ndarray | None:
    known = atlas(_engine)
    if known is None or not _engine.has_prior:
        return None
    drawn = codes_drawn(known, np.arange(len(known.codes)))
    return typicality(_engine.log_prior(drawn), drawn_density(_engine))


def drawn_density(opened: Engine) -> np.ndarray:
    """Return log p(z) of the atlas's prior samples."""
    return _drawn_density(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=ENGINES, show_spinner=False)
def _drawn_density(slug: str, digest: str, _engine: Engine) -> np.ndarray:
    return _engine.log_prior(prior_codes(_engine))


def held_out_density(opened: Engine, means: bool = False) -> np.ndarray | None:
    """Return log p(z) of test data: of one posterior sample each, or of their posterior means.

    Means lie closer to the prior's mean than samples do, so like is compared with like.
    """
    return _held_out_density(opened.slug, identity(opened), means, _engine=opened)


@st.cache_resource(max_entries=2 * ENGINES, show_spinner=False)
def _held_out_density(slug: str, digest: str, means: bool, _engine: Engine) -> np.ndarray | None:
    known = atlas(_engine)
    if known is None or not _engine.has_prior:
        return None
    rows = np.flatnonzero(known.split == SPLITS.index("test"))
    if means:
        return known.log_prior[rows]
    if len(_engine.space.levels) > 1:  # below the top a code depends on the code drawn above it
        try:
            return _engine.checkpoint.arrays(LIKELIHOOD).get("log_prior")
        except CheckpointError:
            return None
    return _engine.log_prior(codes_drawn(known, rows))


def tradeoff(opened: Engine) -> Tradeoff | None:
    """Return the diversity–fidelity curve of a model, as far as it was measured."""
    return _tradeoff(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=32, show_spinner=False)
def _tradeoff(slug: str, identity: str, _engine: Engine) -> Tradeoff | None:
    return read_tradeoff(_engine.checkpoint)


def surgery(opened: Engine) -> Surgery | None:
    """Return the parts of a model's top-level KL over the test codes of its atlas."""
    return _surgery(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=16, show_spinner=False)
def _surgery(slug: str, digest: str, _engine: Engine) -> Surgery | None:
    known = atlas(_engine)
    if known is None or not _engine.has_prior:
        return None
    rows = known.split == SPLITS.index("test")
    if rows.sum() < 2:
        return None
    prior, size = _engine.top
    loc, scale = (torch.from_numpy(part[rows, :size]) for part in (known.codes, known.scale))
    return elbo_surgery(Posterior(loc, scale), prior)


def unit_kl(opened: Engine) -> np.ndarray | None:
    """Return each unit's mean KL in nats over the test data, as measured for the card."""
    return _unit_kl(opened.slug, identity(opened), _engine=opened)


@st.cache_resource(max_entries=16, show_spinner=False)
def _unit_kl(slug: str, digest: str, _engine: Engine) -> np.ndarray | None:
    try:
        found = _engine.checkpoint.arrays(LIKELIHOOD).get("kl_per_unit")
    except CheckpointError:
        return None
    sound = found is not None and found.shape == (_engine.space.size,) and np.isfinite(found).all()
    return found if sound else None


def scored(opened: Engine, x: np.ndarray) -> Likelihood:
    """Return log p(x) and the ELBO terms of one sample, with as many codes as on the card."""
    name = hashlib.sha256(np.ascontiguousarray(x, "<f4").tobytes()).hexdigest()
    samples = importance_samples(opened)
    return _scored(opened.slug, opened.checkpoint.hash, name, samples, _engine=opened, _x=x)


@st.cache_resource(max_entries=128, show_spinner=False)
def _scored(
    slug: str, digest: str, name: str, samples: int, _engine: Engine, _x: np.ndarray
) -> Likelihood:
    return _engine.score(_x, samples)


def importance_samples(opened: Engine) -> int:
    """Return the number of importance samples behind a model's card."""
    metric = opened.checkpoint.metrics.get("log_likelihood")
    return min(5000, metric.samples or 500) if metric is not None else 500


def test_likelihood(opened: Engine) -> np.ndarray | None:
    """Return log p(x) of every test sample, as measured for the card."""
    try:
        found = opened.checkpoint.arrays(LIKELIHOOD).get("log_likelihood")
    except CheckpointError:
        return None
    return found if found is not None and np.isfinite(found).all() else None


def holes_of(opened: Engine, text: str) -> Plane | None:
    """Return the holes of a model if a place names one; else they are not computed."""
    return plane(opened) if text.startswith("holes:") else None
