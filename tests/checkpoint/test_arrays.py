"""Arrays that are no plain arrays are refused."""

import contextlib
import io
import struct
import zipfile

import numpy as np
import pytest

from explorer import checkpoint
from explorer.errors import CheckpointError
from tests.support.checkpoints import npz


def zipped(method=zipfile.ZIP_DEFLATED, **members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return stream.getvalue()


def npy(descr, shape, content=b""):
    head = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    head = head.ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


def damaged(seed):
    content = bytearray(npz(a=np.random.default_rng(0).random(400), b=np.arange(50)))
    random = np.random.default_rng(seed)
    content[random.integers(30, len(content))] ^= 1 << random.integers(8)
    return bytes(content)


def encrypted():
    content = bytearray(zipped(a_npy=npy("<f4", (1,), bytes(4))))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


WHOLE = npz(a=np.random.default_rng(0).random(400))

BAD_ARRAYS = {
    "a pickle inside": npz(a=np.array([{"x": 1}], dtype=object)),
    "a bare pickle": b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00]\x94.",
    "empty": b"",
    "a text": b"no archive",
    **{f"cut at {share}": WHOLE[: int(share * len(WHOLE))] for share in (0.01, 0.3, 0.7, 0.99)},
    "a shape beyond memory": zipped(a_npy=npy("<f8", (10**14,))),
    "a shape beyond integers": zipped(a_npy=npy("<f8", (10**30,))),
    "a negative shape": zipped(a_npy=npy("<f8", (-5,))),
    "a header that is no array": zipped(a_npy=b"\x93NUMPY\x01\x00\x04\x00abc\n"),
    "a member that is no array": zipped(a_npy=b"hello"),
    "a member without a suffix": zipped(a=b"hello"),
    "encrypted": encrypted(),
}


@pytest.mark.parametrize("content", BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_arrays_that_are_no_plain_arrays_are_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.read_arrays(tmp_path / "a.npz")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_in_arrays_is_noticed_or_harmless(tmp_path, seed):
    (tmp_path / "a.npz").write_bytes(damaged(seed))
    with contextlib.suppress(CheckpointError):
        found = checkpoint.read_arrays(tmp_path / "a.npz")
        assert all(isinstance(value, np.ndarray) for value in found.values())


def test_an_archive_that_unpacks_to_too_much_is_refused_before(tmp_path, monkeypatch):
    (tmp_path / "a.npz").write_bytes(npz(a=np.zeros(2_000_000)))
    monkeypatch.setattr(checkpoint, "MAX_ARRAY_BYTES", 10_000_000)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was unpacked"))
    with pytest.raises(CheckpointError, match="unpacks to over 10 MB"):
        checkpoint.read_arrays(tmp_path / "a.npz")


def test_arrays_come_back_equal(tmp_path):
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.float16(0.5)}
    (tmp_path / "a.npz").write_bytes(npz(**arrays))
    found = checkpoint.read_arrays(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(found[name], value)
