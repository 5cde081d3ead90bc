"""Sections in millimetres for drawing and cutting: DXF with layers, and SVG.

A Kulfan section is smooth in the root of x, its leading edge included: cubic splines in it pass
the chord's ends exactly, and anything between within a millionth of the chord.
"""

import io
import threading
from itertools import pairwise
from typing import Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field
from scipy.interpolate import BSpline, make_interp_spline

from explorer import sections
from explorer.sections import Geometry
from explorer.sketch import CurveSketch, PixelSketch

LEAST_CHORD, CHORD, MOST_CHORD = 50.0, 1000.0, 5000.0
Chord = Annotated[float, Field(ge=LEAST_CHORD, le=MOST_CHORD, allow_inf_nan=False)]
"""The chord of drawings in millimetres."""

CLOSE = 1e-6
"""Largest distance between the spline and the section, in chords."""

_SPANS = (16, 24, 32, 40, 48, 64, 96, 128)
_BLUNT = 0.02
"""A surface that rises less steeply from the leading edge has no tangent across the chord."""

_LOCK = threading.Lock()

Points = Float[np.ndarray, "points 2"]


class Drawing(NamedTuple):
    """A section in chords: its points, and the two splines from the leading edge aft, if any."""

    points: Points
    upper: BSpline | None
    lower: BSpline | None

    @property
    def gap(self) -> bool:
        """Whether the trailing edge is open."""
        return not np.array_equal(self.points[0], self.points[-1])


def drawn(
    sample: Float[np.ndarray, " stations"], sketch: PixelSketch | CurveSketch, geometry: Geometry
) -> Drawing:
    """Return a decoded section as it is drawn in a geometry.

    Only a Kulfan section is known between its stations: others are drawn point to point.
    """
    points = sections.outline(sample, sketch, geometry)
    if geometry != "kulfan":
        return Drawing(points, None, None)
    shown = sections.shaped(sample[None], sketch, geometry).astype(np.float64)
    shape = sections.surfaces(shown, sketch)
    fit = sections.nearest(shape)
    end = float(np.sqrt(shape.x[-1]))
    upper, lower = (_surface(fit, side, end) for side in (0, 1))
    return Drawing(points, upper, lower)


def svg(drawing: Drawing, name: str, chord: float) -> bytes:
    """Draw a section in millimetres, true to size; the origin is at its leading edge.

    Args:
        drawing: The section.
        name: Its title.
        chord: Its chord in millimetres.
    """
    margin = max(2.0, 0.02 * chord)
    low, high = chord * drawing.points.min(0), chord * drawing.points.max(0)
    width, height = (high - low + 2 * margin).tolist()
    box = f"{low[0] - margin:.4f} {-high[1] - margin:.4f} {width:.4f} {height:.4f}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width:.4f}mm" height="{height:.4f}mm" viewBox="{box}">\n'
        f"<title>{_plain(name)}, chord {chord:g} mm</title>\n"
        f'<path d="{_path(drawing, chord)}" fill="none" stroke="#1f2937" '
        'stroke-width="1" vector-effect="non-scaling-stroke"/>\n</svg>\n'
    ).encode()


def dxf(drawing: Drawing, name: str, chord: float, notes: str = "") -> bytes:
    """Draw a section in millimetres as DXF (R2010).

    On layer SECTION lies the closed contour: a spline, and a line across an open trailing edge.
    CHORD holds the chord line, NOTES text below it, and POINTS, which is off, the points.

    Args:
        drawing: The section.
        name: Its name.
        chord: Its chord in millimetres.
        notes: A further line of text.
    """
    from ezdxf import units
    from ezdxf._options import options
    from ezdxf.enums import TextEntityAlignment
    from ezdxf.filemanagement import new

    with _LOCK:
        before = options.write_fixed_meta_data_for_testing
        # Dates and random identifiers: the same section would be another file each time.
        options.write_fixed_meta_data_for_testing = True
        try:
            sheet = new("R2010", setup=["linetypes"])
            sheet.units, sheet.header["$MEASUREMENT"] = units.MM, 1
            for layer, colour, line in (
                ("SECTION", 7, "CONTINUOUS"),
                ("CHORD", 8, "CENTER"),
                ("NOTES", 3, "CONTINUOUS"),
                ("POINTS", 5, "CONTINUOUS"),
            ):
                sheet.layers.add(layer, color=colour, linetype=line)
            sheet.layers.get("POINTS").off()
            space, points = sheet.modelspace(), chord * drawing.points
            on = {"layer": "SECTION"}
            if drawing.upper is None:
                space.add_lwpolyline(points.tolist(), close=drawing.gap, dxfattribs=on)
            else:
                knots, control = _joined(drawing)
                spline = space.add_spline(degree=3, dxfattribs=on)
                spline.knots = knots.tolist()
                spline.control_points = [(x, y, 0.0) for x, y in (chord * control).tolist()]
                if drawing.gap:
                    start, *_, stop = (chord * control).tolist()
                    space.add_line(stop, start, dxfattribs=on)
            space.add_lwpolyline(points.tolist(), dxfattribs={"layer": "POINTS"})
            space.add_line((0, 0), (chord, 0), dxfattribs={"layer": "CHORD"})
            size = 0.015 * chord
            below = float(points[:, 1].min())
            for row, text in enumerate(filter(None, (f"{name}, chord {chord:g} mm", notes))):
                at = (0, below - 2 * size * (row + 1.5))
                space.add_text(text, height=size, dxfattribs={"layer": "NOTES"}).set_placement(
                    at, align=TextEntityAlignment.LEFT
                )
            # Left to itself ezdxf lists classes in the order of a set, another in each process.
            for kind in sorted(sheet.entitydb.dxf_types_in_use()):
                sheet.classes.add_class(kind)
            stream = io.StringIO()
            sheet.write(stream)
        finally:
            options.write_fixed_meta_data_for_testing = before
    return stream.getvalue().encode()


def _surface(fit: sections.Kulfan, side: int, end: float) -> BSpline:
    """Interpolate one surface in the root of x, with as few spans as are close enough."""
    fine = np.linspace(0, end, 4001)
    exact = _heights(fit, side, fine)
    slope = float((fit.lower if side else fit.upper)[0, 0])
    for spans in _SPANS:
        # Closer together towards the trailing edge, where the weights' polynomials are steepest.
        root = end * np.sin(np.linspace(0, np.pi / 2, spans + 1))
        values = np.stack([root**2, _heights(fit, side, root)], axis=1)
        # The derivative at the leading edge, and no knot one span before the other end.
        knots = np.concatenate([[0.0] * 4, root[1:-2], [end] * 4])
        spline = make_interp_spline(root, values, 3, knots, ([(1, np.array([0.0, slope]))], None))
        if np.abs(spline(fine)[:, 1] - exact).max() < CLOSE:
            break
    return spline


def _heights(
    fit: sections.Kulfan, side: int, root: Float[np.ndarray, " places"]
) -> Float[np.ndarray, " places"]:
    shape = sections.rebuilt(fit, root**2)
    return (shape.lower if side else shape.upper)[0]


def _joined(drawing: Drawing) -> tuple[Float[np.ndarray, " knots"], Points]:
    """Join both surfaces to one cubic spline, from the upper trailing edge to the lower.

    Parameters are scaled so that it passes the leading edge at one speed: then its tangent is
    continuous, and the point there follows from its neighbours.
    """
    assert drawing.upper is not None
    assert drawing.lower is not None
    up, down = (float(side.derivative()(0.0)[1]) for side in (drawing.upper, drawing.lower))
    round_nose = up > _BLUNT and -down > _BLUNT
    fore, aft = (up, -down) if round_nose else (1.0, 1.0)
    before = -fore * drawing.upper.t[::-1]
    after = aft * drawing.lower.t
    head, rest = drawing.upper.c[::-1], drawing.lower.c
    if round_nose:
        knots = np.concatenate([before[:-4], [0.0, 0.0], after[4:]])
        return knots - knots[0], np.concatenate([head[:-1], rest[1:]])
    knots = np.concatenate([before[:-4], [0.0, 0.0, 0.0], after[4:]])
    return knots - knots[0], np.concatenate([head, rest[1:]])


def _path(drawing: Drawing, chord: float) -> str:
    """Write the closed contour as an SVG path; each span of a spline is one Bézier curve."""

    def pair(point: Float[np.ndarray, " 2"]) -> str:
        return f"{chord * point[0]:.4f},{-chord * point[1]:.4f}"

    if drawing.upper is None or drawing.lower is None:
        return "M" + " L".join(map(pair, drawing.points)) + " Z"
    parts = [f"M{pair(drawing.points[0])}"]
    for side, back in ((drawing.upper, True), (drawing.lower, False)):
        ends, speed = np.unique(side.t), side.derivative()
        spans = [*pairwise(ends)]
        for start, stop in reversed(spans) if back else spans:
            first, last = (stop, start) if back else (start, stop)
            third = (last - first) / 3
            parts.append(
                f"C{pair(side(first) + third * speed(first))} "
                f"{pair(side(last) - third * speed(last))} {pair(side(last))}"
            )
    return " ".join(parts) + " Z"


def _plain(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
