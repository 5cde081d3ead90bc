"""Folders of pictures are read as their owners mean them, and what is left out is named."""

import numpy as np
import pytest
from PIL import Image

from explorer.data import FilesConfig
from explorer.errors import DataError, ExplorerError
from tests.support.data import SPLITS
from tests.support.sentences import assert_one_sentence, refused

RNG = np.random.default_rng(0)


def draw(folder, count, suffix=".png", first=0, side=6, **options):
    folder.mkdir(parents=True, exist_ok=True)
    for row in range(first, first + count):
        pixels = RNG.integers(0, 256, (side, side), np.uint8)
        Image.fromarray(pixels).save(folder / f"{row:02}{suffix}", **options)


def load(folder, links=False, **options):
    return FilesConfig(path=".", **options).load(folder, links=links)


def names(data):
    return {name: set(data.split(name).names) for name in SPLITS}


def said(data):
    return " ".join(data.notes)


def test_every_common_format_is_read(tmp_path):
    options = {".jfif": {"format": "JPEG"}, ".JPE": {"format": "JPEG"}}
    suffixes = (".tif", ".TIFF", ".jfif", ".JPE", ".avif", ".pgm", ".ppm", ".png")
    for place, suffix in enumerate(suffixes):
        draw(tmp_path, 5, suffix, 5 * place, **options.get(suffix, {}))
    data = load(tmp_path)
    assert sum(map(len, names(data).values())) == 40
    assert "Passed over" not in said(data)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
@pytest.mark.parametrize(("top", "white"), [(65535, 65535), (3900, 4095), (1, 1)])
def test_sixteen_bits_are_read_whole_and_on_one_scale(suffix, top, white, tmp_path):
    if suffix == ".pgm" and top < 65535:
        pytest.skip("PGM names its own white")
    pixels = RNG.integers(0, top + 1, (40, 6, 6)).astype(np.uint16)
    pixels[3] //= 2  # a dark picture stays dark
    for row, plane in enumerate(pixels):
        Image.fromarray(plane).save(tmp_path / f"{row:02}{suffix}")
    data = load(tmp_path)
    for name in SPLITS:
        split = data.split(name)
        rows = [int(name[:2]) for name in split.names]
        np.testing.assert_allclose(split.x[:, 0], pixels[rows] / white, atol=1e-6)
    assert ("stretched" in said(data)) is (white < 65535)
    settled = FilesConfig(path=".").settled(data)
    np.testing.assert_array_equal(settled.load(tmp_path).train.x, data.train.x)


def test_masks_in_a_folder_are_stretched_and_said(tmp_path):
    for row in range(30):
        Image.fromarray(RNG.integers(0, 2, (6, 6)).astype(np.uint8)).save(tmp_path / f"{row}.png")
    data = load(tmp_path)
    assert set(np.unique(data.train.x)) == {0.0, 1.0}
    assert "Values go up to 1 of 255: stretched" in said(data)


def test_floats_in_tiff_are_read(tmp_path):
    planes = RNG.random((30, 6, 6)).astype(np.float32)
    for row, plane in enumerate(planes):
        Image.fromarray(plane).save(tmp_path / f"{row:02}.tif")
    data = load(tmp_path)
    rows = [int(name[:2]) for name in data.train.names]
    np.testing.assert_allclose(data.train.x[:, 0], planes[rows], atol=1e-6)
    Image.fromarray(np.full((6, 6), np.nan, np.float32)).save(tmp_path / "nan.tif")
    with refused(DataError, "nan.tif"):
        load(tmp_path)
    assert len(load(tmp_path, skip_broken=True).train) == len(data.train)
    draw(tmp_path, 1, first=40)
    (tmp_path / "nan.tif").unlink()
    with refused(DataError, "mixes pictures of floats"):
        load(tmp_path)


@pytest.mark.parametrize("classes", [("",), ("cat", "dog")], ids=["flat", "with classes"])
@pytest.mark.parametrize(
    "given",
    [("train", "test"), ("Train", "VAL", "Test"), ("training", "validation")],
    ids="-".join,
)
def test_folders_named_like_splits_are_splits(given, classes, tmp_path):
    for place, split in enumerate(given):
        for kind in classes:
            draw(tmp_path / split / kind, 30 if not place else 6)
    data = load(tmp_path)
    assert data.classes == tuple(filter(None, classes))
    found = names(data)
    alias = {"validation": "valid", "training": "train"}
    for split in given[1:]:
        name = {"val": "valid"}.get(split.lower(), alias.get(split.lower(), split.lower()))
        assert {one.split("/")[0] for one in found[name]} == {split}
        assert len(found[name]) == 6 * len(classes)
    assert {one.split("/")[0] for one in found["train"]} == {given[0]}
    assert all(found.values())
    assert "Splits as given" in said(data)
    if classes[0]:
        split = data.test
        kinds = [name.split("/")[-2] for name in split.names]
        assert [data.classes[label] for label in split.labels] == kinds


def test_a_vehicle_is_no_split(tmp_path):
    for kind in ("car", "plane", "train"):
        draw(tmp_path / kind, 12)
    data = load(tmp_path)
    assert data.classes == ("car", "plane", "train")
    assert "Splits" not in said(data)


UNCLEAR = {
    "splits beside classes": (("train", "test", "cat"), "beside other folders .cat."),
    "no train": (("val", "test"), "no train"),
    "splits within classes": (("cat/train", "cat/test", "dog/train"), "inside its classes"),
    "classes in one split": (("train/cat", "train/dog", "test"), "none in test"),
    "loose": (("", "cat"), "both beside and inside"),
    "loose in a split": (("train", "train/cat", "test/cat"), "both beside and inside"),
}


@pytest.mark.parametrize(("folders", "words"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_can_be_read_in_two_ways_is_refused(folders, words, tmp_path):
    for folder in folders:
        draw(tmp_path / folder, 15)
    with pytest.raises(DataError, match=words):
        load(tmp_path)


def test_deeper_folders_belong_to_their_class(tmp_path):
    for kind in ("cat", "dog"):
        draw(tmp_path / kind, 10)
        draw(tmp_path / kind / "more" / "still", 10)
    data = load(tmp_path)
    assert data.classes == ("cat", "dog")
    assert sum(map(len, names(data).values())) == 40
    assert "20 pictures in deeper folders" in said(data)


def test_a_folder_around_all_others_is_no_class(tmp_path):
    for split in ("train", "test"):
        draw(tmp_path / "my data" / split, 20)
    data = load(tmp_path)
    assert len(data.test) == 20
    assert data.classes == ()
    assert "Read from my data/" in said(data)


def test_what_is_passed_over_is_counted_and_named(tmp_path):
    draw(tmp_path, 30)
    for row in range(3):
        (tmp_path / f"{row}.HEIC").write_bytes(b"?")
    (tmp_path / "notes.txt").write_text("?")
    (tmp_path / "README").write_text("?")
    (tmp_path / ".hidden.png").write_bytes(b"?")
    note = said(load(tmp_path))
    for words in ("3 .heic", "1 .txt", "1 without suffix", "1 hidden"):
        assert words in note


def test_where_nothing_is_read_the_sentence_says_what_was_found_and_what_is_read(tmp_path):
    for row in range(40):
        (tmp_path / f"{row}.heic").write_bytes(b"?")
    with refused(DataError, "has 0 samples; found 40 .heic; read are PNG, JPEG"):
        load(tmp_path)


def spoil(folder, count, first=50):
    for row in range(first, first + count):
        (folder / f"{row}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"?" * 40)


def test_all_broken_files_are_named_at_once(tmp_path):
    draw(tmp_path, 40)
    spoil(tmp_path, 12)
    with pytest.raises(DataError, match="12 broken files") as caught:
        load(tmp_path)
    words = str(caught.value)
    assert_one_sentence(caught.value)
    assert all(f"{row}.png" in words for row in range(50, 60))
    assert "and 2 more" in words
    assert "--skip-broken" in words


def test_broken_files_are_skipped_on_request_and_said(tmp_path):
    draw(tmp_path, 40)
    whole = load(tmp_path)
    spoil(tmp_path, 2)
    (tmp_path / "00a.png").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")  # the first, a phone's
    data = load(tmp_path, skip_broken=True)
    assert names(data) == names(whole)
    np.testing.assert_array_equal(data.train.x, whole.train.x)
    assert "Went on without 3 broken files (00a.png, 50.png, 51.png)" in said(data)
    spoil(tmp_path, 1)
    with refused(ExplorerError, "--skip-broken"):
        load(tmp_path)
    for row in range(20):
        (tmp_path / f"{row:02}.png").write_bytes(b"")
    with refused(DataError, "20 samples and 23 broken files"):
        load(tmp_path, skip_broken=True)


def test_links_are_followed_for_the_command_line_alone(tmp_path):
    draw(tmp_path / "elsewhere", 20)
    mine = tmp_path / "mine"
    draw(mine, 30, first=20)
    secret = tmp_path / "elsewhere" / "00.png"
    (mine / "one.png").symlink_to(secret)
    assert "one.png" not in set().union(*names(load(mine)).values())
    assert "1 symbolic links" in said(load(mine))
    assert "one.png" in set().union(*names(load(mine, links=True)).values())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link").symlink_to(mine)
    with refused(DataError, "is outside the data directory"):
        FilesConfig(path="link").load(tmp_path / "data")
    assert len(FilesConfig(path="link").load(tmp_path / "data", links=True).train) > 15
    with refused(DataError, "is outside the data directory"):
        FilesConfig(path="../mine").load(tmp_path / "data", links=True)


def test_circles_of_links_and_deep_folders_end(tmp_path):
    draw(tmp_path / "cat", 20)
    draw(tmp_path / "dog", 20)
    (tmp_path / "cat" / "round").symlink_to(tmp_path)
    (tmp_path / "dog" / "again").symlink_to(tmp_path / "dog")
    (tmp_path / "dog" / "cat").symlink_to(tmp_path / "cat")
    (tmp_path / "dog" / "gone.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "dog" / "self").symlink_to(tmp_path / "dog" / "self")
    draw(tmp_path.joinpath("cat", *"abcdefghij"), 3)
    data = load(tmp_path, links=True)
    assert sum(map(len, names(data).values())) == 40
    for words in ("3 links to folders already read", "2 broken links", "folders more than 8 deep"):
        assert words in said(data)


def test_pictures_of_several_sizes_and_stacks_are_said(tmp_path):
    draw(tmp_path, 30)
    draw(tmp_path, 1, first=40, side=9)
    pages = [Image.new("L", (6, 6), value) for value in (9, 99)]
    pages[0].save(tmp_path / "99.tif", save_all=True, append_images=pages[1:])
    note = said(load(tmp_path))
    assert "Pictures of 2 sizes are resized to 6 x 6." in note
    assert "Of 1 TIFF files with several pages the first is read." in note


def test_dark_ink_in_a_folder_is_inverted_and_said(tmp_path):
    for row in range(30):
        page = Image.new("L", (12, 12), 250)
        page.paste(int(RNG.integers(0, 60)), (3, 3, 9, 9))
        page.save(tmp_path / f"{row}.png")
    data = load(tmp_path)
    assert data.train.x[:, 0, 0, 0].max() < 0.05
    assert data.train.x[:, 0, 6, 6].min() > 0.7
    assert "inverted" in said(data)


@pytest.mark.parametrize("rule", [1, 2])
def test_folders_of_before_are_read_as_before(rule, tmp_path):
    for split in ("train", "test"):
        draw(tmp_path / split, 20)
        draw(tmp_path / split / "deeper", 3, first=30)
        draw(tmp_path / split, 3, ".tif", first=40)
    data = load(tmp_path, split_rule=rule)
    assert data.classes == ("test", "train")
    assert sum(map(len, names(data).values())) == 40
    assert data.notes == ()
