"""What got worse is marked, moments by their magnitude; XFoil's opinion is told as it is."""

import math

import numpy as np
import pytest

from explorer.designs import changes
from explorer.designs.aerodynamics import Operation
from explorer.designs.changes import Opinion
from explorer.designs.properties import Property
from explorer.designs.xfoil import FAILED, Point

CD = Property("cd", "CD", "", 4, "less")
LD = Property("ld_2", "L/D", "", 1, "more")
CM = Property("cm", "CM", "", 3)
SURE = Property("confidence", "Confidence", "%", 0, "more")
THICK = Property("thickness", "Thickness", "%", 1)


@pytest.mark.parametrize(
    ("prop", "before", "after", "words"),
    [
        (CM, -0.075, -0.184, "⚠ Worse: |CM| × 2.5"),
        (CM, -0.184, 0.075, "✓ Better: |CM| × 0.41"),
        (CM, 0.05, -0.06, "⚠ Worse: |CM| +20 %"),
        (CM._replace(key="cm_3"), -0.1, -0.12, "⚠ Worse: |CM| +20 %"),
        (CD, 0.01, 0.012, "⚠ Worse: +20 %"),
        (CD, 0.01, 0.008, "✓ Better: −20 %"),
        (LD, 100, 188, "✓ Better: +88 %"),
        (LD, -20.0, 10.0, "✓ Better: +30.0"),
        (SURE, 97.4, 90.6, "⚠ Worse: −6 %"),
        (SURE, 90, math.nan, "⚠ Worse: unknown"),
        (SURE, math.nan, 90, ""),
        (CD, 0.01001, 0.01004, ""),
        (THICK, 12, 9, ""),
    ],
)
def test_a_change_is_marked_by_its_direction_if_its_digits_show_it(prop, before, after, words):
    found = changes.compare(prop, float(before), float(after))
    assert found.words == words
    assert found.mark == {"⚠": "worse", "✓": "better", "": ""}[words[:1]]


def flow(cl, cd, cm=-0.1):
    return [Operation(*(np.array([value]) for value in (4.0, cl, cd, cm, 0.9)))]


BEFORE, AFTER = flow(1.0, 0.01), flow(1.0, 0.005)


@pytest.mark.parametrize(
    ("opinion", "good", "words"),
    [
        ((Point(1, 0.01, 0), Point(1, 0.005, 0)), True, "XFoil finds L/D 100.0 → 200.0"),
        ((Point(1, 0.01, 0), Point(1, 0.011, 0)), False, "XFoil disagrees, it finds L/D 100.0 → "
         "90.9"),
        ((Point(1, 0.01, 0), Point(1, 0.0075, 0)), False, "XFoil finds L/D 100.0 → 133.3, with "
         "50 % more drag of the result than NeuralFoil"),
        ((Point(1, 0.01, 0), FAILED), False, "XFoil did not converge for the result"),
        ((FAILED, Point(1, 0.01, 0)), False, "XFoil did not converge for the start"),
        ((Point(1, 0.01, 0), None), False, "XFoil did not finish in time"),
    ],
)  # fmt: skip
def test_xfoil_agrees_only_if_it_finds_the_gain_and_the_drag(opinion, good, words):
    told = changes.agreement([Opinion(*opinion)], BEFORE, AFTER, "ld", "more")
    assert told == ((good, words),)


def test_each_point_is_judged_by_what_was_pushed_there():
    opinions = [Opinion(Point(0.5, 0.01, -0.1), Point(0.6, 0.005, -0.05))] * 2
    both = [*BEFORE, *BEFORE], [*AFTER, *AFTER]
    told = changes.agreement(opinions, *both, "cm_2", "less")
    assert [words for _, words in told] == [
        "XFoil finds L/D 50.0 → 120.0",
        "XFoil finds CM −0.100 → −0.050",
    ]
    told = changes.agreement(opinions, *both, "cd_mean", "less")
    assert {words for _, words in told} == {"XFoil finds CD 0.0100 → 0.0050"}
