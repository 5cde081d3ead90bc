"""Strokes from the browser are bounded polylines."""

import pytest

from explorer.ui.components.canvas import MOST_POINTS, MOST_STROKES, strokes_of


def test_strokes_from_the_browser_are_bounded_polylines():
    assert strokes_of([]) == []
    assert strokes_of([[[0, 1], (0.5, 0.25)]]) == [[(0.0, 1.0), (0.5, 0.25)]]
    most = [[[0.5, 0.5]] * MOST_POINTS] * MOST_STROKES
    assert len(strokes_of(most)) == MOST_STROKES


@pytest.mark.parametrize(
    "given_strokes",
    [
        None,
        {},
        "strokes",
        [None],
        [[]],
        [[0.5]],
        [[[0.5]]],
        [[[0.5, 0.5, 0.5]]],
        [[["0.5", 0.5]]],
        [[[None, 0.5]]],
        [[[-0.01, 0.5]]],
        [[[0.5, 1.01]]],
        [[[float("nan"), 0.5]]],
        [[[float("inf"), 0.5]]],
        [[{"x": 0, "y": 0}]],
        [[[0.5, 0.5]] * (MOST_POINTS + 1)],
        [[[0.5, 0.5]]] * (MOST_STROKES + 1),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_whatever_else_a_browser_sends_is_no_drawing(given_strokes):
    assert strokes_of(given_strokes) is None
