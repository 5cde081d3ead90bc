"""Links are read as they were written, or not at all."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.ui.address.notation import (
    DIALS,
    MOST_EDITS,
    MOST_VERTICES,
    PATH,
    PICK,
    PLACE,
    code_text,
    read_code,
)
from explorer.ui.components.traversal import offsets
from tests.support.load import times

TRIANGLE = "0,0,1,0,0,1"

ACCEPTED = {
    PICK: [
        "",
        "data:0",
        "prior:999999",
        "prototypes:12",
        "holes:3",
        "box:-1.5,2,3e2,4.25",
        "box:0,0,1e-9,1e+9",
        f"lasso:{TRIANGLE}",
        "lasso:" + ",".join(["0.5,-1"] * MOST_VERTICES),
        "data:1;add:2,3",
        "data:1;cut:1",
        "box:0,0,1,1;add:5;cut:6,7",
        "data:1;add:" + ",".join(["1"] * MOST_EDITS),
    ],
    PATH: ["", "0,0,1,1", "-1.5,2e3,0,0,4,5", ",".join(["1,2"] * (MOST_VERTICES // 2))],
    PLACE: [
        "mean",
        "data:3",
        "holes:0",
        f"lasso:{TRIANGLE}",
        "box:0,0,1,1",
        "z:AAAA",
        "z:-_9=",
        "z:" + "A" * 1400,
    ],
    DIALS: ["", "0:1", "12:-1.25,7:3", "999:9.99", ",".join(["1:2"] * 40)],
}

REJECTED = {
    PICK: [
        "data",
        "data:",
        "data:-1",
        "data:1.5",
        "data:1234567",
        "density:1",
        "data:1 ",
        " data:1",
        "data:1\n",
        "data:1;add:",
        "data:1;add:1,",
        "data:1;cut:1;add:2",
        "data:1;add:1;add:2",
        ";add:1",
        "add:1",
        "box:0,0,1",
        "box:0,0,1,1,1",
        "box:0,0,1,nan",
        "box:0,0,1,inf",
        "box:0,0,1,.5",
        "box:0,0,1,5.",
        "box:0,0,1,+5",
        "box:0,0,1,1e999",
        "box:0,0,1,1234567890",
        "lasso:0,0,1,0",
        "lasso:0,0,1,0,1",
        "lasso:" + ",".join(["0,0"] * (MOST_VERTICES + 1)),
        "data:1;add:" + ",".join(["1"] * (MOST_EDITS + 1)),
        "data:1|data:2",
    ],
    PATH: ["0,0", "0,0,1", "0,0,1,1,", ",".join(["1,2"] * (MOST_VERTICES // 2 + 1)), "a", "0;0"],
    PLACE: [
        "",
        "Mean",
        "mean\n",
        "z:",
        "z:A",
        "z:AA+/",
        "z:AAAA===",
        "z:" + "A" * 1401,
        "data:1;add:2",
        "z:AA AA",
    ],
    DIALS: ["1", "1:", ":1", "1:10", "1:1.234", "1000:1", "1:1,", ",".join(["1:2"] * 41), "1:+1"],
}


@pytest.mark.parametrize("grammar", ACCEPTED, ids=["pick", "path", "place", "dials"])
def test_a_grammar_accepts_what_is_meant_and_nothing_else(grammar):
    for text in ACCEPTED[grammar]:
        assert grammar.fullmatch(text), text
    for text in REJECTED[grammar]:
        assert not grammar.fullmatch(text), text


HOSTILE = [
    "1" * 5000,
    "1," * 2500,
    "0.0," * 1250,
    "1e1," * 1250 + "x",
    "lasso:" + "1,1," * 1200,
    "lasso:" + "1" * 4990,
    "box:" + "-" * 4990,
    "data:1;add:" + "1," * 2400,
    "data:1" + ";add:1" * 800,
    "z:" + "A" * 4990 + "!",
    "z:" + "=" * 4990,
    "1:1," * 1250,
    "1:" + "1" * 4990,
    "(" * 5000,
    "\n" * 5000,
]


def test_no_grammar_hangs_on_a_long_text():
    begun = time.perf_counter()
    for grammar in (PICK, PATH, PLACE, DIALS):
        for text in HOSTILE:
            assert not grammar.fullmatch(text)
    assert time.perf_counter() - begun < 10


NUMBER = st.floats(-1e6, 1e6).map(lambda value: f"{value:.4f}")


@given(st.lists(NUMBER, min_size=4, max_size=2 * MOST_VERTICES))
def test_a_line_of_two_to_32_vertices_is_a_path(numbers):
    text = ",".join(numbers)
    fits = len(numbers) % 2 == 0 and len(numbers) <= MOST_VERTICES
    assert bool(PATH.fullmatch(text)) == fits


@given(st.dictionaries(st.integers(0, 999), st.integers(-999, 999), max_size=40))
def test_offsets_come_back_from_the_text_of_dials(given_offsets):
    text = ",".join(f"{unit}:{value / 100:.2f}" for unit, value in given_offsets.items())
    assert DIALS.fullmatch(text)
    found = offsets(text)
    expected = {str(unit): max(-9, min(9, value / 100)) for unit, value in given_offsets.items()}
    assert found == pytest.approx(expected)


@pytest.mark.load
@given(st.text(max_size=40))
@settings(max_examples=times(300))
def test_whatever_a_grammar_accepts_is_ascii_or_digits_and_can_be_read(text):
    for grammar in (PICK, PATH, PLACE, DIALS):
        if grammar.fullmatch(text):
            assert all(letter.isascii() or letter.isdigit() for letter in text)
            if grammar is DIALS:
                offsets(text)


@given(st.lists(st.floats(-9000, 9000, width=16), min_size=1, max_size=512))
def test_a_code_comes_back_in_half_precision(values):
    z = np.array(values, np.float32)
    text = code_text(z)
    assert PLACE.fullmatch(text)
    np.testing.assert_array_equal(read_code(text, len(z)), z)
    assert read_code(text + "=" * (-len(text[2:]) % 4), len(z)) is not None
    assert read_code(text, len(z) + 1) is None


def test_a_code_is_rounded_to_half_precision():
    z = np.array([0.1, -1 / 3, 1234.567], np.float32)
    found = read_code(code_text(z), 3)
    np.testing.assert_array_equal(found, z.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(found, z, rtol=2**-10)


@given(st.text(max_size=60), st.integers(1, 8))
def test_any_text_is_a_finite_code_or_none(text, latent):
    z = read_code(text, latent)
    assert z is None or (z.shape == (latent,) and np.isfinite(z).all())
