"""Pictures of one's own come as they are, or are refused in one sentence."""

import io
import re
import zlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from explorer.data import FilesConfig
from explorer.data.decoding import SUFFIXES
from explorer.errors import DataError, DataMissingError
from tests.support.data import SPLITS, one_sentence


def paint(path, shape=(6, 5), value=None, mode="L", **options):
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    channels = () if mode == "L" else (len(mode),)
    pixels = rng.integers(0, 256, (*shape, *channels), np.uint8)
    if value is not None:
        pixels[:] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return pixels


def rows(split):
    """The places of samples in their folder or array, from their names."""
    return [int(re.search(r"(\d+)(\]|\.png)$", name)[1]) for name in split.names]


def test_a_folder_of_pictures_comes_back_as_it_was(tmp_path):
    pixels = np.stack([paint(tmp_path / "mine" / f"{row:03}.png") for row in range(40)])
    data = FilesConfig(path="mine").load(tmp_path)
    assert sum(len(data.split(name)) for name in SPLITS) == 40
    assert data.sketch.shape == (1, 6, 5)
    assert data.train.labels is None
    for name in SPLITS:
        split = data.split(name)
        np.testing.assert_allclose(split.x[:, 0], pixels[rows(split)] / 255, atol=1e-6)


def test_sub_folders_name_the_classes(tmp_path):
    for row in range(36):
        paint(
            tmp_path / "mine" / ("cat", "dog", "elk")[row % 3] / f"{row}.png", value=99 + row % 3
        )
    data = FilesConfig(path=str(tmp_path / "mine")).load(tmp_path)
    assert data.classes == ("cat", "dog", "elk")
    for name in SPLITS:
        split = data.split(name)
        np.testing.assert_array_equal(np.rint(split.x[:, 0, 0, 0] * 255) - 99, split.labels)


def test_every_format_of_picture_is_read_in_colour_and_resized(tmp_path):
    for row in range(30):
        suffix = (*SUFFIXES, ".PNG")[row % (len(SUFFIXES) + 1)]
        paint(tmp_path / f"{row}{suffix}", (20, 30), (200, 100, 50), "RGB")
    (tmp_path / "notes.txt").write_text("not a picture")
    data = FilesConfig(path=".", height=8, width=9, channels=3).load(tmp_path)
    assert data.train.x.shape[1:] == (3, 8, 9)
    spread = np.abs(data.train.x * 255 - np.array([200, 100, 50])[:, None, None]).max()
    assert spread < 26  # a gif's palette and a jpeg are not exact


def test_what_is_transparent_becomes_white_and_sixteen_bits_become_grey(tmp_path):
    for row in range(30):
        paint(tmp_path / "clear" / f"{row}.png", value=(0, 0, 0, 0), mode="RGBA")
        deep = tmp_path / "deep" / f"{row}.png"
        deep.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((4, 4), 257 * 100, np.uint16)).save(deep)
    assert (FilesConfig(path="clear").load(tmp_path).train.x == 1).all()
    grey = FilesConfig(path="deep").load(tmp_path).train.x
    np.testing.assert_allclose(grey, 100 / 255, atol=1e-6)


def test_binary_pictures_are_drawn_once_for_validation_and_test(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((60, 4, 4)))
    config = FilesConfig(path="x.npy", binary=True)
    data, again = config.load(tmp_path), config.load(tmp_path)
    assert data.dynamic
    assert ((data.train.x > 0) & (data.train.x < 1)).any()
    for name in ("valid", "test"):
        assert set(np.unique(data.split(name).x)) == {0.0, 1.0}
        np.testing.assert_array_equal(data.split(name).x, again.split(name).x)


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(30, 60),
    height=st.integers(1, 9).filter(lambda side: side not in (1, 3)),
    width=st.integers(1, 9).filter(lambda side: side not in (1, 3)),
    colours=st.sampled_from([1, 3]),
    layout=st.sampled_from(["grey", "first", "last", "flat"]),
    dtype=st.sampled_from([np.uint8, np.float16, np.float32, np.float64]),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 9),
)
def test_arrays_of_every_layout_come_back(
    tmp_path_factory, samples, height, width, colours, layout, dtype, channels, seed
):
    colours = 1 if layout in ("grey", "flat") else colours
    width = height if layout == "flat" else width
    assume(layout != "flat" or samples != height * width)  # may be one picture
    top = 255 if dtype is np.uint8 else 1
    pictures = (
        np.random.default_rng(seed).random((samples, colours, height, width)) * top
    ).astype(dtype)
    array = {
        "grey": pictures[:, 0],
        "first": pictures,
        "last": pictures.transpose(0, 2, 3, 1),
        "flat": pictures.reshape(samples, -1),
    }[layout]
    path = tmp_path_factory.mktemp("arrays") / "x.npy"
    np.save(path, array)
    data = FilesConfig(path=str(path), channels=channels, seed=seed).load(path.parent)
    assert data.sketch.shape == (channels, height, width)
    found = [row for name in SPLITS for row in rows(data.split(name))]
    assert sorted(found) == list(range(samples))
    if channels >= colours:
        expected = np.repeat(pictures / np.float64(top), channels // colours, axis=1)
        np.testing.assert_allclose(data.train.x, expected[rows(data.train)], atol=1e-6)


def test_labels_of_an_archive_become_classes(tmp_path):
    words = np.array(["b", "a", "c"] * 12)
    np.savez(tmp_path / "words.npz", images=np.zeros((36, 4, 4), np.uint8), y=words)
    data = FilesConfig(path="words.npz").load(tmp_path)
    assert data.classes == ("a", "b", "c")
    assert [data.classes[label] for label in data.test.labels] == list(words[rows(data.test)])
    np.savez_compressed(tmp_path / "whole.npz", x=np.zeros((36, 16)), labels=np.arange(36) % 2 * 7)
    assert FilesConfig(path="whole.npz").load(tmp_path).classes == ("0", "7")


def test_arrays_are_resized_as_asked(tmp_path):
    np.save(tmp_path / "x.npy", np.full((30, 300, 200), 0.25, np.float32))
    with pytest.raises(DataError, match="set height and width"):
        FilesConfig(path="x.npy").load(tmp_path)
    data = FilesConfig(path="x.npy", height=6, width=4).load(tmp_path)
    assert data.train.x.shape[1:] == (1, 6, 4)
    np.testing.assert_allclose(data.train.x, 0.25, atol=1e-6)
    np.save(tmp_path / "flat.npy", np.zeros((30, 24)))
    assert FilesConfig(path="flat.npy", height=6, width=4).load(tmp_path).sketch.shape == (1, 6, 4)


def header(shape, dtype="|u1"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def packed(**members):
    stream = io.BytesIO()
    np.savez(stream, **members)
    return stream.getvalue()


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


ZEROS = np.zeros((30, 4, 4), np.uint8)

BAD_ARRAYS = {
    "empty": ("x.npy", b""),
    "empty archive": ("x.npz", b""),
    "text": ("x.npy", b"hello"),
    "truncated": ("x.npy", saved(ZEROS)[:-9]),
    "pickle": ("x.npy", b"\x80\x04N."),
    "objects": ("x.npy", saved(np.array([{}] * 30))),
    "objects in an archive": ("x.npz", packed(x=np.array([{}] * 30, dtype=object))),
    "whole numbers below zero": ("x.npy", saved(ZEROS.astype(np.int64) - 1)),
    "words": ("x.npy", saved(np.full((30, 4), "a"))),
    "too bright": ("x.npy", saved(ZEROS + 2.0)),
    "negative": ("x.npy", saved(ZEROS - 0.5)),
    "not a number": ("x.npy", saved(ZEROS * np.nan)),
    "infinite": ("x.npy", saved(np.full((30, 4, 4), np.inf))),
    "no square": ("x.npy", saved(np.zeros((30, 15)))),
    "one number": ("x.npy", saved(np.array(0.5))),
    "no pixels": ("x.npy", saved(np.zeros((30, 0, 4)))),
    "five axes": ("x.npy", saved(np.zeros((30, 1, 1, 4, 4)))),
    "two channels": ("x.npy", saved(np.zeros((30, 2, 4, 4)))),
    "too few": ("x.npy", saved(ZEROS[:29])),
    "too many": ("x.npy", saved(np.zeros((100_001, 1), np.uint8))),
    "too large": ("x.npy", header((10_000, 1000, 1000))),
    "beyond all memory": ("x.npy", header((2**62, 2**62))),
    "negative shape": ("x.npy", header((-30, 4, 4))),
    "nested header": ("x.npy", b"\x93NUMPY\x01\x00\x70\x17" + b"(" * 6000),
    "no images": ("x.npz", packed(weights=np.zeros(30))),
    "several sets of images": ("x.npz", packed(left=ZEROS, right=ZEROS)),
    "several by usual names": ("x.npz", packed(data=ZEROS, imgs=ZEROS)),
    "several without names": ("x.npz", packed(arr_0=ZEROS, arr_1=ZEROS)),
    "a test set alone": ("x.npz", packed(x_test=ZEROS)),
    "splits of two shapes": ("x.npz", packed(x_train=ZEROS, x_test=np.zeros((9, 5, 5), np.uint8))),
    "splits of two types": ("x.npz", packed(x_train=ZEROS, x_test=np.zeros((9, 4, 4)))),
    "hardly anything to train on": ("x.npz", packed(x_train=ZEROS[:9], x_test=ZEROS)),
    "other labels": ("x.npz", packed(x=ZEROS, y=np.zeros(29, int))),
    "fractional labels": ("x.npz", packed(x=ZEROS, y=np.full(30, 0.5))),
    "one of the labels is unknown": ("x.npz", packed(x=ZEROS, y=np.r_[np.nan, np.zeros(29)])),
    "a pointer": ("x.npz", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "another ending": ("x.csv", b"0,0"),
}


@pytest.mark.parametrize(("name", "content"), BAD_ARRAYS.values(), ids=BAD_ARRAYS.keys())
def test_a_bad_array_is_named_in_one_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name) as error:
        FilesConfig(path=name).load(tmp_path)
    assert one_sentence(error)


def test_a_damaged_archive_is_named(tmp_path):
    content = bytearray(packed(x=np.random.default_rng(0).random((30, 9, 9))))
    content[5000] ^= 255
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz"):
        FilesConfig(path="x.npz").load(tmp_path)


def bomb():
    """Write the header of a png of 30,000 x 30,000 pixels, and no more."""
    size = (30_000).to_bytes(4, "big") * 2
    chunk = b"IHDR" + size + b"\x08\x00\x00\x00\x00"
    body = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + body + b"\0\0\0\0IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big")


BAD_PICTURES = {
    "empty": b"",
    "text": b"hello",
    "bomb": bomb(),
    "large": bomb().replace((30_000).to_bytes(4, "big") * 2, (8000).to_bytes(4, "big") * 2),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}


@pytest.mark.parametrize("content", BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
@pytest.mark.parametrize("name", ["00.png", "99.png"])  # the first sets the size
def test_a_bad_picture_is_named_in_one_sentence(name, content, tmp_path):
    for row in range(30):
        paint(tmp_path / f"{row + 10}.png")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name) as error:
        FilesConfig(path=".").load(tmp_path)
    assert one_sentence(error)


def test_a_truncated_picture_is_named(tmp_path):
    for row in range(30):
        paint(tmp_path / f"{row}.png", (40, 40))
    whole = (tmp_path / "7.png").read_bytes()
    (tmp_path / "7.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"7\.png"):
        FilesConfig(path=".").load(tmp_path)


def test_a_folder_that_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(DataError, match="has 0 samples"):
        FilesConfig(path=".").load(tmp_path)
    paint(tmp_path / "loose.png")
    paint(tmp_path / "cat" / "sorted.png")
    with pytest.raises(DataError, match="both beside and inside"):
        FilesConfig(path=".").load(tmp_path)


def test_large_pictures_need_a_size(tmp_path):
    for row in range(30):
        paint(tmp_path / f"{row}.png", (200, 100))
    with pytest.raises(DataError, match="200 x 100 pixels; set height and width"):
        FilesConfig(path=".").load(tmp_path)
    assert FilesConfig(path=".", height=20, width=10).load(tmp_path).sketch.shape == (1, 20, 10)


def test_relative_paths_stay_below_the_data_root(tmp_path):
    np.save(tmp_path / "x.npy", ZEROS)
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(DataError, match="is outside the data directory") as error:
        FilesConfig(path="../x.npy").load(root)
    assert one_sentence(error)
    assert len(FilesConfig(path=str(tmp_path / "x.npy")).load(root).train) > 15


def test_absent_files_are_named_with_their_folder(tmp_path):
    with pytest.raises(DataMissingError, match=r"mine\.npy is not in") as error:
        FilesConfig(path="mine.npy").load(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert one_sentence(error)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": ""},
        {"path": "a\0b"},
        {"path": "x", "height": 8},
        {"path": "x", "height": 129, "width": 8},
        {"path": "x", "channels": 2},
        {"path": "x", "seed": -1},
    ],
    ids=["nothing", "nul", "lone", "large", "two", "negative"],
)
def test_impossible_recipes_are_refused(fields):
    with pytest.raises(ValidationError):
        FilesConfig(**fields)
