"""A drawing becomes a sample, centred as its data are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.data.drawn import Stroke, centred, from_strokes
from explorer.sketch import PixelSketch

MNIST = PixelSketch(height=28, width=28)
COLOUR = PixelSketch(height=16, width=24, channels=3)


def lines(*polylines, width):
    return [Stroke(points, width) for points in polylines]


def test_ink_lies_where_it_was_drawn():
    x = from_strokes(lines([(0.5, 0.0), (0.5, 1.0)], width=1 / 7), MNIST)
    assert x.shape == (1, 28, 28)
    assert x.min() == 0
    assert x.max() == 1
    columns = x[0].mean(0)
    assert (columns[12:16] > 0.8).all()
    assert (columns[:11] == 0).all()
    assert (columns[17:] == 0).all()


def test_y_goes_down_and_x_to_the_right():
    x = from_strokes(lines([(0.75, 0.25)], width=0.1), MNIST)
    rows, columns = np.nonzero(x[0])
    assert abs(rows.mean() - 6.5) < 0.6
    assert abs(columns.mean() - 20.5) < 0.6


PLACE = st.floats(0.01, 0.99)


@given(
    st.lists(st.lists(st.tuples(PLACE, PLACE), min_size=1, max_size=6), max_size=4),
    st.floats(0.05, 0.5),
    st.sampled_from([{}, {"light": True}, {"channels": 3}]),
)
@settings(max_examples=40, deadline=None)
def test_any_strokes_make_a_sample(strokes, width, kind):
    sketch = PixelSketch(height=9, width=12, **kind)
    x = from_strokes(lines(*strokes, width=width), sketch)
    assert x.shape == sketch.shape
    assert x.min() >= 0
    assert x.max() <= 1
    paper = 0 if sketch.inked else 1
    assert (x != paper).any() == bool(strokes)
    assert (x[0] == x[-1]).all()


def test_colours_lie_over_each_other_on_white_paper():
    disc = [(0.5, 0.5)]
    x = from_strokes([Stroke(disc, 0.5, "#fdd835"), Stroke(disc, 0.2, "#1e88e5")], COLOUR)
    assert (x[:, 0, 0] == 1).all()
    hexes = ["#" + "".join(f"{round(255 * v):02x}" for v in x[:, 8, at]) for at in (12, 16)]
    assert hexes == ["#1e88e5", "#fdd835"]


def test_a_photograph_is_drawn_in_greys_and_ink_in_none():
    strokes = [Stroke([(0.5, 0.5)], 0.5, "#404040"), Stroke([(0.1, 0.5)], 0.1, "#e53935")]
    light = from_strokes(strokes, PixelSketch(height=28, width=28, light=True))
    assert light[0, 14, 14] == pytest.approx(0x40 / 255)
    assert 0.3 < light[0, 14, 2] < 0.5
    assert light[0, 0, 0] == 1
    ink = from_strokes(strokes, MNIST)
    assert (ink[0, 14, 14], ink[0, 14, 2], ink[0, 0, 0]) == (1, 1, 0)


def mass_centre(x):
    mass = x.sum(0)
    return [
        float((mass.sum(1 - axis) * np.arange(mass.shape[axis])).sum() / mass.sum())
        for axis in (0, 1)
    ]


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.7, 0.1), (0.2, 0.7)])
def test_a_drawing_is_centred_by_mass_and_scaled_as_in_mnist(place):
    x0, y0 = place
    shape = [(0.0, 0.0), (0.0, 0.25), (0.15, 0.25)]
    x = centred(from_strokes(lines([(x0 + x, y0 + y) for x, y in shape], width=0.05), MNIST))
    assert mass_centre(x) == pytest.approx([13.5, 13.5], abs=0.75)
    rows = np.flatnonzero(x[0].max(1) > 0.1)
    assert 18 <= np.ptp(rows) + 1 <= 21
    assert x.min() >= 0
    assert x.max() <= 1


def test_what_is_centred_stays_about_where_it_is():
    once = centred(from_strokes(lines([(0.1, 0.1), (0.3, 0.1), (0.1, 0.4)], width=0.07), MNIST))
    twice = centred(once)
    assert mass_centre(twice) == pytest.approx(mass_centre(once), abs=1)
    assert np.corrcoef(once.ravel(), twice.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("value", [0.0, 0.05])
def test_a_blank_drawing_is_left_as_it_is(value):
    blank = np.full((1, 28, 28), value, np.float32)
    np.testing.assert_array_equal(centred(blank), blank)
