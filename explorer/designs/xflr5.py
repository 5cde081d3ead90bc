"""Polars in the text form of XFoil, which XFLR5 and flow5 import beside a section."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_HEAD = "   alpha    CL        CD       CDp       CM     Top_Xtr  Bot_Xtr"
_RULE = "  ------ -------- --------- --------- -------- -------- --------"


class Row(NamedTuple):
    """Coefficients at one angle of attack, and where transition is on both surfaces (x/c)."""

    alpha: float
    cl: float
    cd: float
    cdp: float
    cm: float
    top: float
    bottom: float


def name(reynolds: float, ncrit: float, trips: tuple[float, float]) -> str:
    """Return the name XFLR5 itself gives to such a polar, such as `T1_Re1.000_M0.00_N9.0`.

    Forced transition is added as x/c; “%”, which XFLR5 writes, is avoided in file names.
    """
    forced = "".join(
        f"_Xtr{side}{trip:.2f}" for side, trip in zip(("Top", "Bot"), trips, strict=True)
    )
    return f"T1_Re{_millions(reynolds)}_M0.00_N{ncrit:.1f}{'' if min(trips) == 1 else forced}"


def polar(
    section: str,
    code: str,
    version: str,
    rows: Iterable[Row],
    reynolds: float,
    ncrit: float,
    trips: tuple[float, float],
) -> bytes:
    """Write a polar at a fixed Reynolds number and Mach 0.

    XFLR5 finds the section by its name, reads settings at fixed columns, divides rows at blanks,
    and takes the last line for the end of the file whatever it holds: it is left empty. What is
    not known is 0, as in XFoil without a boundary layer; the first line says so.

    Args:
        section: The name in the first line of the section's .dat.
        code: What computed it.
        version: Its version, on one line: XFoil passes over a line that says “Version”, and takes
            others for the names of columns.
        rows: Its points, by angle of attack; those without a drag are left out.
        reynolds: Reynolds number of the chord.
        ncrit: Exponent of amplification at transition.
        trips: x/c of forced transition on the upper and the lower surface; 1 is free.
    """
    found = [row for row in rows if np.isfinite([row.alpha, row.cl, row.cd, row.cm]).all()]
    known = np.isfinite(np.array(found).reshape(-1, len(Row._fields))).all(0)
    lacking = [
        words
        for words, column in (("CDp", 3), ("Top_Xtr", 5), ("Bot_Xtr", 6))
        if not known[column]
    ]
    said = f"; {', '.join(lacking)} not known, written as 0" if found and lacking else ""
    lines = [
        "",
        f"       {code}         Version {version}{said}",
        "",
        f" Calculated polar for: {section}",
        "",
        " 1 1 Reynolds number fixed          Mach number fixed",
        "",
        f" xtrf = {trips[0]:7.3f} (top)      {trips[1]:7.3f} (bottom)",
        f" Mach = {0:7.3f}     Re ={_millions(reynolds):>10} e 6     Ncrit ={_exponent(ncrit)}",
        "",
        _HEAD,
        _RULE,
        *(_line(row) for row in found),
        "",
        "",
    ]
    return "\n".join(lines).encode("ascii", "replace")


def _millions(reynolds: float) -> str:
    """Write a Reynolds number over 10⁶ with XFoil's three decimals, or as many as it needs."""
    short = f"{reynolds / 1e6:.3f}"
    return short if abs(float(short) * 1e6 - reynolds) < 0.5 else f"{reynolds / 1e6:.6f}"


def _exponent(ncrit: float) -> str:
    # XFLR5 reads it from the column where “9.000” begins: a second digit moves right, not left.
    return f"   {ncrit:.3f}"


def _line(row: Row) -> str:
    alpha, cl, cd, cdp, cm, top, bottom = np.nan_to_num(np.array(row)).tolist()
    return (
        f" {alpha:z7.3f} {cl:z8.4f} {cd:z9.5f} {cdp:z9.5f} {cm:z8.4f} {top:z8.4f} {bottom:z8.4f}"
    )
