"""Geometry of airfoil sections, measured and validated as decoded, never silently repaired."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from explorer.designs.properties import AbstractProperties, Conditions, Property
from explorer.sketch import CurveSketch, PixelSketch

WEIGHTS = 8
"""Kulfan weights per surface."""

CROSSED = 2e-4
"""Surfaces that cross by more than this, in chords, make a section invalid."""

_NOSE = 0.05
_TAIL = 0.9
_CLASS = (0.5, 1.0)

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


class SectionGeometry(AbstractProperties):
    """Thickness, camber, leading and trailing edge, area and waviness of airfoil sections.

    Thickness is measured normal to the chord. The leading-edge radius is that of the thickness
    distribution: half the initial slope of the squared half-thickness. The trailing-edge
    angle is that between the tangents of both surfaces. Waviness is the root
    mean square distance to the section's Kulfan fit with eight weights per surface.
    """

    name = "Geometry"

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples are airfoil sections with a leading edge."""
        return is_section(sketch)

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties, in per cent of the chord and degrees."""
        return (
            Property("thickness", "Thickness", "%", 1, main=True,
                     meaning="maximum distance between the surfaces"),
            Property("thickness_at", "Max-thickness position", "%", 0,
                     meaning="chordwise position of the maximum thickness"),
            Property("camber", "Camber", "%", 1, main=True,
                     meaning="maximum height of the mean line above the chord"),
            Property("camber_at", "Max-camber position", "%", 0,
                     meaning="chordwise position of the maximum camber"),
            Property("nose_radius", "Leading-edge radius", "%", 2,
                     meaning="of the thickness distribution"),
            Property("tail_angle", "Trailing-edge angle", "°", 1,
                     meaning="between the surfaces at the trailing edge"),
            Property("area", "Area", "% c²", 2, meaning="cross-sectional area"),
            Property("waviness", "Waviness", "%", 3, "less",
                     meaning="RMS distance to the section’s Kulfan fit with 8 + 8 weights"),
            Property("least_gap", "Minimum gap", "%", 2,
                     meaning="minimum distance between the surfaces; invalid below −0.02"),
        )  # fmt: skip

    def measure(
        self,
        x: Float[np.ndarray, "sections stations"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " sections"]]:
        """Measure all sections at once."""
        sound = _finite(x)
        shape = surfaces(np.where(sound[:, None], x, 0), sketch)
        gap, mean = shape.upper - shape.lower, (shape.upper + shape.lower) / 2
        thickness, thickness_at = _summit(shape.x, gap)
        side = np.where(np.abs(mean.max(1)) >= np.abs(mean.min(1)), 1.0, -1.0)
        camber, camber_at = _summit(shape.x, mean * side[:, None])
        flat = camber < 1e-4
        edge = np.concatenate([np.zeros((len(gap), 1)), gap], axis=1)
        found = {
            "thickness": 100 * thickness,
            "thickness_at": 100 * thickness_at,
            "camber": 100 * side * camber * ~flat,
            "camber_at": np.where(flat, np.nan, 100 * camber_at),
            "nose_radius": 100 * _nose_radius(shape.x, gap / 2),
            "tail_angle": _tail_angle(shape),
            "area": 100 * np.trapezoid(edge, np.concatenate([[0.0], shape.x]), axis=1),
            "waviness": 100 * _waviness(shape),
            "least_gap": 100 * gap.min(1),
        }
        invalid = ~sound
        return {key: np.where(invalid, np.nan, value) for key, value in found.items()}


def is_section(sketch: PixelSketch | CurveSketch) -> bool:
    """Return whether samples are airfoil sections with their leading edge at the origin."""
    if not isinstance(sketch, CurveSketch) or not sketch.closed:
        return False
    half = len(sketch.x) // 2
    x = np.asarray(sketch.x)
    return sketch.origin_before == half and np.array_equal(x[:half][::-1], x[half:])


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
    shape = surfaces(x[None], sketch)
    across = np.concatenate([shape.x[::-1], [0.0], shape.x])
    up = np.concatenate([shape.upper[0, ::-1], [0.0], shape.lower[0]])
    return np.stack([across, up], axis=1)


def faults(
    x: Float[np.ndarray, "samples *sample"], sketch: PixelSketch | CurveSketch
) -> tuple[str, ...]:
    """Return for each sample why it is invalid; "" for a valid one."""
    finite = _finite(x)
    if not is_section(sketch):
        return tuple("" if good else "it contains non-finite numbers" for good in finite)
    shape = surfaces(np.where(finite[:, None], x, 0), sketch)
    gap = shape.upper - shape.lower
    said = []
    for good, row in zip(finite, gap, strict=True):
        if not good:
            said.append("it contains non-finite numbers")
        elif row.min() < -CROSSED:
            said.append(f"its surfaces cross at {100 * shape.x[row.argmin()]:.0f} % of the chord")
        else:
            said.append("")
    return tuple(said)


def kulfan(shape: Surfaces) -> Kulfan:
    """Fit class and shape functions to sections by least squares, in one matrix product.

    The stations never change, so the pseudo-inverse is computed once. A section whose trailing
    edge would come out crossed is refitted with a closed one.
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
    """Replace sections by their Kulfan fit, in data units; only on explicit request."""
    shape = surfaces(x, sketch)
    fit = rebuilt(kulfan(shape), shape.x)
    heights = np.concatenate([fit.upper[:, ::-1], fit.lower], axis=1)
    return ((heights - np.asarray(sketch.loc)) / np.asarray(sketch.scale)).astype(np.float32)


def _finite(x: Float[np.ndarray, "samples *sample"]) -> Bool[np.ndarray, " samples"]:
    return np.isfinite(x).all(tuple(range(1, x.ndim)))


def _summit(
    x: Float[np.ndarray, " half"], y: Heights
) -> tuple[Float[np.ndarray, " sections"], Float[np.ndarray, " sections"]]:
    """Return the maximum height and its position, by the parabola through three stations."""
    top = np.clip(y.argmax(1), 1, len(x) - 2)
    rows = np.arange(len(y))
    x0, x1, x2 = (x[top + k] for k in (-1, 0, 1))
    y0, y1, y2 = (y[rows, top + k] for k in (-1, 0, 1))
    left, right = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    bend = (right - left) / (x2 - x0)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.where(bend < 0, (x0 + x1) / 2 - left / (2 * bend), x1)
    at = np.clip(at, x0, x2)
    high = y0 + left * (at - x0) + bend * (at - x0) * (at - x1)
    # At the ends of the chord there is no parabola: the maximum is at the station itself.
    edge = y.max(1) > high
    return np.where(edge, y.max(1), high), np.where(edge, x[y.argmax(1)], at)


def _nose_radius(x: Float[np.ndarray, " half"], half: Heights) -> Float[np.ndarray, " sections"]:
    """Half the initial slope of the squared half-thickness, wherever the section begins.

    A circle gives h² = 2 r (x − x₀) − (x − x₀)²: the offset x₀ allows the nose of a cambered
    section to lie ahead of the first station.
    """
    near = x <= _NOSE
    powers = np.stack([x[near] ** p for p in (1.0, 0.0, 1.5, 2.0)], axis=1)
    slope = (half[:, near] ** 2 @ np.linalg.pinv(powers).T)[:, 0]
    return np.maximum(slope, 0.0) / 2


def _tail_angle(shape: Surfaces) -> Float[np.ndarray, " sections"]:
    near = shape.x >= _TAIL
    before = shape.x[near] - 1.0
    powers = np.stack([before**p for p in range(3)], axis=1)
    slope = np.linalg.pinv(powers)[1]
    down, up = (np.arctan(side[:, near] @ slope) for side in (shape.upper, shape.lower))
    return np.degrees(up - down)


def _waviness(shape: Surfaces) -> Float[np.ndarray, " sections"]:
    fit = rebuilt(kulfan(shape), shape.x)
    away = np.concatenate([fit.upper - shape.upper, fit.lower - shape.lower], axis=1)
    return np.sqrt((away**2).mean(1))


def _basis(x: Float[np.ndarray, " half"], tail: bool) -> Float[np.ndarray, "points unknowns"]:
    order = WEIGHTS - 1
    shape = np.stack(
        [math.comb(order, k) * x**k * (1 - x) ** (order - k) for k in range(WEIGHTS)], axis=1
    )
    shape *= (x ** _CLASS[0] * (1 - x) ** _CLASS[1])[:, None]
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
