"""A pick has a name that every system and every program takes."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from explorer.designs import names
from explorer.designs.picks import MOST_NAME, MOST_PICKS

RESERVED = {
    "con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}  # fmt: skip
PROJECTS = st.text(max_size=MOST_NAME)
NUMBERS = st.integers(1, 10 * MOST_PICKS)


@pytest.mark.parametrize(
    ("project", "number", "name"),
    [
        ("Wing root", 7, "wing-root-07"),
        ("  Größe Ø 12 % ", 123, "grosse-o-12-07"[:-2] + "123"),
        ("Équipe №5", 1, "equipe-no5-01"),
        ("翼型", 2, "pick-02"),
        ("CON", 1, "con-01"),
        ("../../etc", 1, "etc-01"),
        ("x" * 60, 10, "x" * 40 + "-10"),
    ],
)
def test_a_name_says_the_project_and_the_number(project, number, name):
    assert names.stem(project, number) == name


@given(PROJECTS, NUMBERS)
@example("İ", 1)
@example("-", 50_000)
def test_a_name_is_a_short_file_name_on_every_system(project, number):
    name = names.stem(project, number)
    assert re.fullmatch(names.STEM, name)
    assert name.isascii()
    assert len(name) <= 46
    assert name.split(".")[0] not in RESERVED


@given(PROJECTS, NUMBERS, NUMBERS)
def test_no_two_picks_of_a_project_have_one_name(project, one, other):
    same = names.stem(project, one) == names.stem(project, other)
    assert same == (one == other)
