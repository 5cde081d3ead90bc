"""Codes of a reference from a file: what is one is read, anything else is a sentence."""

import io

import numpy as np
import pytest

from explorer.data.codes import MOST_CODES, found_beside, read_codes
from explorer.errors import DataError

CODES = np.random.default_rng(0).standard_normal((50, 3))


def written(tmp_path, array, name="codes.npy", **more):
    path = tmp_path / name
    if path.suffix == ".npz":
        np.savez(path, array, **more) if array is not None else np.savez(path, **more)
    else:
        np.save(path, array, allow_pickle=True)
    return path


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ">f4"])
def test_rows_are_codes_in_any_precision(tmp_path, dtype):
    codes, digest = read_codes(written(tmp_path, CODES.astype(dtype)), 3)
    np.testing.assert_allclose(codes, CODES, atol=2e-3)
    assert codes.dtype == np.float32
    assert len(digest) == 64


def test_an_archive_gives_its_only_array_or_the_one_named_codes(tmp_path):
    np.testing.assert_allclose(read_codes(written(tmp_path, CODES, "a.npz"), 3)[0], CODES, 1e-6)
    named = written(tmp_path, None, "b.npz", labels=np.arange(50), codes=CODES)
    np.testing.assert_allclose(read_codes(named, 3)[0], CODES, 1e-6)
    with pytest.raises(DataError, match="name the one with the codes"):
        read_codes(written(tmp_path, None, "c.npz", one=CODES, two=CODES), 3)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((9, 3), np.nan), "not finite"),
        (np.full((9, 3), 1e30), "over a million"),
        (np.ones((9, 3)), "two different codes"),
        (CODES[:1], "between 2 and"),
        (CODES[:, :2], "n x 3"),
        (CODES.ravel(), "n x 3"),
        (np.zeros((MOST_CODES + 1, 3), np.float16), "between 2 and"),
        (np.array([["a", "b", "c"]] * 4), "plain numbers"),
        (np.array([[object()] * 3] * 4), "plain numbers"),
        (CODES.astype(complex), "plain numbers"),
    ],
)
def test_what_is_no_sample_of_codes_is_refused_with_its_reason(tmp_path, array, words):
    with pytest.raises(DataError, match=words):
        read_codes(written(tmp_path, array), 3)


@pytest.mark.parametrize(
    "content", [b"", b"not numpy", b"\x93NUMPY\x01\x00\xff\xff", b"PK\x03\x04"]
)
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_a_damaged_file_is_one_sentence(tmp_path, content, suffix):
    path = tmp_path / f"codes{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read|pointer|has 0 arrays"):
        read_codes(path, 3)


def test_a_header_that_promises_too_much_reads_nothing(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    )
    path = tmp_path / "huge.npy"
    path.write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="between 2 and"):
        read_codes(path, 3)


@pytest.mark.parametrize("name", ["codes.txt", "missing.npy"])
def test_another_file_or_none_is_said(tmp_path, name):
    with pytest.raises(DataError, match="npy"):
        read_codes(tmp_path / name, 3)


def test_a_file_is_sought_beside_the_recipe_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    written(tmp_path / "here", CODES)
    assert found_beside("codes.npy", tmp_path / "here") == tmp_path / "here" / "codes.npy"
    assert str(found_beside("codes.npy", None)) == "codes.npy"
