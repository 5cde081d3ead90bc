"""Seconds from wishes to twelve designs, easy and hard ones: `python -m tests.benchmarks.wishes`.

The aim is five seconds on two cores, the samples of the prior and their measurement included.
"""

import time

import numpy as np

from explorer.designs import desk
from explorer.designs.properties import Conditions, OperatingPoint, in_words, parse
from explorer.ui import cache

MODEL = "airfoils-vae-vamp-8"
FOUR = Conditions(
    cl=0.8,
    reynolds=5e5,
    others=tuple(OperatingPoint(cl=cl, reynolds=1e6) for cl in (0.2, 0.5, 1.1)),
)
CASES = (
    ("", Conditions(), "ld"),
    ("thickness>=12,cl>=0.6", Conditions(), "ld"),
    ("thickness>=18,camber>=6,ld>=120", Conditions(), "ld"),
    ("thickness>=30", Conditions(), "ld"),
    ("thickness>=14,cm>=-0.06", FOUR, "ld_mean"),
)


def main() -> None:
    """Print what was found in how many seconds."""
    entry = next(item for item in cache.entries() if item.slug == MODEL)
    engine = cache.engine(entry)
    sound = cache.sound(engine)
    desk.pool(engine, Conditions(), sound, n=64)  # NeuralFoil's networks are read once
    for limits, conditions, goal in CASES:
        start = time.monotonic()
        pool = desk.pool(engine, conditions, sound)
        objective = cache.objective(engine, conditions, goal)
        found = desk.find(engine, pool, parse(limits), objective, conditions, sound)
        passed = time.monotonic() - start
        said = ", ".join(in_words(wish, pool.measured.properties) for wish in parse(limits))
        values = found.measured.values[goal]
        print(
            f"{said or 'no wish'}; {len(conditions.points)} operating points: {passed:.1f} s, "
            f"{found.feasible} of {found.drawn} samples, {found.searched} more searched, "
            f"{int(found.met.sum())} designs, {objective.label} {np.nanmin(values):.0f} to "
            f"{np.nanmax(values):.0f}, closest two {found.apart:.2f} % of the chord apart"
        )


if __name__ == "__main__":
    main()
