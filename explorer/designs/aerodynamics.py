"""Lift, drag and moment of airfoil sections by NeuralFoil, all sections in one call."""

import importlib.util
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer import sections
from explorer.designs import geometry
from explorer.designs.properties import (
    AbstractProperties,
    Conditions,
    OperatingPoint,
    Property,
)
from explorer.errors import DesignError
from explorer.sketch import CurveSketch, PixelSketch

QUICK, CAREFUL = "xlarge", "xxxlarge"
"""NeuralFoil's network for interactive use, and the one that verifies a result."""

SURE = 0.8
"""Confidence below which a value is marked as unreliable."""


LOWEST, HIGHEST = -10.0, 18.0
"""The angles between which a lift coefficient is sought, in degrees."""

_STEP, _ROUNDS = 4.0, 5
_ANSWERS = ("CL", "CD", "CM", "analysis_confidence", "Top_Xtr", "Bot_Xtr")


class Polar(NamedTuple):
    """Coefficients of sections over angle of attack, and NeuralFoil's confidence in them.

    `top` and `bottom` are x/c of transition on the upper and the lower surface.
    """

    alpha: Float[np.ndarray, " angles"]
    cl: Float[np.ndarray, "sections angles"]
    cd: Float[np.ndarray, "sections angles"]
    cm: Float[np.ndarray, "sections angles"]
    confidence: Float[np.ndarray, "sections angles"]
    top: Float[np.ndarray, "sections angles"]
    bottom: Float[np.ndarray, "sections angles"]


class Operation(NamedTuple):
    """Sections at one operating point: the angle of attack of each, and its coefficients."""

    alpha: Float[np.ndarray, " sections"]
    cl: Float[np.ndarray, " sections"]
    cd: Float[np.ndarray, " sections"]
    cm: Float[np.ndarray, " sections"]
    confidence: Float[np.ndarray, " sections"]


class Aerodynamics(AbstractProperties):
    """Coefficients at each operating point; requires NeuralFoil.

    Incompressible flow, as in NeuralFoil's XFoil training data. The first point's keys are plain,
    those of others end in their number; means are weighted by the points' weights.

    References:
        NeuralFoil: an airfoil aerodynamics analysis tool using physics-informed machine learning
        (Sharpe and Hansman, 2025). https://arxiv.org/abs/2503.16323
    """

    name = "Aerodynamics"
    only_valid = True

    def fits(self, sketch: PixelSketch | CurveSketch) -> bool:
        """Return whether samples are airfoil sections and NeuralFoil is installed."""
        return available() and sections.is_section(sketch)

    def properties(self, conditions: Conditions) -> tuple[Property, ...]:
        """List the properties; coefficients are dimensionless, angles in degrees."""
        points = conditions.points
        listed: list[Property] = []
        for number, point in enumerate(points, 1):
            listed += _properties(point, number, conditions, len({one.at for one in points}) == 1)
        if len(points) > 1:
            over = "weighted mean over the operating points of the "
            listed += [
                Property("ld_mean", "Mean L/D", "", 1, "more", True, f"{over}lift-to-drag ratio"),
                Property("cd_mean", "Mean CD", "", 4, "less", False, f"{over}drag coefficient"),
            ]
        return tuple(listed)

    def measure(
        self,
        x: Float[np.ndarray, "sections stations"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " sections"]]:
        """Evaluate all valid sections at once; invalid ones get NaN."""
        points = conditions.points
        found = operations(x, sketch, conditions)
        values: dict[str, Float[np.ndarray, " sections"]] = {}
        for number, (point, at) in enumerate(zip(points, found, strict=True), 1):
            end = "" if number == 1 else f"_{number}"
            if point.cl is not None:
                values[f"alpha{end}"] = at.alpha
            else:
                values[f"cl{end}"] = at.cl
            values |= {f"cd{end}": at.cd, f"cm{end}": at.cm, f"ld{end}": at.cl / at.cd}
        values["confidence"] = 100 * np.min([at.confidence for at in found], axis=0)
        if len(points) > 1:
            weight = np.array([point.weight for point in points]) / sum(p.weight for p in points)
            values["ld_mean"] = weight @ np.stack([at.cl / at.cd for at in found])
            values["cd_mean"] = weight @ np.stack([at.cd for at in found])
        return values


def _properties(
    point: OperatingPoint, number: int, conditions: Conditions, alike: bool
) -> list[Property]:
    """List the properties at one point; its label tells points apart."""
    end = "" if number == 1 else f"_{number}"
    at = f"at {point.at}" + (f", Re {point.reynolds:,.0f}" if alike and conditions.others else "")
    flow = f"at {point.at} and Re {point.reynolds:,.0f}, {conditions.transition}"
    held = (
        Property(f"cl{end}", f"CL {at}", "", 2, "more", number == 1, f"lift coefficient {flow}")
        if point.cl is None
        else Property(f"alpha{end}", f"Angle {at}", "°", 2, "", False, f"angle of attack {flow}")
    )
    listed = [
        held,
        Property(f"cd{end}", f"CD {at}", "", 4, "less", point.cl is not None and number == 1,
                 f"drag coefficient {flow}"),
        Property(f"cm{end}", f"CM {at}", "", 3, "",
                 meaning=f"quarter-chord pitching moment coefficient {flow}"),
        Property(f"ld{end}", f"L/D {at}", "", 1, "more", number == 1 and not conditions.others,
                 f"lift-to-drag ratio {flow}"),
    ]  # fmt: skip
    if number == 1:
        listed.append(
            Property("confidence", "Confidence", "%", 0, "more", False,
                     "NeuralFoil’s own confidence estimate"
                     + (", the least over the points" if conditions.others else ""))
        )  # fmt: skip
    return listed


def available() -> bool:
    """Return whether NeuralFoil is installed, without importing it."""
    return importlib.util.find_spec("neuralfoil") is not None


def polars(
    x: Float[np.ndarray, "sections stations"],
    sketch: PixelSketch | CurveSketch,
    alpha: Float[np.ndarray, " angles"],
    reynolds: float,
    network: str = QUICK,
    *,
    ncrit: float = 9.0,
    trips: tuple[float, float] = (1.0, 1.0),
) -> Polar:
    """Evaluate all sections at all angles of attack in one call.

    NeuralFoil is given the Kulfan parameters of each section: exactly those of a Kulfan section,
    the nearest ones of any other. A section whose trailing edge does not lie on its chord line is
    rotated until it does, and its angle of attack with it. Invalid sections get NaN.

    Args:
        x: Sections in data units, in the geometry in which they are shown.
        sketch: How they are drawn.
        alpha: Angles of attack in degrees.
        reynolds: Reynolds number of the chord.
        network: NeuralFoil's network, from xxsmall to xxxlarge.
        ncrit: Logarithm of the amplification at transition.
        trips: Positions of forced transition on the upper and lower surface, in chords.

    Raises:
        DesignError: If NeuralFoil is not installed.
    """
    solver = _Solver(x, sketch, reynolds, network, ncrit, trips)
    return Polar(alpha, *solver(np.broadcast_to(alpha, (solver.valid, len(alpha)))))


def operations(
    x: Float[np.ndarray, "sections stations"],
    sketch: PixelSketch | CurveSketch,
    conditions: Conditions,
    network: str = QUICK,
) -> list[Operation]:
    """Evaluate all sections at each operating point.

    The angle at a given lift coefficient is the smallest at which it is reached with rising lift,
    sought between `LOWEST` and `HIGHEST`; a section that does not reach it gets NaN.

    Args:
        x: Sections in data units, in the geometry in which they are shown.
        sketch: How they are drawn.
        conditions: The operating points.
        network: NeuralFoil's network.

    Raises:
        DesignError: If NeuralFoil is not installed.
    """
    found = []
    for point in conditions.points:
        solver = _Solver(x, sketch, point.reynolds, network, conditions.ncrit, conditions.trips)
        if point.cl is None:
            angles = np.full((solver.valid, 1), point.alpha)
        else:
            angles = solver.angle_of(point.cl)[:, None]
        at = np.full(len(x), np.nan)
        at[solver.sound] = angles[:, 0]
        found.append(Operation(at, *(part[:, 0] for part in solver(angles)[:4])))
    return found


class _Solver:
    """NeuralFoil for given sections in one flow, at angles that may differ by section."""

    def __init__(
        self,
        x: Float[np.ndarray, "sections stations"],
        sketch: PixelSketch | CurveSketch,
        reynolds: float,
        network: str,
        ncrit: float,
        trips: tuple[float, float],
    ) -> None:
        if not available():
            raise DesignError(
                "Aerodynamics requires NeuralFoil: `pip install neuralfoil`, then restart."
            )
        assert isinstance(sketch, CurveSketch)
        self._reynolds, self._network, self._ncrit, self._trips = reynolds, network, ncrit, trips
        self.sound = np.array([not fault for fault in geometry.faults(x, sketch)], bool)
        self.valid = int(self.sound.sum())
        if not self.valid:
            return
        shape = sections.surfaces(x[self.sound].astype(np.float64), sketch)
        end = (shape.upper[:, -1:] + shape.lower[:, -1:]) / 2
        level = sections.Surfaces(
            shape.x, shape.upper - end * shape.x, shape.lower - end * shape.x
        )
        self._fit, self._tilt = sections.kulfan(level), np.degrees(np.arctan(end))

    def __call__(
        self, alpha: Float[np.ndarray, "valid angles"]
    ) -> list[Float[np.ndarray, "sections angles"]]:
        """Return `_ANSWERS`; NaN for invalid sections and where an angle is NaN."""
        known = np.isfinite(alpha)
        blank = np.full((len(self.sound), alpha.shape[1]), np.nan)
        if not known.any():
            return [blank] * len(_ANSWERS)
        from neuralfoil import get_aero_from_kulfan_parameters

        row = np.nonzero(known)[0]
        given = {
            "upper_weights": self._fit.upper[row].T,
            "lower_weights": self._fit.lower[row].T,
            "leading_edge_weight": self._fit.leading_edge[row],
            "TE_thickness": self._fit.trailing_edge[row],
        }
        upper, lower = self._trips
        answer = get_aero_from_kulfan_parameters(
            given, (alpha - self._tilt)[known], self._reynolds, n_crit=self._ncrit,
            xtr_upper=upper, xtr_lower=lower, model_size=self._network,
        )  # fmt: skip
        found = []
        for key in _ANSWERS:
            inner = np.full(alpha.shape, np.nan)
            inner[known] = np.ravel(answer[key])
            values = blank.copy()
            values[self.sound] = inner
            found.append(values)
        return found

    def angle_of(self, cl: float) -> Float[np.ndarray, " valid"]:
        """Return the angle of each valid section at a lift coefficient, by regula falsi.

        References:
            A modified regula falsi method (the Illinois algorithm; Dowell and Jarratt, 1971).
            https://doi.org/10.1007/BF01934364
        """
        angle = np.full(self.valid, np.nan)
        if not self.valid:
            return angle
        grid = np.arange(LOWEST, HIGHEST + 1e-9, _STEP)
        off = self(np.broadcast_to(grid, (self.valid, len(grid))))[0][self.sound] - cl
        rises = (off[:, :-1] <= 0) & (off[:, 1:] > 0)
        rows = np.flatnonzero(rises.any(1))
        first = rises[rows].argmax(1)
        low, high = grid[first], grid[first + 1]
        below, above = off[rows, first], off[rows, first + 1]
        last = np.zeros(len(rows))
        for _ in range(_ROUNDS):
            angle[rows] = (low * above - high * below) / (above - below)
            now = self(angle[:, None])[0][self.sound][rows, 0] - cl
            side = np.where(now > 0, 1.0, -1.0)
            up = now > 0
            # A side that stays is halved, else it would never move.
            below = np.where(up, np.where(last == side, below / 2, below), now)
            above = np.where(up, now, np.where(last == side, above / 2, above))
            low, high = np.where(up, low, angle[rows]), np.where(up, angle[rows], high)
            last = side
        return angle
