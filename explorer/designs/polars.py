"""Polars of picks: by NeuralFoil over a range of angles, and by XFoil where it was asked.

Each is written twice: as CSV with its conditions in every row, and in the form of XFoil.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import numpy as np
from jaxtyping import Float

from explorer import sections
from explorer.designs import aerodynamics, xflr5, xfoil
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions

ALPHAS = np.arange(-6.0, 15.0, 1.0)
"""The angles of attack at which XFoil is asked for a polar, in degrees."""

FINE = np.arange(-6.0, 14.1, 0.5)
"""Those of a polar by NeuralFoil that is taken home."""

CONDITIONS = ("Re", "Mach", "Ncrit", "xtrf_top", "xtrf_bottom")
"""The columns by which every table names the flow; x/c of forced transition, 1 is free."""

Method = Literal["NeuralFoil", "XFoil"]


@dataclass(frozen=True)
class PickPolar:
    """One polar of a pick: who computed it, the flow, and coefficients by angle of attack.

    `confidence` is NeuralFoil's own estimate; where XFoil did not converge coefficients are NaN.
    `top` and `bottom` are x/c of transition; `cdp` is the pressure drag, which only XFoil tells.
    """

    method: Method
    network: str
    reynolds: float
    ncrit: float
    trips: tuple[float, float]
    alpha: Float[np.ndarray, " angles"]
    cl: Float[np.ndarray, " angles"]
    cd: Float[np.ndarray, " angles"]
    cm: Float[np.ndarray, " angles"]
    top: Float[np.ndarray, " angles"]
    bottom: Float[np.ndarray, " angles"]
    confidence: Float[np.ndarray, " angles"]
    cdp: Float[np.ndarray, " angles"]

    @property
    def version(self) -> str:
        """Which version computed it, in words; that of XFoil is not kept with its results."""
        if self.method == "XFoil":
            return "not kept"
        return f"{version('neuralfoil')}, network {self.network}"

    @property
    def flow(self) -> tuple[float, ...]:
        """The values of `CONDITIONS`."""
        return (self.reynolds, 0.0, self.ncrit, *self.trips)


def of(pick: Pick, conditions: Conditions) -> tuple[PickPolar, ...]:
    """Compute the polars of a section at each Reynolds number; XFoil's where it was verified."""
    sketch = pick.source.model.sketch
    if not sections.is_section(sketch):
        return ()
    found: list[PickPolar] = []
    ncrit, trips = conditions.ncrit, conditions.trips
    for reynolds in dict.fromkeys(point.reynolds for point in conditions.points):
        verified = _verified(pick, conditions, reynolds)
        asked = [
            point.alpha
            for point in conditions.points
            if point.reynolds == reynolds and point.cl is None
        ]
        if aerodynamics.available():
            alpha = np.unique(np.concatenate([FINE, asked, [*verified]]))
            network = aerodynamics.CAREFUL
            polar = aerodynamics.polars(
                pick.shown[None], sketch, alpha, reynolds, network, ncrit=ncrit, trips=trips
            )
            if np.isfinite(polar.cd).all():
                found.append(
                    PickPolar("NeuralFoil", network, reynolds, ncrit, trips, alpha,
                              polar.cl[0], polar.cd[0], polar.cm[0], polar.top[0],
                              polar.bottom[0], polar.confidence[0], np.full(len(alpha), np.nan))
                )  # fmt: skip
        if verified:
            cl, cd, cm, cdp, top, bottom = np.array([*verified.values()]).T
            blank = np.full(len(verified), np.nan)
            found.append(
                PickPolar("XFoil", "", reynolds, ncrit, trips, np.array([*verified]),
                          cl, cd, cm, top, bottom, blank, cdp)
            )  # fmt: skip
    return tuple(found)


def files(stem: str, found: Sequence[PickPolar]) -> dict[str, bytes]:
    """Write polars of a section named `stem`: a CSV by each method, and XFoil's form of each."""
    written: dict[str, bytes] = {}
    for method in dict.fromkeys(polar.method for polar in found):
        alike = [polar for polar in found if polar.method == method]
        written[f"{stem}-{method.lower()}.csv"] = _table(alike)
        for polar in alike:
            name = xflr5.name(polar.reynolds, polar.ncrit, polar.trips)
            rows = (
                xflr5.Row(*row)
                for row in np.stack(
                    [
                        polar.alpha,
                        polar.cl,
                        polar.cd,
                        polar.cdp,
                        polar.cm,
                        polar.top,
                        polar.bottom,
                    ],
                    axis=1,
                ).tolist()
            )
            written[f"{stem}_{name}_{method}.txt"] = xflr5.polar(
                stem, polar.method, polar.version, rows,
                polar.reynolds, polar.ncrit, polar.trips,
            )  # fmt: skip
    return written


def known(pick: Pick, conditions: Conditions) -> dict[float, xfoil.Point]:
    """Return XFoil's results for a pick in its geometry, by angle of attack."""
    return _verified(pick, conditions, conditions.reynolds)


def angle(values: Mapping[str, float], conditions: Conditions) -> float:
    """Return the first point's angle of attack of a section with these properties, in degrees.

    At a given lift coefficient it is NeuralFoil's, to the hundredth; NaN if that is not reached.
    """
    if conditions.cl is None:
        return conditions.alpha
    return round(values.get("alpha", np.nan), 2)


def stored_under(pick: Pick, conditions: Conditions, reynolds: float | None = None) -> str:
    """Return where XFoil's results for a pick in its geometry are stored.

    Args:
        pick: The pick.
        conditions: The flow.
        reynolds: Another Reynolds number than that of the first operating point.
    """
    return xfoil.stored_under(
        conditions.reynolds if reynolds is None else reynolds,
        pick.geometry,
        ncrit=conditions.ncrit,
        trips=conditions.trips,
    )


def _verified(pick: Pick, conditions: Conditions, reynolds: float) -> dict[float, xfoil.Point]:
    return xfoil.from_stored(pick.properties.get(stored_under(pick, conditions, reynolds)))


def _table(found: Sequence[PickPolar]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    last = "converged" if found[0].method == "XFoil" else "confidence"
    head = ("alpha", "CL", "CD", "CDp", "CM", "Top_Xtr", "Bot_Xtr", last)
    writer.writerow([*head, *CONDITIONS, "method", "network"])
    for polar in found:
        ends = np.isfinite(polar.cd) if polar.method == "XFoil" else polar.confidence
        columns = [*(getattr(polar, name) for name in xflr5.Row._fields), ends]
        flow = [f"{value:.6g}" for value in polar.flow]
        for row in zip(*columns, strict=True):
            values = [f"{float(value):.6g}" if np.isfinite(value) else "" for value in row]
            writer.writerow([*values, *flow, polar.method, polar.network])
    return stream.getvalue().encode()
