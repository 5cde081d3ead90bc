"""A section is the same in every coordinate format; invalid files are refused."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer import sections
from explorer.data.airfoils import naca_section, resample, stations
from explorer.data.drawn import MOST_SECTION_BYTES, from_coordinates
from explorer.errors import DataError
from explorer.sketch import CurveSketch
from tests.support.load import times
from tests.support.sections import (
    X,
    decoded,
    half_thickness,
    heights,
    naca,
    samples,
    sketch,
    surfaces,
)


def lines(points, comma=" "):
    return "\n".join(f"{x:.7f}{comma}{y:.7f}" for x, y in points)


def selig(points):
    return "A SECTION\n" + lines(points)


def lednicer(points):
    nose = points[:, 0].argmin()
    upper, lower = points[nose::-1], points[nose:]
    return "\n\n".join(["A SECTION", f"{len(upper)}. {len(lower)}.", lines(upper), lines(lower)])


FORMS = {
    "selig": selig,
    "selig from below": lambda points: selig(points[::-1]),
    "lednicer": lednicer,
    "comma-separated": lambda points: "x,y\n" + lines(points, ","),
    "per cent of the chord": lambda points: selig(100 * points),
    "of windows": lambda points: "\ufeff" + lines(points).replace("\n", "\r\n"),
    "with comments": lambda points: "# by hand\n" + selig(points) + "\nthe end\n",
    "elsewhere": lambda points: selig(points + np.array([3.0, -2.0])),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("section", [(0.0, 0.4, 0.12), (0.04, 0.4, 0.15)])
def test_a_section_is_the_same_in_every_kind_of_file(form, section):
    points = naca(*section, points=80)
    found = from_coordinates(FORMS[form](points).encode(), "a.dat", sketch())
    assert found.dtype == np.float32
    plain = from_coordinates(selig(points).encode(), "a.dat", sketch())
    # Numbers that are rounded elsewhere are other numbers.
    tolerance = 1e-3 if form in ("per cent of the chord", "elsewhere") else 1e-6
    np.testing.assert_allclose(found, plain, atol=tolerance)
    np.testing.assert_allclose(heights(found), resample(points), atol=1e-5)


def test_a_coarse_file_keeps_its_round_nose():
    found = from_coordinates(selig(naca(0, 0.4, 0.12, points=31)).encode(), "a.dat", sketch())
    half = half_thickness(X, 0.12)
    np.testing.assert_allclose(heights(found), surfaces(half, -half), atol=1e-4)


def test_a_section_written_as_its_contour_comes_back():
    for section in [naca_section("2412"), naca_section("0012"), *decoded()[:8]]:
        level = section - np.concatenate([X[::-1], X]) * (section[0] + section[-1]) / 2
        (x,) = samples(level)
        content = lines(sections.contour(x, sketch())).encode()
        np.testing.assert_allclose(
            heights(from_coordinates(content, "a.dat", sketch())), level, atol=1e-6
        )


def test_stations_are_those_of_the_cosine():
    np.testing.assert_allclose(stations(), np.concatenate([X[::-1], X]), atol=1e-15)


def spoilt(row, line):
    rows = selig(naca(0.02, 0.4, 0.12, points=60)).splitlines()
    rows[row] = line
    return "\n".join(rows).encode()


WRONG = {
    "empty": b"",
    "blank": b"\n\n  \n",
    "a program": b"\x7fELF\0\0\1",
    "NUL in its name": spoilt(0, "A\0B"),
    "too large": selig(naca(0.02, 0.4, 0.12)).encode() * 70,
    "a letter": b"Dear all,\nsee attached.\nYours\n" * 5,
    "not of this code page": bytes(range(128, 256)) * 3,
    "NaN": spoilt(30, "nan 0.1"),
    "infinite": spoilt(30, "0.5 inf"),
    "infinite counts": spoilt(1, "inf inf"),
    "one surface": lines(naca(0.02, 0.4, 0.12, points=60)[:60]).encode(),
    "the other surface": lines(naca(0.02, 0.4, 0.12, points=60)[59:]).encode(),
    "a few points": lines(naca(0.02, 0.4, 0.12, points=5)).encode(),
    "one point": b"1 0\n" * 40,
    "a line": b"\n".join(b"%f 0.0" % x for x in (*X[::-1], *X)),
    "far too thick": selig(naca(0.0, 0.4, 0.9, points=60)).encode(),
    "only counts": b"60. 60.\n",
    "wrong counts": lednicer(naca(0.02, 0.4, 0.12, points=60)).replace("60.", "50.").encode(),
    "a huge number": spoilt(30, "1e300 0.1"),
    "a huge height": spoilt(30, "0.5 1e300"),
    "a number beyond float": spoilt(30, "1e400 0.1"),
    "two huge numbers": spoilt(1, "1e308 1e308"),
    "huge counts": spoilt(1, "1e300 1e300"),
    "a huge section": "\n".join(
        f"{x:.6e} {y:.6e}" for x, y in 1e200 * naca(0.02, 0.4, 0.12, points=60)[:80]
    ).encode(),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_refused_in_a_sentence(wrong):
    assert len(WRONG["too large"]) > MOST_SECTION_BYTES
    with pytest.raises(DataError) as caught:
        from_coordinates(WRONG[wrong], "up/load\ned.dat", sketch())
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("empty", "up load.dat is empty"),
        ("a program", "up load.dat is not a text file"),
        ("NUL in its name", "up load.dat is not a text file"),
        ("too large", "up load.dat is over 1024 kB"),
        ("a letter", r"has 0 points.*line 1, 'Dear all,' was not understood"),
        ("NaN", "non-finite"),
        ("wrong counts", "declares 100 points but has 120"),
        ("far too thick", "90.0% of its chord thick"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(wrong, said):
    with pytest.raises(DataError, match=said):
        from_coordinates(WRONG[wrong], "up\nload.dat", sketch())


def test_a_file_suits_models_of_sections_only():
    content = selig(naca(0.02, 0.4, 0.12)).encode()
    other = CurveSketch(x=tuple(range(128)), loc=(0.0,) * 128, scale=(1.0,) * 128)
    with pytest.raises(DataError, match=r"different stations.*\.$"):
        from_coordinates(content, "a.dat", other)
    short = CurveSketch(x=(0.0, 1.0), loc=(0.0, 0.0), scale=(1.0, 1.0))
    with pytest.raises(DataError, match=r"different stations.*\.$"):
        from_coordinates(content, "a.dat", short)


NUMBERS = st.one_of(
    st.floats(-2, 2), st.floats(-1e6, 1e6), st.just(math.nan), st.integers(0, 30).map(float)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=10, max_size=30), st.integers(0, 3))
def test_any_columns_are_a_section_or_refused(rows, joined):
    content = "\n".join(f"{x!r}{(' ', ',', chr(9), ', ')[joined]}{y!r}" for x, y in rows)
    with contextlib.suppress(DataError):
        assert np.isfinite(from_coordinates(content.encode(), "a.csv", sketch())).all()


@pytest.mark.load
@settings(max_examples=times(60), deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_section_or_refused(content):
    assume(content)
    with pytest.raises(DataError):
        from_coordinates(content, "a.dat", sketch())
