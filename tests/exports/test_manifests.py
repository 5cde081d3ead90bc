"""A manifest that is none, or does not fit, is refused in one sentence."""

import base64

import numpy as np
import pytest

from explorer import checkpoint, exports
from explorer.errors import ExportError, UnknownCheckpointError
from explorer.inference import Engine
from tests.support.sentences import assert_one_sentence
from tests.support.strips import change, coded, drawn, taken

pytestmark = pytest.mark.usefixtures("no_data")


def encoded(values):
    return base64.b64encode(np.array(values, "<f4").tobytes()).decode()


BAD_DRAWN = {
    "other weights": {"models__0__hash": "0" * 16},
    "no such component": {"drawn__component": 10_000},
    "a component below zero": {"drawn__component": -1},
    "too many pictures": {"drawn__tiles": 4096, "drawn__scales": [1.0] * 17},
    "too many tiles": {"drawn__tiles": 4097},
    "no tiles": {"drawn__tiles": 0},
    "no scales": {"drawn__scales": []},
    "too many scales": {"drawn__scales": [1.0] * 513},
    "a scale that is NaN": {"drawn__scales": [float("nan")]},
    "a scale without end": {"drawn__scales": [float("inf")]},
    "a scale below zero": {"drawn__scales": [-1.0]},
    "a seed too large": {"drawn__seed": 2**31},
    "another format": {"format": "another strip"},
    "another version": {"version": 3},
    "no digest": {"digest": ...},
    "no hash": {"models__0__hash": ...},
    "neither seed nor codes": {"drawn": ...},
    "both seed and codes": {"codes": {"shape": [1, 1, 2], "values": [0], "data": "AAAAAAAAAAA="}},
    "a frame below zero": {"frame": -1},
    "a field too many": {"command": "rm"},
    "a hash of a megabyte": {"models__0__hash": "a" * 10**6},
}

BAD_CODES = {
    "no base64": {"codes__data": "!!!!"},
    "no ASCII": {"codes__data": "é" * 20},
    "half of base64": {"codes__data": "AAA"},
    "no data": {"codes__data": ""},
    "data cut": {"codes__data": encoded([0] * 15)},
    "data too long": {"codes__data": encoded([0] * 17)},
    "three bytes more": {"codes__data": base64.b64encode(bytes(67)).decode()},
    "NaN": {"codes__data": encoded([np.nan] * 16)},
    "infinity": {"codes__data": encoded([0] * 15 + [np.inf])},
    "a huge code": {"codes__data": encoded([2e6] * 16)},
    "another latent": {"codes__shape": [4, 1, 4]},
    "another order": {"codes__shape": [2, 4, 2]},
    "below zero": {"codes__shape": [-4, -2, 2]},
    "no frames": {"codes__shape": [0, 2, 2]},
    "beyond integers": {"codes__shape": [10**30, 1, 2]},
    "two axes": {"codes__shape": [8, 2]},
    "too few values": {"codes__values": [0.0]},
    "a value that is NaN": {"codes__values": [float("nan")] * 4},
    "too many pictures": {"codes__shape": [65_537, 1, 2]},
}

BAD = [
    pytest.param(make, changes, id=f"{make.__name__}: {name}")
    for make, table in ((drawn, BAD_DRAWN), (coded, BAD_CODES))
    for name, changes in table.items()
]


def assert_refused(path):
    with pytest.raises(ExportError) as caught:
        exports.rebuild_strip(exports.read_manifest(path), "cpu")
    assert_one_sentence(caught.value)


@pytest.mark.parametrize(("make", "changes"), BAD)
def test_an_export_that_does_not_fit_is_refused_in_one_sentence(pixels, tmp_path, make, changes):
    path = taken(pixels, make(pixels), tmp_path)
    change(path, **changes)
    assert_refused(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"no JSON", b"\xff\xfe", b"[" * 10**5, b"\x89PNG\r\n\x1a\n"],
    ids=repr,
)
def test_a_file_that_is_no_export_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert_refused(tmp_path / "a.json")


def test_a_file_that_is_not_there_or_a_folder_is_refused_in_one_sentence(tmp_path):
    assert_refused(tmp_path / "gone.json")
    assert_refused(tmp_path)


def test_a_file_too_large_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    with path.open("wb") as stream:
        stream.truncate(5 * checkpoint.MAX_TEXT_BYTES + 1)
    monkeypatch.setattr(type(path), "read_bytes", lambda _: pytest.fail("it was read"))
    assert_refused(path)


def test_too_many_pictures_are_refused_before_any_is_made(pixels, tmp_path, monkeypatch):
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, drawn__tiles=4096, drawn__scales=[1.0] * 512)
    monkeypatch.setattr(Engine, "draw", lambda *_, **__: pytest.fail("it was drawn"))
    assert_refused(path)


@pytest.mark.parametrize("slug", ["gone", "", "..", "/", "a\0b", "./gone"])
def test_an_export_of_a_checkpoint_that_is_not_here_says_so(pixels, tmp_path, slug):
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, models__0__checkpoint=slug)
    with pytest.raises((ExportError, UnknownCheckpointError)):
        exports.rebuild_strip(exports.read_manifest(path), "cpu")
