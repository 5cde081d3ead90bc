"""Design search: diverse designs, variations of one, mixtures of several, and optimisation."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from explorer import sections
from explorer.designs.geometry import inner_gap
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Constraint
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.interfaces import noise
from explorer.metrics.novelty import NoveltyReference

POOL = 2000
MOST_CHOSEN = 48
POPULATION = 48
FIDELITY = 95.0
GAP, LEAST_GAP, MOST_GAP = 0.3, 0.05, 2.0
"""What a search keeps between the surfaces of a section ahead of its tail, in per cent of the
chord: the usual limit, and the bounds in which it can be set. Of 1,237 sections of the UIUC
collection one in a hundred has less than 0.45 %."""

REACH = 2.5
"""How far a search may move from its start, in prior standard deviations."""

_SOFT = 1e6
_NEAR = 0.3
_SAME = 1e-6


class Chosen(NamedTuple):
    """Chosen designs, and a description of how many candidates remained after each filter."""

    z: Float[np.ndarray, "chosen latent"]
    x: Float[np.ndarray, "chosen *sample"]
    steps: tuple[tuple[str, int], ...]
    least: float


class Pushed(NamedTuple):
    """The best design found by a search, and its starting point."""

    z: Float[np.ndarray, " latent"]
    before: float
    after: float
    log_density: float
    floor: float
    generations: int
    evaluations: int


def far_apart(
    engine: Engine,
    k: int,
    *,
    seed: int = 0,
    scale: float = 1.0,
    reference: NoveltyReference | None = None,
    fidelity: float = FIDELITY,
    constraints: Sequence[Constraint] = (),
    conditions: Conditions | None = None,
    rejected: Float[np.ndarray, "rejected latent"] | None = None,
) -> Chosen:
    """Choose prior samples that are far apart, faithful, valid and unlike rejected ones.

    Farthest-point selection: each next sample is the one farthest from its nearest chosen one,
    with codes in prior standard deviations; the first is the one nearest to the centre of the
    remaining ones. Rejected codes count as already chosen, and samples closer to one than samples
    typically are to each other are excluded.

    Args:
        engine: The model.
        k: Number of designs.
        seed: Seed of the samples.
        scale: Scale at which they are drawn.
        reference: Reference for fidelity; without it fidelity is not required.
        fidelity: A sample is faithful if its nearest training code is no farther than that
            of this percentage of held-out data.
        constraints: Bounds on properties.
        conditions: Under what they are judged.
        rejected: Rejected codes.

    Raises:
        DesignError: If too few candidates remain.

    References:
        Clustering to minimize the maximum intercluster distance (Gonzalez, 1985).
        https://doi.org/10.1016/0304-3975(85)90224-5
    """
    drawn = engine.sample(POOL, scale, seed)
    alive = np.ones(POOL, bool)
    steps = [(f"drawn from the prior at scale {scale:g}, seed {seed}", POOL)]

    def pass_on(good: Bool[np.ndarray, " samples"], words: str) -> None:
        alive[:] &= good
        steps.append((words, int(alive.sum())))

    if reference is not None and fidelity < 100:
        far = reference.judge(engine.encode(drawn.x).loc).percentile
        pass_on(
            far <= fidelity,
            f"as close to the data as {fidelity:g} % of held-out samples",
        )
    if engine.sketch.kind == "curve" or constraints:
        measured = measure(drawn.x, engine.sketch, conditions)
        pass_on(measured.valid, "valid")
        if constraints:
            pass_on(measured.meets(constraints), "satisfying the constraints")
    centre, spread = engine.moments()
    flat = ((drawn.z - centre) / np.maximum(spread, 1e-6)).astype(np.float64)
    avoid = np.empty((0, flat.shape[1]))
    if rejected is not None and len(rejected):
        avoid = ((rejected - centre) / np.maximum(spread, 1e-6)).astype(np.float64)
        usual = np.median([np.sort(_distance(flat, row))[1] for row in flat[:200]])
        away = np.min([_distance(flat, row) for row in avoid], axis=0)
        pass_on(away > usual, f"unlike the {len(avoid)} rejected")
    left = np.flatnonzero(alive)
    if len(left) < k:
        summary = "; ".join(f"{count:,} {words}" for words, count in steps)
        raise DesignError(
            f"Only {len(left)} of {k} designs remain: {summary}. Relax a constraint."
        )
    points = flat[left]
    nearest = np.full(len(left), np.inf)
    for row in avoid:
        nearest = np.minimum(nearest, _distance(points, row))
    order: list[int] = []
    middle = int(_distance(points, points.mean(0)).argmin())
    while len(order) < k:
        following = middle if not order and not len(avoid) else int(nearest.argmax())
        if nearest[following] < _SAME:
            raise DesignError(
                f"Only {len(order)} designs are distinct; raise the scale or ask for fewer."
            )
        order.append(following)
        nearest = np.minimum(nearest, _distance(points, points[following]))
    chosen = left[order]
    steps.append(("chosen", k))
    apart = [float(_distance(points[order[:i]], points[order[i]]).min()) for i in range(1, k)]
    return Chosen(drawn.z[chosen], drawn.x[chosen], tuple(steps), min(apart, default=0.0))


def like(
    engine: Engine,
    z: Float[np.ndarray, " latent"],
    n: int,
    radii: Sequence[float],
    seed: int = 0,
) -> Float[np.ndarray, "frames n latent"]:
    """Vary a code along the same directions at every radius, in prior standard deviations."""
    _, spread = engine.moments()
    eps = noise(n, len(z), seed).numpy()
    steps = np.asarray(radii, np.float32)[:, None, None]
    return (z + steps * spread * eps).astype(np.float32)


def between(
    z: Float[np.ndarray, "ends latent"], n: int, seed: int = 0
) -> Float[np.ndarray, "n latent"]:
    """Mix codes: evenly along the line between two, with Dirichlet weights for more."""
    if len(z) == 2:
        share = np.linspace(0, 1, n + 2)[1:-1, None]
        return ((1 - share) * z[0] + share * z[1]).astype(np.float32)
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(z)), n)
    return (weights @ z).astype(np.float32)


def push(
    engine: Engine,
    start: Float[np.ndarray, " latent"],
    key: str,
    way: Literal["more", "less"],
    *,
    floor: float,
    constraints: Sequence[Constraint] = (),
    conditions: Conditions | None = None,
    reference: NoveltyReference | None = None,
    fidelity: float = FIDELITY,
    gap: float = GAP,
    generations: int = 40,
    seed: int = 0,
    report: Callable[[int, float, Float[np.ndarray, " latent"]], None] | None = None,
) -> Pushed:
    """Search the latent space around a design to increase or decrease a property.

    Differential evolution over codes within `REACH` prior standard deviations of the start. Only
    valid designs that meet the constraints and whose log p(z) is at least the floor are feasible;
    infeasible ones are ranked by their total violation. The surfaces of sections also keep a
    least gap ahead of their tail, both as decoded and as shown: what a section is allowed to
    cross by, to be valid, is not for a search to spend.

    Args:
        engine: The model.
        start: The code to start from.
        key: The property.
        way: Whether to increase or decrease it.
        floor: Lower bound on log p(z) in nats, under the prior as trained.
        constraints: Bounds on properties.
        conditions: Under what they are judged.
        reference: Reference for fidelity; without it fidelity is not required.
        fidelity: As in `far_apart`.
        gap: Least distance between the surfaces of a section ahead of the last `CLOSING` of its
            chord, in per cent of the chord, between `LEAST_GAP` and `MOST_GAP`.
        generations: Number of generations.
        seed: Seed of the search.
        report: Called after each generation with its number, the best value so far (NaN while none
            is feasible) and its code. An exception ends the search.

    Raises:
        DesignError: If the samples lack the property, the gap is out of bounds, or no feasible
            design was found.

    References:
        Differential evolution (Storn and Price, 1997). https://doi.org/10.1023/A:1008202821328
        An efficient constraint handling method for genetic algorithms (Deb, 2000), section 3.
        https://doi.org/10.1016/S0045-7825(99)00389-8
    """
    from scipy.optimize import OptimizeResult, differential_evolution

    is_section = sections.is_section(engine.sketch)
    if is_section and not LEAST_GAP <= gap <= MOST_GAP:
        raise DesignError(
            f"A section keeps a gap of {LEAST_GAP:g} to {MOST_GAP:g} % of the chord; choose one."
        )
    sign = -1.0 if way == "more" else 1.0
    spread = np.maximum(engine.moments()[1], 1e-6).astype(np.float64)
    evaluations = 0

    def cost(codes: Float[np.ndarray, "latent codes"]) -> Float[np.ndarray, " codes"]:
        nonlocal evaluations
        z = np.ascontiguousarray(codes.T, np.float32)
        evaluations += len(z)
        x = engine.decode(z)
        measured = measure(x, engine.sketch, conditions)
        missed = np.maximum(floor - engine.heights(z).astype(np.float64), 0) / 10
        missed = missed + 5.0 * ~measured.valid
        if reference is not None:
            far = reference.judge(engine.encode(x).loc).percentile
            missed = missed + np.maximum(far - fidelity, 0) / 10
        if is_section:
            decoded = 100 * inner_gap(x, engine.sketch)
            kept = np.minimum(decoded, measured.values["inner_gap"])
            missed = missed + np.nan_to_num(np.maximum(gap - kept, 0) / gap, nan=5.0)
        for bound in constraints:
            off = bound.value - measured.values.get(bound.key, np.full(len(z), np.nan))
            off = np.maximum(off if bound.way == ">=" else -off, 0) / max(abs(bound.value), 1e-6)
            missed = missed + np.nan_to_num(off, nan=5.0)
        value = sign * measured.values[key]
        return np.where((missed > 0) | ~np.isfinite(value), _SOFT * (1 + missed), value)

    before = measure(engine.decode(start[None]), engine.sketch, conditions).values.get(key)
    if before is None:
        raise DesignError(f"These designs have no property “{key}”; choose another.")
    rng = np.random.default_rng(seed)
    first = start + _NEAR * spread * rng.standard_normal((POPULATION, len(start)))
    first[0] = start
    low, high = start - REACH * spread, start + REACH * spread
    done = 0

    def after_each(intermediate_result: OptimizeResult) -> None:
        nonlocal done
        done += 1
        if report is not None:
            found = float(intermediate_result.fun)
            report(done, sign * found if found < _SOFT else np.nan, intermediate_result.x)

    result = differential_evolution(
        cost,
        list(zip(low, high, strict=True)),
        init=np.clip(first, low, high),
        maxiter=generations,
        tol=0,
        atol=0,
        polish=False,
        updating="deferred",
        vectorized=True,
        callback=after_each,
        rng=rng,
    )
    if result.fun >= _SOFT:
        raise DesignError("No design nearby is feasible; relax a constraint or start elsewhere.")
    z = np.asarray(result.x, np.float32)
    return Pushed(
        z,
        float(before[0]),
        sign * float(result.fun),
        float(engine.heights(z[None])[0]),
        floor,
        done,
        evaluations,
    )


def pareto(
    values: Float[np.ndarray, "designs 2"], better: tuple[str, str]
) -> Bool[np.ndarray, " designs"]:
    """Return which designs are Pareto-optimal in two properties.

    Args:
        values: Two properties of each design; a design with a NaN is never on the front.
        better: For each property, whether more or less is better.
    """
    signs = np.array([1.0 if way == "more" else -1.0 for way in better])
    points = values * signs
    known = np.isfinite(points).all(1)
    front = known.copy()
    for row in np.flatnonzero(known):
        others = points[known]
        at_least = (others >= points[row]).all(1)
        beyond = (others > points[row]).any(1)
        front[row] = not (at_least & beyond).any()
    return front


def _distance(
    points: Float[np.ndarray, "points latent"], one: Float[np.ndarray, " latent"]
) -> Float[np.ndarray, " points"]:
    return np.linalg.norm(points - one, axis=1)
