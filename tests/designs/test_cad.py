"""Drawings are of the section, in millimetres, and open in other programs."""

import io
import re
from xml.etree import ElementTree

import ezdxf
import numpy as np
import pytest
from ezdxf import bbox
from ezdxf.entitydb import EntityDB
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import sections
from explorer.designs import cad
from tests.support.picks import drawn_section, section_sketch
from tests.support.sections import engine, naca_like

SVG = "{http://www.w3.org/2000/svg}"


def opened(content):
    sheet = ezdxf.read(io.StringIO(content.decode()))
    checked = sheet.audit()
    assert not checked.errors
    assert not checked.fixes
    return sheet


def curve_of(spline):
    return np.array([tuple(point)[:2] for point in spline.construction_tool().approximate(4000)])


def away(points, line):
    """Distance of points to a polyline."""
    start, step = line[:-1], np.diff(line, axis=0)
    along = ((points[:, None] - start) * step).sum(-1) / np.maximum((step * step).sum(-1), 1e-30)
    foot = start + np.clip(along, 0, 1)[..., None] * step
    return np.sqrt(((points[:, None] - foot) ** 2).sum(-1)).min(1)


def drawn(seed, geometry="kulfan"):
    sample = engine().sample(1, 1.0, seed).x[0]
    return cad.drawn(sample, section_sketch(), geometry)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("chord", [100.0, 1000.0, 3333.3])
def test_the_spline_passes_every_point_and_ends_at_the_chord(seed, chord):
    drawing = drawn(seed)
    sheet = opened(cad.dxf(drawing, "wing-07", chord))
    (spline,) = sheet.modelspace().query('SPLINE[layer=="SECTION"]')
    curve = curve_of(spline)
    assert away(chord * drawing.points, curve).max() < 2e-6 * chord + 1e-3
    size = bbox.extents(sheet.modelspace().query('*[layer=="SECTION"]')).size
    assert size.x == pytest.approx(chord, abs=0.01)
    assert size.y == pytest.approx(chord * np.ptp(drawing.points[:, 1]), abs=0.01 + 1e-4 * chord)
    (points,) = sheet.modelspace().query('LWPOLYLINE[layer=="POINTS"]')
    np.testing.assert_allclose(
        np.array(points.get_points("xy")), chord * drawing.points, atol=1e-9
    )


def test_the_spline_has_one_tangent_all_the_way_round_the_nose():
    for seed in range(6):
        (spline,) = opened(cad.dxf(drawn(seed), "x", 1.0)).modelspace().query("SPLINE")
        knots = np.array(spline.knots)
        tool = spline.construction_tool()
        inner, count = np.unique(knots[4:-4], return_counts=True)
        assert sorted(count)[-2:] == [1, 2]
        (nose,) = inner[count == 2]
        ahead, behind = (np.array(tool.derivative(nose + e, 1)[1])[:2] for e in (-1e-9, 1e-9))
        np.testing.assert_allclose(ahead, behind, atol=1e-5)
        np.testing.assert_allclose(ahead, [0, -1], atol=1e-5)
        np.testing.assert_allclose(np.array(tool.point(nose))[:2], [0, 0], atol=1e-9)


@given(st.integers(0, 60), st.floats(cad.LEAST_CHORD, cad.MOST_CHORD))
@settings(max_examples=12, deadline=None)
def test_any_valid_or_broken_section_is_drawn_without_an_error(seed, chord):
    for geometry in ("kulfan", "smoothed", "decoded"):
        drawing = cad.drawn(drawn_section(seed), section_sketch(), geometry)
        sheet = opened(cad.dxf(drawing, "x", chord, "a note"))
        found = sheet.modelspace().query('*[layer=="SECTION"]')
        assert bbox.extents(found).size.x >= chord - 0.01
        ElementTree.fromstring(cad.svg(drawing, "x", chord))


def test_a_drawing_says_millimetres_names_its_layers_and_is_the_same_every_time():
    drawing = drawn(1)
    content = cad.dxf(drawing, "wing-07", 250.0, "Kulfan section")
    assert content == cad.dxf(drawing, "wing-07", 250.0, "Kulfan section")
    assert not ezdxf.options.write_fixed_meta_data_for_testing
    sheet = opened(content)
    assert (sheet.units, sheet.header["$INSUNITS"], sheet.header["$MEASUREMENT"]) == (4, 4, 1)
    layers = {layer.dxf.name: layer.is_on() for layer in sheet.layers}
    assert layers == {"0": True, "Defpoints": True, "SECTION": True, "CHORD": True,
                      "NOTES": True, "POINTS": False}  # fmt: skip
    (chord,) = sheet.modelspace().query('LINE[layer=="CHORD"]')
    assert (tuple(chord.dxf.start), tuple(chord.dxf.end)) == ((0, 0, 0), (250, 0, 0))
    notes = [text.dxf.text for text in sheet.modelspace().query("TEXT")]
    assert notes == ["wing-07, chord 250 mm", "Kulfan section"]
    assert all(entity.dxf.layer != "0" for entity in sheet.modelspace())


def test_the_order_of_a_set_changes_nothing(monkeypatch):
    content = cad.dxf(drawn(1), "x", 1000.0)
    types = EntityDB.dxf_types_in_use
    for order in (False, True):
        monkeypatch.setattr(
            EntityDB,
            "dxf_types_in_use",
            lambda self, order=order: dict.fromkeys(sorted(types(self), reverse=order)).keys(),
        )
        assert cad.dxf(drawn(1), "x", 1000.0) == content


@pytest.mark.parametrize("gap", [0.0, 0.004])
def test_a_line_closes_an_open_trailing_edge_and_only_that(gap):
    drawing = cad.drawn(naca_like(gap), section_sketch(), "kulfan")
    space = opened(cad.dxf(drawing, "x", 1000.0)).modelspace()
    (spline,) = space.query("SPLINE")
    first, *_, last = (tuple(point) for point in spline.control_points)
    lines = space.query('LINE[layer=="SECTION"]')
    assert len(lines) == bool(gap)
    if gap:
        (line,) = lines
        assert (tuple(line.dxf.start), tuple(line.dxf.end)) == (last, first)
        assert np.subtract(first, last)[1] == pytest.approx(1000 * gap, abs=0.05)
    else:
        assert first == last


def test_decoded_heights_are_drawn_from_point_to_point():
    drawing = drawn(3, "decoded")
    space = opened(cad.dxf(drawing, "x", 1000.0)).modelspace()
    assert not space.query("SPLINE")
    (line,) = space.query('LWPOLYLINE[layer=="SECTION"]')
    np.testing.assert_allclose(np.array(line.get_points("xy")), 1000 * drawing.points, atol=1e-9)
    assert line.closed == drawing.gap


@pytest.mark.parametrize("geometry", ["kulfan", "decoded"])
@pytest.mark.parametrize("chord", [100.0, 1000.0])
@pytest.mark.parametrize("name", ["wing-07", "<&> ]]> \" '", "naïve \N{BAT}"])
def test_a_vector_drawing_is_true_to_size_and_within_its_frame(geometry, chord, name):
    drawing = drawn(2, geometry)
    root = ElementTree.fromstring(cad.svg(drawing, name, chord))
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == f"{name}, chord {chord:g} mm"
    left, top, width, height = map(float, root.get("viewBox").split())
    assert root.get("width") == f"{width:.4f}mm"
    assert root.get("height") == f"{height:.4f}mm"
    (path,) = root.findall(f"{SVG}path")
    assert path.get("vector-effect") == "non-scaling-stroke"
    points = np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d")), float)
    assert (points >= (left, top)).all()
    assert (points <= (left + width, top + height)).all()
    assert np.ptp(points[:, 0]) == pytest.approx(chord, abs=0.01)
    if geometry == "decoded":
        np.testing.assert_allclose(points, chord * drawing.points * (1, -1), atol=1e-3)
    else:
        assert away(chord * drawing.points * (1, -1), beziers(points)).max() < 2e-6 * chord + 1e-3


def beziers(points):
    """Walk along cubic Bézier curves that begin where the last one ends."""
    t = np.linspace(0, 1, 60)[:, None]
    return np.concatenate(
        [
            (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
            for a, b, c, d in zip(points[:-1:3], points[1::3], points[2::3], points[3::3],
                                  strict=True)
        ]
    )  # fmt: skip


def test_the_spline_is_the_kulfan_section_between_its_points_too():
    sketch = section_sketch()
    for seed in range(4):
        sample = engine().sample(1, 1.0, seed).x[0]
        drawing = cad.drawn(sample, sketch, "kulfan")
        shown = sections.shaped(sample[None], sketch).astype(np.float64)
        fit = sections.nearest(sections.surfaces(shown, sketch))
        root = np.linspace(0, 1, 777)
        exact = sections.rebuilt(fit, root**2)
        for spline, heights in ((drawing.upper, exact.upper), (drawing.lower, exact.lower)):
            np.testing.assert_allclose(spline(root)[:, 0], root**2, atol=1e-12)
            np.testing.assert_allclose(spline(root)[:, 1], heights[0], atol=1.01 * cad.CLOSE)
            assert len(np.unique(spline.t)) < 100
