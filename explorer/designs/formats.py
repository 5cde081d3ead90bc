"""Designs in exchange formats: Selig .dat, CSV, SVG, DXF and NPY, and a table of many."""

import csv
import io
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from explorer import sections
from explorer.designs.picks import Pick
from explorer.designs.properties import Measured
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
    name: str,
    geometry: Geometry,
    called: str = "",
) -> dict[str, bytes]:
    """Write one section's contour as Selig .dat, CSV, SVG and DXF; the chord is 1.

    Args:
        sample: The section as decoded, in data units.
        sketch: How it is drawn.
        name: Its title.
        geometry: The geometry of the files; if it is not the decoded one, that is written too.
        called: What the geometry is called in them, if not by its name.
    """
    points = sections.outline(sample, sketch, geometry)
    table = ["x,y", *(f"{x:.6f},{y:.6f}" for x, y in points)]
    files = {
        "section.dat": _dat(points, f"{name}, {(called or sections.NAMES[geometry]).lower()}"),
        "section.csv": "\n".join([*table, ""]).encode(),
        "section.svg": _svg(points, name),
        "section.dxf": _dxf(points),
    }
    if geometry != "decoded":
        decoded = sections.outline(sample, sketch, "decoded")
        files["section-decoded.dat"] = _dat(decoded, f"{name}, as decoded")
    return files


def _dat(points: Float[np.ndarray, "points 2"], name: str) -> bytes:
    """Write a contour as Selig .dat; its title names what it is, and the gap at its tail."""
    gap = 100 * (points[0, 1] - points[-1, 1])
    tail = "closed tail" if abs(gap) < _CLOSED else f"tail gap {gap:.2f} % of the chord"
    lines = [f"{name}, {tail}", *(f"{x: .6f} {y: .6f}" for x, y in points), ""]
    return "\n".join(lines).encode("ascii", "replace")


def table(picks: Sequence[Pick], measured: Sequence[Measured]) -> bytes:
    """Write one CSV row per pick, with its properties and their units."""
    columns: dict[str, str] = {}
    for found in measured:
        for item in found.properties:
            if item.key in found.values:
                unit = re.sub(r"[^\w²%°/]+", "", item.unit)
                columns.setdefault(item.key, f"{item.key} [{unit}]" if unit else item.key)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(
        ["pick", "stars", "verdict", "tags", "notes", "checkpoint", "hash", "data", "component",
         "scale", "seed", "page", "valid", "fault", "treatment", *columns.values()]
    )  # fmt: skip
    for pick, found in zip(picks, measured, strict=True):
        source, fault = pick.source, found.faults[0]
        known = [
            pick.number, pick.stars, pick.verdict, "; ".join(pick.tags), pick.notes,
            f"{source.model.slug} {source.name}".strip(), source.model.hash, source.model.data,
            _blank(source.component), _blank(source.scale), _blank(source.seed), source.page, int(not fault), fault,
            pick.treatment,
        ]  # fmt: skip
        values = [found.values.get(key, np.array([np.nan]))[0] for key in columns]
        writer.writerow(
            [*map(cell, known), *(f"{v:.6g}" if np.isfinite(v) else "" for v in values)]
        )
    return sheet(stream)


def _blank(value: object) -> object:
    return "" if value is None else value


def _svg(points: Float[np.ndarray, "points 2"], name: str) -> bytes:
    low, high = float(points[:, 1].min()), float(points[:, 1].max())
    path = "M" + " L".join(f"{1000 * x:.3f},{-1000 * y:.3f}" for x, y in points) + " Z"
    left, width = float(points[:, 0].min()), float(np.ptp(points[:, 0]))
    edges = (1000 * left - 20, -1000 * high - 20, 1000 * width + 40, 1000 * (high - low) + 40)
    box = " ".join(f"{edge:.1f}" for edge in edges)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">\n'
        f"<title>{_plain(name)}, chord 1000</title>\n"
        f'<path d="{path}" fill="none" stroke="#1f2937" stroke-width="2"/>\n</svg>\n'
    ).encode()


def _plain(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _dxf(points: Float[np.ndarray, "points 2"]) -> bytes:
    from ezdxf.filemanagement import new

    sheet = new("R2010", setup=False)
    sheet.modelspace().add_lwpolyline([(float(x), float(y)) for x, y in points], close=True)
    stream = io.StringIO()
    sheet.write(stream)
    return stream.getvalue().encode()


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
