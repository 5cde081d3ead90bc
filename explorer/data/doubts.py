"""What looks wrong with a section that can be read all the same."""

import numpy as np
from jaxtyping import Bool, Float, Int

from explorer.data.chords import Fitted, fitted, heights_of, uncertainty

_SPIKE = 0.004
_CROSSED = 2e-4
_COARSE = 5e-4


def doubts(points: Float[np.ndarray, "points 2"], lines: Int[np.ndarray, " points"]) -> list[str]:
    """Say what looks wrong with a section: few points, a crossing, a point out of line.

    Args:
        points: A contour in Selig order.
        lines: The line of each point in its file.

    Raises:
        DataError: If it is not a valid airfoil section.
    """
    found = []
    frame = fitted(points)
    heights, unsure = heights_of(frame), uncertainty(frame)
    if unsure > _COARSE:
        found.append(
            f"With {len(points)} points its heights are uncertain by {100 * unsure:.1f} % "
            "of the chord."
        )
    half = len(heights) // 2
    gap = (heights[:half][::-1] - heights[half:]).min()
    if gap < -_CROSSED:
        found.append(
            f"The surfaces cross by {-100 * gap:.2f} % of the chord: check the points there."
        )
    out, size = _spike(frame)
    if out is not None:
        found.append(
            f"Line {lines[out]} stands out by {100 * size:.1f} % of the chord: check that point."
        )
    return found


def _spike(frame: Fitted) -> tuple[int | None, float]:
    """The point that is farthest from the line through its neighbours, if it stands out."""
    root, y = frame.root, frame.heights
    if len(root) < 7:
        return None, 0.0
    inner = np.arange(2, len(root) - 2)
    rest = np.minimum(*(_left_out(root, y, inner, near) for near in ((-1, 1), (-2, -1, 1, 2))))
    worst = int(rest.argmax())
    typical = float(np.median(rest))
    alone: Bool[np.ndarray, ""] = rest[worst] > max(_SPIKE, 20 * typical)
    return (int(frame.rows[inner[worst]]), float(rest[worst])) if alone else (None, 0.0)


def _left_out(
    root: Float[np.ndarray, " points"],
    y: Float[np.ndarray, " points"],
    inner: Int[np.ndarray, " inner"],
    near: tuple[int, ...],
) -> Float[np.ndarray, " inner"]:
    """Distance of points from the polynomial through their neighbours."""
    predicted = np.zeros(len(inner))
    for a in near:
        weight = np.ones(len(inner))
        for b in near:
            if b != a:
                weight *= (root[inner] - root[inner + b]) / (root[inner + a] - root[inner + b])
        predicted += weight * y[inner + a]
    return np.abs(predicted - y[inner])
