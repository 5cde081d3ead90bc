"""Wing sections are what their names say, in every layout of coordinates."""

import zipfile

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from explorer.data.airfoils import (
    TWINS_CHORDS,
    naca_section,
    parse_coordinates,
    resample,
    stations,
)
from explorer.data.foremost import turned_by_foremost_point
from explorer.errors import DataError
from explorer.settings import current
from tests.support.data import ARCHIVES, SPLITS, chord_heights, one_sentence, read


@pytest.mark.parametrize("kind", ["airfoils", "naca"])
def test_sections_are_standardised_with_the_training_moments(kind):
    x = read(kind).train.x.astype(np.float64)
    varies = np.asarray(read(kind).sketch.scale) > 1.5e-6
    assert varies.sum() >= 126  # a closed trailing edge does not vary
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0)[varies], 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["airfoils", "naca"])
def test_drawn_sections_are_sane(kind):
    assert read(kind).sketch.stations()[64] == 0
    for name in SPLITS:
        heights = chord_heights(kind, name)
        assert (heights[:, 64] == 0).all()
        thickness = heights[:, :64] - heights[:, :64:-1]
        assert thickness.min() > -0.003
        assert thickness.max(axis=1).min() > 0.005
        assert thickness.max() < 0.6


def test_drawn_sections_return_to_the_files_units():
    source = current().data / ARCHIVES["airfoils"]
    data = read("airfoils")
    with zipfile.ZipFile(source) as archive:
        names = sorted(archive.namelist())
        for row in range(0, 150, 10):
            text = archive.read(names[data.test.ids[row]]).decode("latin-1")
            drawn = np.delete(data.sketch.heights(data.test.x[row]), 64)
            np.testing.assert_allclose(drawn, turned_by_foremost_point(text), atol=1e-6)


def test_near_twins_never_lie_in_two_splits():
    heights = {name: chord_heights("airfoils", name) for name in SPLITS}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        distance = cdist(heights[one], heights[other], "chebyshev").min()
        assert distance >= TWINS_CHORDS - 1e-6


def test_stations_run_from_the_trailing_edge_to_the_nose_and_back():
    x = stations()
    assert x.shape == (128,)
    assert x[0] == x[-1] == 1
    assert (np.diff(x[:64]) < 0).all()
    np.testing.assert_array_equal(x[:64], x[:63:-1])


def naca_0012_half_thickness(x):
    return 0.6 * (0.2969 * np.sqrt(x) - 0.1260 * x - 0.3516 * x**2 + 0.2843 * x**3 - 0.1036 * x**4)


def test_naca_0012_is_its_closed_form():
    heights, x = naca_section("0012"), stations()
    expected = naca_0012_half_thickness(x)
    np.testing.assert_allclose(heights[:64], expected[:64], atol=1e-6)
    np.testing.assert_allclose(heights[64:], -expected[64:], atol=1e-6)
    assert (heights[:64] - heights[:63:-1]).max() == pytest.approx(0.12, abs=1e-3)


@pytest.mark.parametrize(
    ("code", "camber", "position"),
    [("2412", 0.02, 0.4), ("4415", 0.04, 0.4), ("23012", 0.0184, 0.15)],
)
def test_naca_camber_has_its_height_and_place(code, camber, position):
    heights, x = naca_section(code), stations()[63::-1]
    line = ((heights[:64] + heights[:63:-1]) / 2)[::-1]
    assert line.max() == pytest.approx(camber, abs=2e-4)
    assert np.interp(position, x, line) == pytest.approx(camber, abs=3e-4)
    thickness = (heights[:64] - heights[:63:-1]).max()
    assert thickness == pytest.approx(int(code[-2:]) / 100, abs=1e-3)


@pytest.mark.parametrize(
    "code", ["", "12", "0000", "2012", "26012", "23112", "abcd", "²412", "24120000"]
)
def test_unknown_naca_codes_are_refused(code):
    with pytest.raises(DataError) as error:
        naca_section(code)
    assert one_sentence(error)


def contour(points=60):
    x = (1 - np.cos(np.linspace(0, np.pi, points))) / 2
    upper = np.stack([x, naca_0012_half_thickness(x)], axis=1)
    return upper, upper * [1, -1]


def write(rows):
    return "\n".join(f"{x:.7f} {y:.7f}" for x, y in rows)


def layouts():
    upper, lower = contour()
    selig = np.concatenate([upper[::-1], lower[1:]])
    return {
        "selig": "NACA 0012\n" + write(selig),
        "selig without a name": write(selig),
        "selig from below": "NACA 0012\n# reversed\n" + write(selig[::-1]),
        "selig in percent": "NACA 0012\n" + write(selig * 100),
        "lednicer": f"NACA 0012\n 60. 60.\n\n{write(upper)}\n\n{write(lower)}\n",
        "lednicer with CRLF": f"NACA 0012\n60 60\n{write(upper)}\n\n{write(lower)}".replace(
            "\n", "\r\n"
        ),
        "lednicer without counts": f"NACA 0012\n{write(upper)}\n\n{write(lower)}",
        "turned and moved": "NACA 0012\n" + write(selig @ [[0.96, 0.28], [-0.28, 0.96]] + 0.3),
    }


@pytest.mark.parametrize("text", layouts().values(), ids=layouts().keys())
def test_every_layout_of_coordinates_gives_the_same_section(text):
    np.testing.assert_allclose(resample(parse_coordinates(text)), naca_section("0012"), atol=2e-4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NACA 0012\n",
        "NACA 0012\n1 0\n0 0\n1 0\n",
        layouts()["lednicer"].replace("60. 60.", "60. 59."),
        layouts()["selig"] + "\nnan 0",
        layouts()["selig"] + "\n0.5 inf",
        write(np.tile([[0.5, 0.5]], (40, 1))),
        write(np.concatenate([contour()[0][::-1], contour()[0][1:]])),
        write(np.concatenate([contour()[0][::-1], contour()[1][1:]]) * [1, 9]),
        write(np.random.default_rng(0).random((40, 2))),
        "\n".join(layouts()["selig"].split("\n")[25:]),
    ],
    ids=[
        "empty",
        "name",
        "three",
        "counts",
        "nan",
        "inf",
        "point",
        "flat",
        "thick",
        "noise",
        "half",
    ],
)
def test_what_is_no_section_is_refused_in_one_sentence(text):
    with pytest.raises(DataError) as error:
        resample(parse_coordinates(text))
    assert one_sentence(error)
