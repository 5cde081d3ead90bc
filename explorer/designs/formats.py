"""Designs in exchange formats: Selig .dat, CSV, SVG, DXF and NPY, and a table of many."""

import csv
import io
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from explorer import sections
from explorer.designs import aerodynamics, cad, polars
from explorer.designs.picks import Pick
from explorer.designs.properties import Conditions, Measured, Property
from explorer.sections import Geometry
from explorer.sketch import CurveSketch, PixelSketch

_CLOSED = 0.005
"""A gap that rounds to 0.00 % of the chord."""

_RISKY = (
    "=", "+", "-", "@", "\t", "\r",
    "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)  # fmt: skip


def section_files(
    sample: Float[np.ndarray, " stations"],
    sketch: PixelSketch | CurveSketch,
    stem: str,
    geometry: Geometry,
    chord: float = cad.CHORD,
    called: str = "",
) -> dict[str, bytes]:
    """Write one section's contour as Selig .dat and CSV in chords, SVG and DXF in millimetres.

    Args:
        sample: The section as decoded, in data units.
        sketch: How it is drawn.
        stem: Its name, in the first line of its .dat and of all its files.
        geometry: The geometry of the files; if it is not the decoded one, that is written too.
        chord: The chord of the drawings in millimetres.
        called: What the geometry is called, in their notes.
    """
    drawing = cad.drawn(sample, sketch, geometry)
    points = drawing.points
    table = ["x,y", *(f"{x:.6f},{y:.6f}" for x, y in points)]
    about = f"{called or sections.NAMES[geometry]}, {tail(points)}"
    files = {
        f"{stem}.dat": _dat(points, stem),
        f"{stem}.csv": "\n".join([*table, ""]).encode(),
        f"{stem}.svg": cad.svg(drawing, stem, chord),
        f"{stem}.dxf": cad.dxf(drawing, stem, chord, about),
    }
    if geometry != "decoded":
        decoded = sections.outline(sample, sketch, "decoded")
        files[f"{stem}-decoded.dat"] = _dat(decoded, f"{stem}-decoded")
    return files


def tail(points: Float[np.ndarray, "points 2"]) -> str:
    """Say how far the trailing edge of a contour is open."""
    gap = 100 * (points[0, 1] - points[-1, 1])
    return "closed tail" if abs(gap) < _CLOSED else f"tail gap {gap:.2f} % of the chord"


def _dat(points: Float[np.ndarray, "points 2"], name: str) -> bytes:
    """Write a contour as Selig .dat; other programs take its first line for its name."""
    lines = [name, *(f"{x: .6f} {y: .6f}" for x, y in points), ""]
    return "\n".join(lines).encode("ascii", "replace")


def table(
    picks: Sequence[Pick],
    measured: Sequence[Measured],
    stems: Sequence[str],
    conditions: Conditions,
) -> bytes:
    """Write one CSV row per pick, with its properties, their units, and the flow past sections.

    Args:
        picks: The picks.
        measured: Their properties, in order.
        stems: Their names.
        conditions: The conditions that sections were measured under.
    """
    columns: dict[str, str] = {}
    classes: dict[str, Property] = {}
    for found in measured:
        for item in found.properties:
            if item.key in found.values:
                unit = re.sub(r"[^\w²%°/]+", "", item.unit)
                columns.setdefault(item.key, f"{item.key} [{unit}]" if unit else item.key)
                classes |= {item.key: item} if item.classes else {}
    flow = _flow(conditions) if any(map(_is_section, picks)) else {}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(
        ["pick", "name", "stars", "verdict", "tags", "notes", "checkpoint", "hash", "data",
         "component", "scale", "seed", "page", "valid", "fault", "treatment", *flow,
         *columns.values()]
    )  # fmt: skip
    for pick, found, stem in zip(picks, measured, stems, strict=True):
        source, fault = pick.source, found.faults[0]
        known = [
            pick.number, stem, pick.stars, pick.verdict, "; ".join(pick.tags), pick.notes,
            f"{source.model.slug} {source.name}".strip(), source.model.hash, source.model.data,
            _blank(source.component), _blank(source.scale), _blank(source.seed), source.page,
            int(not fault), fault, pick.treatment,
        ]  # fmt: skip
        known += [value if _is_section(pick) else "" for value in flow.values()]
        values = [found.values.get(key, np.array([np.nan]))[0] for key in columns]
        said = [
            ""
            if not np.isfinite(value)
            else cell(classes[key].words(value))
            if key in classes
            else f"{value:.6g}"
            for key, value in zip(columns, values, strict=True)
        ]
        writer.writerow([*map(cell, known), *said])
    return sheet(stream)


def _flow(conditions: Conditions) -> dict[str, float | str]:
    """Return the columns of the conditions that sections are measured under, point by point."""
    columns: dict[str, float | str] = {}
    points = conditions.points
    for number, point in enumerate(points, 1):
        end = "" if number == 1 else f"_{number}"
        if point.cl is None:
            columns[f"at alpha{end} [°]"] = point.alpha
        else:
            columns[f"at CL{end}"] = point.cl
        columns[f"Re{end}"] = point.reynolds
        if len(points) > 1:
            columns[f"weight{end}"] = point.weight
    by = f"NeuralFoil {aerodynamics.QUICK}" if aerodynamics.available() else ""
    still = zip(polars.CONDITIONS[1:], (0.0, conditions.ncrit, *conditions.trips), strict=True)
    return {**columns, **dict(still), "method": by}


def _is_section(pick: Pick) -> bool:
    return sections.is_section(pick.source.model.sketch)


def _blank(value: object) -> object:
    return "" if value is None else value


def npy(array: np.ndarray) -> bytes:
    """Serialise an array as float32 .npy."""
    stream = io.BytesIO()
    np.save(stream, array.astype(np.float32), allow_pickle=False)
    return stream.getvalue()


def sheet(stream: io.StringIO) -> bytes:
    """Encode a table with the mark by which spreadsheets know that it is UTF-8."""
    return stream.getvalue().encode("utf-8-sig")


def cell(value: object) -> str:
    """Format a table cell; text that a spreadsheet might execute is quoted by an apostrophe."""
    text = str(value)
    if isinstance(value, int | float | np.number | np.bool_):
        return text
    return f"'{text}" if text.lstrip().startswith(_RISKY) or text.startswith(_RISKY) else text
