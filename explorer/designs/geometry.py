"""Geometry of airfoil sections, measured in the geometry in which they are shown."""

import numpy as np
from jaxtyping import Bool, Float

from explorer import sections
from explorer.designs.properties import AbstractProperties, Conditions, Property
from explorer.sections import CROSSED, Heights, Surfaces
from explorer.sketch import CurveSketch, PixelSketch

STATIONS = (10, 25, 60)
"""Where the thickness of a section is told, in per cent of the chord: nose, spar and flap."""

_NOSE = 0.05
_TAIL = 0.9
CLOSING = 0.05
"""The part of the chord at the tail in which surfaces may meet."""

_ROUNDING = 5e-7
"""Bends shallower than this, in chords, are those of rounded coordinates."""


class SectionGeometry(AbstractProperties):
    """Thickness, camber, leading and trailing edge, area and reversals of curvature of sections.

    Thickness is measured normal to the chord. The leading-edge radius is that of the thickness
    distribution: half the initial slope of the squared half-thickness. The trailing-edge
    angle is that between the tangents of both surfaces. Reversals are changes of sign of the
    curvature along the contour through every second station.
    """

    name = "Geometry"

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples are airfoil sections with a leading edge."""
        return sections.is_section(sketch)

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties, in per cent of the chord and degrees."""
        return (
            Property("thickness", "Thickness", "%", 1, main=True,
                     meaning="maximum distance between the surfaces"),
            Property("thickness_at", "x_t/c", "%", 0,
                     meaning="chordwise position of the maximum thickness"),
            *(
                Property(f"thickness_{at}", f"t/c at {at} %", "%", 1,
                         meaning=f"distance between the surfaces at {at} % of the chord")
                for at in STATIONS
            ),
            Property("camber", "Camber", "%", 1, main=True,
                     meaning="maximum height of the mean line above the chord"),
            Property("camber_at", "x_c/c", "%", 0,
                     meaning="chordwise position of the maximum camber"),
            Property("nose_radius", "Leading-edge radius", "%", 2,
                     meaning="of the thickness distribution"),
            Property("tail_angle", "Trailing-edge angle", "°", 1,
                     meaning="between the surfaces at the trailing edge"),
            Property("area", "Area", "% c²", 2, meaning="cross-sectional area"),
            Property("tail_gap", "Tail gap", "%", 2,
                     meaning="distance between the surfaces at the trailing edge"),
            Property("least_gap", "Min. gap", "%", 2,
                     meaning="minimum distance between the surfaces"),
            Property("inner_gap", "Min. gap ahead of the tail", "%", 2,
                     meaning="minimum distance between the surfaces ahead of the last "
                     f"{100 * CLOSING:.0f} % of the chord, where they may meet"),
            Property("reversals", "Curvature reversals", "", 0, "less",
                     meaning="changes of sign of the curvature around the section"),
        )  # fmt: skip

    def measure(
        self,
        x: Float[np.ndarray, "sections stations"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " sections"]]:
        """Measure all sections at once."""
        sound = _finite(x)
        shape = sections.surfaces(np.where(sound[:, None], x, 0), sketch)
        gap, mean = shape.upper - shape.lower, (shape.upper + shape.lower) / 2
        thickness, thickness_at = _summit(shape.x, gap)
        side = np.where(np.abs(mean.max(1)) >= np.abs(mean.min(1)), 1.0, -1.0)
        camber, camber_at = _summit(shape.x, mean * side[:, None])
        flat = camber < 1e-4
        edge = np.concatenate([np.zeros((len(gap), 1)), gap], axis=1)
        found = {
            "thickness": 100 * thickness,
            "thickness_at": 100 * thickness_at,
            **{f"thickness_{at}": 100 * _at(at / 100, shape.x, gap) for at in STATIONS},
            "camber": 100 * side * camber * ~flat,
            "camber_at": np.where(flat, np.nan, 100 * camber_at),
            "nose_radius": 100 * _nose_radius(shape.x, gap / 2),
            "tail_angle": _tail_angle(shape),
            "area": 100 * np.trapezoid(edge, np.concatenate([[0.0], shape.x]), axis=1),
            "tail_gap": 100 * gap[:, -1],
            "least_gap": 100 * gap.min(1),
            "inner_gap": 100 * _inner(shape),
            "reversals": reversals(shape),
        }
        invalid = ~sound
        return {key: np.where(invalid, np.nan, value) for key, value in found.items()}


class SectionDecode(AbstractProperties):
    """Waviness of airfoil sections: how far their decoded heights are from what is shown.

    It is the root mean square distance of the decoded heights to the Kulfan section.
    """

    name = "Decoding"
    reads = "decoded"

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples are airfoil sections with a leading edge."""
        return sections.is_section(sketch)

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the property, in per cent of the chord."""
        return (
            Property("waviness", "Waviness", "%", 3, "less",
                     meaning="RMS distance of the decoded heights to the Kulfan section"),
        )  # fmt: skip

    def measure(
        self,
        x: Float[np.ndarray, "sections stations"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " sections"]]:
        """Measure all sections at once."""
        assert isinstance(sketch, CurveSketch)
        finite = _finite(x)
        decoded = np.where(finite[:, None], x, 0)
        shown = sections.shaped(decoded, sketch, "kulfan").astype(np.float64)
        away = (shown - decoded) * np.asarray(sketch.scale)
        return {"waviness": np.where(finite, 100 * np.sqrt((away**2).mean(1)), np.nan)}


def inner_gap(
    x: Float[np.ndarray, "sections stations"], sketch: PixelSketch | CurveSketch
) -> Float[np.ndarray, " sections"]:
    """Return the least distance between the surfaces ahead of the tail, in chords.

    The last `CLOSING` of the chord does not count, since a section may close there.
    """
    return _inner(sections.surfaces(x, sketch))


def _inner(shape: Surfaces) -> Float[np.ndarray, " sections"]:
    return (shape.upper - shape.lower)[:, shape.x <= 1 - CLOSING].min(1)


def reversals(shape: Surfaces) -> Float[np.ndarray, " sections"]:
    """Count the changes of sign of the curvature along the contour through every second station.

    Sections of the UIUC collection have 4 in the median; decoded heights, which scatter from
    station to station, have about 24, and Kulfan sections 2.
    """
    across = np.concatenate([shape.x[::-1], [0.0], shape.x])[::2]
    nose = np.zeros((len(shape.upper), 1))
    up = np.concatenate([shape.upper[:, ::-1], nose, shape.lower], axis=1)[:, ::2]
    dx, dy = np.diff(across), np.diff(up, axis=1)
    turn = dx[:-1] * dy[:, 1:] - dy[:, :-1] * dx[1:]
    chord = np.hypot(dx[:-1] + dx[1:], dy[:, :-1] + dy[:, 1:])
    sign = np.sign(np.where(np.abs(turn) > _ROUNDING * chord, turn, 0))
    # A straight part has no sign: that of the part before it is carried on.
    last = np.maximum.accumulate(np.where(sign != 0, np.arange(sign.shape[1]), 0), axis=1)
    kept = np.take_along_axis(sign, last, axis=1)
    return (kept[:, 1:] * kept[:, :-1] < 0).sum(1).astype(np.float64)


def faults(
    x: Float[np.ndarray, "samples *sample"], sketch: PixelSketch | CurveSketch
) -> tuple[str, ...]:
    """Return for each decoded sample why it is invalid; "" for a valid one."""
    finite = _finite(x)
    if not sections.is_section(sketch):
        return tuple("" if good else "it contains non-finite numbers" for good in finite)
    shape = sections.surfaces(np.where(finite[:, None], x, 0), sketch)
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


def _at(place: float, x: Float[np.ndarray, " half"], y: Heights) -> Float[np.ndarray, " sections"]:
    """Return heights between stations, by the cubic through the nearest four."""
    first = int(np.clip(np.searchsorted(x, place) - 2, 0, len(x) - 4))
    near = x[first : first + 4]
    share = [
        np.prod([(place - other) / (own - other) for other in near if other != own])
        for own in near
    ]
    return y[:, first : first + 4] @ np.array(share)


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
