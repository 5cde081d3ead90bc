"""A sample is known by its content: it keeps its split and its number when others come."""

import shutil

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer.data import FilesConfig, NacaConfig
from explorer.data.identity import content_ids, deal, fingerprint_of
from tests.support.data import SPLITS, read


def draw(folder, names, seed=0):
    folder.mkdir(exist_ok=True)
    for name in names:
        pixels = np.random.default_rng([seed, *name.encode()]).integers(0, 256, (6, 6), np.uint8)
        Image.fromarray(pixels).save(folder / name)


def members(data):
    return {name: dict(zip(split.names, split.ids, strict=True)) for name, split in splits(data)}


def splits(data):
    return [(name, data.split(name)) for name in SPLITS]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(30, 90),
    added=st.lists(st.binary(min_size=1, max_size=3), max_size=20),
    seed=st.integers(0, 99),
)
def test_what_was_trained_on_is_never_held_out_later(count, added, seed):
    """Also where a split would be empty and borrows a sample: 30 samples often have none."""
    before = [b"sample %d" % row for row in range(count)]
    after = [*added, *before]
    small, large = deal(before, seed), deal(after, seed)
    assert all(rows.any() for rows in (*small.values(), *large.values()))
    assert sum(rows.astype(int) for rows in small.values()).tolist() == [1] * count
    assert not (small["train"] & ~large["train"][len(added) :]).any()
    assert not (small["valid"] & large["test"][len(added) :]).any()


@settings(max_examples=60, deadline=None)
@given(
    pool=st.integers(3, 6), order=st.lists(st.integers(0, 5), min_size=30, max_size=40),
    seed=st.integers(0, 20),
)  # fmt: skip
def test_equal_samples_share_a_split_and_each_has_its_number(pool, order, seed):
    contents = [b"%d" % (number % pool) for number in (*range(pool), *order)]
    dealt = deal(contents, seed)
    for content in set(contents):
        own = np.array([content == other for other in contents])
        assert sum(bool((own & rows).any()) for rows in dealt.values()) == 1
    assert all(rows.any() for rows in dealt.values())
    assert len(set(content_ids(contents))) == len(contents)


def test_a_folder_may_grow_and_files_may_be_renamed(tmp_path):
    draw(tmp_path / "mine", [f"{row:03}.png" for row in range(60)])
    before = FilesConfig(path="mine").load(tmp_path)
    shutil.copy(tmp_path / "mine" / "000.png", tmp_path / "mine" / "000a.png")
    with Image.open(tmp_path / "mine" / "001.png") as image:
        image.save(tmp_path / "mine" / "001a.bmp")  # the same pixels in another format
    draw(tmp_path / "mine", ["new.png"])
    (tmp_path / "mine" / "059.png").rename(tmp_path / "mine" / "0000.png")
    after = FilesConfig(path="mine").load(tmp_path)
    for name, split in splits(before):
        grown = after.split(name)
        at = [grown.find(int(number)) for number in split.ids]
        np.testing.assert_array_equal(grown.x[at], split.x)
        for copy, original in (("000a.png", "000.png"), ("001a.bmp", "001.png")):
            assert (copy in grown.names) == (original in split.names)
    assert "mine" in FilesConfig(path="mine").words


def test_a_grown_array_keeps_its_splits_and_its_binarisation(tmp_path):
    x = np.random.default_rng(0).random((80, 5, 5), np.float32)
    np.save(tmp_path / "x.npy", x[:60])
    config = FilesConfig(path="x.npy", binary=True)
    before = config.load(tmp_path)
    np.save(tmp_path / "x.npy", x[::-1])
    after = config.load(tmp_path)
    for name, split in splits(before):
        at = [after.split(name).find(int(number)) for number in split.ids]
        np.testing.assert_array_equal(after.split(name).x[at], split.x)


def test_fingerprints_tell_data_sets_apart_and_ignore_order(tmp_path):
    x = np.random.default_rng(0).random((60, 5, 5), np.float32)
    for name, rows in (("one", x), ("turned", x[::-1]), ("fewer", x[1:]), ("other", 1 - x)):
        np.save(tmp_path / f"{name}.npy", rows)

    def fingerprint(name, **options):
        config = FilesConfig(path=f"{name}.npy", **options)
        return config.fingerprint(config.load(tmp_path))

    one = fingerprint("one")
    assert one == fingerprint("turned")
    assert one.difference(fingerprint("turned")) == ""
    assert one.test != fingerprint("other").test
    assert one.test != fingerprint("one", height=4, width=4).test
    assert one.test != fingerprint("one", binary=True).test
    assert not one.binary
    assert fingerprint("one", binary=True).binary
    assert "60" not in one.difference(fingerprint("fewer"))
    assert one.difference(fingerprint("fewer"))


def test_generated_data_are_known_by_their_recipe():
    data, other = read("naca"), NacaConfig(seed=1)
    known = NacaConfig().fingerprint(data)
    assert len({known.train.digest, known.valid.digest, known.test.digest}) == 3
    assert NacaConfig().fingerprint(data) == NacaConfig().fingerprint(data)
    assert NacaConfig().fingerprint(data).test != other.fingerprint(data).test


def test_a_position_split_stays_as_it_was(tmp_path):
    x = np.random.default_rng(0).random((50, 5, 5), np.float32)
    np.save(tmp_path / "x.npy", x)
    data = FilesConfig(path="x.npy", split_rule=1).load(tmp_path)
    order = np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(data.valid.ids, order[:5])
    np.testing.assert_array_equal(data.test.ids, order[5:10])
    np.testing.assert_allclose(data.train.x[:, 0], x[order[10:]])


def test_the_number_of_a_split_goes_by_its_samples():
    assert fingerprint_of(np.array([1, 2])) == fingerprint_of(np.array([2, 1]))
    assert fingerprint_of(np.array([1, 2])) != fingerprint_of(np.array([1, 3]))
    assert fingerprint_of(np.array([1, 2])) != fingerprint_of(np.array([1, 2]), "binarised")
