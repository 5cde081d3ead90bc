"""Lift, drag and moment of airfoil sections by NeuralFoil, all sections in one call."""

import importlib.util
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from explorer import sections
from explorer.designs import geometry
from explorer.designs.properties import AbstractProperties, Conditions, Property
from explorer.errors import DesignError
from explorer.sketch import CurveSketch, PixelSketch

QUICK, CAREFUL = "xlarge", "xxxlarge"
"""NeuralFoil's network for interactive use, and the one that verifies a result."""

SURE = 0.8
"""Confidence below which a value is marked as unreliable."""


class Polar(NamedTuple):
    """Coefficients of sections over angle of attack, and NeuralFoil's confidence in them."""

    alpha: Float[np.ndarray, " angles"]
    cl: Float[np.ndarray, "sections angles"]
    cd: Float[np.ndarray, "sections angles"]
    cm: Float[np.ndarray, "sections angles"]
    confidence: Float[np.ndarray, "sections angles"]


class Aerodynamics(AbstractProperties):
    """Coefficients at one angle of attack and Reynolds number; requires NeuralFoil.

    Incompressible flow with free transition (n = 9), as in NeuralFoil's XFoil training data.

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
        """List the properties; coefficients are dimensionless."""
        at = f"at {conditions.alpha:g}°".replace("-", "−")
        flow = f"at {conditions.alpha:g}° and Re {conditions.reynolds:,.0f}"
        return (
            Property("cl", f"CL {at}", "", 2, "more", True, f"lift coefficient {flow}"),
            Property("cd", f"CD {at}", "", 4, "less", False, f"drag coefficient {flow}"),
            Property("cm", f"CM {at}", "", 3, "", False,
                     f"quarter-chord pitching moment coefficient {flow}"),
            Property("ld", f"L/D {at}", "", 1, "more", True, f"lift-to-drag ratio {flow}"),
            Property("confidence", "Confidence", "%", 0, "more", False,
                     "NeuralFoil’s own confidence estimate"),
        )  # fmt: skip

    def measure(
        self,
        x: Float[np.ndarray, "sections stations"],
        sketch: PixelSketch | CurveSketch,
        conditions: Conditions,
    ) -> dict[str, Float[np.ndarray, " sections"]]:
        """Evaluate all valid sections in one call; invalid ones get NaN."""
        found = polars(x, sketch, np.array([conditions.alpha]), conditions.reynolds)
        cl, cd = found.cl[:, 0], found.cd[:, 0]
        return {
            "cl": cl,
            "cd": cd,
            "cm": found.cm[:, 0],
            "ld": cl / cd,
            "confidence": 100 * found.confidence[:, 0],
        }


def available() -> bool:
    """Return whether NeuralFoil is installed, without importing it."""
    return importlib.util.find_spec("neuralfoil") is not None


def polars(
    x: Float[np.ndarray, "sections stations"],
    sketch: PixelSketch | CurveSketch,
    alpha: Float[np.ndarray, " angles"],
    reynolds: float,
    network: str = QUICK,
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

    Raises:
        DesignError: If NeuralFoil is not installed.
    """
    if not available():
        raise DesignError(
            "Aerodynamics requires NeuralFoil: `pip install neuralfoil`, then restart."
        )
    from neuralfoil import get_aero_from_kulfan_parameters

    assert isinstance(sketch, CurveSketch)
    sound = np.array([not fault for fault in geometry.faults(x, sketch)], bool)
    blank = np.full((len(x), len(alpha)), np.nan)
    if not sound.any():
        return Polar(alpha, blank, blank, blank, blank)
    shape = sections.surfaces(x[sound].astype(np.float64), sketch)
    end = (shape.upper[:, -1:] + shape.lower[:, -1:]) / 2
    level = sections.Surfaces(shape.x, shape.upper - end * shape.x, shape.lower - end * shape.x)
    fit, tilt = sections.kulfan(level), np.degrees(np.arctan(end))
    angles = (alpha - tilt).ravel()
    repeat = len(alpha)
    given = {
        "upper_weights": np.repeat(fit.upper, repeat, 0).T,
        "lower_weights": np.repeat(fit.lower, repeat, 0).T,
        "leading_edge_weight": np.repeat(fit.leading_edge, repeat),
        "TE_thickness": np.repeat(fit.trailing_edge, repeat),
    }
    answer = get_aero_from_kulfan_parameters(given, angles, reynolds, model_size=network)
    found = []
    for key in ("CL", "CD", "CM", "analysis_confidence"):
        values = blank.copy()
        values[sound] = np.asarray(answer[key]).reshape(-1, repeat)
        found.append(values)
    return Polar(alpha, *found)
