"""Airfoil sections: the decoded heights, and the one smooth section that is shown and exported.

A decoder gives heights with an error of its own at each station, which a boundary layer notices.
What is drawn, measured and exported is therefore the section of the Kulfan family that is nearest
to them; the decoded heights stay beside it, for reconstruction errors and for rebuilding.
"""

import math
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from explorer.sketch import CurveSketch, PixelSketch

WEIGHTS = 8
"""Kulfan weights per surface."""

CROSSED = 2e-4
"""Surfaces that cross by more than this, in chords, make a section invalid."""

SHUT = 1e-4
"""A trailing edge thinner than this, in chords, is closed."""

Geometry = Literal["decoded", "smoothed", "kulfan"]
"""The geometry of a sample: as decoded, its Kulfan section, or the fit of earlier releases."""

NAMES: dict[Geometry, str] = {
    "decoded": "As decoded",
    "kulfan": "Kulfan section",
    "smoothed": "Smoothed by an earlier release",
}

_CLASS = (0.5, 1.0)
_ORDER = WEIGHTS - 1
_ELEVATED = 64
_LEVEL = 1e-12

Heights = Float[np.ndarray, "sections half"]


class Surfaces(NamedTuple):
    """Stations aft of the leading edge, and the heights of both surfaces there, in chords."""

    x: Float[np.ndarray, " half"]
    upper: Heights
    lower: Heights


class Kulfan(NamedTuple):
    """Class–shape parametrisation: weights from the leading edge aft, and two extra terms.

    References:
        Universal parametric geometry representation method (Kulfan, 2008), equations 3 to 14.
        https://doi.org/10.2514/1.29958
        Modification of CST airfoil representation methodology (Kulfan, 2020), for the nose.
    """

    upper: Float[np.ndarray, "sections weights"]
    lower: Float[np.ndarray, "sections weights"]
    leading_edge: Float[np.ndarray, " sections"]
    trailing_edge: Float[np.ndarray, " sections"]


def is_section(sketch: PixelSketch | CurveSketch) -> bool:
    """Return whether samples are airfoil sections with their leading edge at the origin."""
    if not isinstance(sketch, CurveSketch) or not sketch.closed:
        return False
    half = len(sketch.x) // 2
    x = np.asarray(sketch.x)
    return sketch.origin_before == half and np.array_equal(x[:half][::-1], x[half:])


def usual(sketch: PixelSketch | CurveSketch) -> Geometry:
    """Return the geometry in which samples are shown: sections as Kulfan sections."""
    return "kulfan" if is_section(sketch) else "decoded"


def shaped(
    x: Float[np.ndarray, "samples *sample"],
    sketch: PixelSketch | CurveSketch,
    geometry: Geometry | None = None,
) -> Float[np.ndarray, "samples *sample"]:
    """Return decoded samples in the geometry in which they are shown, in data units.

    Samples that are no sections have only one geometry, and sections with non-finite heights
    none: both are returned as they are.

    Args:
        x: Samples as decoded.
        sketch: How they are drawn.
        geometry: Which geometry; by default the usual one.
    """
    wanted = usual(sketch) if geometry is None else geometry
    if wanted == "decoded" or not is_section(sketch):
        return x
    assert isinstance(sketch, CurveSketch)
    finite = np.isfinite(x).all(1)
    if wanted == "smoothed":
        return np.where(finite[:, None], smoothed(np.where(finite[:, None], x, 0), sketch), x)
    shape = surfaces(np.where(finite[:, None], x, 0).astype(np.float64), sketch)
    built = _in_data_units(rebuilt(nearest(shape), shape.x), sketch)
    return np.where(finite[:, None], _uncrossed(built, sketch), x.astype(np.float32))


def surfaces(
    x: Float[np.ndarray, "sections stations"], sketch: PixelSketch | CurveSketch
) -> Surfaces:
    """Split sections into upper and lower surface, from the leading edge aft, in chords."""
    assert isinstance(sketch, CurveSketch)
    heights = x * np.asarray(sketch.scale) + np.asarray(sketch.loc)
    half = len(sketch.x) // 2
    return Surfaces(np.asarray(sketch.x)[half:], heights[:, :half][:, ::-1], heights[:, half:])


def contour(
    x: Float[np.ndarray, " stations"], sketch: PixelSketch | CurveSketch
) -> Float[np.ndarray, "points 2"]:
    """Return one section in Selig order: upper surface from the trailing edge, then lower."""
    return _selig(surfaces(x[None], sketch))


def outline(
    x: Float[np.ndarray, " stations"], sketch: PixelSketch | CurveSketch, geometry: Geometry
) -> Float[np.ndarray, "points 2"]:
    """Return the contour of one decoded section as it is exported, in Selig order.

    A Kulfan section is known between its stations: it has a point at each, and one halfway to the
    next in the angle that spaces them, which resolves its nose.
    """
    shown = shaped(x[None], sketch, geometry)[0].astype(np.float64)
    if geometry != "kulfan":
        return contour(shown, sketch)
    shape = surfaces(shown[None], sketch)
    return _selig(rebuilt(nearest(shape), _between(shape.x)))


def tail_gap(
    x: Float[np.ndarray, "sections stations"], sketch: PixelSketch | CurveSketch
) -> Float[np.ndarray, " sections"]:
    """Return the thickness of sections at their last station, in chords."""
    shape = surfaces(x, sketch)
    return shape.upper[:, -1] - shape.lower[:, -1]


def nearest(shape: Surfaces) -> Kulfan:
    """Return the Kulfan sections nearest to given heights, by least squares.

    Mean line and thickness are fitted apart. A section is first turned until its trailing edge
    lies on the chord line; its thickness is nowhere negative, and 0 at a trailing edge thinner
    than `SHUT`. Non-negativity is that of the Bernstein coefficients of the thickness over the
    square root of x, of degree 64 in that root.

    References:
        Solving least squares problems (Lawson and Hanson, 1974), chapter 23, for the problem with
        inequalities. https://doi.org/10.1137/1.9781611971217
        The Bernstein polynomial basis: a centennial retrospective (Farouki, 2012), section 4, for
        degree elevation. https://doi.org/10.1016/j.cagd.2012.03.001
    """
    key = tuple(shape.x.tolist())
    mean, half = (shape.upper + shape.lower) / 2, (shape.upper - shape.lower) / 2
    if shape.x[-1] == 1:
        mean = mean - mean[:, -1:] * shape.x
    line = mean @ _solver(key, "mean").T
    thickness = _thickness(half, key)
    return Kulfan(
        line[:, :WEIGHTS] + thickness[:, :WEIGHTS],
        line[:, :WEIGHTS] - thickness[:, :WEIGHTS],
        line[:, WEIGHTS],
        thickness[:, WEIGHTS],
    )


def kulfan(shape: Surfaces) -> Kulfan:
    """Fit class and shape functions to sections by least squares, in one matrix product.

    The stations never change, so the pseudo-inverse is computed once. A section whose trailing
    edge would come out crossed is refitted with a closed one; surfaces may still cross.
    """
    heights = np.concatenate([shape.upper, shape.lower], axis=1)
    key = tuple(shape.x.tolist())
    fit = heights @ _inverse(key, True).T
    crossed = fit[:, -1] < 0
    if crossed.any():
        fit[crossed, :-1] = heights[crossed] @ _inverse(key, False).T
        fit[crossed, -1] = 0.0
    return Kulfan(fit[:, :WEIGHTS], fit[:, WEIGHTS:-2], fit[:, -2], fit[:, -1])


def rebuilt(fit: Kulfan, x: Float[np.ndarray, " half"]) -> Surfaces:
    """Evaluate fitted sections at stations."""
    basis = _basis(x, True)
    weights = np.concatenate(
        [fit.upper, fit.lower, fit.leading_edge[:, None], fit.trailing_edge[:, None]], axis=1
    )
    heights = weights @ basis.T
    return Surfaces(x, heights[:, : len(x)], heights[:, len(x) :])


def smoothed(
    x: Float[np.ndarray, "sections stations"], sketch: CurveSketch
) -> Float[np.ndarray, "sections stations"]:
    """Replace sections by the fit of earlier releases, in data units, for picks marked with it."""
    shape = surfaces(x, sketch)
    return _in_data_units(rebuilt(kulfan(shape), shape.x), sketch)


def _selig(shape: Surfaces) -> Float[np.ndarray, "points 2"]:
    across = np.concatenate([shape.x[::-1], [0.0], shape.x])
    up = np.concatenate([shape.upper[0, ::-1], [0.0], shape.lower[0]])
    return np.stack([across, up], axis=1)


def _between(x: Float[np.ndarray, " half"]) -> Float[np.ndarray, " finer"]:
    angle = np.arccos(np.clip(1 - 2 * x, -1, 1))
    before = np.concatenate([[0.0], angle[:-1]])
    finer = (1 - np.cos(np.stack([(before + angle) / 2, angle], axis=1))) / 2
    finer[:, 1] = x
    return finer.ravel()


def _in_data_units(shape: Surfaces, sketch: CurveSketch) -> Float[np.ndarray, "sections stations"]:
    heights = np.concatenate([shape.upper[:, ::-1], shape.lower], axis=1)
    return ((heights - np.asarray(sketch.loc)) / np.asarray(sketch.scale)).astype(np.float32)


def _uncrossed(
    x: Float[np.ndarray, "sections stations"], sketch: CurveSketch
) -> Float[np.ndarray, "sections stations"]:
    """Undo what rounding to single precision may have crossed where the surfaces touch."""
    half = len(sketch.x) // 2
    upper = x[:, :half]
    step = np.spacing(np.maximum(np.abs(upper), 1))
    while True:
        shape = surfaces(x, sketch)
        crossed = (shape.upper < shape.lower)[:, ::-1]
        if not crossed.any():
            return x
        upper[crossed] += step[crossed]
        step *= 2


def _thickness(half: Heights, key: tuple[float, ...]) -> Float[np.ndarray, "sections unknowns"]:
    """Weights of the half-thickness, and the gap at the trailing edge."""
    fit = half @ _solver(key, "open").T
    _hold(fit, half, key, shut=False)
    shut = fit[:, WEIGHTS] < SHUT
    if shut.any():
        closed = np.zeros((int(shut.sum()), WEIGHTS + 1))
        closed[:, :WEIGHTS] = half[shut] @ _solver(key, "shut").T
        _hold(closed, half[shut], key, shut=True)
        fit[shut] = closed
    return fit


def _hold(
    fit: Float[np.ndarray, "sections unknowns"], half: Heights, key: tuple[float, ...], shut: bool
) -> None:
    """Refit, in place, the sections whose thickness is negative somewhere."""
    for row in np.flatnonzero(_negative(fit)):
        fit[row] = 0
        found = _non_negative(half[row], key, shut)
        fit[row, : len(found)] = found
    # Rounding leaves coefficients of -1e-16: they are lifted, and stay 0 where the tail is closed.
    lift = np.maximum(-(fit @ _coefficients().T).min(1), 0)
    fit[:, :WEIGHTS] += 2 * lift[:, None]


def _negative(fit: Float[np.ndarray, "sections unknowns"]) -> Bool[np.ndarray, " sections"]:
    return (fit @ _coefficients().T).min(1) < -_LEVEL


def _non_negative(
    half: Float[np.ndarray, " half"], key: tuple[float, ...], shut: bool
) -> Float[np.ndarray, " unknowns"]:
    """Least squares under inequalities, as a least distance problem (LDP)."""
    from scipy.optimize import nnls

    size = float(np.abs(half).max())
    if size == 0:
        return np.zeros(WEIGHTS + (not shut))
    q, r, g = _distance_problem(key, shut)
    start = q.T @ (half / size)
    matrix = np.concatenate([g.T, -(g @ start)[None]])
    goal = np.zeros(len(matrix))
    goal[-1] = 1.0
    dual, _ = nnls(matrix, goal, maxiter=100 * matrix.shape[1])
    rest = matrix @ dual - goal
    found = np.linalg.solve(r, start - rest[:-1] / rest[-1])
    return np.asarray(found * size)


@lru_cache(maxsize=8)
def _distance_problem(
    key: tuple[float, ...], shut: bool
) -> tuple[
    Float[np.ndarray, "half unknowns"],
    Float[np.ndarray, "unknowns unknowns"],
    Float[np.ndarray, "coefficients unknowns"],
]:
    unknowns = WEIGHTS + (not shut)
    q, r = np.linalg.qr(_thickness_basis(np.array(key))[:, :unknowns])
    return q, r, np.linalg.solve(r.T, _coefficients()[:, :unknowns].T).T


@lru_cache(maxsize=24)
def _solver(key: tuple[float, ...], what: str) -> Float[np.ndarray, "unknowns half"]:
    x = np.array(key)
    if what == "mean":
        nose = x * (1 - x) ** (WEIGHTS + 0.5)
        return np.linalg.pinv(np.concatenate([_shapes(x), nose[:, None]], axis=1))
    return np.linalg.pinv(_thickness_basis(x)[:, : WEIGHTS + (what == "open")])


def _thickness_basis(x: Float[np.ndarray, " half"]) -> Float[np.ndarray, "half unknowns"]:
    return np.concatenate([_shapes(x), x[:, None] / 2], axis=1)


@lru_cache(maxsize=1)
def _coefficients() -> Float[np.ndarray, "coefficients unknowns"]:
    """Bernstein coefficients, in the root of x, of each term of the half-thickness over it."""
    powers = np.zeros((WEIGHTS + 1, _ELEVATED + 1))
    for k in range(WEIGHTS):
        rest = np.polynomial.polynomial.polypow([1.0, 0.0, -1.0], _ORDER - k + 1)
        powers[k, 2 * k : 2 * k + len(rest)] = math.comb(_ORDER, k) * rest
    powers[WEIGHTS, 1] = 0.5
    change = np.array(
        [
            [math.comb(j, i) / math.comb(_ELEVATED, i) for i in range(_ELEVATED + 1)]
            for j in range(_ELEVATED + 1)
        ]
    )
    return change @ powers.T


def _shapes(x: Float[np.ndarray, " half"]) -> Float[np.ndarray, "half weights"]:
    shape = np.stack(
        [math.comb(_ORDER, k) * x**k * (1 - x) ** (_ORDER - k) for k in range(WEIGHTS)], axis=1
    )
    return shape * (x ** _CLASS[0] * (1 - x) ** _CLASS[1])[:, None]


def _basis(x: Float[np.ndarray, " half"], tail: bool) -> Float[np.ndarray, "points unknowns"]:
    shape = _shapes(x)
    none = np.zeros_like(shape)
    nose = (x * (1 - x) ** (WEIGHTS + 0.5))[:, None]
    upper, lower = [shape, none, nose], [none, shape, nose]
    if tail:
        upper.append(x[:, None] / 2)
        lower.append(-x[:, None] / 2)
    return np.concatenate([np.concatenate(upper, axis=1), np.concatenate(lower, axis=1)])


@lru_cache(maxsize=8)
def _inverse(x: tuple[float, ...], tail: bool) -> Float[np.ndarray, "unknowns points"]:
    return np.linalg.pinv(_basis(np.array(x), tail))
