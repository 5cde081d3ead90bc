"""Section files contain its contour."""

import base64
import csv
import io

import numpy as np
import pytest

from explorer import sections
from explorer.data.airfoils import naca_section, parse_coordinates, resample
from explorer.designs import aerodynamics, formats, xfoil
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions
from tests.support.archives import ONE, manifest_of, members, packed, picked, sound, table_of
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
    files = formats.section_files(standardised(heights), section_sketch(), "wing-07", "decoded")
    found = resample(parse_coordinates(files["wing-07.dat"].decode("ascii")))
    np.testing.assert_allclose(found, heights, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_files_of_a_decoded_section_hold_its_contour(seed):
    pick = section_pick(seed)
    inside = members(packed(pick))
    contour = sections.contour(pick.source.sample.astype(np.float64), section_sketch())
    assert len(contour) == 129
    title, *rows = inside[ONE + ".dat"].decode("ascii").splitlines()
    assert title == "a-project-01"
    np.testing.assert_allclose(
        [tuple(map(float, row.split())) for row in rows], contour, atol=1e-6
    )
    points = parse_coordinates(inside[ONE + ".dat"].decode())
    np.testing.assert_allclose(points, contour, atol=1e-6)
    np.testing.assert_allclose(resample(points), resample(contour), atol=1e-5)
    header, *cells = csv.reader(io.StringIO(inside[ONE + ".csv"].decode()))
    assert header == ["x", "y"]
    np.testing.assert_allclose(np.array(cells, float), contour, atol=1e-6)


def test_a_smoothed_pick_goes_home_smoothed_and_says_so_and_keeps_what_was_decoded():
    plain, smooth = section_pick(), section_pick(treatment="smoothed")
    fit = sections.smoothed(plain.source.sample[None], section_sketch())[0]
    assert np.abs(fit - plain.source.sample).max() > 1e-3
    decoded, told = packed(plain), packed(smooth)
    contour = sections.contour(fit.astype(np.float64), section_sketch())
    points = parse_coordinates(members(told)[ONE + ".dat"].decode())
    np.testing.assert_allclose(points, contour, atol=1e-6)
    for ending in (".dat", ".csv", ".svg", ".dxf"):
        assert members(told)[ONE + ending] != members(decoded)[ONE + ending]
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
    title, *rows = inside[ONE + ".dat"].decode("ascii").splitlines()
    assert title == "a-project-01"
    points = np.array([row.split() for row in rows], float)
    assert len(points) == 257
    np.testing.assert_allclose(points[::2], sections.contour(shown, sketch), atol=1e-6)
    assert points[0, 1] >= points[-1, 1]
    upper, lower = points[128::-1], points[128:]
    np.testing.assert_array_equal(upper[:, 0], lower[:, 0])
    assert (upper[:, 1] >= lower[:, 1]).all()
    title, *beside = inside[ONE + "-decoded.dat"].decode("ascii").splitlines()
    assert title == "a-project-01-decoded"
    decoded = sections.contour(pick.source.sample.astype(np.float64), sketch)
    np.testing.assert_allclose([tuple(map(float, row.split())) for row in beside], decoded,
                               atol=1e-6)  # fmt: skip
    (entry,) = manifest_of(packed(pick))["picks"]
    assert entry["geometry"] == entry["treatment"] == "kulfan"
    assert base64.b64decode(entry["sample"]) == pick.source.sample.tobytes()


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


FLOW_COLUMNS = {"Re": "1e+06", "Mach": "0", "Ncrit": "9", "xtrf_top": "1", "xtrf_bottom": "1"}


def test_the_polar_of_a_section_is_that_of_its_table_and_xfoils_only_where_it_was_asked():
    pick = section_pick(treatment="kulfan")
    inside = members(packed(pick))
    assert not any("xfoil" in name.lower() for name in inside)
    rows = rows_of(inside[ONE + "-neuralfoil.csv"])
    assert [float(row["alpha"]) for row in rows] == [alpha / 2 for alpha in range(-12, 29)]
    polar = aerodynamics.polars(
        pick.shown[None], section_sketch(), np.array([4.0]), 1e6, aerodynamics.CAREFUL
    )
    expected = {"CL": polar.cl, "CD": polar.cd, "CM": polar.cm, "confidence": polar.confidence,
                "Top_Xtr": polar.top, "Bot_Xtr": polar.bottom}  # fmt: skip
    for name, value in expected.items():
        assert float(rows[20][name]) == pytest.approx(value[0, 0], rel=1e-5)
    told = {"method": "NeuralFoil", "network": aerodynamics.CAREFUL} | FLOW_COLUMNS
    assert all(row | told == row for row in rows)
    points = xfoil.as_stored(4.3, xfoil.Point(0.5, 0.01, -0.1)) | xfoil.as_stored(
        2.0, xfoil.FAILED
    )
    stored = {xfoil.stored_under(1e6, "kulfan"): points}
    asked = members(packed(section_pick(treatment="kulfan", properties=stored)))
    lost, found = rows_of(asked[ONE + "-xfoil.csv"])
    told = {"method": "XFoil", "network": ""} | FLOW_COLUMNS
    assert lost == lost | told | {"alpha": "2", "CL": "", "CD": "", "converged": "0"}
    assert found == found | told | {
        "alpha": "4.3", "CL": "0.5", "CD": "0.01", "CM": "-0.1", "converged": "1",
    }  # fmt: skip
    assert b"4.3," in asked[ONE + "-neuralfoil.csv"]


def test_the_table_names_the_flow_past_sections_alone():
    section, picture = section_pick(), picked(2, made())
    header, first, second = table_of(packed(section, picture, conditions=Conditions(alpha=2.5)))
    told = dict(zip(header, first, strict=True))
    flow = {"at alpha [°]": "2.5", "Re": "1000000.0", "Mach": "0.0", "Ncrit": "9.0"}
    assert told == told | flow | {"name": "a-project-01", "method": "NeuralFoil xlarge"}
    other = dict(zip(header, second, strict=True))
    assert {other[name] for name in (*flow, "method")} == {""}
    assert "Re" not in table_of(sound())[0]


def test_pictures_have_no_geometry():
    assert set(members(sound())) == {
        "candidates.csv", "manifest.json",
        *(f"a-project-0{n}/a-project-0{n}{name}" for n in (1, 2, 3)
          for name in ("-code.npy", ".png")),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_aerosandbox_opens_the_section_and_measures_the_same(seed, tmp_path):
    aerosandbox = pytest.importorskip("aerosandbox")
    pick = section_pick(seed, treatment="kulfan")
    for ending in (".dat", "-decoded.dat"):
        path = tmp_path / f"x{ending}"
        path.write_bytes(members(packed(pick))[ONE + ending])
        foil = aerosandbox.Airfoil(name="x", coordinates=path)
        geometry = "kulfan" if ending == ".dat" else "decoded"
        points = sections.outline(pick.source.sample, section_sketch(), geometry)
        np.testing.assert_allclose(foil.coordinates, points, atol=1e-6)
    foil = aerosandbox.Airfoil(name="x", coordinates=tmp_path / "x.dat")
    ours = {key: value[0] for key, value in measure(
        pick.source.sample[None], section_sketch(), geometry="kulfan"
    ).values.items()}  # fmt: skip
    assert 100 * foil.area() == pytest.approx(ours["area"], rel=2e-3)
    assert 100 * foil.max_thickness() == pytest.approx(ours["thickness"], rel=2e-3)
    assert 100 * abs(foil.max_camber()) == pytest.approx(abs(ours["camber"]), abs=0.02)
    assert 100 * foil.TE_thickness() == pytest.approx(ours["tail_gap"], abs=2e-3)
