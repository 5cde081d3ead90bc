"""A coordinate file is the section its owner means, or refused in a sentence that says why."""

import re

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from explorer.data import tables
from explorer.data.airfoils import parse_coordinates, resample
from explorer.data.contours import read_section
from explorer.data.opened import open_section
from explorer.data.tables import MOST_ROWS
from explorer.errors import DataError
from tests.support.data import one_sentence
from tests.support.sections import naca, sketch

POINTS = naca(0.02, 0.4, 0.12, points=60)
NOSE = int(POINTS[:, 0].argmin())
UPPER, LOWER = POINTS[NOSE::-1], POINTS[NOSE:]
MIRRORED = POINTS * [-1, 1] + [1, 0]


def write(rows, form="{:.6f} {:.6f}"):
    return "\n".join(form.format(*row) for row in rows)


def with_commas(text):
    return text.replace(".", ",")


def table(form, *columns):
    return "\n".join(form.format(*row) for row in zip(*columns, strict=True))


STATIONS = (1 - np.cos(np.linspace(0, np.pi, 80))) / 2
ABOVE = np.interp(STATIONS, *UPPER.T)
BELOW = np.interp(STATIONS, *LOWER.T)
NUMBERED = [(n, *row) for n, row in enumerate(POINTS)]
COUNTS = f"\n {len(UPPER)}. {len(LOWER)}.\n\n"
SWAPPED = f"\n {len(UPPER) - 4}. {len(LOWER) + 4}.\n\n"
PLOTTED = (
    "Name,NACA 2412\nChord(mm),100\nPitch(deg),0\n\nAirfoil surface,\nX(mm),Y(mm)\n"
    + write(100 * POINTS, "{:.4f},{:.4f}")
    + "\n\nCamber line,\nX(mm),Y(mm)\n"
    + write(np.stack([100 * STATIONS, 50 * (ABOVE + BELOW)], axis=1), "{:.4f},{:.4f}")
    + "\n\nChord line,\nX(mm),Y(mm)\n0,0\n100,0\n"
)

READ = {
    "from the leading edge": write(np.concatenate([UPPER, LOWER[::-1]])),
    "from mid-chord": write(np.roll(POINTS, -20, axis=0)),
    "from mid-chord, closed": write(np.concatenate([POINTS[20:], POINTS[:21]])),
    "mirrored": write(MIRRORED),
    "columns exchanged": write(POINTS[:, ::-1]),
    "exchanged and mirrored": write(MIRRORED[:, ::-1]),
    "surfaces from the trailing edge": write(UPPER[::-1]) + "\n" + write(LOWER[::-1]),
    "lower surface first": write(LOWER) + "\n\n" + write(UPPER),
    "one surface either way": write(UPPER) + "\n\n" + write(LOWER[::-1]),
    "Lednicer": "A SECTION" + COUNTS + write(UPPER) + "\n\n" + write(LOWER),
    "Lednicer, swapped counts": "A SECTION" + SWAPPED + write(UPPER) + "\n\n" + write(LOWER),
    "a title of numbers": "2412 12\n" + write(POINTS),
    "one number as title": "2412\n" + write(POINTS),
    "counts and a reference": "120 NumCoords\n! the reference\n0.25 0\n" + write(POINTS),
    "of Airfoil Tools": PLOTTED,
    "decimal comma, tabs": with_commas(write(POINTS, "{:.6f}\t{:.6f}")),
    "decimal comma, blanks": with_commas(write(POINTS)),
    "decimal comma, semicolons": with_commas(write(POINTS, "{:.6f};{:.6f}")),
    "decimal comma, commas": write(POINTS, "{:.6f}#{:.6f}").replace(".", ",").replace("#", ","),
    "quoted": '"x","y"\n' + write(POINTS, '"{:.6f}","{:.6f}"'),
    "quoted, decimal comma": with_commas(write(POINTS, '"{:.6f}"#"{:.6f}"')).replace("#", ","),
    "Fortran": write(POINTS, "{:.6E} {:.6E}").replace("E", "D"),
    "Unicode minus": write(POINTS).replace("-", "\N{MINUS SIGN}"),
    "no-break spaces": write(POINTS, "{:.6f}\N{NO-BREAK SPACE}{:.6f}"),
    "comments behind": write(POINTS, "{:.6f} {:.6f} # point"),
    "words behind": write(POINTS, "{:.6f} {:.6f} point"),
    "tuples": write(POINTS, "({:.6f}, {:.6f}),"),
    "numbered": table("{:.0f} {:.6f} {:.6f}", *np.transpose(NUMBERED)),
    "numbered x y z": table("{:.0f} {:.6f} {:.6f} 0.0", *np.transpose(NUMBERED)),
    "x y z": write(POINTS, "{:.6f} {:.6f} 0.0"),
    "x z y": write(POINTS, "{:.6f} 0.0 {:.6f}"),
    "old Macintosh lines": write(POINTS).replace("\n", "\r"),
}
TABLES = {
    "with a header": "x yu yl\n" + table("{:.6f} {:.6f} {:.6f}", STATIONS, ABOVE, BELOW),
    "without": table("{:.6f},{:.6f},{:.6f}", STATIONS, ABOVE, BELOW),
    "in per cent": "Station,Upper,Lower\n"
    + table("{:.4f},{:.4f},{:.4f}", 100 * STATIONS, 100 * ABOVE, 100 * BELOW),
    "lower first": "x/c,y_lower,y_upper\n" + table("{:f},{:f},{:f}", STATIONS, BELOW, ABOVE),
    "four columns": table("{:f} {:f} {:f} {:f}", STATIONS, ABOVE, STATIONS, BELOW),
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_a_section_is_the_same_however_it_is_written(text):
    plain = resample(parse_coordinates(write(POINTS)))
    np.testing.assert_allclose(resample(parse_coordinates(text)), plain, atol=1.5e-4)


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_a_table_of_heights_is_read_as_both_surfaces(text):
    expected = resample(np.stack([np.tile(STATIONS, 2), np.append(ABOVE, BELOW)], 1)[ORDER])
    section = read_section(text)
    np.testing.assert_allclose(resample(section.points), expected, atol=2e-6)
    assert section.notes == ("Read as a table of upper and lower heights.",)


ORDER = np.concatenate([np.arange(80)[::-1], 80 + np.arange(1, 80)])


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("from the leading edge", "did not begin at the trailing edge"),
        ("from mid-chord", "did not begin at the trailing edge"),
        ("mirrored", "the section was mirrored"),
        ("columns exchanged", "columns were exchanged"),
        ("x y z", "two of 3 columns"),
    ],
)
def test_what_was_done_to_a_file_is_said(form, said):
    (note,) = read_section(READ[form]).notes
    assert said in note
    assert read_section(write(POINTS)).notes == ()


def spoilt(row, *values):
    points = POINTS.copy()
    points[row] = values
    return points


POLAR = "  alpha    CL        CD       CDp       CM\n" + table(
    "{:.2f} {:.4f} 0.0{:.0f} 0.005 -0.05", *(np.arange(20) + offset for offset in (0, 5, 60))
)
REFUSED = {
    "a DXF drawing": "  0\nSECTION\n  2\nENTITIES\n 10\n1.0\n 20\n0.0\n",
    "a polar": " XFOIL  Version 6.99\n\n Calculated polar for: A\n" + POLAR,
    r"a pressure distribution \(Cp\)": "#      x          Cp\n" + write(POINTS),
    "an SVG": "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>",
    "7 columns that cannot be told apart": "\n".join(
        f"{n / 2 - 5:.3f} {n * 0.05:.4f} 0.01{n:02d} 0.0051 -0.05 0.9{n} 1" for n in range(20)
    ),
    "2 elements, divided at line 121": "A SECTION\n"
    + write(POINTS)
    + "\n999.0 999.0\n"
    + write(0.3 * POINTS + 1),
    "contour is open": write(POINTS[:90]),
    r"'0\.5 abc' was not understood\)": write(POINTS[:30]) + "\n0.5 abc\n" + write(POINTS[30:70]),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_no_section_is_recognised_for_what_it_is(said):
    with pytest.raises(DataError, match=said) as error:
        resample(parse_coordinates(REFUSED[said]))
    assert one_sentence(error)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (spoilt(30, POINTS[30, 0], POINTS[30, 1] + 0.02), r"Line 31 stands out by 2\.\d % of"),
        (spoilt(117, POINTS[117, 0], 0.0022), r"surfaces cross by 0\.\d\d % of the chord"),
        (naca(0.02, 0.4, 0.12, points=8), r"With 15 points its heights are uncertain by 0\.\d %"),
    ],
    ids=["a spike", "a crossing", "too few points"],
)
def test_a_doubtful_section_is_opened_with_a_warning(points, said):
    assert any(re.search(said, note) for note in read_section(write(points)).notes)


def test_a_line_that_is_no_row_is_named():
    text = write(POINTS[:30]) + "\n0.5 abc\n" + write(POINTS[30:])
    assert read_section(text).notes == ("Line 31, '0.5 abc', was passed over.",)


def test_ten_thousand_points_are_read_and_no_more(monkeypatch):
    fine = naca(0.02, 0.4, 0.12, points=MOST_ROWS // 2)
    plain = resample(parse_coordinates(write(POINTS)))
    np.testing.assert_allclose(resample(parse_coordinates(write(fine))), plain, atol=1.5e-4)
    monkeypatch.setattr(tables, "MOST_ROWS", 100)
    with pytest.raises(DataError, match=r"has 119 points; give at most 100\.$"):
        parse_coordinates(write(POINTS))


SEPARATORS = (" ", "\t", ",", ";", ", ", "   ")
DECIMALS = (".", ",")
QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=25, deadline=None, phases=QUICKLY)
@given(
    points=st.one_of(st.integers(12, 120), st.just(500)),
    camber=st.floats(0, 0.08),
    thickness=st.floats(0.06, 0.24),
    start=st.floats(0, 1),
    backward=st.booleans(),
    mirror=st.booleans(),
    exchange=st.booleans(),
    separator=st.sampled_from(SEPARATORS),
    decimal=st.sampled_from(DECIMALS),
    title=st.sampled_from(("", "A SECTION\n", "2412\n", "63 4 212\n", "# x y\n")),
    unit=st.sampled_from((1.0, 100.0, 1000.0)),
)
def test_any_writer_gives_the_same_section(
    points, camber, thickness, start, backward, mirror, exchange, separator, decimal, title, unit
):
    plain = naca(camber, 0.4, thickness, points=points)
    meant = resample(np.round(plain, 6))
    rows = np.roll(plain[:-1], round(start * len(plain)), axis=0) if start > 0.5 else plain
    rows = rows[::-1] if backward else rows
    rows = rows * [-1, 1] + [1, 0] if mirror else rows
    rows = (rows[:, ::-1] if exchange else rows) * unit
    if decimal == "," and "," in separator:
        separator = ";"
    text = table(f"{{:.6f}}{separator}{{:.6f}}", *rows.T).replace(".", decimal)
    opened = open_section((title + text).encode(), "a.dat", sketch())
    heights = opened.x * np.asarray(sketch().scale) + np.asarray(sketch().loc)
    np.testing.assert_allclose(heights, meant, atol=2e-4)
