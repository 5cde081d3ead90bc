"""Densities of prior and data over the map: contours, and holes between them."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from explorer.distributions import DiagonalMixture
from explorer.inference import Engine
from explorer.projection import Atlas, Split, codes_drawn, prior_codes

SHARES = (0.5, 0.9, 0.99)
"""Contours enclose these fractions of a density's mass."""

RARE = 0.05
"""A code is in a hole if the aggregated posterior's density there is below this quantile of
held-out codes."""

BOOTSTRAPS = 500
"""Bootstrap resamples of the held-out codes, for the standard error of the hole mass."""

MOST_HOLES = 24
_GRID = 144
_LEAST_MASS = 5e-4
_MOSTLY = 0.3
_WINDOW = 0.999


class Hole(NamedTuple):
    """A region with prior mass but no data: a point in it, its code and its mass."""

    xy: Float[np.ndarray, " 2"]
    z: Float[np.ndarray, " latent"]
    mass: float


class Plane(NamedTuple):
    """Densities of prior and aggregated posterior over the map, and the holes between them.

    `exact` is true if the map is the latent space itself: then both densities are evaluated.
    Otherwise they are smoothed counts of map positions, and holes are estimated from prior
    samples. `hole_mass` is the fraction of prior samples that fall into holes, with its standard
    error; it is always counted in latent space, never on the map.
    """

    x: Float[np.ndarray, " columns"]
    y: Float[np.ndarray, " rows"]
    prior: Float[np.ndarray, "rows columns"]
    aggregated: Float[np.ndarray, "rows columns"]
    hole: Bool[np.ndarray, "rows columns"]
    holes: tuple[Hole, ...]
    hole_mass: float
    hole_error: float
    samples: int
    exact: bool


def aggregated_posterior(atlas: Atlas, split: str = "train") -> DiagonalMixture | None:
    """Return q(z), the mean of q(z|x) over a split's codes in the atlas; None without densities.

    References:
        ELBO surgery (Hoffman and Johnson, 2016), section 1.
    """
    rows = atlas.split == Split[split.upper()]
    if not rows.any() or not (atlas.scale[rows] > 0).all():
        return None
    n = int(rows.sum())
    return DiagonalMixture(
        torch.full((n,), -float(np.log(n))),
        torch.from_numpy(atlas.codes[rows]),
        torch.from_numpy(atlas.scale[rows]),
    )


def held_out_heights(
    atlas: Atlas, aggregated: DiagonalMixture, seed: int = 1
) -> Float[np.ndarray, " codes"]:
    """Evaluate log q(z) at one posterior sample for each held-out sample."""
    rows = np.flatnonzero(atlas.split == Split.TEST)
    return _log_prob(aggregated, codes_drawn(atlas, rows, seed))


def share_below(
    heights: Float[np.ndarray, " samples"], held_out: Float[np.ndarray, " codes"], seed: int = 0
) -> tuple[float, float]:
    """Return the fraction of log-densities below the 5th percentile of the held-out ones.

    Its standard error covers both sources: sampling of the densities, and of the held-out codes
    that set the percentile, by the bootstrap.
    """
    share = float((heights < np.quantile(held_out, RARE)).mean())
    generator = np.random.default_rng(seed)
    again = generator.choice(held_out, (BOOTSTRAPS, len(held_out)))
    levels = np.quantile(again, RARE, axis=1)
    moved = np.searchsorted(np.sort(heights), levels) / len(heights)
    return share, float(np.sqrt(share * (1 - share) / len(heights) + moved.var()))


def plane(engine: Engine, atlas: Atlas) -> Plane | None:
    """Evaluate or estimate both densities over the map; None without a prior or a spread of q."""
    aggregated = aggregated_posterior(atlas)
    if not engine.has_prior or aggregated is None or not (atlas.split == Split.TEST).any():
        return None
    held_out = held_out_heights(atlas, aggregated)
    level = float(np.quantile(held_out, RARE))
    z = prior_codes(engine)
    heights = _log_prob(aggregated, z)
    lost = heights < level
    share, error = share_below(heights, held_out)
    exact = atlas.method == "plane" and engine.has_density
    x, y = _window(np.concatenate([atlas.xy, atlas.sample_xy]))
    if exact:
        grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)
        prior = np.exp(engine.log_prior(grid)).reshape(len(y), len(x))
        log_aggregated = _log_prob(aggregated, grid).reshape(prior.shape)
        thin = log_aggregated < level
        hole = thin & (prior > level_of(prior, 0.99))
        density = np.exp(log_aggregated)
        holes = _exact_holes(x, y, prior, hole)
    else:
        prior = _smoothed(atlas.sample_xy, x, y)
        density = _smoothed(atlas.xy[atlas.split == Split.TRAIN], x, y)
        hole, holes = _estimated_holes(x, y, prior, atlas.sample_xy, z, lost)
    return Plane(x, y, prior, density, hole, holes, share, error, len(z), exact)


def level_of(density: Float[np.ndarray, "rows columns"], share: int | float) -> float:
    """Return the density level above which a given fraction of the mass lies."""
    heights = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(heights, dtype=np.float64)
    return float(heights[min(np.searchsorted(mass, share * mass[-1]), len(heights) - 1)])


def contours(
    x: Float[np.ndarray, " columns"],
    y: Float[np.ndarray, " rows"],
    density: Float[np.ndarray, "rows columns"],
    shares: tuple[float, ...] = SHARES,
) -> list[list[Float[np.ndarray, "vertices 2"]]]:
    """Trace the contour lines that enclose each fraction."""
    from contourpy import LineType, contour_generator

    tracer = contour_generator(x=x, y=y, z=density, line_type=LineType.Separate)
    return [_lines(tracer.lines(level_of(density, share))) for share in shares]


def outlines(found: Plane) -> list[Float[np.ndarray, "vertices 2"]]:
    """Trace the outlines of all holes."""
    from contourpy import LineType, contour_generator

    padded = np.pad(found.hole.astype(float), 1)
    dx, dy = found.x[1] - found.x[0], found.y[1] - found.y[0]
    x = np.concatenate([[found.x[0] - dx], found.x, [found.x[-1] + dx]])
    y = np.concatenate([[found.y[0] - dy], found.y, [found.y[-1] + dy]])
    return _lines(contour_generator(x=x, y=y, z=padded, line_type=LineType.Separate).lines(0.5))


def inside(
    points: Float[np.ndarray, "points 2"], polygon: Float[np.ndarray, "vertices 2"]
) -> Bool[np.ndarray, " points"]:
    """Return which points lie inside a polygon, by the even-odd rule."""
    x, y = points[:, 0], points[:, 1]
    found = np.zeros(len(points), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            found ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return found


def _lines(traced: object) -> list[Float[np.ndarray, "vertices 2"]]:
    assert isinstance(traced, list)
    return traced


def _log_prob(
    mixture: DiagonalMixture, z: Float[np.ndarray, "codes latent"]
) -> Float[np.ndarray, " codes"]:
    with torch.inference_mode():
        parts = [mixture.log_prob(rows) for rows in torch.from_numpy(z).float().split(512)]
    return torch.cat(parts).numpy()


def _window(
    points: Float[np.ndarray, "points 2"],
) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " rows"]]:
    """Lay a grid over all but the most distant points: its places along each axis."""
    low, high = np.quantile(points, [1 - _WINDOW, _WINDOW], axis=0)
    margin = 0.08 * (high - low).max()
    return (
        np.linspace(low[0] - margin, high[0] + margin, _GRID),
        np.linspace(low[1] - margin, high[1] + margin, _GRID),
    )


def _smoothed(
    xy: Float[np.ndarray, "points 2"],
    x: Float[np.ndarray, " columns"],
    y: Float[np.ndarray, " rows"],
    bandwidth: float = 0.012,
) -> Float[np.ndarray, "rows columns"]:
    """Count points per cell and smooth the counts, which sum to the number of points inside."""
    dx, dy = x[1] - x[0], y[1] - y[0]
    edges = (
        np.append(y - dy / 2, y[-1] + dy / 2),
        np.append(x - dx / 2, x[-1] + dx / 2),
    )
    counts = np.histogram2d(xy[:, 1], xy[:, 0], bins=edges)[0]
    width = bandwidth * max(x[-1] - x[0], y[-1] - y[0])
    return ndimage.gaussian_filter(counts, (width / dy, width / dx))


def _exact_holes(
    x: Float[np.ndarray, " columns"],
    y: Float[np.ndarray, " rows"],
    prior: Float[np.ndarray, "rows columns"],
    hole: Bool[np.ndarray, "rows columns"],
) -> tuple[Hole, ...]:
    """Split the holes into connected regions, each with its prior mass and its innermost point."""
    labels, count = ndimage.label(hole)
    cell = (x[1] - x[0]) * (y[1] - y[0])
    depth = ndimage.distance_transform_edt(np.pad(hole, 1))[1:-1, 1:-1]
    found = []
    for number in range(1, count + 1):
        rows = labels == number
        mass = float(prior[rows].sum() * cell)
        if mass < _LEAST_MASS:
            continue
        # Well inside, and where the prior still has mass.
        row, column = np.unravel_index(np.argmax(np.where(rows, depth * prior, -1)), rows.shape)
        xy = np.array([x[column], y[row]], np.float32)
        found.append(Hole(xy, xy, mass))
    return tuple(sorted(found, key=lambda item: -item.mass)[:MOST_HOLES])


def _estimated_holes(
    x: Float[np.ndarray, " columns"],
    y: Float[np.ndarray, " rows"],
    prior: Float[np.ndarray, "rows columns"],
    xy: Float[np.ndarray, "samples 2"],
    z: Float[np.ndarray, "samples latent"],
    lost: Bool[np.ndarray, " samples"],
) -> tuple[Bool[np.ndarray, "rows columns"], tuple[Hole, ...]]:
    """Shade where most prior samples fall into holes; the most central sample represents each."""
    empty = np.zeros_like(prior, bool)
    if not lost.any():
        return empty, ()
    share = _smoothed(xy[lost], x, y) / np.maximum(prior, 1e-12)
    hole = (share > _MOSTLY) & (prior > level_of(prior, 0.95))
    labels, count = ndimage.label(hole)
    cells = _cells(xy, x, y)
    found = []
    for number in range(1, count + 1):
        members = np.flatnonzero(lost & (labels[cells[:, 1], cells[:, 0]] == number))
        if len(members) < 3:
            hole[labels == number] = False
            continue
        middle = np.median(xy[members], axis=0)
        chosen = members[np.argmin(np.linalg.norm(xy[members] - middle, axis=1))]
        found.append(Hole(xy[chosen], z[chosen], len(members) / len(z)))
    return hole, tuple(sorted(found, key=lambda item: -item.mass)[:MOST_HOLES])


def _cells(
    xy: Float[np.ndarray, "points 2"],
    x: Float[np.ndarray, " columns"],
    y: Float[np.ndarray, " rows"],
) -> Int[np.ndarray, "points 2"]:
    column = np.rint((xy[:, 0] - x[0]) / (x[1] - x[0])).clip(0, len(x) - 1)
    row = np.rint((xy[:, 1] - y[0]) / (y[1] - y[0])).clip(0, len(y) - 1)
    return np.stack([column, row], 1).astype(np.int64)
