"""Cached facts about a model: its map, the densities over it, and its measurements."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from explorer import regions
from explorer.checkpoint import LIKELIHOOD
from explorer.errors import CheckpointError
from explorer.inference import Engine
from explorer.interfaces import Posterior
from explorer.metrics import transport, two_sample
from explorer.metrics.amortisation import Refinement
from explorer.metrics.likelihood import Likelihood
from explorer.metrics.novelty import typicality
from explorer.metrics.surgery import Surgery, elbo_surgery
from explorer.metrics.tradeoff import Tradeoff, read_tradeoff
from explorer.projection import (
    Atlas,
    Split,
    codes_drawn,
    load_atlas,
    positions,
    prior_codes,
    reach,
    rows_of,
)
from explorer.regions import Plane
from explorer.ui.cache.engines import ENGINES
from explorer.ui.cache.per_engine import per_engine

MOST_ARROWS = 200
"""Arrows of a transport that are drawn."""

_TRANSPORT_SEED = 11
SIDE_BY_SIDE = 16
"""Results kept where the Priors lab compares models; with fewer, each would evict the next."""


@per_engine(ENGINES, measured=True)
def atlas(engine: Engine) -> Atlas | None:
    """Return the atlas of a model, or None if none was built.

    Raises:
        CheckpointError: If it is damaged.
    """
    return load_atlas(engine.checkpoint)


@per_engine(ENGINES, measured=True)
def map_reach(engine: Engine) -> float:
    """Return how far from the nearest code a place of a model's map may be to have codes."""
    known = atlas(engine)
    return 0.0 if known is None else reach(known.xy)


@per_engine(ENGINES, measured=True)
def assigned_components(engine: Engine) -> np.ndarray | None:
    """Return for each code of the atlas the component with the highest responsibility."""
    try:
        known = load_atlas(engine.checkpoint)
    except CheckpointError:
        return None
    components = engine.components()
    if known is None or components is None or len(components) < 2:
        return None
    return engine.responsibilities(known.codes)


@per_engine(SIDE_BY_SIDE, measured=True)
def plane(engine: Engine) -> Plane | None:
    """Return the densities over a model's map and the holes between them."""
    known = atlas(engine)
    return None if known is None else regions.plane(engine, known)


@per_engine(ENGINES, measured=True)
def map_regions(engine: Engine) -> bytes | None:
    """Return contours and holes of a model's map, serialised for the browser."""
    found = plane(engine)
    if found is None:
        return None

    def flat(lines: list[np.ndarray]) -> list[list[float]]:
        return [[round(float(value), 4) for value in line.ravel()] for line in lines]

    how = "level estimated" if found.exact else "estimated"
    words = (
        f"Holes ({how}): {100 * found.hole_mass:.1f} ± {100 * found.hole_error:.1f} % of "
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


@per_engine(ENGINES, measured=True)
def data_typicality(engine: Engine) -> np.ndarray | None:
    """Return the typicality under the prior of the atlas's data, by one posterior sample each.

    Not by their posterior means, which lie closer to the prior's mean than any sample.
    """
    known = atlas(engine)
    if known is None or not engine.has_density:
        return None
    drawn = codes_drawn(known, np.arange(len(known.codes)))
    return typicality(engine.log_prior(drawn), drawn_density(engine))


class Differing(NamedTuple):
    """A classifier's log ratio of codes to prior at each datum of a map, and what it is worth.

    `accuracy` is that on `n` codes and samples it has not seen, half of each; .5 is chance.
    """

    ratio: Float[np.ndarray, " codes"]
    accuracy: float
    error: float
    n: int

    @property
    def at_chance(self) -> bool:
        """Whether its accuracy is within two standard errors of guessing."""
        return self.accuracy < 0.5 + 2 * self.error


def can_differ(engine: Engine) -> bool:
    """Whether a classifier can be trained between the codes of a map and the prior."""
    known = atlas(engine)
    return engine.has_prior and known is not None and len(known.codes) >= 2 * two_sample.FEWEST


@per_engine(16, measured=True, spinner="Training a classifier between codes and prior")
def differing(engine: Engine) -> Differing | None:
    """Tell codes drawn for the data of a map from samples of the prior by a classifier.

    On the level of the learned prior: whole codes, or the top of a hierarchy.
    """
    known = atlas(engine)
    if known is None or not can_differ(engine):
        return None
    _, size = engine.top
    rows = np.arange(len(known.codes))
    codes = torch.from_numpy(codes_drawn(known, rows)[:, :size])
    drawn = torch.from_numpy(engine.draw(len(codes), seed=3)[0][:, :size])
    found = two_sample.c2st(codes, drawn)
    ratio = found.log_ratio(torch.from_numpy(known.codes[:, :size])).numpy()
    return Differing(ratio.astype(np.float32), found.accuracy, found.error, found.n)


class Arrows(NamedTuple):
    """Some of the assigned codes on a map, each with its partner, and what all of them tell.

    `places` has x and y of a code, then of its partner; `n` codes were assigned.
    """

    places: Float[np.ndarray, "arrows 4"]
    n: int
    distance: float
    null: float


def can_transport(engine: Engine) -> bool:
    """Whether codes of the map's test data can be assigned to samples of the prior."""
    known = atlas(engine)
    if known is None or not engine.has_prior:
        return False
    return int((known.split == Split.TEST).sum()) >= transport.FEWEST


@per_engine(SIDE_BY_SIDE, measured=True, spinner="Assigning codes to the prior")
def transported(engine: Engine) -> Arrows | None:
    """Assign codes drawn for test data to fresh samples of the prior, and place some of them.

    On the level of the learned prior: whole codes, or the top of a hierarchy.
    """
    known = atlas(engine)
    if known is None or not can_transport(engine):
        return None
    rows = rows_of(known, Split.TEST, transport.MOST_CODES)
    found = transport.transport(
        codes_drawn(known, rows),
        lambda n, seed: engine.draw(n, seed=seed)[0],
        size=engine.top[1],
        seed=_TRANSPORT_SEED,
    )
    shown = np.sort(np.random.default_rng(0).permutation(len(rows))[:MOST_ARROWS])
    ends = [positions(known, codes[shown]) for codes in (found.codes, found.partners)]
    return Arrows(np.concatenate(ends, 1), len(rows), found.distance, found.null)


@per_engine(ENGINES, measured=True)
def drawn_density(engine: Engine) -> np.ndarray:
    """Return log p(z) of the atlas's prior samples."""
    return engine.heights(prior_codes(engine))


def code_density(
    engine: Engine, z: Float[np.ndarray, "codes latent"], rows: Sequence[int] | np.ndarray = ()
) -> Float[np.ndarray, " codes"]:
    """Return log p(z) of codes, the same number wherever it is shown.

    That of the map's data was stored with the map, as were those of the held-out data that it is
    compared with; computed again it can differ in its last digits.

    Args:
        engine: The model.
        z: The codes.
        rows: Their rows in the atlas, if they are data of the map.
    """
    known = atlas(engine) if len(rows) else None
    return engine.heights(z) if known is None else known.log_prior[np.asarray(rows)]


@per_engine(2 * ENGINES, measured=True)
def held_out_density(engine: Engine, means: bool = False) -> np.ndarray | None:
    """Return log p(z) of test data: of one posterior sample each, or of their posterior means.

    Means lie closer to the prior's mean than samples do, so like is compared with like.
    """
    known = atlas(engine)
    if known is None or not engine.has_density:
        return None
    rows = np.flatnonzero(known.split == Split.TEST)
    if means:
        return known.log_prior[rows]
    if len(engine.space.levels) > 1:  # below the top a code depends on the code drawn above it
        try:
            return engine.checkpoint.arrays(LIKELIHOOD).get("log_prior")
        except CheckpointError:
            return None
    return engine.log_prior(codes_drawn(known, rows))


@per_engine(32, measured=True)
def tradeoff(engine: Engine) -> Tradeoff | None:
    """Return the diversity–fidelity curve of a model, as far as it was measured."""
    return read_tradeoff(engine.checkpoint)


@per_engine(16, measured=True)
def surgery(engine: Engine) -> Surgery | None:
    """Return the parts of a model's top-level KL over the test codes of its atlas."""
    known = atlas(engine)
    if known is None or not engine.scored:
        return None
    rows = known.split == Split.TEST
    if rows.sum() < 2:
        return None
    prior, size = engine.top
    loc, scale = (torch.from_numpy(part[rows, :size]) for part in (known.codes, known.scale))
    return elbo_surgery(Posterior(loc, scale), prior)


@per_engine(16, measured=True)
def unit_kl(engine: Engine) -> np.ndarray | None:
    """Return each unit's mean KL in nats over the test data, as measured for the card."""
    try:
        found = engine.checkpoint.arrays(LIKELIHOOD).get("kl_per_unit")
    except CheckpointError:
        return None
    sound = found is not None and found.shape == (engine.space.size,) and np.isfinite(found).all()
    return found if sound else None


def scored(engine: Engine, x: Float[np.ndarray, "1 *sample"]) -> Likelihood:
    """Return log p(x) and the ELBO terms of one sample, with as many codes as on the card."""
    return _scored(engine, x, importance_samples(engine))


@per_engine(128)
def _scored(engine: Engine, x: Float[np.ndarray, "1 *sample"], samples: int) -> Likelihood:
    return engine.score(x, samples)


@per_engine(16)
def refined(engine: Engine, x: Float[np.ndarray, "1 *sample"]) -> Refinement:
    """Return the posterior of one sample, optimised for it alone."""
    return engine.refine(x)


def importance_samples(engine: Engine) -> int:
    """Return the number of importance samples behind a model's card."""
    metrics = engine.checkpoint.metrics
    metric = metrics.get("log_likelihood") or metrics.get("pseudo_log_likelihood")
    return min(5000, metric.samples or 500) if metric is not None else 500


def test_likelihood(engine: Engine) -> np.ndarray | None:
    """Return log p(x) of every test sample, as measured for the card."""
    try:
        found = engine.checkpoint.arrays(LIKELIHOOD).get("log_likelihood")
    except CheckpointError:
        return None
    return found if found is not None and np.isfinite(found).all() else None


def holes_of(engine: Engine, text: str) -> Plane | None:
    """Return the holes of a model if a place names one; else they are not computed."""
    return plane(engine) if text.startswith("holes:") else None
