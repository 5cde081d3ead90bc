"""Exported picks can be imported again."""

import io
import re
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from explorer.designs import archive as picks_archive
from explorer.designs import names
from explorer.designs.picks import MOST_NAME
from explorer.designs.properties import Conditions, Measured, Property
from explorer.sketch import PixelSketch
from tests.support.archives import (
    FLOW,
    ONE,
    assert_came_back,
    manifest_of,
    members,
    packed,
    picked,
    table_of,
)
from tests.support.load import times
from tests.support.picks import (
    LINE,
    ODD,
    TOLD,
    WORDS,
    anything,
    assert_same_bits,
    drawn_section,
    made,
    made_of,
    model_of,
    section_sketch,
    with_code,
)


@pytest.mark.load
@given(st.lists(st.tuples(anything(), TOLD), max_size=3), st.text(max_size=MOST_NAME))
@example([(with_code(*ODD), {"notes": "a\r\nb\x00\"',=1\u2028"})], "")
@settings(max_examples=times(20), deadline=None)
def test_all_that_goes_home_comes_back(given_picks, project):
    picks = [picked(n, made_of(facts), **told) for n, (facts, told) in enumerate(given_picks, 1)]
    content = packed(*picks, project=project)
    inside = members(content)
    for found in (
        picks_archive.read(content, "a.zip"),
        picks_archive.read(inside[picks_archive.MANIFEST], "manifest.json"),
    ):
        assert found.project == project
        assert_came_back(found, picks)
    for pick in picks:
        stem = names.stem(project, pick.number)
        code = np.load(io.BytesIO(inside[f"{stem}/{stem}-code.npy"]), allow_pickle=False)
        assert_same_bits(code, pick.source.code)
        assert inside[f"{stem}/{stem}.png"].startswith(b"\x89PNG")


@given(st.integers(0, 99).map(drawn_section), TOLD, st.sampled_from(["", "smoothed", "kulfan"]))
@settings(max_examples=8, deadline=None)
def test_sections_that_go_home_come_back_as_decoded_smoothed_or_not(section, told, treatment):
    given_made = made(model=model_of(section_sketch(), "0123"), sample=section)
    pick = picked(7, given_made, treatment=treatment, **told)
    assert_came_back(picks_archive.read(packed(pick), "a.zip"), [pick])


def test_an_export_is_the_same_every_time():
    picks = [picked(1, made("a"), notes="x"), picked(2, made("b"), tags=("t",))]
    assert packed(*picks) == packed(*picks)


def test_properties_and_conditions_go_home_and_what_has_none_is_null():
    item = Property("lift_over", "L/D", "=m²;DROP", 1)
    found = Measured((item,), {"lift_over": np.array([np.nan])}, ("its surfaces cross",))
    other = Measured((item,), {"lift_over": np.array([-1.5])}, ("",))
    content = packed(picked(1, made("a")), picked(2, made("b")), measured=[found, other])
    one, two = manifest_of(content)["picks"]
    assert (one["properties"], one["fault"]) == ({"lift_over": None}, "its surfaces cross")
    assert two["properties"] == {"lift_over": -1.5}
    assert Conditions.model_validate_json(two["conditions"]) == FLOW
    header, *rows = table_of(content)
    assert header[-1] == "lift_over [m²DROP]"
    assert [row[-1] for row in rows] == ["", "-1.5"]
    assert [row[header.index("valid")] for row in rows] == ["0", "1"]
    assert rows[0][header.index("fault")] == "its surfaces cross"


def is_number(text):
    with suppress(ValueError):
        float(text)
        return True
    return False


RISKY = st.builds(
    "".join,
    st.tuples(st.text(" \n\t\r\x0b\u00a0", max_size=2), st.sampled_from("=+-@\t\r"), WORDS),
)

NASTY = st.text(max_size=20) | RISKY.map(lambda text: text[:40])


@given(NASTY, st.lists(NASTY, max_size=3), NASTY, NASTY)
@example('=HYPERLINK("http://x")', ["@SUM(A1)", "+1"], "\t=1", "-2+3")
@settings(max_examples=60, deadline=None)
def test_no_cell_of_the_table_is_run_by_a_spreadsheet(notes, tags, page, data):
    pick = picked(
        1, made(model=model_of(data=data), page=page, scale=0.5), notes=notes, tags=tuple(tags)
    )
    fault = Measured((), {}, (notes[:200],))
    header, row = table_of(packed(pick, measured=[fault]))
    for cell in header + row:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or is_number(cell)
        assert not cell.lstrip().startswith(("=", "+", "-", "@")) or is_number(cell)
    said = dict(zip(header, row, strict=True))
    for name, text in (("notes", notes), ("tags", "; ".join(tags)), ("page", page)):
        assert said[name] in (text, f"'{text}")


@given(st.text(max_size=200), st.integers(1, 9999))
@settings(max_examples=20, deadline=None)
def test_an_export_unpacks_into_its_own_folder(text, number):
    pick = picked(number, made(f"../{text}", page=text[:40]), notes=text, tags=(text[:40],))
    with zipfile.ZipFile(io.BytesIO(packed(pick, project=f"../{text[:50]}"))) as archive:
        for name in archive.namelist():
            assert re.fullmatch(r"([a-z0-9-]+/)?[a-z0-9-]+\.(png|npy|csv|json|pdf)", name), name


@pytest.mark.parametrize("slug", ["my model", "modèle", "[red]one", "-x", "x" * 80])
def test_picks_of_any_checkpoint_go_home_whatever_its_folder_is_called(slug):
    pick = picked(1, made(model=model_of(slug=slug)))
    assert_came_back(picks_archive.read(packed(pick), "a.zip"), [pick])


def test_weights_that_were_renamed_go_home_by_the_name_they_had():
    picks = [
        picked(n, made(f"{n}", model=model_of(slug=slug)))
        for n, slug in ((1, "before"), (2, "after"), (3, "before"))
    ]
    assert_came_back(picks_archive.read(packed(*picks), "a.zip"), picks)


def test_the_same_weights_drawn_in_two_ways_go_home_as_both():
    small = PixelSketch(height=4, width=4)
    other = made("b", model=model_of(small), sample=np.ones(small.shape, np.float32))
    picks = [picked(1, made("a")), picked(2, other)]
    assert_came_back(picks_archive.read(packed(*picks), "a.zip"), picks)


def test_a_curve_that_is_no_section_is_never_smoothed():
    line = made(model=model_of(LINE, "0"), sample=np.array([1, -1, 2], np.float32))
    plain, told = (packed(picked(1, line, treatment=word)) for word in ("", "smoothed"))
    assert members(told)[ONE + ".png"] == members(plain)[ONE + ".png"]
    assert_came_back(picks_archive.read(told, "a.zip"), [picked(1, line, treatment="smoothed")])
