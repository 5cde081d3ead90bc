"""XFoil's drag of exported sections beside the table: `python -m tests.benchmarks.second_opinion`.

The sections are prior samples of the shipped models that are valid and of which NeuralFoil is
sure; XFoil reads the files that an export contains. With `--push` they are first pushed to more
lift over drag, as on Candidates.
"""

import argparse
from typing import NamedTuple

import numpy as np

from explorer import load, sections
from explorer.data.airfoils import parse_coordinates
from explorer.designs import desk, formats, search, xfoil
from explorer.designs.aerodynamics import SURE
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, parse
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
    return _compared(engine, x[chosen], geometry, chosen)


def pushed(slug: str, n: int, generations: int = 20, seed: int = 0) -> Comparison:
    """Compare n exports that a search has given more lift over drag."""
    engine = Engine(load(slug), "cpu")
    drawn = desk.pool(engine, FLOW, desk.Sound(), n=4 * n, seed=seed)
    floor = float(np.percentile(engine.heights(drawn.z), 5))
    sure = drawn.measured.values["confidence"] >= 100 * SURE
    starts = drawn.z[drawn.sound & sure & (engine.heights(drawn.z) >= floor)][:n]
    assert len(starts) == n
    found = np.stack(
        [
            search.push(
                engine, z, "ld", "more", floor=floor, conditions=FLOW, generations=generations,
                constraints=parse(f"confidence>={100 * SURE:g}"),
            ).z
            for z in starts
        ]
    )  # fmt: skip
    return _compared(engine, engine.decode(found), "kulfan", np.arange(n))


def _compared(engine: Engine, x: np.ndarray, geometry: Geometry, names: np.ndarray) -> Comparison:
    """Let XFoil read the files of sections, beside the table of their Kulfan sections."""
    table = measure(x, engine.sketch, FLOW)
    files = [formats.section_files(row, engine.sketch, "x", geometry)["x.dat"] for row in x]
    contours = [parse_coordinates(content.decode("ascii")) for content in files]
    found = {
        index: point
        for index, _, point in xfoil.evaluate_all(
            contours, [[FLOW.alpha]] * len(contours), FLOW.reynolds
        )
    }
    n = len(x)
    good = [index for index in range(n) if found[index].converged]
    ratio = [found[index].cd / table.values["cd"][index] for index in good]
    shown = measure(x, engine.sketch, FLOW, geometry)
    return Comparison(
        n,
        np.array(ratio),
        float(np.median(shown.values["reversals"])),
        tuple(int(names[index]) for index in range(n) if index not in good),
    )


def main() -> None:
    """Print the table of checkpoints/README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("--push", action="store_true", help="push each to more L/D first")
    given = parser.parse_args()
    print("| Checkpoint | Files | n | Converged | Median | 10 to 90 % | Most | Reversals |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for slug in MODELS:
        geometries: tuple[Geometry, ...] = ("kulfan",) if given.push else ("kulfan", "decoded")
        for geometry in geometries:
            found = pushed(slug, given.n) if given.push else compare(slug, given.n, geometry)
            name = sections.NAMES[geometry] + (", pushed" if given.push else "")
            low, high = np.percentile(found.ratio, [10, 90])
            print(
                f"| `{slug}` | {name} | {found.n} | {found.converged} | "
                f"{found.median:.3f} | {low:.3f} to {high:.3f} | {found.ratio.max():.2f} | "
                f"{found.reversals:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
