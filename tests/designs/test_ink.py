"""Images of known shape have the ink, stroke width and symmetry they were drawn with."""

import math

import numpy as np
import pytest

from explorer.designs.measuring import applicable_properties, measure
from explorer.sketch import PixelSketch


def ink(*pictures):
    x = np.stack(pictures)[:, None].astype(np.float64)
    x.flags.writeable = False
    found = measure(x, PixelSketch(height=x.shape[2], width=x.shape[3]))
    return {key: row if len(pictures) > 1 else float(row[0]) for key, row in found.values.items()}


def bar(width, height, page=(40, 48), at=(3, 4)):
    paper = np.zeros(page)
    paper[at[0] : at[0] + height, at[1] : at[1] + width] = 1
    return paper


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 30), (7, 5), (40, 2), (12, 12)])
def test_a_bar_has_its_area_its_width_and_its_outline(width, height):
    found = ink(bar(width, height))
    # At each corner the outline takes the diagonal of its last half pixels.
    outline = 2 * (width + height) - 2 + math.sqrt(2)
    area = width * height
    assert found["ink"] == pytest.approx(100 * area / (40 * 48))
    assert found["stroke"] == pytest.approx(2 * area / outline)
    assert found["compactness"] == pytest.approx(400 * math.pi * area / outline**2)
    assert found["symmetry"] == pytest.approx(100)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_long_stroke_is_as_wide_as_it_is(width):
    found = ink(bar(width, 500, page=(512, 12), at=(5, 3)))
    assert found["stroke"] == pytest.approx(width, rel=0.01)


@pytest.mark.parametrize(("blur", "off"), [(1.0, 0.07), (3.0, 0.03), (8.0, 0.01)])
def test_a_disc_is_as_compact_as_can_be(blur, off):
    # A crisp edge is as short as its pixels let it be; the softer, the nearer to the circle.
    across = np.arange(64) - 31.2
    away = np.hypot(across[:, None], across)
    found = ink(np.clip((20 + blur - away) / (2 * blur), 0, 1))
    # Level lines are circles of radii that are even between 20 - blur and 20 + blur.
    square = 20**2 + blur**2 / 3
    assert found["compactness"] == pytest.approx(100 * square / 20**2, rel=off)
    assert found["stroke"] == pytest.approx(square / 20, rel=off)
    assert found["ink"] == pytest.approx(100 * math.pi * square / 64**2, rel=0.002)
    assert found["symmetry"] == pytest.approx(100, abs=0.5)
    assert ink(bar(20, 20))["compactness"] < 90


def test_a_picture_that_is_its_own_mirror_is_all_symmetry():
    half = np.random.default_rng(0).random((12, 7))
    for picture in (np.hstack([half, half[:, ::-1]]), np.hstack([half, half[:, -2::-1]])):
        assert ink(picture)["symmetry"] == pytest.approx(100)
        skew = picture.copy()
        skew[2, 1] += 0.5
        assert ink(skew)["symmetry"] < 99.9


def test_symmetry_is_the_share_that_overlaps_its_mirror():
    # Centre of mass at 4/3: between the pixels, mirrored values are 2/3, 2/3, 1, 1/3 and overlap
    # by 2/3 + 2/3 + 0 + 1/3.
    row = np.array([[0, 0, 0, 1, 1, 0, 1, 0, 0, 0]])
    assert ink(row)["symmetry"] == pytest.approx(100 * 5 / 9)


def test_no_property_of_ink_hangs_on_where_it_lies():
    small = np.random.default_rng(1).random((6, 5))
    found = []
    for down, across in ((0, 0), (0, 13), (10, 0), (10, 13), (4, 6)):
        paper = np.zeros((16, 18))
        paper[down : down + 6, across : across + 5] = small
        found.append(paper)
    for key, row in ink(*found).items():
        np.testing.assert_allclose(row, row[0], rtol=1e-9, err_msg=key)


def test_turning_a_picture_keeps_its_ink_stroke_and_compactness():
    for seed in range(5):
        picture = np.random.default_rng(seed).random((9, 9))
        plain = ink(picture)
        for turned in (picture.T, picture[::-1], picture[:, ::-1], np.rot90(picture)):
            for key in ("ink", "stroke", "compactness"):
                assert ink(turned)[key] == pytest.approx(plain[key]), key
        for turned in (picture[::-1], picture[:, ::-1]):
            assert ink(turned)["symmetry"] == pytest.approx(plain["symmetry"])


def test_only_left_and_right_are_exchanged():
    letter = bar(9, 2, page=(16, 16)) + bar(1, 8, page=(16, 16), at=(5, 8))
    assert ink(letter)["symmetry"] == pytest.approx(100)
    assert ink(letter.T)["symmetry"] < 70


def test_a_stroke_is_as_wide_in_grey_as_in_black():
    picture = np.random.default_rng(3).random((9, 11))
    assert ink(0.4 * picture)["stroke"] == pytest.approx(ink(picture)["stroke"])
    assert ink(0.4 * picture)["symmetry"] == pytest.approx(ink(picture)["symmetry"])
    assert ink(0.4 * picture)["ink"] == pytest.approx(0.4 * ink(picture)["ink"])


def test_an_empty_picture_has_no_ink_and_nothing_else():
    found = ink(np.zeros((8, 8)), np.ones((8, 8)))
    assert found["ink"].tolist() == [0, 100]
    for key in ("stroke", "symmetry", "compactness"):
        assert np.isnan(found[key]).tolist() == [True, False], key


def test_colour_has_no_ink():
    def keys(channels):
        sketch = PixelSketch(height=8, width=8, channels=channels)
        return {item.key for item in applicable_properties(sketch)}

    assert "ink" in keys(1)
    assert "ink" not in keys(3)
    assert not keys(1) & keys(3)
