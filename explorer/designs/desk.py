"""From wishes to designs: what a model can reach, and a few diverse ones that satisfy them.

Samples of the prior come first. Where too few of them satisfy the wishes, a search goes on from
the nearest ones; what cannot be met is told with the nearest designs, and what each wish costs.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from explorer import sections
from explorer.designs.geometry import inner_gap
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Constraint, Measured, Property
from explorer.designs.search import FIDELITY
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.metrics.novelty import NoveltyReference
from explorer.sketch import CurveSketch

POOL = 3000
"""Samples of the prior among which designs are chosen first."""

NEAREST = 4
"""Number of the nearest designs that are shown where none satisfies the wishes."""

LEAST_GAP = 0.1
"""The least distance between the surfaces of a sound section ahead of its tail, in % of chord."""

REVERSALS = 4
"""Curvature reversals of a smooth section: the median of the UIUC collection."""

GENERATIONS = 40
POPULATION = 64

_ANGLE = re.compile(r"alpha(_[0-9])?")
_MOST_MISSED = 1e3
_PATIENCE = 12
_BEST = 4.0
"""How many nepers of quality the best rank is worth at no spread."""

Designs = Float[np.ndarray, "designs latent"]


class Sound(NamedTuple):
    """What makes a design sound, beyond being valid: None where it is not asked.

    `floor` bounds log p(z) in nats, `waviness` the RMS distance of decoded heights to what is
    shown in per cent of the chord, and `reference` the distance from the data (`FIDELITY`).
    """

    floor: float | None = None
    waviness: float | None = None
    reference: NoveltyReference | None = None


class Pool(NamedTuple):
    """Codes with what they decode to, its properties, and by how much each fails to be sound.

    `unsound` has a column for each of what is `required`, 0 where it is met, about 1 where it is
    far off.
    """

    z: Designs
    x: Float[np.ndarray, "designs *sample"]
    measured: Measured
    unsound: Float[np.ndarray, "designs requirements"]
    required: tuple[str, ...]

    @property
    def sound(self) -> Bool[np.ndarray, " designs"]:
        """Which designs are valid, smooth and like the data."""
        return self.measured.valid & (self.unsound <= 0).all(1)


class Relaxed(NamedTuple):
    """Wishes, how many samples satisfy the others without them, and the nearest value of these.

    It is one wish, or two where no sample satisfies all others of any; `nearest` is of the first,
    over samples and what was searched.
    """

    wishes: tuple[Constraint, ...]
    others: int
    nearest: float | None


class Found(NamedTuple):
    """Chosen designs in order of the objective.

    `met` says which satisfy all wishes; if none does, these are the nearest ones. `drawn` counts
    the samples, `sound` those that are sound, `flying` those of them that reach every lift
    coefficient asked for, `feasible` those that also satisfy the wishes, and `searched` the
    designs evaluated by a search for more. `apart` is the least distance between
    two outlines, in per cent of the chord (of the range of grey values for images).
    """

    z: Designs
    x: Float[np.ndarray, "designs *sample"]
    measured: Measured
    met: Bool[np.ndarray, " designs"]
    drawn: int
    sound: int
    flying: int
    feasible: int
    searched: int
    apart: float
    relaxed: tuple[Relaxed, ...]


def pool(
    engine: Engine, conditions: Conditions, sound: Sound, *, n: int = POOL, seed: int = 0
) -> Pool:
    """Draw samples of the prior as trained, and measure them."""
    return judge(engine, engine.sample(n, 1.0, seed).z, conditions, sound)


def judge(engine: Engine, z: Designs, conditions: Conditions, sound: Sound) -> Pool:
    """Decode codes and measure what they are."""
    z = np.ascontiguousarray(z, np.float32)
    x = engine.decode(z)
    measured = measure(x, engine.sketch, conditions)
    return Pool(z, x, measured, *_unsound(engine, z, x, measured, sound))


def find(
    engine: Engine,
    given: Pool,
    wishes: Sequence[Constraint],
    objective: Property,
    conditions: Conditions,
    sound: Sound,
    *,
    k: int = 12,
    spread: float = 0.5,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, feasible: None,
) -> Found:
    """Choose designs that satisfy wishes, differ from each other, and do well by an objective.

    Of the feasible designs k are chosen by the greedy maximum of a determinantal point process
    (k-DPP): its kernel is the product of both designs' quality, by their rank in the objective,
    and a Gaussian of the distance between their outlines, as wide as the spread asks. A feasible
    set smaller than k is first enlarged by differential evolution of the nearest
    designs towards the wishes.

    Args:
        engine: The model.
        given: Samples of its prior.
        wishes: Bounds on properties.
        objective: The property that orders the designs, towards its better side.
        conditions: Under what they are judged.
        sound: What makes a design sound.
        k: Number of designs.
        spread: From 0, the best ones, to 1, the most different ones.
        seed: Seed of the search.
        report: Called after each generation of a search with its number and the number of
            feasible designs. An exception ends the search.

    Raises:
        DesignError: If the samples lack a property.

    References:
        k-DPPs: fixed-size determinantal point processes (Kulesza and Taskar, 2011).
        Fast greedy MAP inference for determinantal point process (Chen et al., 2018),
        algorithm 1. https://arxiv.org/abs/1709.05135
        Differential evolution (Storn and Price, 1997). https://doi.org/10.1023/A:1008202821328
    """
    known = given.measured.values
    for key in (objective.key, *(wish.key for wish in wishes)):
        if key not in known:
            raise DesignError(f"These designs have no property “{key}”; choose another.")
    spans = {wish.key: _span(known[wish.key]) for wish in wishes}
    wanted = _Wanted(tuple(wishes), objective.key, spans)
    feasible = wanted.met_by(given)
    more, searched = given, 0
    if feasible.sum() < k:
        more, searched = _searched(engine, given, wanted, conditions, sound, k, seed, report)
    good = wanted.met_by(more)
    if good.any():
        rows = np.flatnonzero(good)
    else:
        rows = np.argsort(wanted.missed_by(more), kind="stable")[: 4 * k]
    rows = rows[_distinct(more.z[rows])]
    sign = -1.0 if objective.better == "less" else 1.0
    rank = _rank(sign * more.measured.values[objective.key][rows])
    if not good.any():
        rank = _rank(-wanted.missed_by(more)[rows])
        spread = 0.0
        k = min(k, NEAREST)
    distance = _apart(engine, more.x[rows])
    quality = np.exp(_BEST * (1 - spread) * rank)
    chosen = rows[_diverse(distance, quality, spread, min(k, len(rows)))]
    value = sign * more.measured.values[objective.key][chosen]
    chosen = chosen[np.argsort(-np.nan_to_num(value, nan=-np.inf), kind="stable")]
    between = _apart(engine, more.x[chosen])
    np.fill_diagonal(between, np.inf)
    return Found(
        more.z[chosen],
        more.x[chosen],
        _at(more.measured, chosen),
        good[chosen],
        len(given.z),
        int(given.sound.sum()),
        int((given.sound & _flies(given.measured)).sum()),
        int(feasible.sum()),
        searched,
        float(between.min()) if len(chosen) > 1 else 0.0,
        tuple(_relaxed(given, more, wanted)),
    )


def _relaxed(given: Pool, more: Pool, wanted: "_Wanted") -> list[Relaxed]:
    """Leave out each wish, or each pair where that is not enough."""
    found = [_without(given, more, wanted, (wish,)) for wish in wanted.wishes]
    if len(found) > 2 and not any(item.others for item in found):
        found += [
            _without(given, more, wanted, pair)
            for pair in itertools.combinations(wanted.wishes, 2)
        ]
    return found


def _without(
    given: Pool, more: Pool, wanted: "_Wanted", wishes: tuple[Constraint, ...]
) -> Relaxed:
    """Count the samples that satisfy the other wishes, and find the value nearest to the first."""
    others = wanted._replace(wishes=tuple(one for one in wanted.wishes if one not in wishes))
    first, values = wishes[0], []
    for pool in (given, more):
        values.append(pool.measured.values[first.key][others.met_by(pool)])
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    best = None
    if len(known) and len(wishes) == 1:
        best = float(known.max() if first.way == ">=" else known.min())
    return Relaxed(wishes, int(others.met_by(given).sum()), best)


class _Wanted(NamedTuple):
    """Wishes, the key of what has to have a value, and the spread of each property wished for."""

    wishes: tuple[Constraint, ...]
    key: str
    spans: dict[str, float]

    def met_by(self, given: Pool) -> Bool[np.ndarray, " designs"]:
        """Return which are sound, reach what they are judged at, and satisfy the wishes."""
        known = np.isfinite(given.measured.values[self.key]) & _flies(given.measured)
        return given.sound & known & given.measured.meets(self.wishes)

    def missed_by(self, given: Pool) -> Float[np.ndarray, " designs"]:
        """Rank designs: valid before invalid, sound before unsound, then by what they miss.

        What is missed counts in spreads of the samples; what has no value misses by the most.
        """
        total = 1e9 * ~given.measured.valid + 1e4 * np.minimum(given.unsound.sum(1), 1e3)
        total = total + _MOST_MISSED * ~(
            np.isfinite(given.measured.values[self.key]) & _flies(given.measured)
        )
        for wish in self.wishes:
            value = given.measured.values[wish.key]
            off = wish.value - value if wish.way == ">=" else value - wish.value
            share = np.maximum(off, 0) / self.spans[wish.key]
            total = total + np.minimum(np.nan_to_num(share, nan=np.inf), _MOST_MISSED)
        return total


def _flies(measured: Measured) -> Bool[np.ndarray, " designs"]:
    """Return which reach the lift coefficients at which they are judged."""
    reached = np.ones(len(measured.faults), bool)
    for key, values in measured.values.items():
        if _ANGLE.fullmatch(key):
            reached &= np.isfinite(values)
    return reached


def lacks(given: Pool, row: int) -> tuple[str, ...]:
    """Say why a design is not sound, beside why it is not valid; nothing if it is."""
    missed = given.unsound[row] > 0
    return tuple(_WHY[name] for name, one in zip(given.required, missed, strict=True) if one)


_WHY = {
    "valid": "invalid",
    "gap": "its surfaces nearly touch",
    "reversals": "its curvature reverses too often",
    "waviness": "wavier than nine in ten held-out sections",
    "floor": "less probable than held-out data",
    "fidelity": "farther from the data than held-out designs",
}


def _unsound(
    engine: Engine,
    z: Designs,
    x: Float[np.ndarray, "designs *sample"],
    measured: Measured,
    sound: Sound,
) -> tuple[Float[np.ndarray, "designs requirements"], tuple[str, ...]]:
    columns, names = [1.0 * ~measured.valid], ["valid"]
    if sections.is_section(engine.sketch):
        gap = 100 * inner_gap(sections.shaped(x, engine.sketch), engine.sketch)
        columns.append((LEAST_GAP - gap) / LEAST_GAP)
        columns.append((measured.values["reversals"] - REVERSALS) / REVERSALS)
        names += ["gap", "reversals"]
        if sound.waviness is not None:
            names.append("waviness")
            columns.append(measured.values["waviness"] / sound.waviness - 1)
    if sound.floor is not None:
        names.append("floor")
        columns.append((sound.floor - engine.heights(z)) / 10)
    if sound.reference is not None:
        names.append("fidelity")
        far = sound.reference.judge(engine.encode(x).loc).percentile
        columns.append((far - FIDELITY) / (100 - FIDELITY))
    found = np.nan_to_num(np.maximum(np.stack(columns, 1), 0).astype(np.float64), nan=1.0)
    return found, tuple(names)


def _searched(
    engine: Engine,
    given: Pool,
    wanted: _Wanted,
    conditions: Conditions,
    sound: Sound,
    k: int,
    seed: int,
    report: Callable[[int, int], None],
) -> tuple[Pool, int]:
    """Evolve the nearest samples towards the wishes; return them with what was found."""
    rng = np.random.default_rng(seed)
    missed = wanted.missed_by(given)
    order = np.argsort(missed, kind="stable")
    people, cost = _rows(given, order[:POPULATION]), missed[order[:POPULATION]]
    found = [_rows(given, order[: max(POPULATION, 4 * k)])]
    count = len(people.z)
    done = int((cost <= 0).sum())
    best_cost, since = float(cost.min(initial=np.inf)), 0
    for generation in range(1, GENERATIONS + 1):
        if done >= 2 * k or count < 4 or since >= _PATIENCE:
            break
        a, b, c = (rng.integers(count, size=count) for _ in range(3))
        best = np.argsort(cost)[rng.integers(max(2, count // 8), size=count)]
        step = rng.uniform(0.3, 0.9, (count, 1))
        moved = people.z + step * (people.z[best] - people.z) + step * (people.z[a] - people.z[b])
        crossed = rng.random(people.z.shape) < 0.9
        # Where parents are alike there is no direction to learn: a little noise keeps some.
        shaken = 0.05 * people.z.std(0) * rng.standard_normal(people.z.shape)
        trial = np.where(crossed, moved, people.z[c]) + shaken
        children = judge(engine, trial, conditions, sound)
        now = wanted.missed_by(children)
        better = now < cost
        good = now <= 0
        found.append(_rows(children, np.flatnonzero(good | better)))
        done += int(good.sum())
        # A parent that satisfies everything stays: the next child is sought beside it.
        people = _merged(people, children, better)
        cost = np.where(better, now, cost)
        nearer = float(cost.min()) < 0.99 * best_cost
        best_cost, since = min(best_cost, float(cost.min())), 0 if nearer else since + 1
        report(generation, done)
    else:
        generation = GENERATIONS + 1
    return _joined(found), (generation - 1) * count


def _rows(given: Pool, rows: Int[np.ndarray, " rows"]) -> Pool:
    return Pool(
        given.z[rows],
        given.x[rows],
        _at(given.measured, rows),
        given.unsound[rows],
        given.required,
    )


def _merged(old: Pool, new: Pool, better: Bool[np.ndarray, " designs"]) -> Pool:
    both = _joined([old, new])
    count = len(old.z)
    return _rows(both, np.where(better, np.arange(count) + count, np.arange(count)))


def _joined(parts: Sequence[Pool]) -> Pool:
    first = parts[0].measured
    measured = Measured(
        first.properties,
        {key: np.concatenate([one.measured.values[key] for one in parts]) for key in first.values},
        tuple(fault for one in parts for fault in one.measured.faults),
    )
    return Pool(
        np.concatenate([one.z for one in parts]),
        np.concatenate([one.x for one in parts]),
        measured,
        np.concatenate([one.unsound for one in parts]),
        parts[0].required,
    )


def _at(measured: Measured, rows: Int[np.ndarray, " rows"]) -> Measured:
    return Measured(
        measured.properties,
        {key: values[rows] for key, values in measured.values.items()},
        tuple(measured.faults[row] for row in rows),
    )


def _span(values: Float[np.ndarray, " designs"]) -> float:
    known = values[np.isfinite(values)]
    if not len(known):
        return 1.0
    low, high = np.percentile(known, [16, 84])
    return max(float(high - low) / 2, 1e-9)


def _rank(values: Float[np.ndarray, " designs"]) -> Float[np.ndarray, " designs"]:
    """Return ranks from 0, the worst or unknown, to 1, the best."""
    order = np.argsort(np.nan_to_num(values, nan=-np.inf), kind="stable")
    rank = np.empty(len(values))
    rank[order] = np.linspace(0, 1, len(values)) if len(values) > 1 else 1.0
    return rank


def _distinct(z: Designs) -> Int[np.ndarray, " rows"]:
    _, first = np.unique(z, axis=0, return_index=True)
    return np.sort(first)


def _apart(
    engine: Engine, x: Float[np.ndarray, "designs *sample"]
) -> Float[np.ndarray, "designs designs"]:
    """Return RMS distances between outlines, or pictures, in per cent of the chord or range."""
    shown = sections.shaped(x, engine.sketch).astype(np.float64)
    if isinstance(engine.sketch, CurveSketch):
        shown = shown * np.asarray(engine.sketch.scale)
    flat = shown.reshape(len(x), -1)
    square = (flat**2).sum(1)
    return 100 * np.sqrt(
        np.maximum(square[:, None] + square - 2 * flat @ flat.T, 0) / flat.shape[1]
    )


def _diverse(
    distance: Float[np.ndarray, "designs designs"],
    quality: Float[np.ndarray, " designs"],
    spread: float,
    k: int,
) -> Int[np.ndarray, " chosen"]:
    """Return the greedy maximum of a determinantal point process of k designs.

    Designs repel each other over `spread` times their usual distance: at 0 not at all.
    """
    usual = np.median(distance[distance > 0]) if (distance > 0).any() else 1.0
    kernel = np.outer(quality, quality) * np.exp(
        -0.5 * (distance / (usual * max(spread, 1e-6))) ** 2
    )
    np.fill_diagonal(kernel, quality**2)
    left = np.diag(kernel).astype(np.float64).copy()
    rows = np.zeros((k, len(quality)))
    chosen: list[int] = []
    for step in range(k):
        best = int(left.argmax())
        if left[best] <= 1e-12 * quality.max() ** 2:
            break
        chosen.append(best)
        new = (kernel[best] - rows[:step, best] @ rows[:step]) / np.sqrt(left[best])
        rows[step] = new
        left = left - new**2
        left[chosen] = -np.inf
    rest = [int(row) for row in np.argsort(-quality, kind="stable") if int(row) not in chosen]
    return np.array([*chosen, *rest][:k], int)
