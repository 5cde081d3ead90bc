"""Airfoil sections of known shape, and their properties."""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.interpolate import BPoly

from explorer.data import DigitsConfig
from explorer.designs import xfoil
from explorer.designs.measuring import measure
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions
from explorer.metrics.novelty import NoveltyReference
from tests.support.engines import engine_of
from tests.support.picks import key_of, made, model_of

SECTIONS, DIGITS = "airfoils-vae-vamp-8", "digits-vae-vamp-2"

X = (1 - np.cos(np.pi * np.arange(1, 65) / 64)) / 2

GEOMETRY = (
    "thickness", "thickness_10", "thickness_25", "thickness_60", "camber", "nose_radius",
    "tail_angle", "area", "waviness", "tail_gap", "least_gap", "inner_gap", "reversals",
)  # fmt: skip

AIR = ("cl", "cd", "cm", "ld", "confidence")


def engine(slug=SECTIONS):
    return engine_of(slug)


def sketch():
    return engine().sketch


def samples(*sections):
    """Standardise heights in chords as the model's samples are; nobody may write into them."""
    x = (np.stack(sections) - np.asarray(sketch().loc)) / np.asarray(sketch().scale)
    x.flags.writeable = False
    return x


def surfaces(upper, lower):
    return np.concatenate([upper[::-1], lower])


def heights(x):
    return x * np.asarray(sketch().scale) + np.asarray(sketch().loc)


def mirrored(section):
    return -section[..., ::-1]


def values(*sections, geometry="decoded", **conditions):
    return measure(samples(*sections), sketch(), Conditions(**conditions), geometry).values


def value(key, section, **conditions):
    return float(values(section, **conditions)[key][0])


@cache
def decoded(n=60):
    """Heights of sound sections from the model, with and without a crossing."""
    drawn = engine().sample(n, seed=4).x.astype(np.float64)
    return heights(drawn[measure(drawn, sketch()).valid])


A0, A1, A2, A3, A4 = 0.2969, -0.1260, -0.3516, 0.2843, -0.1036
"""Thickness of the NACA sections of report 460, with the last term that closes the tail."""


def half_thickness(x, t):
    return 5 * t * (A0 * np.sqrt(x) + A1 * x + A2 * x**2 + A3 * x**3 + A4 * x**4)


def naca(m, p, t, points=400):
    """Lay thickness off perpendicular to the camber line: points in Selig's order."""
    x = (1 - np.cos(np.linspace(0, np.pi, points))) / 2
    fore = x < p
    line = np.where(
        fore,
        m / p**2 * (2 * p * x - x**2),
        m / (1 - p) ** 2 * (1 - 2 * p + 2 * p * x - x**2),
    )
    turn = np.arctan(np.where(fore, 2 * m / p**2, 2 * m / (1 - p) ** 2) * (p - x))
    away = half_thickness(x, t) * np.stack([-np.sin(turn), np.cos(turn)])
    upper, lower = (np.stack([x, line]) + side * away for side in (1, -1))
    return np.concatenate([upper.T[::-1], lower.T[1:]])


def class_shape(weights, x=X):
    """Evaluate Kulfan's class function times Bernstein polynomials."""
    return np.sqrt(x) * (1 - x) * BPoly(np.reshape(weights, (-1, 1)), [0, 1])(x)


def crossed(depth, at):
    """Make NACA 0012 whose lower surface rises above the upper one by a depth at one station."""
    upper, lower = half_thickness(X, 0.12), -half_thickness(X, 0.12)
    lower[at] = upper[at] + depth
    return surfaces(upper, lower)


@cache
def novelty_reference():
    data = DigitsConfig().load(Path("nowhere"))
    coded = [engine(DIGITS).encode(split.x).loc for split in (data.train, data.valid)]
    return NoveltyReference(*coded)


def naca_like(gap):
    """Standardise NACA 0012 with a gap at its tail, in chords."""
    half = half_thickness(X, 0.12) + X * gap / 2
    return samples(surfaces(half, -half))[0].astype(np.float32)


@cache
def verified_pick(number=1):
    """A Kulfan section of the model that XFoil verified at three angles, once in vain."""
    drawn = engine().sample(1, 0.7, 1)
    points = {0.0: xfoil.Point(0.1, 0.006, -0.05), 2.0: xfoil.FAILED,
              4.0: xfoil.Point(0.5, 0.007, -0.06, 0.002, 0.4, 0.9)}  # fmt: skip
    stored = {}
    for alpha, point in points.items():
        stored |= xfoil.as_stored(alpha, point)
    return Pick(
        key_of(number),
        number,
        1.7e9,
        made(model=model_of(sketch(), engine().checkpoint.hash, SECTIONS, "airfoils"),
             code=drawn.z[0], sample=drawn.x[0]),
        treatment="kulfan",
        properties={xfoil.stored_under(1e6, "kulfan"): stored},
    )  # fmt: skip
