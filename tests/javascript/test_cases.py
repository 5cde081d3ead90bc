"""What Python reads in a link is what the browser writes: one table, which both of them run.

The browser's half is in tests/browser/test_bridge.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from explorer.inference import Engine
from explorer.projection import Atlas
from explorer.ui.address.notation import PATH, PICK, code_text, read_code
from explorer.ui.address.places import path_codes, select
from tests.support.models import small_checkpoint

CASES = json.loads(Path(__file__).with_name("cases.json").read_text())


@pytest.fixture(scope="module")
def engine():
    return Engine(small_checkpoint("mog"), "cpu")


@pytest.fixture(scope="module")
def atlas():
    xy = np.array(CASES["points"], np.float32)
    n, nothing = len(xy), np.empty((0, 2), np.float32)
    ones = np.ones(n, np.float32)
    return Atlas(
        "plane", xy, xy, xy, ones, np.zeros(n, np.uint8), np.arange(n), np.zeros(n, int),
        ones, ones, ones, nothing, nothing, (), "",
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES["codes"], ids=lambda case: case["text"])
def test_a_code_is_written_in_half_precision(case):
    z = np.array(case["z"], np.float32)
    assert code_text(z) == f"z:{case['text']}"
    found = read_code(case["text"], len(z))
    np.testing.assert_array_equal(found, z.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("case", CASES["picks"], ids=lambda case: case["text"])
def test_a_pick_means_rows(engine, atlas, case):
    assert PICK.fullmatch(case["text"])
    if "rows" in case:
        assert select(engine, atlas, case["text"]).rows.tolist() == case["rows"]


@pytest.mark.parametrize("text", CASES["no_picks"])
def test_what_is_no_pick_is_refused(engine, atlas, text):
    assert not PICK.fullmatch(text)
    assert select(engine, atlas, text) is None


@pytest.mark.parametrize("case", CASES["edits"], ids=lambda case: case["then"])
def test_an_edit_adds_or_cuts_one_row(engine, atlas, case):
    def rows(text):
        found = select(engine, atlas, text)
        return set() if found is None else set(found.rows.tolist())

    before, after, row = rows(case["text"]), rows(case["then"]), {case["row"]}
    assert after == (before | row if case["how"] == "add" else before - row)


@pytest.mark.parametrize("case", CASES["paths"], ids=lambda case: case["text"])
def test_a_path_leads_from_its_first_vertex_to_its_last(atlas, case):
    assert PATH.fullmatch(case["text"])
    _, places = path_codes(atlas, case["text"], 5)
    ends = np.array([case["vertices"][0], case["vertices"][-1]], np.float32)
    np.testing.assert_allclose(places[[0, -1]], ends)


@pytest.mark.parametrize("text", CASES["no_paths"])
def test_what_is_no_path_is_refused(text):
    assert not PATH.fullmatch(text)


@pytest.mark.parametrize("case", CASES["coordinates"], ids=lambda case: case["text"])
def test_a_coordinate_of_the_browser_is_one_of_a_link(case):
    assert PATH.fullmatch(",".join([case["text"]] * 4))
    assert float(case["text"]) == pytest.approx(case["value"], rel=1e-4, abs=1e-6)
