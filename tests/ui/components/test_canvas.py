"""Strokes from the browser are bounded polylines of a width and a colour."""

import pytest

from explorer.data.drawn import Stroke
from explorer.ui.components.canvas import MOST_POINTS, MOST_STROKES, strokes_of


def stroke(points=((0.5, 0.5),), width=0.1, colour="#000000"):
    return {"points": list(points), "width": width, "colour": colour}


def test_strokes_from_the_browser_are_bounded_polylines():
    assert strokes_of([]) == []
    assert strokes_of([stroke([[0, 1], (0.5, 0.25)], 0.25, "#1e88e5")]) == [
        Stroke([(0.0, 1.0), (0.5, 0.25)], 0.25, "#1e88e5")
    ]
    most = [stroke([[0.5, 0.5]] * MOST_POINTS)] * MOST_STROKES
    assert len(strokes_of(most)) == MOST_STROKES


@pytest.mark.parametrize(
    "points",
    [
        None,
        (),
        [0.5],
        [[0.5]],
        [[0.5, 0.5, 0.5]],
        [["0.5", 0.5]],
        [[None, 0.5]],
        [[-0.01, 0.5]],
        [[0.5, 1.01]],
        [[float("nan"), 0.5]],
        [[float("inf"), 0.5]],
        [{"x": 0, "y": 0}],
        [[0.5, 0.5]] * (MOST_POINTS + 1),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_whatever_else_is_no_polyline(points):
    assert strokes_of([stroke() | {"points": points}]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"width": 0.6},
        {"width": float("nan")},
        {"width": "0.1"},
        {"width": None},
        {"colour": "red"},
        {"colour": "#FFFFFF00"},
        {"colour": "#12345"},
        {"colour": "#000000\n"},
        {"colour": None},
        {"colour": 7},
        {"more": 1},
    ],
    ids=repr,
)
def test_a_stroke_of_no_width_or_colour_is_none(change):
    assert strokes_of([stroke()]) is not None
    assert strokes_of([stroke(), stroke() | change]) is None


@pytest.mark.parametrize(
    "given",
    [None, {}, "strokes", [None], [[]], [[[0.5, 0.5]]], [{}], [stroke()] * (MOST_STROKES + 1)],
    ids=lambda value: repr(value)[:30],
)
def test_whatever_else_a_browser_sends_is_no_drawing(given):
    assert strokes_of(given) is None
