"""Sections on the unit chord: their axes, their nose, and their heights at the fixed stations."""

import math
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.interpolate import Akima1DInterpolator, CubicSpline
from scipy.optimize import least_squares, minimize_scalar

from explorer.errors import DataError

STATIONS_PER_SURFACE = 64
"""Stations on each surface; the leading edge is not one of them."""

POINTS_PER_SURFACE = 7
"""Smallest number of points on either surface."""

Axes = Literal["file", "chord"]
"""Which axes a section has: its file's own, or those of its chord from nose to trailing edge."""

_THINNEST, _THICKEST = 0.005, 0.60
_CROSSING = 0.002
_WIDEST_GAP = 0.3
_FOLD = 0.003
_END = 0.02
_WINDOWS = (0.1, 0.15)
_PER_SURFACE = 6
_FEWEST_NEAR = 7
_DEGREE = 5
_FARTHEST_MOVE = 0.02
_EXACT = 2e-6
_STEP = 0.004


class Fitted(NamedTuple):
    """A contour in unit axes, parametrised by the signed root of x, negative above.

    `rows` are the points kept, `turn` is the angle in degrees between the chord and the file's
    x axis: an angle of attack in the file's axes is that much larger to the chord.
    """

    root: Float[np.ndarray, " kept"]
    heights: Float[np.ndarray, " kept"]
    rows: Int[np.ndarray, " kept"]
    nose: int
    turn: float


def stations() -> Float[np.ndarray, " stations"]:
    """Return the abscissae of a sample: along the upper surface to the nose, then back below.

    They are (1 - cos(pi i / 64)) / 2 for i = 1 to 64 on either surface.
    """
    surface = surface_stations()
    return np.concatenate([surface[::-1], surface])


def surface_stations() -> Float[np.ndarray, " half"]:
    """Return the abscissae of one surface, from the nose aft."""
    return (1 - np.cos(np.pi * np.arange(1, STATIONS_PER_SURFACE + 1) / STATIONS_PER_SURFACE)) / 2


def resample(
    points: Float[np.ndarray, "points 2"], axes: Axes = "chord"
) -> Float[np.ndarray, " stations"]:
    """Scale a contour to unit chord and interpolate its heights at the fixed stations.

    Args:
        points: A contour in Selig order, as from `parse_coordinates`.
        axes: Which axes; see `fitted`.

    Returns:
        Heights in chords, at `stations()`.

    Raises:
        DataError: If the contour is not a valid airfoil section.
    """
    return heights_of(fitted(points, axes))


def fitted(points: Float[np.ndarray, "points 2"], axes: Axes = "chord") -> Fitted:
    """Bring a contour to unit chord, with its nose at the origin.

    The nose is the point of the curve that is farthest from the trailing edge's midpoint. It is
    found between the points, so that it hardly depends on which of them a file has: first on a
    cubic spline, then as the place for which both surfaces near it are best described by one
    polynomial in the signed root of x. A section that has points at all stations, as this program
    writes it, is taken as it is.

    Args:
        points: A contour in Selig order.
        axes: Whether it is turned until its chord lies on the x axis, or keeps its file's axes.

    Raises:
        DataError: If the contour is not a valid airfoil section.

    References:
        On the parameterization of splines (Lee, 1989): centripetal knots.
        https://doi.org/10.1016/0010-4485(89)90003-1
    """
    if not np.isfinite(points).all():
        raise DataError("The section contains non-finite numbers; correct its coordinates.")
    if _at_stations(points):
        return _kept(points, int(points[:, 0].argmin()), 0.0)
    trailing = (points[0] + points[-1]) / 2
    nose, before = _nose(points, trailing)
    chord = trailing - nose
    length = math.hypot(*chord)
    if not 0 < length < math.inf:
        raise DataError("The section's chord has zero length; check its coordinates.")
    turn = math.degrees(math.atan2(-chord[1], chord[0]))
    if axes == "file":
        return _kept((points - nose) / length, before, turn)
    return _kept(_in_chord(points, nose, trailing), before, turn)


def heights_of(section: Fitted) -> Float[np.ndarray, " stations"]:
    """Interpolate the heights of a section at the fixed stations.

    They are a cubic spline in the signed root of x, in which a round nose is smooth.

    Raises:
        DataError: If it is not a valid airfoil section.
    """
    k = section.nose
    above = _surface(-section.root[k::-1], section.heights[k::-1], "upper")
    below = _surface(section.root[k:], section.heights[k:], "lower")
    at = np.sqrt(surface_stations())
    roots = np.concatenate([-np.minimum(at, above)[::-1], np.minimum(at, below)])
    heights = CubicSpline(section.root, section.heights)(roots)
    half = len(heights) // 2
    check_thickness(heights[:half][::-1] - heights[half:])
    return heights


def check_thickness(thickness: Float[np.ndarray, " half"]) -> None:
    """Refuse a section that is too thin or too thick, or whose surfaces cross.

    Args:
        thickness: In chords, from the nose aft.

    Raises:
        DataError: If it is not a valid airfoil section.
    """
    if not _THINNEST < thickness.max() <= _THICKEST:
        raise DataError(
            f"The section is {thickness.max():.1%} of its chord thick; "
            f"use one between {_THINNEST:.1%} and {_THICKEST:.0%}."
        )
    if thickness.min() < -_CROSSING:
        raise DataError("The section's surfaces cross; check the order of its points.")


def uncertainty(section: Fitted) -> float:
    """Return by how much two ways to interpolate a section differ at most, in chords."""
    at = np.sqrt(surface_stations())
    roots = np.concatenate([-at[::-1], at]).clip(section.root[0], section.root[-1])
    local = Akima1DInterpolator(section.root, section.heights, method="makima")(roots)
    return float(np.abs(CubicSpline(section.root, section.heights)(roots) - local).max())


def _at_stations(points: Float[np.ndarray, "points 2"]) -> bool:
    """Whether a contour starts at the origin and has a point at every station of both surfaces."""
    x = points[:, 0]
    nose = int(x.argmin())
    return bool(np.abs(points[nose]).max() < _EXACT) and all(
        np.abs(surface[:, None] - surface_stations()).min(axis=0, initial=1).max() < _EXACT
        for surface in (x[:nose], x[nose + 1 :])
    )


def _nose(
    points: Float[np.ndarray, "points 2"], trailing: Float[np.ndarray, "2"]
) -> tuple[Float[np.ndarray, "2"], int]:
    """The farthest point from the trailing edge, and the number of points before it."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    total = steps.sum()
    if not 0 < total < math.inf:
        raise DataError("The section's chord has zero length; check its coordinates.")
    # Rounded points closer than a thousandth of the chord say nothing about the curve's shape.
    way = np.concatenate([[0.0], np.cumsum(steps)]) / total
    kept = _spread(way, 5e-4)
    kept = kept[np.append((np.diff(points[kept], axis=0) != 0).any(axis=1), True)]
    some = points[kept]
    at = np.concatenate([[0.0], np.cumsum(np.sqrt(np.hypot(*np.diff(some, axis=0).T)))])
    curve = CubicSpline(at, some)
    far = int(np.hypot(*(some - trailing).T).argmax())
    low, high = at[max(far - 1, 0)], at[min(far + 1, len(at) - 1)]
    fine = np.linspace(low, high, 65)
    best = int(np.hypot(*(curve(fine) - trailing).T).argmax())
    found = minimize_scalar(
        lambda place: -math.dist(curve(place), trailing),
        bounds=(fine[max(best - 1, 0)], fine[min(best + 1, 64)]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    place = float(found.x)
    before = int(kept[np.searchsorted(at, place)])
    nose = _refined(points, curve(place), before, trailing)
    x, y = _in_chord(points, nose, trailing).T
    near = int(np.argmin(np.abs(x)))
    return nose, near + 1 if y[near] > 0 else near


def _refined(
    points: Float[np.ndarray, "points 2"],
    nose: Float[np.ndarray, "2"],
    before: int,
    trailing: Float[np.ndarray, "2"],
) -> Float[np.ndarray, "2"]:
    """Move the nose until both surfaces near it are one polynomial in the signed root of x."""
    chord = trailing - nose
    if not 0 < math.hypot(*chord) < math.inf:
        return nose
    root = np.sqrt(np.maximum(_in_chord(points, nose, trailing)[:, 0], 0))
    rows = _near_nose(root, before)
    if len(rows) < _FEWEST_NEAR:
        return nose
    side = np.where(rows < before, -1.0, 1.0)
    powers = np.arange(1, min(_DEGREE, len(rows) - 3) + 1)
    across = np.array([-chord[1], chord[0]])

    def off(move: Float[np.ndarray, "2"]) -> Float[np.ndarray, " rows"]:
        moved = nose + move[0] * chord + move[1] * across
        x, y = _in_chord(points[rows], moved, trailing).T
        signed = np.sign(x) * np.sqrt(np.abs(x)) * side / root[rows].max()
        basis, _ = np.linalg.qr(signed[:, None] ** powers)
        rest: Float[np.ndarray, " rows"] = (y - basis @ (basis.T @ y)) * 1e4
        return rest

    found = least_squares(off, np.zeros(2), x_scale=[1e-4, 1e-3], xtol=1e-9, max_nfev=60)
    if (
        np.abs(found.x).max() > _FARTHEST_MOVE
        or np.abs(found.fun).max() > np.abs(off(np.zeros(2))).max()
    ):
        return nose
    return nose + found.x[0] * chord + found.x[1] * across


def _near_nose(root: Float[np.ndarray, " points"], before: int) -> Int[np.ndarray, " near"]:
    """Up to six points on either surface, evenly spread over the first of its root of x."""
    parts = np.arange(before - 1, -1, -1), np.arange(before, len(root))
    dense = min((root[part] < _WINDOWS[0]).sum() for part in parts) >= _PER_SURFACE
    window = _WINDOWS[0] if dense else _WINDOWS[1]
    rows = set()
    for part in parts:
        fourth = float(root[part][min(3, len(part) - 1)]) if len(part) else 0.0
        for at in np.linspace(0, max(window, fourth), _PER_SURFACE + 1) if len(part) else ():
            rows.add(int(part[np.abs(root[part] - at).argmin()]))
    return np.array(sorted(rows), np.int64)


def _in_chord(
    points: Float[np.ndarray, "points 2"],
    nose: Float[np.ndarray, "2"],
    trailing: Float[np.ndarray, "2"],
) -> Float[np.ndarray, "points 2"]:
    chord = trailing - nose
    length = math.hypot(*chord)
    cosine, sine = chord / length
    return (points - nose) @ np.array([[cosine, -sine], [sine, cosine]]) / length


def _kept(frame: Float[np.ndarray, "points 2"], before: int, turn: float) -> Fitted:
    """Keep the points that advance along either surface, and put the nose between them."""
    x, y = frame.T
    rows, root = [], []
    for side, part in (
        (-1.0, np.arange(before - 1, -1, -1)),
        (1.0, np.arange(before, len(frame))),
    ):
        name = "upper" if side < 0 else "lower"
        along = x[part]
        furthest = np.maximum.accumulate(along)
        if len(along) and (furthest - along).max() > _FOLD:
            raise DataError(
                f"The section's {name} surface doubles back on itself; "
                "check the order of its points."
            )
        ahead = np.concatenate([[True], along[1:] > furthest[:-1] + 1e-9])
        part = part[ahead & (along > 0)]
        reach = np.sqrt(x[part])
        angle = np.arcsin(reach / reach.max(initial=1e-9))
        some = _spread(angle, _STEP) if len(part) else np.empty(0, np.int64)
        some = some[reach[some] > _STEP]
        rows.append(part[some])
        root.append(side * reach[some])
    return Fitted(
        np.concatenate([root[0][::-1], [0.0], root[1]]),
        np.concatenate([y[rows[0]][::-1], [0.0], y[rows[1]]]),
        np.concatenate([rows[0][::-1], [-1], rows[1]]),
        len(rows[0]),
        turn,
    )


def _spread(at: Float[np.ndarray, " points"], least: float) -> Int[np.ndarray, " kept"]:
    """Rows with at least a distance between them, the first and last always among them."""
    kept = [0]
    for row in range(1, len(at) - 1):
        if at[row] - at[kept[-1]] >= least and at[-1] - at[row] >= least:
            kept.append(row)
    return np.array([*kept, len(at) - 1] if len(at) > 1 else kept, np.int64)


def _surface(
    root: Float[np.ndarray, " points"], y: Float[np.ndarray, " points"], name: str
) -> float:
    """Check one surface, from the nose aft; return the root of its last x."""
    if len(root) - 1 < POINTS_PER_SURFACE - 1:
        raise DataError(
            f"The section's {name} surface has {len(root) - 1} points; "
            f"give at least {POINTS_PER_SURFACE}."
        )
    if np.diff(root**2).max() > _WIDEST_GAP or abs(root[-1] ** 2 - 1) > _END:
        raise DataError(
            f"The section's {name} surface has a gap; give points along the entire chord."
        )
    return float(root[-1])
