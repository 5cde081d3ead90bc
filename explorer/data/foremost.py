"""Sections of the UIUC collection as the shipped models were trained on them.

Unlike an opened section (`data/chords.py`), each is turned to the chord from the foremost of its
own points, which for 62 of them is over 0.5 degrees from the file's axis. Another rule would
be another data set, with other likelihoods.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from explorer.data.chords import POINTS_PER_SURFACE, check_thickness, surface_stations
from explorer.errors import DataError

_WIDEST_GAP = 0.3
_FOLD = 0.003
_END = 0.02
_LARGEST = 1e9


def turned_by_foremost_point(text: str) -> Float[np.ndarray, " stations"]:
    """Read a file in Selig or Lednicer format and interpolate its heights at the fixed stations.

    Between points each surface is a monotone cubic in the square root of x.

    Returns:
        Heights in chords, at `stations()`.

    Raises:
        DataError: If the text contains no valid section.

    References:
        Monotone piecewise cubic interpolation (Fritsch and Carlson, 1980).
        https://doi.org/10.1137/0717021
    """
    return _resample(_parse(text))


def _parse(text: str) -> Float[np.ndarray, "points 2"]:
    rows = np.array([row for row in map(_two_numbers, text.splitlines()) if row is not None])
    if not (np.abs(rows) < _LARGEST).all():
        raise DataError(
            "The coordinate file contains non-finite or implausible numbers; correct them."
        )
    counts = None
    if len(rows) and (rows[0] >= 2).all() and (rows[0] == rows[0].round()).all():
        counts, rows = rows[0], rows[1:]
    if len(rows) < 2 * POINTS_PER_SURFACE:
        raise DataError(
            f"The coordinate file has {len(rows)} points; "
            f"give at least {2 * POINTS_PER_SURFACE}, two numbers per line."
        )
    first = _first_of_second_surface(rows, counts)
    points = rows if first is None else np.concatenate([rows[:first][::-1], rows[first:]])
    repeated = (np.diff(points, axis=0) == 0).all(axis=1)
    points = points[np.concatenate([[True], ~repeated])]
    x, y = points.T
    area = (x * np.roll(y, -1) - np.roll(x, -1) * y).sum()
    counter_clockwise = area >= 0  # then the upper surface comes first
    return points if counter_clockwise else points[::-1]


def _resample(points: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, " stations"]:
    if not np.isfinite(points).all():
        raise DataError("The section contains non-finite numbers; correct its coordinates.")
    points, nose = _to_unit_chord(points)
    upper = _surface(points[: nose + 1][::-1], "upper")
    lower = _surface(points[nose:], "lower")
    check_thickness(upper - lower)
    return np.concatenate([upper[::-1], lower])


def _two_numbers(line: str) -> tuple[float, float] | None:
    fields = line.replace(",", " ").split()
    if len(fields) != 2:
        return None
    try:
        return float(fields[0]), float(fields[1])
    except ValueError:
        return None


def _first_of_second_surface(
    rows: Float[np.ndarray, "points 2"], counts: Float[np.ndarray, "2"] | None
) -> int | None:
    if counts is not None:
        if counts.sum() != len(rows):
            raise DataError(
                f"The coordinate file declares {counts.sum():.0f} points but has {len(rows)}; "
                "correct the counts in its second line."
            )
        return int(counts[0])
    x = rows[:, 0]
    back = int(np.diff(x).argmin())
    jumps = x[back] - x[back + 1] > 0.5 * np.ptp(x)
    return back + 1 if jumps and x[0] < x.min() + 0.1 * np.ptp(x) else None


def _to_unit_chord(
    points: Float[np.ndarray, "points 2"],
) -> tuple[Float[np.ndarray, "points 2"], int]:
    trailing = (points[0] + points[-1]) / 2
    nose = int(np.hypot(*(points - trailing).T).argmax())
    chord = trailing - points[nose]
    length = math.hypot(*chord)
    if not 0 < length < math.inf:
        raise DataError("The section's chord has zero length; check its coordinates.")
    cosine, sine = chord / length
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return (points - points[nose]) @ turn / length, nose


def _surface(points: Float[np.ndarray, "points 2"], name: str) -> Float[np.ndarray, " half"]:
    """Heights of one surface, given from the leading edge."""
    x, y = points.T
    furthest = np.maximum.accumulate(x)
    if len(x) and (furthest - x).max() > _FOLD:
        raise DataError(
            f"The section's {name} surface doubles back on itself; check the order of its points."
        )
    ahead = np.concatenate([[True], x[1:] > furthest[:-1] + 1e-9])
    x, y = x[ahead], y[ahead]
    if len(x) < POINTS_PER_SURFACE:
        raise DataError(
            f"The section's {name} surface has {len(x)} points; "
            f"give at least {POINTS_PER_SURFACE}."
        )
    if np.diff(x).max() > _WIDEST_GAP or abs(x[-1] - 1) > _END:
        raise DataError(
            f"The section's {name} surface has a gap; give points along the entire chord."
        )
    at = np.minimum(surface_stations(), x[-1])
    return PchipInterpolator(np.sqrt(x), y)(np.sqrt(at))
