"""Measures 2,112 sections, 33 scales of 64 tiles: `python -m tests.benchmarks.properties`.

Compares one call for all of them with a loop over single sections, and with
NeuralFoil's own function for one section's coordinates in that loop, in one run.
"""

import numpy as np
from neuralfoil import get_aero_from_coordinates

from explorer import Engine, load, sections
from explorer.designs import aerodynamics
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions
from explorer.devices import limit_threads
from tests.benchmarks.pairing import ratio

MODEL = "airfoils-vae-xvae-8"
SCALES, TILES = np.linspace(0, 1, 33), 64


def main():
    limit_threads()
    engine = Engine(load(MODEL), "cpu")
    x = np.concatenate([engine.sample(TILES, float(scale)).x for scale in SCALES])
    sketch, conditions = engine.sketch, Conditions()
    contours = [sections.contour(row.astype(np.float64), sketch) for row in x]

    def together():
        return measure(x, sketch, conditions)

    def one_by_one():
        return [measure(row[None], sketch, conditions) for row in x]

    def by_coordinates():
        return [
            get_aero_from_coordinates(
                points,
                alpha=conditions.alpha,
                Re=conditions.reynolds,
                model_size=aerodynamics.QUICK,
            )
            for points in contours
        ]

    found = together().values["cl"]
    sound = np.isfinite(found)
    theirs = np.array([float(answer["CL"][0]) for answer in by_coordinates()])
    print(f"{len(x):,} sections, {sound.sum():,} of them sound")
    print(f"largest difference of CL: {np.abs(found - theirs)[sound].max():.1e}")
    print(f"one by one over together: {ratio(one_by_one, together, pairs=8)}")
    print(f"NeuralFoil one by one (coefficients only) over together (all properties): "
          f"{ratio(by_coordinates, together, pairs=8)}")  # fmt: skip


if __name__ == "__main__":
    main()
