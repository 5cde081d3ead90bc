"""The smallest change that flips a class: a search for the nearest code of another class."""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from explorer.designs.asked import Asked
from explorer.errors import DesignError
from explorer.inference import Engine

EVALUATIONS = 6_000
"""Codes that a search decodes at most."""

SECONDS = 4.0
"""Time after which a search stops with what it has."""

_RAYS = 96
_STEPS = 16
_HALVINGS = 7
_KEPT = 8
_PROPOSED = 64
_LEAST_GAIN = 1e-3
_SHRINK = (0.02, 0.05, 0.1, 0.2, 0.4)


class Flip(NamedTuple):
    """The nearest code found of another class.

    `distance` is in standard deviations of the prior, the root of the sum of squares over the
    units; `straight` is that of the nearest code of a prior sample of such a class, where the
    search began. `complete` tells whether the search ended by itself.
    """

    z: Float[np.ndarray, " latent"]
    before: int
    after: int
    distance: float
    straight: float
    log_density: float
    evaluations: int
    complete: bool


def flip(
    engine: Engine,
    family: Asked,
    z: Float[np.ndarray, " latent"],
    floor: float,
    *,
    wanted: int | None = None,
    seed: int = 0,
    evaluations: int = EVALUATIONS,
    seconds: float = SECONDS,
) -> Flip | None:
    """Find the nearest code, in prior standard deviations, whose decoded sample flips its class.

    First along rays: to prior samples of another class, and in random directions; on each the
    first change of class is bisected. Then the nearest few are pulled in: random steps along the
    boundary, shortened towards the start, are kept if they still flip, and bisected again. No
    derivative is used. A code counts only if its log p(z) is not below the floor.

    Args:
        engine: The model.
        family: The classifier.
        z: The code to start from.
        floor: Least log p(z) in nats.
        wanted: The class to reach; None for any other.
        seed: Seed of rays and steps.
        evaluations: Codes decoded at most.
        seconds: Time after which it stops with what it has.

    Returns:
        The best code, or None if none was found.

    Raises:
        DesignError: If the start has no class, or has the wanted one already.

    References:
        Decision-based adversarial attacks (Brendel et al., 2018), algorithm 1.
        https://arxiv.org/abs/1712.04248
    """
    started = time.monotonic()
    generator = np.random.default_rng(seed)
    _, spread = engine.moments()
    scale = np.maximum(spread, 1e-6).astype(np.float64)
    before = int(family.judge(engine.decode(z[None])).best[0])
    if before < 0:
        raise DesignError("The classifier has no answer for this one; take another in hand.")
    if before == wanted:
        raise DesignError("It has this class already; choose another.")
    spent = 1

    def classes(u: Float[np.ndarray, "codes latent"]) -> Int[np.ndarray, " codes"]:
        nonlocal spent
        spent += len(u)
        return family.judge(engine.decode(_codes(z, u, scale))).best

    def good(u: Float[np.ndarray, "codes latent"]) -> Bool[np.ndarray, " codes"]:
        """Which offsets, in standard deviations, flip the class within the prior."""
        found = classes(u)
        other = (found != before) & (found >= 0) if wanted is None else found == wanted
        sound = np.zeros(len(u), bool)
        if other.any():
            sound[other] = engine.heights(_codes(z, u[other], scale)) >= floor
        return sound

    def over() -> bool:
        return spent >= evaluations or time.monotonic() - started > seconds

    ends = _ends(engine, z, scale, generator)
    ends = ends[np.argsort(np.linalg.norm(ends, axis=1), kind="stable")]
    hits = _along(ends, good, over)
    if not len(hits):
        return None
    best = hits[np.argsort(np.linalg.norm(hits, axis=1), kind="stable")][:_KEPT]
    straight = float(np.linalg.norm(best[0]))
    stale, complete = 0, False
    while not over():
        near = np.linalg.norm(best, axis=1)
        pulled = _pulled(best, good, generator)
        if len(pulled):
            best = np.concatenate([best, pulled])
            best = best[np.argsort(np.linalg.norm(best, axis=1), kind="stable")][:_KEPT]
        gained = near.min() - np.linalg.norm(best[0]) > _LEAST_GAIN * near.min()
        stale = 0 if gained else stale + 1
        if stale == 6:
            complete = True
            break
    code = _codes(z, best[:1], scale)
    return Flip(
        code[0],
        before,
        int(family.judge(engine.decode(code)).best[0]),
        float(np.linalg.norm(best[0])),
        straight,
        float(engine.heights(code)[0]),
        spent,
        complete,
    )


def _codes(
    z: Float[np.ndarray, " latent"],
    u: Float[np.ndarray, "codes latent"],
    scale: Float[np.ndarray, " latent"],
) -> Float[np.ndarray, "codes latent"]:
    return (z + u * scale).astype(np.float32)


def _ends(
    engine: Engine,
    z: Float[np.ndarray, " latent"],
    scale: Float[np.ndarray, " latent"],
    generator: np.random.Generator,
) -> Float[np.ndarray, "rays latent"]:
    """Return where rays end: at samples of the prior, and in random directions as far away."""
    drawn = engine.sample(_RAYS, 1.0, int(generator.integers(2**31))).z
    to = ((drawn - z) / scale).astype(np.float64)
    far = float(np.median(np.linalg.norm(to, axis=1)))
    around = generator.standard_normal((_RAYS // 2, len(z)))
    around *= far / np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-9)
    return np.concatenate([to, around])


Test = Callable[[np.ndarray], np.ndarray]


def _along(
    ends: Float[np.ndarray, "rays latent"], good: Test, over: Callable[[], bool]
) -> Float[np.ndarray, "hits latent"]:
    """Return the first offset that passes on the rays where it is nearest, bisected."""
    steps = np.arange(1, _STEPS + 1) / _STEPS
    hits, lows, highs = [], [], []
    for group in np.array_split(ends, max(1, len(ends) // 16)):
        grid = (group[:, None] * steps[None, :, None]).reshape(-1, ends.shape[1])
        passed = good(grid).reshape(len(group), _STEPS)
        for ray in np.flatnonzero(passed.any(1)):
            first = int(passed[ray].argmax())
            hits.append(group[ray])
            lows.append(first / _STEPS)
            highs.append((first + 1) / _STEPS)
        if over():
            break
    if not hits:
        return np.empty((0, ends.shape[1]))
    rays, low, high = np.stack(hits), np.array(lows), np.array(highs)
    near = np.argsort(low * np.linalg.norm(rays, axis=1), kind="stable")[: 2 * _KEPT]
    return _bisected(rays[near], low[near], high[near], good)


def _bisected(
    ends: Float[np.ndarray, "rays latent"],
    low: Float[np.ndarray, " rays"],
    high: Float[np.ndarray, " rays"],
    good: Test,
) -> Float[np.ndarray, "rays latent"]:
    """Halve the way between a share of each ray that fails and one that passes."""
    low, high = low.copy(), high.copy()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        passed = good(ends * middle[:, None])
        high, low = np.where(passed, middle, high), np.where(passed, low, middle)
    return ends * high[:, None]


def _pulled(
    best: Float[np.ndarray, "kept latent"], good: Test, generator: np.random.Generator
) -> Float[np.ndarray, "found latent"]:
    """Propose offsets nearer to the start than those kept, and bisect the ones that pass."""
    of = best[generator.integers(len(best), size=_PROPOSED)]
    length = np.linalg.norm(of, axis=1, keepdims=True)
    shrink = generator.choice(_SHRINK, size=(_PROPOSED, 1))
    step = generator.standard_normal(of.shape)
    step -= (
        (step * of).sum(1, keepdims=True) * of / np.maximum(length**2, 1e-12)
    )  # along the sphere
    size = generator.uniform(0.05, 1.2, (_PROPOSED, 1)) * np.sqrt(2 * shrink) * length
    step *= size / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9)
    moved = of + step
    moved *= (1 - shrink) * length / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
    passed = moved[good(moved)]
    if not len(passed):
        return passed
    nearest = passed[np.argsort(np.linalg.norm(passed, axis=1), kind="stable")][:_KEPT]
    return _bisected(nearest, np.zeros(len(nearest)), np.ones(len(nearest)), good)
