"""Images of known colours have the lightness, hue and cover they were painted with."""

import numpy as np
import pytest

from explorer.designs.colour import Colour, cielab
from explorer.designs.measuring import measure
from explorer.sketch import PixelSketch
from explorer.testing import check_properties

SKETCH = PixelSketch(height=10, width=12, channels=3)
WHITE, RED, GREEN, BLUE = (1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)


def uniform(colour):
    return np.broadcast_to(np.array(colour, np.float32)[:, None, None], SKETCH.shape).copy()


def disc(colour, ground=WHITE, rows=slice(2, 8), columns=slice(3, 9)):
    x = uniform(ground)
    x[:, rows, columns] = np.array(colour)[:, None, None]
    return x


def measured(x):
    return {key: float(row[0]) for key, row in measure(x[None], SKETCH).values.items()}


@pytest.mark.parametrize(
    ("colour", "expected"),
    [  # as tabulated for sRGB primaries under D65
        (WHITE, (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        (RED, (53.24, 80.09, 67.20)),
        (GREEN, (87.74, -86.18, 83.18)),
        (BLUE, (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0, 0)),
    ],
)
def test_primaries_have_their_tabulated_coordinates(colour, expected):
    found = cielab(uniform(colour)[None].astype(float))[0, :, 0, 0]
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize(("colour", "hue"), [(RED, 40), (GREEN, 136), (BLUE, 306)])
def test_the_hue_is_that_of_the_colours_alone(colour, hue):
    found = measured(disc(colour))
    assert found["hue"] == pytest.approx(hue, abs=0.5)
    assert found["cover"] == pytest.approx(100 * 36 / 120)
    assert measured(uniform(colour))["cover"] == 0


def test_the_ground_is_the_borders_whatever_its_colour():
    assert measured(disc(WHITE, ground=BLUE))["cover"] == pytest.approx(30)
    assert measured(disc((0.98, 0.98, 0.98)))["cover"] == 0


def test_grey_has_no_hue_and_no_colourfulness():
    found = measured(disc((0.2, 0.2, 0.2)))
    assert np.isnan(found["hue"])
    assert found["colourfulness"] == pytest.approx(0, abs=1e-6)
    assert measured(disc(RED))["colourfulness"] > 50


def test_colourfulness_follows_its_definition():
    x = np.random.default_rng(0).random(SKETCH.shape).astype(np.float32)
    red, green, blue = 255 * x.astype(float)
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert measured(x)["colourfulness"] == pytest.approx(expected)


def test_symmetry_is_one_for_a_mirror_image_alone():
    x = np.random.default_rng(1).random(SKETCH.shape).astype(np.float32)
    assert measured(np.concatenate([x[:, :, :6], x[:, :, 5::-1]], 2))["mirror"] == (
        pytest.approx(100, abs=1e-4)
    )
    assert abs(measured(x)["mirror"]) < 25
    turned = uniform(WHITE)
    turned[:, :, :6] = 0
    assert measured(turned)["mirror"] == pytest.approx(-100, abs=1e-4)
    assert np.isnan(measured(uniform(RED))["mirror"])


def test_lightness_and_contrast_are_mean_and_deviation():
    x = uniform(WHITE)
    x[:, :, :6] = 0
    found = measured(x)
    assert (found["lightness"], found["contrast"]) == pytest.approx((50, 50), abs=1e-3)


def test_the_laws_of_properties_hold():
    check_properties(Colour(), SKETCH)
