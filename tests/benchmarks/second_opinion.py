"""XFoil's drag of exported sections beside the table: `python -m tests.benchmarks.second_opinion`.

The sections are prior samples of the shipped models that are valid and of which NeuralFoil is
sure; XFoil reads the files that an export contains.
"""

import argparse
from typing import NamedTuple

import numpy as np

from explorer import load, sections
from explorer.data.airfoils import parse_coordinates
from explorer.designs import formats, xfoil
from explorer.designs.aerodynamics import SURE
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions
from explorer.inference import Engine
from explorer.sections import Geometry

MODELS = ("airfoils-vae-vamp-8", "airfoils-vae-standard-8", "airfoils-vae-xvae-8")
FLOW = Conditions()


class Comparison(NamedTuple):
    """Drag by XFoil over drag in the table, of the sections that converged, and reversals."""

    n: int
    ratio: np.ndarray
    reversals: float
    failed: tuple[int, ...]

    @property
    def converged(self) -> int:
        return len(self.ratio)

    @property
    def median(self) -> float:
        return float(np.median(self.ratio))


def compare(slug: str, n: int, geometry: Geometry = "kulfan", seed: int = 0) -> Comparison:
    """Compare n exports of a model, whose table is that of Kulfan sections."""
    engine = Engine(load(slug), "cpu")
    x = engine.sample(2 * n, 1.0, seed).x
    table = measure(x, engine.sketch, FLOW)
    sure = table.values["confidence"] >= 100 * SURE
    chosen = np.flatnonzero(table.valid & sure)[:n]
    assert len(chosen) == n
    files = [
        formats.section_files(x[row], engine.sketch, "x", geometry)["x.dat"] for row in chosen
    ]
    contours = [parse_coordinates(content.decode("ascii")) for content in files]
    found = {
        index: point
        for index, _, point in xfoil.evaluate_all(
            contours, [[FLOW.alpha]] * len(contours), FLOW.reynolds
        )
    }
    good = [index for index in range(n) if found[index].converged]
    ratio = [found[index].cd / table.values["cd"][chosen[index]] for index in good]
    shown = measure(x[chosen], engine.sketch, FLOW, geometry)
    return Comparison(
        n,
        np.array(ratio),
        float(np.median(shown.values["reversals"])),
        tuple(int(chosen[index]) for index in range(n) if index not in good),
    )


def main() -> None:
    """Print the table of checkpoints/README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=60)
    given = parser.parse_args()
    print("| Checkpoint | Files | n | Converged | Median | 10 to 90 % | Most | Reversals |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for slug in MODELS:
        for geometry in ("kulfan", "decoded"):
            found = compare(slug, given.n, geometry)
            low, high = np.percentile(found.ratio, [10, 90])
            print(
                f"| `{slug}` | {sections.NAMES[geometry]} | {found.n} | {found.converged} | "
                f"{found.median:.3f} | {low:.3f} to {high:.3f} | {found.ratio.max():.2f} | "
                f"{found.reversals:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
