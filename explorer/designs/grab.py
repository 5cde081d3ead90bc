"""A curve that follows a finger: the nearest design of the model that passes through a point.

Distance is measured in the latent space, in prior standard deviations from the design that was
grabbed. Derivatives are finite differences of one decoded batch, so that any model can be grabbed.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float

from explorer import sections
from explorer.designs.desk import LEAST_GAP
from explorer.designs.geometry import SectionDecode, inner_gap
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Constraint
from explorer.errors import DesignError
from explorer.inference import Engine
from explorer.sketch import CurveSketch

Kind = Literal["upper", "lower", "thickness", "camber", "height"]
KINDS: tuple[Kind, ...] = get_args(Kind)

ROUNDS_DRAGGED, ROUNDS_SETTLED = 2, 12

_DIFFERENCE = 0.02
_FIRMNESS = 60.0
_STRICT = 1e7
_LONGEST = 1.0
_SETTLED = 1e-3
_REACHED = 0.02
_SHORTER = (1.0, 0.5, 0.2)

Code = Float[np.ndarray, " latent"]


class Handle(NamedTuple):
    """What is grabbed: a surface, the thickness or the mean line of a section, or a curve.

    `station` counts from the leading edge aft for sections, and along x for other curves.
    """

    kind: Kind
    station: int


class Held(NamedTuple):
    """A design that was grabbed, moved as near to its target as the bounds allow.

    `value` and `target` are in per cent of the chord for sections, else in the curve's units.
    `short` names the bounds that hold it back.
    """

    z: Code
    value: float
    target: float
    log_density: float
    short: tuple[str, ...]

    @property
    def gap(self) -> float:
        """How far the curve is from the target."""
        return abs(self.value - self.target)


class Bounds(NamedTuple):
    """What a design keeps while it moves.

    `floor` bounds log p(z) in nats, and `waviness` the RMS distance of decoded heights to the
    section that is shown, in per cent of the chord. Sections stay valid, and keep `LEAST_GAP`.
    """

    floor: float = -np.inf
    waviness: float = np.inf
    wishes: tuple[Constraint, ...] = ()
    conditions: Conditions = Conditions()


def handles(engine: Engine, kind: Kind) -> int:
    """Return the number of stations at which a kind can be grabbed; 0 if it cannot."""
    sketch = engine.sketch
    if not isinstance(sketch, CurveSketch):
        return 0
    if sections.is_section(sketch):
        return 0 if kind == "height" else len(sketch.x) // 2
    return len(sketch.stations()) if kind == "height" else 0


def read(
    engine: Engine, x: Float[np.ndarray, "designs stations"], handle: Handle
) -> Float[np.ndarray, " designs"]:
    """Return where the curves are at a handle, in per cent of the chord, or the curve's units.

    Args:
        engine: The model.
        x: Curves in the geometry in which they are shown, in data units.
        handle: What is grabbed, one of the model's `handles`.
    """
    sketch = engine.sketch
    assert isinstance(sketch, CurveSketch)
    if handle.kind == "height":
        return np.asarray(sketch.heights(x), np.float64)[:, handle.station]
    shape = sections.surfaces(x, sketch)
    upper, lower = shape.upper[:, handle.station], shape.lower[:, handle.station]
    return (
        100
        * {
            "upper": upper,
            "lower": lower,
            "thickness": upper - lower,
            "camber": (upper + lower) / 2,
        }[handle.kind]
    )


def follow(
    engine: Engine,
    grabbed: Code,
    handle: Handle,
    target: float,
    bounds: Bounds | None = None,
    *,
    start: Code | None = None,
    rounds: int = ROUNDS_SETTLED,
) -> Held:
    """Find the design nearest to the grabbed one that passes through a target.

    Sequential quadratic programming with linearised bounds, which are aimed at a little from
    within. A bound that the grabbed design breaks already may not get worse. Where the bounds
    forbid the target, the curve stops short of it.

    Args:
        engine: The model.
        grabbed: The code of the design that was grabbed.
        handle: What is grabbed.
        target: Where it is to be, as `read` tells it.
        bounds: What is kept; by default only that sections stay sections.
        start: The code from which to go on, as found for a target nearby.
        rounds: The most steps.

    Raises:
        DesignError: If these samples have no such handle.

    References:
        Numerical optimization (Nocedal and Wright, 2006), chapter 18.
        https://doi.org/10.1007/978-0-387-40065-5
    """
    if not 0 <= handle.station < handles(engine, handle.kind):
        raise DesignError("There is no such point to grab; reload the page.")
    bounds = Bounds() if bounds is None else bounds
    centre, spread = engine.moments()
    spread = np.maximum(spread, 1e-6).astype(np.float64)
    home = (grabbed - centre) / spread
    u = home if start is None else (start - centre) / spread
    problem = _Problem(engine, handle, bounds, centre, spread)
    kept = problem(home[None]).margins[0]
    aim, allowed = np.where(kept >= 0, problem.tolerance, kept), np.minimum(kept, 0)
    best, scale = problem(u[None]), 1.0
    steps = np.eye(len(u)) * _DIFFERENCE
    for _ in range(rounds):
        near = problem(u + steps)
        slope = (near.value - best.value) / _DIFFERENCE
        slopes = (near.margins - best.margins) / _DIFFERENCE
        move = _step(u - home, best.value[0] - target, slope, best.margins[0] - aim, slopes.T)
        longest = float(np.abs(move).max())
        move = move * min(1.0, _LONGEST / max(longest, 1e-12))
        trials = u + np.multiply.outer(_SHORTER, move)
        seen = problem(trials)
        scale = max(float(np.linalg.norm(slope)), 1e-9)
        broken = float(np.maximum(allowed - best.margins[0], 0).sum())
        merit = _merit(trials, home, seen, target, scale, allowed, broken)
        now = _merit(u[None], home, best, target, scale, allowed, broken)[0]
        row = int(merit.argmin())
        if not merit[row] < now:
            break
        u, best = trials[row], _Seen(seen.value[row : row + 1], seen.margins[row : row + 1])
        if longest < _SETTLED:
            break
    z = (centre + u * spread).astype(np.float32)
    tight = best.margins[0] - allowed < 2 * problem.tolerance
    apart = abs(float(best.value[0]) - target) > _REACHED * scale
    short = [name for name, held in zip(problem.names, tight & apart, strict=True) if held]
    return Held(
        z,
        float(best.value[0]),
        float(target),
        float(engine.heights(z[None])[0]),
        tuple(short),
    )


class _Seen(NamedTuple):
    """Where designs are at the handle, and by how much each keeps each bound."""

    value: Float[np.ndarray, " designs"]
    margins: Float[np.ndarray, "designs bounds"]


class _Problem:
    """Evaluates designs by their coordinates in prior standard deviations."""

    def __init__(
        self,
        engine: Engine,
        handle: Handle,
        bounds: Bounds,
        centre: Code,
        spread: Code,
    ) -> None:
        self._engine, self._handle, self._bounds = engine, handle, bounds
        self._centre, self._spread = centre, spread
        self._section = sections.is_section(engine.sketch)
        named: list[tuple[str, float]] = []
        if np.isfinite(bounds.floor) and engine.has_density:
            named.append(("log p(z)", 0.02))
        if self._section:
            named.append(("gap", 0.02 * LEAST_GAP))
            named.append(("crossing", 0.02 * 100 * sections.CROSSED))
            if np.isfinite(bounds.waviness):
                named.append(("waviness", 0.02 * bounds.waviness))
        named += [(str(wish), 2e-3 * max(abs(wish.value), 1e-3)) for wish in bounds.wishes]
        self.names = tuple(name for name, _ in named)
        self.tolerance = np.array([within for _, within in named])

    def __call__(self, u: Float[np.ndarray, "designs latent"]) -> _Seen:
        engine, bounds = self._engine, self._bounds
        z = (self._centre + u * self._spread).astype(np.float32)
        x = engine.decode(z)
        shown = sections.shaped(x, engine.sketch)
        columns = []
        if np.isfinite(bounds.floor) and engine.has_density:
            columns.append(engine.heights(z) - bounds.floor)
        if self._section:
            columns.append(100 * inner_gap(shown, engine.sketch) - LEAST_GAP)
            decoded = sections.surfaces(x, engine.sketch)
            columns.append(100 * ((decoded.upper - decoded.lower).min(1) + sections.CROSSED))
            if np.isfinite(bounds.waviness):
                wavy = SectionDecode().measure(x, engine.sketch, bounds.conditions)["waviness"]
                columns.append(bounds.waviness - wavy)
        if bounds.wishes:
            keys = {wish.key for wish in bounds.wishes}
            values = measure(x, engine.sketch, bounds.conditions, keys=keys).values
            for wish in bounds.wishes:
                value = values.get(wish.key, np.full(len(z), np.nan))
                off = value - wish.value if wish.way == ">=" else wish.value - value
                # What has no value breaks the bound by as much as the bound itself.
                columns.append(np.nan_to_num(off, nan=-max(abs(wish.value), 1e-3)))
        margins = np.stack(columns, 1) if columns else np.zeros((len(z), 0))
        return _Seen(
            np.asarray(read(engine, shown, self._handle), np.float64),
            margins.astype(np.float64),
        )


def _step(
    away: Code,
    off: float,
    slope: Code,
    margins: Float[np.ndarray, " bounds"],
    slopes: Float[np.ndarray, "bounds latent"],
) -> Code:
    """Return the step that least departs from home and closes the gap, within the bounds.

    Least squares under linear inequalities, by its dual, as a non-negative least-squares problem.

    References:
        Solving least squares problems (Lawson and Hanson, 1974), chapter 23.
        https://doi.org/10.1137/1.9781611971217
    """
    from scipy.optimize import nnls

    firm = _FIRMNESS / max(float(np.linalg.norm(slope)), 1e-9)
    matrix = np.vstack([np.eye(len(away)), firm * slope])
    goal = np.append(-away, -firm * off)
    q, r = np.linalg.qr(matrix)
    free = q.T @ goal
    if not len(margins):
        return np.linalg.solve(r, free)
    # Half of a bound that is broken is mended in a step; all of it may be out of reach.
    need = -np.where(margins < 0, margins / 2, margins)
    size = np.maximum(np.linalg.norm(slopes, axis=1), 1e-9)
    turned = np.linalg.solve(r.T, (slopes / size[:, None]).T).T
    distance = need / size - turned @ free
    system = np.vstack([turned.T, distance])
    wanted = np.zeros(len(system))
    wanted[-1] = 1.0
    dual, _ = nnls(system, wanted, maxiter=100 * system.shape[1])
    rest = system @ dual - wanted
    if abs(rest[-1]) < 1e-9:  # the bounds contradict each other
        return np.linalg.solve(r, free)
    return np.linalg.solve(r, free - rest[:-1] / rest[-1])


def _merit(
    u: Float[np.ndarray, "designs latent"],
    home: Code,
    seen: _Seen,
    target: float,
    scale: float,
    allowed: Float[np.ndarray, " bounds"],
    most: float,
) -> Float[np.ndarray, " designs"]:
    """Return what a step has to lower: distance, gap, and what breaks bounds, up to a most."""
    broken = np.maximum(allowed - seen.margins, 0).sum(1)
    broken[broken > most] = np.inf
    gap = np.abs(seen.value - target) / scale
    return ((u - home) ** 2).sum(1) / 2 + (_FIRMNESS * gap) ** 2 / 2 + _STRICT * broken
