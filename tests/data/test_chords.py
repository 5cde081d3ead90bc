"""A section's numbers are its own: they hardly depend on which points a file has of it."""

import numpy as np
import pytest

from explorer.data.chords import fitted, resample
from explorer.data.opened import open_section
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions
from explorer.errors import DataError
from tests.support.sections import naca, sketch

SECTION = (0.04, 0.4, 0.18)
"""NACA 4418, whose foremost point lies between the points of most files."""


def numbers(points, **how):
    text = "\n".join(f"{x:.6f} {y:.6f}" for x, y in points).encode()
    opened = open_section(text, "a.dat", sketch(), **how)
    found = measure(opened.x[None], sketch(), Conditions(alpha=4 + opened.turn)).values
    return {key: float(found[key][0]) for key in ("thickness", "camber", "nose_radius", "cl")}


@pytest.mark.parametrize("points", [20, 30, 60, 100, 300, 2000])
def test_the_numbers_of_a_section_do_not_depend_on_the_count_of_its_points(points):
    fine, found = numbers(naca(*SECTION, points=1000)), numbers(naca(*SECTION, points=points))
    assert found["thickness"] == pytest.approx(fine["thickness"], rel=1e-3)
    assert found["camber"] == pytest.approx(fine["camber"], rel=4e-3)
    assert found["nose_radius"] == pytest.approx(fine["nose_radius"], rel=2e-3)
    assert found["cl"] == pytest.approx(fine["cl"], rel=2e-3)


def test_the_lift_at_an_angle_in_the_files_axes_is_xfoils():
    # XFoil 6.99 on the file itself at 4 degrees, Re 1e6.
    assert numbers(naca(*SECTION, points=60))["cl"] == pytest.approx(0.829, abs=0.005)


@pytest.mark.parametrize("points", [20, 30, 60, 200, 1000, 5000])
@pytest.mark.parametrize(
    "section", [SECTION, (0.02, 0.4, 0.12), (0.06, 0.3, 0.09), (0, 0.4, 0.12)]
)
def test_a_section_is_the_same_at_any_count_of_points(section, points):
    fine = resample(naca(*section, points=10_001))
    tolerance = 2e-4 if points > 20 else 4e-4
    np.testing.assert_allclose(
        resample(np.round(naca(*section, points=points), 6)), fine, atol=tolerance
    )


@pytest.mark.parametrize("degrees", [-20.0, -3.0, 0.5, 8.0])
def test_a_turned_file_is_the_same_section_and_its_turn_is_told(degrees):
    points = naca(*SECTION, points=100)
    angle = np.deg2rad(degrees)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    one, two = fitted(points), fitted(37 * turned + [3, -2])
    assert two.turn - one.turn == pytest.approx(-degrees, abs=1e-3)
    np.testing.assert_allclose(resample(turned), resample(points), atol=1e-5)


def test_the_files_axes_are_kept_if_asked():
    points = naca(*SECTION, points=100)
    kept, turned = resample(points, "file"), resample(points)
    assert (kept[0] + kept[-1]) / 2 == pytest.approx(-0.007, abs=5e-4)
    assert (turned[0] + turned[-1]) / 2 == pytest.approx(0, abs=1e-6)
    assert fitted(points, "file").turn == fitted(points).turn


@pytest.mark.parametrize("points", [np.zeros((40, 2)), np.full((40, 2), np.nan)])
def test_a_contour_without_extent_is_refused(points):
    with pytest.raises(DataError):
        resample(points)
