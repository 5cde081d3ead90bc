"""Section files contain its contour."""

import base64
import csv
import io
import re
from xml.etree import ElementTree

import ezdxf
import numpy as np
import pytest

from explorer import sections
from explorer.data.airfoils import naca_section, parse_coordinates, resample
from explorer.designs import aerodynamics, formats, xfoil
from tests.support.archives import manifest_of, members, packed, picked, sound, table_of
from tests.support.engines import CURVES, engine_of
from tests.support.picks import made, model_of, section_sketch


def section_pick(seed=1, **told):
    engine = engine_of(CURVES)
    x = engine.sample(1, 0.7, seed)
    return picked(
        1,
        made(model=model_of(engine.sketch, "0123", CURVES, "airfoils"), code=x.z[0],
             sample=x.x[0]),
        **told,
    )  # fmt: skip


def standardised(heights):
    sketch = section_sketch()
    return ((heights - np.asarray(sketch.loc)) / np.asarray(sketch.scale)).astype(np.float32)


@pytest.mark.parametrize("code", ["0012", "2412", "23012", "6409"])
def test_a_coordinate_file_is_read_back_to_the_same_heights(code):
    heights = naca_section(code)
    files = formats.section_files(standardised(heights), section_sketch(), "Pick 1", "decoded")
    found = resample(parse_coordinates(files["section.dat"].decode("ascii")))
    np.testing.assert_allclose(found, heights, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_files_of_a_decoded_section_hold_its_contour(seed):
    pick = section_pick(seed)
    inside = members(packed(pick))
    contour = sections.contour(pick.source.sample.astype(np.float64), section_sketch())
    assert len(contour) == 129
    title, *rows = inside["001/section.dat"].decode("ascii").splitlines()
    assert title.startswith("Pick 1, as decoded, ")
    np.testing.assert_allclose(
        [tuple(map(float, row.split())) for row in rows], contour, atol=1e-6
    )
    points = parse_coordinates(inside["001/section.dat"].decode())
    np.testing.assert_allclose(points, contour, atol=1e-6)
    np.testing.assert_allclose(resample(points), resample(contour), atol=1e-5)
    header, *cells = csv.reader(io.StringIO(inside["001/section.csv"].decode()))
    assert header == ["x", "y"]
    np.testing.assert_allclose(np.array(cells, float), contour, atol=1e-6)


def test_a_drawing_for_cad_is_one_closed_line_through_all_points():
    pick = section_pick()
    text = members(packed(pick))["001/section.dxf"].decode()
    sheet = ezdxf.read(io.StringIO(text))
    assert not sheet.audit().has_errors
    (line,) = sheet.modelspace()
    assert line.dxftype() == "LWPOLYLINE"
    assert line.closed
    contour = sections.contour(pick.source.sample.astype(np.float64), section_sketch())
    np.testing.assert_allclose(np.array(line.get_points("xy")), contour, atol=1e-9)


@pytest.mark.parametrize("name", ["Pick 1", "<&> ]]> \" '", "naïve \N{BAT}"])
def test_a_vector_drawing_is_sound_xml_with_all_points_in_its_frame(name):
    pick = section_pick()
    files = formats.section_files(pick.source.sample, section_sketch(), name, "decoded")
    root = ElementTree.fromstring(files["section.svg"])
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.find(f"{space}title").text == f"{name}, chord 1000"
    (drawn,) = root.findall(f"{space}path")
    assert drawn.get("d").startswith("M")
    assert drawn.get("d").endswith("Z")
    points = np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawn.get("d")), float)
    contour = sections.contour(pick.source.sample.astype(np.float64), section_sketch())
    np.testing.assert_allclose(points, contour * (1000, -1000), atol=1e-3)
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (points >= (left, top)).all()
    assert (points <= (left + width, top + height)).all()
    assert files["section.dat"].decode("ascii").splitlines()[1].split() == ["1.000000", *[
        f"{contour[0, 1]:.6f}"]]  # fmt: skip


def test_a_smoothed_pick_goes_home_smoothed_and_says_so_and_keeps_what_was_decoded():
    plain, smooth = section_pick(), section_pick(treatment="smoothed")
    fit = sections.smoothed(plain.source.sample[None], section_sketch())[0]
    assert np.abs(fit - plain.source.sample).max() > 1e-3
    decoded, told = packed(plain), packed(smooth)
    contour = sections.contour(fit.astype(np.float64), section_sketch())
    points = parse_coordinates(members(told)["001/section.dat"].decode())
    np.testing.assert_allclose(points, contour, atol=1e-6)
    for name in ("section.dat", "section.csv", "section.svg", "section.dxf"):
        assert members(told)[f"001/{name}"] != members(decoded)[f"001/{name}"]
    (entry,), (bare,) = manifest_of(told)["picks"], manifest_of(decoded)["picks"]
    assert entry["treatment"] == "smoothed"
    assert bare.get("treatment", "") == ""
    assert entry["sample"] == bare["sample"]
    assert base64.b64decode(entry["sample"]) == plain.source.sample.tobytes()
    header, row = table_of(told)
    assert row[header.index("treatment")] == "smoothed"


@pytest.mark.parametrize("seed", range(4))
def test_a_kulfan_section_goes_home_with_the_decoded_one_beside_it(seed):
    pick = section_pick(seed, treatment="kulfan")
    inside = members(packed(pick))
    sketch = section_sketch()
    shown = sections.shaped(pick.source.sample[None], sketch)[0].astype(np.float64)
    title, *rows = inside["001/section.dat"].decode("ascii").splitlines()
    assert title.startswith("Pick 1, kulfan section, ")
    points = np.array([row.split() for row in rows], float)
    assert len(points) == 257
    np.testing.assert_allclose(points[::2], sections.contour(shown, sketch), atol=1e-6)
    gap = 100 * (points[0, 1] - points[-1, 1])
    assert gap >= 0
    assert title.endswith(f"tail gap {gap:.2f} % of the chord" if gap else "closed tail")
    upper, lower = points[128::-1], points[128:]
    np.testing.assert_array_equal(upper[:, 0], lower[:, 0])
    assert (upper[:, 1] >= lower[:, 1]).all()
    beside = inside["001/section-decoded.dat"].decode("ascii").splitlines()[1:]
    decoded = sections.contour(pick.source.sample.astype(np.float64), sketch)
    np.testing.assert_allclose([tuple(map(float, row.split())) for row in beside], decoded,
                               atol=1e-6)  # fmt: skip
    (entry,) = manifest_of(packed(pick))["picks"]
    assert entry["geometry"] == entry["treatment"] == "kulfan"
    assert base64.b64decode(entry["sample"]) == pick.source.sample.tobytes()


def test_the_polar_of_a_section_is_that_of_its_table_and_xfoils_only_where_it_was_asked():
    pick = section_pick(treatment="kulfan")
    inside = members(packed(pick))
    assert "001/polar-xfoil.csv" not in inside
    header, *rows = csv.reader(io.StringIO(inside["001/polar-neuralfoil.csv"].decode()))
    assert header == ["alpha", "CL", "CD", "CM", "confidence"]
    assert [float(row[0]) for row in rows] == [float(alpha) for alpha in range(-6, 15)]
    polar = aerodynamics.polars(
        pick.shown[None], section_sketch(), np.array([4.0]), 1e6, aerodynamics.CAREFUL
    )
    at = [float(value) for value in rows[10]]
    np.testing.assert_allclose(at, [4.0, *(part[0, 0] for part in polar[1:])], rtol=1e-5)
    points = xfoil.as_stored(4.5, xfoil.Point(0.5, 0.01, -0.1)) | xfoil.as_stored(
        2.0, xfoil.FAILED
    )
    stored = {xfoil.stored_under(1e6, "kulfan"): points}
    asked = members(packed(section_pick(treatment="kulfan", properties=stored)))
    assert asked["001/polar-xfoil.csv"].decode().splitlines() == [
        "alpha,CL,CD,CM,converged", "2,,,,0", "4.5,0.5,0.01,-0.1,1",
    ]  # fmt: skip
    assert b"4.5," in asked["001/polar-neuralfoil.csv"]


def test_pictures_have_no_geometry():
    assert set(members(sound())) == {
        "candidates.csv", "manifest.json",
        *(f"00{n}/{name}" for n in (1, 2, 3) for name in ("code.npy", "picture.png")),
    }  # fmt: skip
