"""Polars are read by XFLR5's rules, as its sources state them, and by XFoil itself."""

import re
import subprocess

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from explorer.designs import xflr5, xfoil
from explorer.designs.properties import Conditions, OperatingPoint
from tests.support.archives import ONE, members, packed
from tests.support.polars import read_by_xflr5
from tests.support.sections import verified_pick

ROW = xflr5.Row(-4.0, -0.3321, 0.00812, 0.0021, -0.0512, 0.71, 0.04)
FREE = (1.0, 1.0)


@pytest.mark.parametrize(
    ("flow", "name"),
    [
        ((1e6, 9.0, FREE), "T1_Re1.000_M0.00_N9.0"),
        ((123_456.0, 4.5, FREE), "T1_Re0.123456_M0.00_N4.5"),
        ((6e4, 11.0, (0.05, 1.0)), "T1_Re0.060_M0.00_N11.0_XtrTop0.05_XtrBot1.00"),
    ],
)
def test_a_polar_has_the_name_xflr5_gives_it(flow, name):
    assert xflr5.name(*flow) == name


@given(
    st.floats(1e4, 1e8),
    st.floats(1, 14),
    st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)),
    st.lists(st.builds(xflr5.Row, *[st.floats(-20, 20)] * 7), max_size=4),
)
@example(1e8, 12.0, (0.05, 1.0), [ROW])
@example(12_345_678.0, 9.0, FREE, [ROW._replace(cm=-1e-9)])
def test_xflr5_reads_back_what_was_meant(reynolds, ncrit, trips, rows):
    content = xflr5.polar("wing-root-07", "Code", "1.0", rows, reynolds, ncrit, trips)
    found = read_by_xflr5(content)
    assert found.section == "wing-root-07"
    assert found.kind == (1, 1)
    assert found.mach == 0
    assert found.reynolds == pytest.approx(reynolds, abs=0.51)
    assert found.ncrit == pytest.approx(ncrit, abs=5.1e-4)
    assert found.trips == pytest.approx(trips, abs=5.1e-4)
    assert len(found.rows) == len(rows)
    off = [5.1e-4, 5.1e-5, 5.1e-6, 5.1e-6, 5.1e-5, 5.1e-5, 5.1e-5]
    for read, row in zip(found.rows, rows, strict=True):
        assert (np.abs(np.subtract(read, row)) <= off).all()
    assert b"-0.0000 " not in content


def test_what_is_not_known_is_said_and_what_did_not_converge_is_left_out():
    lost = ROW._replace(cd=np.nan)
    bare = ROW._replace(cdp=np.nan, top=np.nan, bottom=np.nan)
    for rows, said in (
        ([ROW, lost], ""),
        ([bare, lost], "; CDp, Top_Xtr, Bot_Xtr not known, written as 0"),
        ([lost], ""),
    ):
        content = xflr5.polar("x", "Code", "1.0", rows, 1e6, 9.0, FREE)
        assert content.decode().splitlines()[1].split() == f"Code Version 1.0{said}".split()
        assert len(read_by_xflr5(content).rows) == len(rows) - 1


def polars_of(content):
    stem = ONE.partition("/")[2]
    return {
        name: inside
        for name, inside in members(content).items()
        if re.fullmatch(rf"{stem}/{stem}_T1_.*\.txt", name)
    }


def test_a_polar_lies_beside_its_section_under_the_name_in_the_sections_file():
    content = packed(verified_pick())
    inside = members(content)
    found = polars_of(content)
    assert list(found) == [
        f"{ONE}_T1_Re1.000_M0.00_N9.0_NeuralFoil.txt", f"{ONE}_T1_Re1.000_M0.00_N9.0_XFoil.txt"
    ]  # fmt: skip
    for polar in map(read_by_xflr5, found.values()):
        assert polar.section == inside[ONE + ".dat"].decode().splitlines()[0]
    ours, xfoils = map(read_by_xflr5, found.values())
    assert [row[0] for row in ours.rows] == [alpha / 2 for alpha in range(-12, 29)]
    assert all(0 <= row[5] <= 1 and 0 <= row[6] <= 1 for row in ours.rows)
    assert "network xxxlarge; CDp not known" in ours.source
    # At 2° it did not converge; what XFoil told is there, and what it did not is 0.
    assert xfoils.rows == [
        [0.0, 0.1, 0.006, 0.0, -0.05, 0.0, 0.0], [4.0, 0.5, 0.007, 0.002, -0.06, 0.4, 0.9]
    ]  # fmt: skip
    assert xfoils.source.endswith("; CDp, Top_Xtr, Bot_Xtr not known, written as 0")


def test_there_is_one_for_each_reynolds_number_and_its_settings_are_those_of_the_flow():
    others = (OperatingPoint(reynolds=2.5e5, cl=0.5), OperatingPoint(alpha=-1.25))
    flow = Conditions(ncrit=11.5, trips=(1.0, 0.15), others=others)
    found = polars_of(packed(verified_pick(), conditions=flow))
    ending = "M0.00_N11.5_XtrTop1.00_XtrBot0.15_NeuralFoil.txt"
    assert list(found) == [f"{ONE}_T1_Re1.000_{ending}", f"{ONE}_T1_Re0.250_{ending}"]
    whole, quarter = map(read_by_xflr5, found.values())
    assert (whole.reynolds, quarter.reynolds) == (1e6, 2.5e5)
    assert whole.trips == quarter.trips == (1.0, 0.15)
    assert whole.ncrit == quarter.ncrit == 11.5
    assert -1.25 in [row[0] for row in whole.rows]
    assert max(row[6] for row in whole.rows) <= 0.16  # x/c of transition below


@pytest.mark.skipif(not xfoil.available(), reason="XFoil is not installed")
def test_xfoil_takes_it_for_a_polar_of_its_own(tmp_path):
    content = packed(verified_pick())
    (tmp_path / "p.txt").write_bytes(next(iter(polars_of(content).values())))
    (tmp_path / "s.dat").write_bytes(members(content)[ONE + ".dat"])
    commands = "PLOP\nG F\n\nLOAD s.dat\nPANE\nOPER\nPGET p.txt\nPLIS 1\n\nQUIT\n"
    answer = subprocess.run(
        ["xfoil"], input=commands, cwd=tmp_path, capture_output=True, text=True, timeout=20,
        check=False,
    ).stdout  # fmt: skip
    listed = re.findall(r"^ {2,4}(-?\d+\.\d{3}(?:\s+-?\d*\.\d+){6})\b", answer, re.MULTILINE)
    meant = read_by_xflr5((tmp_path / "p.txt").read_bytes()).rows
    # It is listed when it is read, and by the command.
    assert [[*map(float, row.split())] for row in listed[-41:]] == meant, answer[-3000:]
    assert "Calculated polar for: a-project-01 " in answer
