"""Polars of picks as files: by NeuralFoil over a range of angles, and by XFoil where asked."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from explorer import sections
from explorer.designs import aerodynamics, xfoil
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions

ALPHAS = np.arange(-6.0, 15.0, 1.0)
"""The angles of attack of a polar, in degrees."""


def files(pick: Pick, conditions: Conditions) -> dict[str, bytes]:
    """Write the polars of a section at a Reynolds number; XFoil's if it was verified there."""
    sketch = pick.source.model.sketch
    found: dict[str, bytes] = {}
    if not sections.is_section(sketch):
        return found
    verified = known(pick, conditions)
    if aerodynamics.available():
        alpha = np.unique(np.concatenate([ALPHAS, [conditions.alpha], [*verified]]))
        polar = aerodynamics.polars(
            pick.shown[None], sketch, alpha, conditions.reynolds, aerodynamics.CAREFUL,
            ncrit=conditions.ncrit, trips=conditions.trips,
        )  # fmt: skip
        columns = [polar.alpha, *(part[0] for part in polar[1:])]
        if np.isfinite(polar.cd).all():
            found["polar-neuralfoil.csv"] = _table(
                ("alpha", "CL", "CD", "CM", "confidence"), zip(*columns, strict=True)
            )
    if verified:
        found["polar-xfoil.csv"] = _table(
            ("alpha", "CL", "CD", "CM", "converged"),
            ((alpha, *point, float(point.converged)) for alpha, point in verified.items()),
        )
    return found


def known(pick: Pick, conditions: Conditions) -> dict[float, xfoil.Point]:
    """Return XFoil's results for a pick in its geometry, by angle of attack."""
    place = stored_under(pick, conditions)
    return xfoil.from_stored(pick.properties.get(place))


def angle(values: Mapping[str, float], conditions: Conditions) -> float:
    """Return the first point's angle of attack of a section with these properties, in degrees.

    At a given lift coefficient it is NeuralFoil's, to the hundredth; NaN if that is not reached.
    """
    if conditions.cl is None:
        return conditions.alpha
    return round(values.get("alpha", np.nan), 2)


def stored_under(pick: Pick, conditions: Conditions) -> str:
    """Return where XFoil's results for a pick in its geometry are stored."""
    return xfoil.stored_under(
        conditions.reynolds, pick.geometry, ncrit=conditions.ncrit, trips=conditions.trips
    )


def _table(head: Sequence[str], rows: Iterable[Iterable[float]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(head)
    for row in rows:
        writer.writerow([f"{value:.6g}" if np.isfinite(value) else "" for value in row])
    return stream.getvalue().encode()
