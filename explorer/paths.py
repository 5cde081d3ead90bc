"""Paths between codes: straight, spherical, and following the prior's density."""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from explorer.distributions import DiagonalMixture
from explorer.interfaces import Components

PathKind = Literal["straight", "spherical", "following"]
ITERATIONS = 240
IMAGES = 33
"""Images of a string during relaxation; the path is then resampled to the requested frames."""

_NEIGHBOURS = 12
_MOST_ANCHORS = 1500
_FIRST_STEP, _LARGEST_STEP = 0.05, 0.5
_SMOOTHING = 0.1
_ROOM = 0.2
_RATED_EACH = 5
_WORTH = 0.1
"""Nats by which a longer path must be better."""
_NARROW, _WIDE = 1e-6, np.pi - 1e-3

LogDensity = Callable[[Tensor], Tensor]


class String(NamedTuple):
    """A relaxed path at equal arc length, and how far -log p rises above its higher end."""

    codes: Float[np.ndarray, "images latent"]
    barrier: float


def straight(
    ends: Float[np.ndarray, "ends latent"], frames: int
) -> Float[np.ndarray, "frames latent"]:
    """Walk in a straight line from each endpoint to the next, with equally many frames per leg."""
    leg, share = clock(len(ends), frames)
    return ends[leg] * (1 - share) + ends[leg + 1] * share


def spherical(
    ends: Float[np.ndarray, "ends latent"],
    frames: int,
    loc: Float[np.ndarray, " latent"],
    scale: Float[np.ndarray, " latent"],
) -> Float[np.ndarray, "frames latent"]:
    """Rotate at constant angular speed around the prior's mean, in prior standard deviations.

    Lengths are interpolated separately from directions, so unequal norms are met. Between parallel
    or antiparallel endpoints the arc is undefined, and that leg is straight.

    Args:
        ends: Codes to visit.
        frames: Codes of the path.
        loc: The prior's mean.
        scale: The prior's standard deviation per unit.

    References:
        Animating rotation with quaternion curves (Shoemake, 1985), section 3.3.
        Sampling generative networks (White, 2016), section 2.1. https://arxiv.org/abs/1609.04468
    """
    whitened = (ends - loc) / scale
    norms = np.linalg.norm(whitened, axis=1)
    directions = whitened / np.maximum(norms, 1e-12)[:, None]
    leg, share = clock(len(ends), frames)
    a, b = directions[leg], directions[leg + 1]
    angle = np.arccos(np.clip((a * b).sum(1), -1, 1))[:, None]
    defined = (
        (angle > _NARROW)
        & (angle < _WIDE)
        & (norms[leg] > 0)[:, None]
        & (norms[leg + 1] > 0)[:, None]
    )
    safe = np.where(defined, angle, 1.0)
    turned = (np.sin((1 - share) * safe) * a + np.sin(share * safe) * b) / np.sin(safe)
    length = norms[leg][:, None] * (1 - share) + norms[leg + 1][:, None] * share
    walked = whitened[leg] * (1 - share) + whitened[leg + 1] * share
    codes = loc + scale * np.where(defined, length * turned, walked)
    return codes.astype(ends.dtype)


def following(
    ends: Float[np.ndarray, "ends latent"],
    frames: int,
    log_prob: LogDensity,
    loc: Float[np.ndarray, " latent"],
    scale: Float[np.ndarray, " latent"],
    *,
    closeness: int | float = 1.0,
    anchors: Float[np.ndarray, "anchors latent"] | None = None,
) -> Float[np.ndarray, "frames latent"]:
    """Follow high prior density: the string method on -log p(z), leg by leg.

    Each leg is relaxed from a straight line and, if anchors are given, from the shortest
    path on their neighbourhood graph; the one with the lower barrier wins. A mixture has a
    well for each component, and from a straight line a string finds only the nearest ones.

    Args:
        ends: Codes to visit.
        frames: Codes of the path, equally many on every leg.
        log_prob: log p(z) in nats, differentiable.
        loc: The prior's mean.
        scale: The prior's standard deviation per unit, the unit of length.
        closeness: 1 follows the density alone, 0 is the straight line; in between, the string
            is also attracted to the line.
        anchors: Codes of data or means of components that a path may pass through.

    References:
        String method for the study of rare events (E, Ren and Vanden-Eijnden, 2002).
        Essentially no barriers in neural network energy landscapes (Draxler et al., 2018),
        section 3.1, for the nudged forces. https://arxiv.org/abs/1803.00885
    """
    legs = []
    for a, b in pairwise(ends):
        pair = (np.stack([a, b]).astype(np.float64) - loc) / scale
        starts = [straight(pair, IMAGES)]
        if anchors is not None and len(anchors) > _NEIGHBOURS and closeness > 0:
            starts.append(_over_graph(pair, (anchors.astype(np.float64) - loc) / scale))
        whitened = _whitened(log_prob, loc, scale)
        strings = [relax(start, whitened, closeness) for start in starts]
        lowest = min(string.barrier for string in strings)
        # Of equally good paths the shorter: a detour through many wells must pay for its length.
        good = [string for string in strings if string.barrier <= lowest + _WORTH]
        legs.append(loc + scale * min(good, key=lambda string: _length(string.codes)).codes)
    leg, share = clock(len(ends), frames)
    stops = np.linspace(0, 1, IMAGES)
    codes = np.empty((frames, ends.shape[1]))
    for number, string in enumerate(legs):
        rows = leg == number
        codes[rows] = at_stops(string, stops, share[rows, 0])
    return codes.astype(ends.dtype)


def relax(
    start: Float[np.ndarray, "images latent"],
    log_prob: LogDensity,
    closeness: int | float = 1.0,
    iterations: int = ITERATIONS,
) -> String:
    """Relax a string between fixed endpoints towards a minimum-energy path of -log p.

    Every code descends the gradient normal to the string, by its own step, which shrinks where
    -log p would rise; then the string is smoothed a little and resampled to equal arc length. Of
    all strings seen, the first included, the one with the lowest barrier is kept; among equals,
    the one with the lowest mean.

    Args:
        start: The first string; its endpoints are fixed.
        log_prob: log p(z) in nats, differentiable.
        closeness: Weight of -log p against half the squared distance to the straight line.
        iterations: Number of steps.
    """
    line = straight(start[[0, -1]], len(start))
    tie = torch.from_numpy(line).double()

    def energy(codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        codes = codes.detach().requires_grad_()
        with torch.enable_grad():
            height = -log_prob(codes).double()
            whole = closeness * height + (1 - closeness) * 0.5 * (codes - tie).pow(2).sum(1)
            (slope,) = torch.autograd.grad(whole.sum(), codes)
        return height.detach(), whole.detach(), slope

    def rate(codes: Tensor) -> tuple[float, float]:
        """The barrier of a string, checked between its codes too, and its mean height."""
        between = torch.stack([codes[:-1] * (1 - t) + codes[1:] * t for t in (0.25, 0.5, 0.75)])
        ties = torch.stack([tie[:-1] * (1 - t) + tie[1:] * t for t in (0.25, 0.5, 0.75)])
        everything = torch.cat([codes, between.flatten(0, 1)])
        tied = torch.cat([tie, ties.flatten(0, 1)])
        with torch.no_grad():
            height = -log_prob(everything).double()
        whole = closeness * height + (1 - closeness) * 0.5 * (everything - tied).pow(2).sum(1)
        end = torch.maximum(whole[0], whole[len(codes) - 1])
        return float(whole.max() - end), float(whole.mean())

    if np.abs(start[0] - start[-1]).max() < 1e-9:
        return String(line, 0.0)
    codes = torch.from_numpy(_spread(start)).double()
    step = torch.full((len(codes), 1), _FIRST_STEP, dtype=torch.float64)
    _, whole, slope = energy(codes)
    best, lowest = codes, rate(codes)
    for number in range(iterations):
        across = slope - (slope * (tangent := _tangents(codes))).sum(1, keepdim=True) * tangent
        move = step * across
        # At most a fraction of the spacing: a code must not step over a ridge, nor the string
        # coil up in a well.
        room = _ROOM * float((codes[1:] - codes[:-1]).norm(dim=1).mean())
        move *= (room / move.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)
        trial = codes - move
        trial[[0, -1]] = codes[[0, -1]]
        _, tried, _ = energy(trial)
        better = (tried <= whole)[:, None]
        step = torch.where(better, 1.15 * step, 0.5 * step).clamp(max=_LARGEST_STEP)
        codes = torch.where(better, trial, codes)
        codes[1:-1] += _SMOOTHING * (codes[2:] + codes[:-2] - 2 * codes[1:-1])
        codes = torch.from_numpy(_spread(codes.numpy()))
        _, whole, slope = energy(codes)
        if number % _RATED_EACH and number != iterations - 1:
            continue
        rated = rate(codes)
        if (round(rated[0], 3), rated[1]) < (round(lowest[0], 3), lowest[1]):
            best, lowest = codes, rated
    return String(best.numpy(), lowest[0])


def steps(
    codes: Float[np.ndarray, "frames latent"], scale: Float[np.ndarray, " latent"]
) -> Float[np.ndarray, " steps"]:
    """Measure each step of a path in prior standard deviations."""
    return np.linalg.norm(np.diff(codes, axis=0) / scale, axis=1)


def slerp_objection(components: Components | None) -> str | None:
    """Return why a spherical path is meaningless under a prior; None if it is meaningful.

    An arc keeps the typical distance from the centre of a Gaussian. A prior with several modes
    has no such centre.
    """
    if components is None or len(components) == 1:
        return None
    mixture = DiagonalMixture(components.log_weights, components.loc, components.scale)
    between = float(
        (mixture.variance - components.log_weights.exp() @ components.scale.pow(2)).sum()
    )
    share = between / max(float(mixture.variance.sum()), 1e-12)
    if share < 0.05:
        return None
    return (
        f"Slerp is not meaningful here: this prior has {len(components):,} components, and "
        f"{100 * share:.0f} % of its variance lies between them, so there is no single centre to "
        "rotate about."
    )


def _whitened(
    log_prob: LogDensity, loc: Float[np.ndarray, " latent"], scale: Float[np.ndarray, " latent"]
) -> LogDensity:
    centre, spread = torch.from_numpy(loc).double(), torch.from_numpy(scale).double()
    return lambda u: log_prob((centre + spread * u).float())


def clock(
    ends: int, frames: int
) -> tuple[Int[np.ndarray, " frames"], Float[np.ndarray, "frames 1"]]:
    """Return for each frame of a path its leg, and the position along it."""
    time = np.linspace(0, ends - 1, frames)
    leg = np.minimum(time.astype(np.int64), ends - 2)
    return leg, (time - leg)[:, None].astype(np.float32)


def _length(codes: Float[np.ndarray, "images latent"]) -> float:
    return float(np.linalg.norm(np.diff(codes, axis=0), axis=1).sum())


def _tangents(codes: Float[Tensor, "images latent"]) -> Float[Tensor, "images latent"]:
    tangent = torch.empty_like(codes)
    tangent[1:-1] = codes[2:] - codes[:-2]
    tangent[0], tangent[-1] = codes[1] - codes[0], codes[-1] - codes[-2]
    return tangent / tangent.norm(dim=1, keepdim=True).clamp(min=1e-12)


def _spread(codes: Float[np.ndarray, "images latent"]) -> Float[np.ndarray, "images latent"]:
    """Resample a string at equal arc length."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(codes, axis=0), axis=1))])
    if arc[-1] <= 0:
        return codes
    return at_stops(codes, arc / arc[-1], np.linspace(0, 1, len(codes)))


def at_stops(
    codes: Float[np.ndarray, "images latent"],
    stops: Float[np.ndarray, " images"],
    wanted: Float[np.ndarray, " wanted"],
) -> Float[np.ndarray, "wanted latent"]:
    """Interpolate a polyline at given parameters."""
    right = np.clip(np.searchsorted(stops, wanted, side="right"), 1, len(stops) - 1)
    width = np.maximum(stops[right] - stops[right - 1], 1e-12)
    share = np.clip((wanted - stops[right - 1]) / width, 0, 1)[:, None]
    return codes[right - 1] * (1 - share) + codes[right] * share


def _over_graph(
    pair: Float[np.ndarray, "ends latent"], anchors: Float[np.ndarray, "anchors latent"]
) -> Float[np.ndarray, "images latent"]:
    """Find the path with the least sum of squared hops between neighbouring anchors."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    if len(anchors) > _MOST_ANCHORS:
        chosen = np.random.default_rng(0).permutation(len(anchors))[:_MOST_ANCHORS]
        anchors = anchors[np.sort(chosen)]
    nodes = np.concatenate([pair, anchors])
    square = (nodes**2).sum(1)
    distance = np.maximum(square[:, None] + square - 2 * nodes @ nodes.T, 0)
    np.fill_diagonal(distance, np.inf)
    k = min(_NEIGHBOURS, len(nodes) - 1)
    near = np.argpartition(distance, k - 1, axis=1)[:, :k]
    rows = np.repeat(np.arange(len(nodes)), k)
    weights = distance[rows, near.ravel()] + 1e-12
    columns = near.ravel()
    if 1 not in near[0] and 0 not in near[1]:
        # The direct hop is always possible, so that a path exists even between islands.
        rows, columns = np.append(rows, 0), np.append(columns, 1)
        weights = np.append(weights, distance[0, 1] + 1e-12)
    graph = coo_array((weights, (rows, columns)), shape=distance.shape).tocsr()
    _, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    way = [1]
    while way[-1] != 0:
        way.append(int(before[way[-1]]))
    codes = nodes[way[::-1]]
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(codes, axis=0), axis=1))])
    return at_stops(codes, arc / max(arc[-1], 1e-12), np.linspace(0, 1, IMAGES))
