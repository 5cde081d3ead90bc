"""Arrays as libraries save them are read as their owners mean them, or one sentence asks."""

import numpy as np
import pytest

from explorer.data import FilesConfig
from explorer.errors import DataError
from tests.support.data import SPLITS
from tests.support.sentences import refused

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (40, 8, 7), np.uint8)
Y = np.arange(40) % 3


def load(path, **options):
    return FilesConfig(path=path.name, **options).load(path.parent)


def saved(folder, array):
    np.save(folder / "x.npy", array)
    return folder / "x.npy"


def zipped(folder, *arrays, **members):
    np.savez(folder / "x.npz", *arrays, **members)
    return folder / "x.npz"


def in_order(data):
    """All samples and their classes, in the order of the file."""
    rows = [
        int(name[:-1].split("[")[1].split()[-1]) for s in SPLITS for name in data.split(s).names
    ]
    x = np.concatenate([data.split(s).x for s in SPLITS])[np.argsort(rows), 0]
    if data.train.labels is None:
        return x, None
    labels = np.concatenate([data.split(s).labels for s in SPLITS])[np.argsort(rows)]
    return x, [data.classes[label] for label in labels]


HOT = np.eye(3, dtype=np.float32)[Y]

LABELS = {
    "n x 1": Y[:, None],
    "whole floats": Y.astype(float),
    "bytes": np.array([b"0", b"1", b"2"])[Y],
    "words": np.array(["0", "1", "2"])[Y],
    "one-hot": HOT,
    "short": Y.astype(np.uint8),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
def test_labels_of_every_form_become_classes(labels, tmp_path):
    data = load(zipped(tmp_path, x=X, y=labels))
    x, words = in_order(data)
    assert data.classes == ("0", "1", "2")
    assert words == [str(label) for label in Y]
    np.testing.assert_allclose(x, X / 255, atol=1e-6)


NAMES = {
    "positional": ((X,), {}),
    "positional with labels": ((X, Y), {}),
    "dsprites": ((), {"imgs": X, "latents_classes": np.zeros((40, 6), int), "metadata": {"a": 1}}),
    "data": ((), {"data": X, "target": Y}),
    "X and Y": ((), {"X": X, "Y": Y}),
    "with places of splits": ((), {"x": X, "train": np.arange(30), "test": np.arange(30, 40)}),
    "names of classes": ((), {"images": X, "classes": np.array(["a", "b"])}),
    "x beside masks": ((), {"x": X, "data": X // 2}),
    "a name of its own": ((), {"gestures": X, "weights": np.zeros(40)}),
}


@pytest.mark.parametrize(("arrays", "members"), NAMES.values(), ids=NAMES.keys())
def test_images_are_found_under_the_names_of_libraries(arrays, members, tmp_path):
    data = load(zipped(tmp_path, *arrays, **members))
    x, words = in_order(data)
    np.testing.assert_allclose(x, X / 255, atol=1e-6)
    labelled = len(arrays) > 1 or {"target", "Y"} & members.keys()
    assert words == ([str(label) for label in Y] if labelled else None)


def test_what_was_passed_over_is_named(tmp_path):
    data = load(zipped(tmp_path, imgs=X, latents_classes=np.zeros((40, 6), int)))
    assert "Read imgs; passed over latents_classes." in data.notes


GIVEN = {
    "keras": {"x_train": X[:30], "y_train": Y[:30], "x_test": X[30:], "y_test": Y[30:]},
    "medmnist": {
        "train_images": X[:20], "train_labels": Y[:20, None], "val_images": X[20:30],
        "val_labels": Y[20:30, None], "test_images": X[30:], "test_labels": Y[30:, None],
    },
    "joined": {"Xtrain": X[:30], "ytrain": Y[:30], "Xtest": X[30:], "ytest": Y[30:]},
    "alone": {"train": X[:30], "test": X[30:]},
    "in the order of keras": {
        "arr_0": X[:30], "arr_1": Y[:30], "arr_2": X[30:], "arr_3": Y[30:],
    },
    "validation": {"x_train": X[:30], "x_validation": X[30:]},
}  # fmt: skip


@pytest.mark.parametrize("members", GIVEN.values(), ids=GIVEN.keys())
def test_splits_that_are_given_are_kept(members, tmp_path):
    data = load(zipped(tmp_path, **members))
    expected = {"train": 0, "valid": 0, "test": 0}
    for name, array in members.items():
        if array.ndim == 3:
            split = (
                "train"
                if "train" in name or name == "arr_0"
                else "valid"
                if "val" in name
                else "test"
            )
            expected[split] = len(array)
    kept = "test" if expected["test"] else "valid"
    assert len(data.split(kept)) == expected[kept]
    np.testing.assert_allclose(data.split(kept).x[:, 0], X[40 - expected[kept] :] / 255, atol=1e-6)
    if expected["valid"] and expected["test"]:
        assert [len(data.split(name)) for name in SPLITS] == list(expected.values())
    else:  # dealt from train
        assert min(len(data.split(name)) for name in SPLITS) > 0
        assert "dealt from train" in " ".join(data.notes)
    assert sum(len(data.split(name)) for name in SPLITS) == 40
    assert data.classes == (("0", "1", "2") if any(array.ndim < 3 for array in members.values())
                            else ())  # fmt: skip


def test_what_is_dealt_from_train_goes_by_content(tmp_path):
    more = np.concatenate([X, RNG.integers(0, 256, (9, 8, 7), np.uint8)])
    before = load(zipped(tmp_path, x_train=X[:30], x_test=X[30:]))
    after = load(zipped(tmp_path, x_train=np.concatenate([more[40:], X[:30]]), x_test=X[30:]))
    assert not set(before.train.ids) & set(after.valid.ids)
    assert set(before.test.ids) == set(after.test.ids)


def test_held_out_copies_of_training_samples_are_said(tmp_path):
    data = load(zipped(tmp_path, x_train=X[:30], x_valid=X[30:], x_test=X[:5]))
    assert "5 held-out samples are in train, too" in " ".join(data.notes)


TYPES = {
    "bool": (X > 128, X > 128, 1),
    "masks": ((X > 128).astype(np.uint8), X > 128, 1),
    "masks of whole numbers": ((X > 128).astype(np.int64), X > 128, 1),
    "uint16": (X.astype(np.uint16) * 257, X / 255, 65535),
    "12 bits": (X.astype(np.uint16) * 16, X * 16.0 / 4095, 4095),
    "big-endian": ((X.astype(np.uint16) * 257).astype(">u2"), X / 255, 65535),
    "int32": (X.astype(np.int32), X / 255, 255),
    "a hair over one": (X / np.float32(255) * np.float32(1.0000001), X / 255, 1),
    "floats to 255": (X.astype(np.float32), X / 255, 255),
    "floats from -1": (X / 127.5 - 1, X / 255, 1),
    "faint floats": (X / 255 / 255, (X / X.max()), X.max() / 255 / 255),
}


@pytest.mark.parametrize(("array", "expected", "white"), TYPES.values(), ids=TYPES.keys())
def test_values_of_every_type_come_as_they_are_meant(array, expected, white, tmp_path):
    config = FilesConfig(path="x.npy")
    saved(tmp_path, array)
    data = config.load(tmp_path)
    np.testing.assert_allclose(in_order(data)[0], expected, atol=2e-6)
    settled = config.settled(data)
    assert settled.white == pytest.approx(white)
    again = settled.load(tmp_path)
    assert settled.fingerprint(again) == config.fingerprint(data)
    np.testing.assert_array_equal(again.test.x, data.test.x)


@pytest.mark.parametrize("kind", ["masks", "12 bits", "faint floats", "masks of whole numbers"])
def test_a_range_that_was_stretched_is_said(kind, tmp_path):
    notes = " ".join(load(saved(tmp_path, TYPES[kind][0])).notes)
    assert "stretched" in notes
    assert '"white"' in notes


@pytest.mark.parametrize("array", [X // 20 + 200, X / 255 / 20 + 0.5], ids=["uint8", "float"])
def test_a_narrow_range_far_from_black_is_left_and_said(array, tmp_path):
    data = load(saved(tmp_path, array))
    full = 255 if array.dtype == np.uint8 else 1
    np.testing.assert_allclose(in_order(data)[0], array / full, atol=2e-6)
    assert "Values span only" in " ".join(data.notes)


@pytest.mark.parametrize("split", ["x_train", "x_test"])
def test_no_value_that_is_no_number_is_read(split, tmp_path):
    arrays = {"x_train": X[:30] / 255, "x_test": X[30:] / 255}
    arrays[split][3, 3, 3] = np.nan
    with refused(DataError, "all finite"):
        load(zipped(tmp_path, **arrays))


def test_a_brighter_sample_that_comes_later_does_not_change_the_others(tmp_path):
    path = saved(tmp_path, TYPES["12 bits"][0])
    config = FilesConfig(path="x.npy")
    settled = config.settled(config.load(tmp_path))
    saved(tmp_path, np.concatenate([TYPES["12 bits"][0], np.full((1, 8, 7), 65535, np.uint16)]))
    np.testing.assert_allclose(
        in_order(settled.load(path.parent))[0][:40], X * 16.0 / 4095, atol=2e-6
    )


ASKED = {
    "standardised": (X - X.mean()) / X.std(),
    "a little above one": X / 255 * 1.5,
    "a little below zero": X / 255 - 0.1,
    "whole numbers below zero": X.astype(np.int16) - 128,
    "thousands": X * 100.0,
}


@pytest.mark.parametrize("array", ASKED.values(), ids=ASKED.keys())
def test_values_that_may_mean_several_things_are_asked_for(array, tmp_path):
    path = saved(tmp_path, array)
    with refused(DataError, 'set "black" and "white"'):
        load(path)
    low, high = float(array.min()), float(array.max())
    x, _ = in_order(load(path, black=low, white=high))
    np.testing.assert_allclose(x, (array - low) / (high - low), atol=2e-6)


SINGLE = {
    "grey": (28, 28),
    "wide": (48, 50),
    "in colour": (64, 60, 3),
    "with opacity": (64, 60, 4),
    "colours first": (3, 40, 50),
    "in a row": (1, 28, 28),
}


@pytest.mark.parametrize("shape", SINGLE.values(), ids=SINGLE.keys())
def test_one_picture_is_called_so(shape, tmp_path):
    with refused(DataError, "is one picture"):
        load(saved(tmp_path, np.zeros(shape, np.uint8)))


def test_a_square_that_may_be_flat_samples_is_asked_for(tmp_path):
    path = saved(tmp_path, RNG.integers(0, 256, (64, 64), np.uint8))
    with refused(DataError, "one picture, or flat samples of 8 x 8"):
        load(path)
    assert load(path, height=8, width=8).sketch.shape == (1, 8, 8)


def test_opacity_is_laid_on_white(tmp_path):
    clear = np.concatenate([np.repeat(X[:, :, :, None], 3, 3), X[:, :, :, None]], 3)
    wide = np.repeat(clear, 2, axis=2)
    data = load(saved(tmp_path, wide), channels=3)
    alpha = np.repeat(X, 2, axis=2) / 255
    rows = [int(name[6:-1]) for name in data.train.names]
    np.testing.assert_allclose(data.train.x[:, 1], (alpha**2 + 1 - alpha)[rows], atol=2e-6)


def test_labels_of_several_per_sample_are_left_and_said(tmp_path):
    data = load(zipped(tmp_path, x=X, y=np.ones((40, 4), int)))
    assert data.classes == ()
    assert "several per sample" in " ".join(data.notes)


def test_classes_are_in_natural_order(tmp_path):
    words = np.array([f"kind {row % 12}" for row in range(40)])
    data = load(zipped(tmp_path, x=X, y=words))
    assert data.classes == tuple(f"kind {row}" for row in range(12))
    assert in_order(data)[1] == list(words)
    before = FilesConfig(path="x.npz", split_rule=2).load(tmp_path)
    assert before.classes[:3] == ("kind 0", "kind 1", "kind 10")


@pytest.mark.parametrize("name", ["9" * 5000, "\N{SUPERSCRIPT TWO}", "07", "7"])
def test_any_text_may_name_a_class(name, tmp_path):
    data = load(zipped(tmp_path, x=X, y=np.array(["a", name] * 20)))
    assert sorted(data.classes) == sorted(["a", name])


INK = np.pad(RNG.integers(0, 256, (40, 6, 6), np.uint8), ((0, 0), (3, 3), (3, 3)))

GROUNDS = {
    "dark ink on paper": (255 - INK, INK, True, True, None),
    "ink as ours": (INK, INK, True, False, None),
    "photographs": (X, X, False, False, None),
    "grey paper": (255 - INK // 2 - 20, INK // 2 + 20, True, True, None),
    "said to be light": (255 - INK, 255 - INK, False, False, {"light": True}),
    "said to be kept": (255 - INK, 255 - INK, True, False, {"invert": False}),
    "said to be ink": (X, X, True, False, {"light": False}),
    "said to be inverted": (X, 255 - X, True, True, {"invert": True}),
    "blank": (np.full_like(X, 255), np.full_like(X, 255), True, False, None),
    "two values": ((X > 128) * np.uint8(255), (X > 128) * 255, True, False, None),
}


@pytest.mark.parametrize(
    ("array", "expected", "inked", "inverted", "said"), GROUNDS.values(), ids=GROUNDS.keys()
)
def test_ink_and_light_are_told_by_the_border_or_by_the_recipe(
    array, expected, inked, inverted, said, tmp_path
):
    saved(tmp_path, array)
    config = FilesConfig(path="x.npy", **(said or {}))
    data = config.load(tmp_path)
    np.testing.assert_allclose(in_order(data)[0], expected / 255, atol=2e-6)
    assert data.sketch.inked is inked
    settled = config.settled(data)
    assert (settled.light, settled.invert) == (not inked, inverted)
    if array.min() < array.max() and not said and len(np.unique(array)) > 2:
        assert any('("' in note for note in data.notes)
    again = settled.load(tmp_path)
    assert (again.sketch, settled.fingerprint(again)) == (data.sketch, config.fingerprint(data))
    assert settled.settled(again) == settled


def test_colours_are_not_inverted(tmp_path):
    saved(tmp_path, 255 - INK)
    data = FilesConfig(path="x.npy", channels=3).load(tmp_path)
    np.testing.assert_allclose(in_order(data)[0], (255 - INK) / 255, atol=2e-6)
    assert not data.sketch.inked


@pytest.mark.parametrize("rule", [1, 2])
def test_models_of_before_read_what_they_read(rule, tmp_path):
    """No value, class or sketch of an earlier rule depends on the new readings."""
    y = np.array(["kind 2", "kind 10"] * 20)
    zipped(tmp_path, x=255 - INK // 20, y=y, images=X)
    data = FilesConfig(path="x.npz", split_rule=rule).load(tmp_path)
    np.testing.assert_allclose(in_order(data)[0], (255 - INK // 20) / 255, atol=1e-6)
    assert data.classes == ("kind 10", "kind 2")
    assert (data.sketch.light, data.notes, data.settled, data.treatment) == (None, (), (), "")
    saved(tmp_path, INK // 20)
    dark = FilesConfig(path="x.npy", split_rule=rule).load(tmp_path)
    assert dark.train.x.max() <= 13 / 255
    for array in (X > 9, X.astype(np.uint16), X * 1.0):
        saved(tmp_path, array)
        with refused(DataError, "save uint8 in 0..255"):
            FilesConfig(path="x.npy", split_rule=rule).load(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"black": 0.0},
        {"white": 0.0},
        {"black": 2.0, "white": 1.0},
        {"white": float("nan")},
        {"invert": True, "light": True},
        {"invert": True, "channels": 3},
        {"white": 1.0, "split_rule": 2},
        {"skip_broken": True, "split_rule": 1},
    ],
    ids=str,
)
def test_contradictions_are_refused(fields):
    with pytest.raises(ValueError, match=r"black|white|light|invert"):
        FilesConfig(path="x", **fields)
