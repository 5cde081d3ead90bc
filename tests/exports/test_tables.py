"""Tables hold the numbers, and no cell is run by a spreadsheet."""

import codecs
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer import exports


def test_a_cell_that_a_spreadsheet_would_calculate_is_neutralised():
    words = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\N{FULLWIDTH EQUALS SIGN}1",
        "plain",
        "1-1",
        "",
    ]
    n = len(words)
    columns = {"word": np.array(words), "object": np.array(words, object)}
    rows = read_csv(exports.table(columns, np.zeros((n, 1), np.float32)))
    for row, word in zip(rows[1:], words, strict=True):
        expected = f"'{word}" if word and word[0] in "=+-@\t\r\N{FULLWIDTH EQUALS SIGN}" else word
        assert row[:2] == [expected, expected]


def test_a_spreadsheet_knows_the_characters_and_calculates_no_heading():
    columns = {"=Größe": np.array(["Ø 3 µm"])}
    content = exports.table(columns, np.zeros((1, 1), np.float32))
    assert content.startswith(codecs.BOM_UTF8)
    assert read_csv(content) == [["'=Größe", "z0"], ["Ø 3 µm", "0"]]


def test_numbers_keep_their_sign():
    columns = {
        "float": np.array([-1.5, 2.25]),
        "whole": np.array([-3, 4]),
        "small": np.array([-5, 6], np.int8),
        "truth": np.array([True, False]),
    }
    z = np.array([[-0.1, 1e-30], [2.0, -3e9]], np.float32)
    header, *rows = read_csv(exports.table(columns, z))
    assert header == ["float", "whole", "small", "truth", "z0", "z1"]
    assert [row[:4] for row in rows] == [["-1.5", "-3", "-5", "True"], ["2.25", "4", "6", "False"]]
    np.testing.assert_array_equal(np.array([row[4:] for row in rows], np.float32), z)


@given(st.text(max_size=20).filter(lambda text: "\x00" not in text))
def test_a_word_comes_back_from_the_table_and_never_as_a_formula(word):
    content = exports.table({"word": np.array([word], object)}, np.zeros((1, 1), np.float32))
    ((found, _),) = read_csv(content)[1:]
    assert found.removeprefix("'") == word.removeprefix("'")
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r"))


def read_csv(content):
    import csv

    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_arrays_hold_no_objects():
    z = np.arange(4, dtype=np.float64).reshape(2, 2)
    columns = {"word": np.array(["a", "=b"], object), "n": np.array([1, -2])}
    with np.load(io.BytesIO(exports.arrays(columns, z)), allow_pickle=False) as found:
        assert sorted(found.files) == ["n", "word", "z"]
        assert found["z"].dtype == np.float32
        np.testing.assert_array_equal(found["z"], z)
        assert found["word"].tolist() == ["a", "=b"]
        assert found["n"].tolist() == [1, -2]
