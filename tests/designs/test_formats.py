"""Section files contain its contour."""

import base64
import csv
import io
import re
from xml.etree import ElementTree

import ezdxf
import numpy as np
import pytest

from explorer.data.airfoils import naca_section, parse_coordinates, resample
from explorer.designs import formats, geometry
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
    files = formats.section_files(standardised(heights), section_sketch(), "Pick 1")
    found = resample(parse_coordinates(files["section.dat"].decode("ascii")))
    np.testing.assert_allclose(found, heights, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_files_of_a_decoded_section_hold_its_contour(seed):
    pick = section_pick(seed)
    inside = members(packed(pick))
    contour = geometry.contour(pick.source.sample.astype(np.float64), section_sketch())
    assert len(contour) == 129
    title, *rows = inside["001/section.dat"].decode("ascii").splitlines()
    assert title == "Pick 1"
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
    contour = geometry.contour(pick.source.sample.astype(np.float64), section_sketch())
    np.testing.assert_allclose(np.array(line.get_points("xy")), contour, atol=1e-9)


@pytest.mark.parametrize("name", ["Pick 1", "<&> ]]> \" '", "naïve \N{BAT}"])
def test_a_vector_drawing_is_sound_xml_with_all_points_in_its_frame(name):
    pick = section_pick()
    files = formats.section_files(pick.source.sample, section_sketch(), name)
    root = ElementTree.fromstring(files["section.svg"])
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.find(f"{space}title").text == f"{name}, chord 1000"
    (drawn,) = root.findall(f"{space}path")
    assert drawn.get("d").startswith("M")
    assert drawn.get("d").endswith("Z")
    points = np.array(re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawn.get("d")), float)
    contour = geometry.contour(pick.source.sample.astype(np.float64), section_sketch())
    np.testing.assert_allclose(points, contour * (1000, -1000), atol=1e-3)
    left, top, width, height = map(float, root.get("viewBox").split())
    assert (points >= (left, top)).all()
    assert (points <= (left + width, top + height)).all()
    assert files["section.dat"].decode("ascii").splitlines()[1].split() == ["1.000000", *[
        f"{contour[0, 1]:.6f}"]]  # fmt: skip


def test_a_smoothed_pick_goes_home_smoothed_and_says_so_and_keeps_what_was_decoded():
    plain, smooth = section_pick(), section_pick(treatment="smoothed")
    fit = geometry.smoothed(plain.source.sample[None], section_sketch())[0]
    assert np.abs(fit - plain.source.sample).max() > 1e-3
    decoded, told = packed(plain), packed(smooth)
    contour = geometry.contour(fit.astype(np.float64), section_sketch())
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


def test_pictures_have_no_geometry():
    assert set(members(sound())) == {
        "candidates.csv", "manifest.json",
        *(f"00{n}/{name}" for n in (1, 2, 3) for name in ("code.npy", "picture.png")),
    }  # fmt: skip
