"""Sets of pictures are what their papers say."""

import numpy as np
import pytest

from explorer.config import RunConfig
from explorer.settings import current
from tests.support.data import ARCHIVES, SPLITS, read


@pytest.mark.parametrize(("kind", "least", "greatest"), [("fashion", 0, 255), ("frey", 8, 238)])
def test_pixels_of_eight_bits_lie_in_the_middles_of_their_bins(kind, least, greatest):
    data = read(kind)
    assert not data.dynamic
    levels = np.concatenate([np.unique(data.split(name).x) for name in SPLITS]) * 256 - 0.5
    np.testing.assert_array_equal(levels, np.rint(levels))
    assert (levels.min(), levels.max()) == (least, greatest)


def test_fashion_has_ten_classes_of_one_size():
    data = read("fashion")
    assert len(data.classes) == 10
    both = np.concatenate([data.train.labels, data.valid.labels])
    assert set(np.bincount(both)) == {6000}
    assert set(np.bincount(data.test.labels)) == {1000}
    np.testing.assert_array_equal(data.valid.ids, np.arange(50_000, 60_000))
    ink = {
        name: data.test.x[data.test.labels == label].mean((0, 1))
        for label, name in enumerate(data.classes)
    }
    assert ink["Trouser"][:, 12:16].mean() > 2 * ink["Trouser"][:, :8].mean()
    assert ink["Sandal"][14:].mean() > 1.5 * ink["Sandal"][:14].mean()


@pytest.mark.slow
def test_test_drawings_of_omniglot_are_by_other_hands():
    data = read("omniglot28")
    path = current().data / ARCHIVES["omniglot28"]
    with np.load(path, allow_pickle=False) as stored:
        drawing, images, alphabet = (stored[key] for key in ("drawing", "images", "alphabet"))
    for name in ("train", "valid"):
        assert drawing[data.split(name).ids].max() == 15
    assert set(drawing[data.test.ids]) == {16, 17, 18, 19, 20}
    train = data.train
    np.testing.assert_allclose(train.x[:, 0], images[train.ids] / 255, atol=1e-6)
    assert len(data.classes) == 50
    assert not any("_" in name for name in data.classes)
    for name in SPLITS:
        np.testing.assert_array_equal(data.split(name).labels, alphabet[data.split(name).ids])
    for name in ("valid", "test"):
        split = data.split(name)
        grey = images[split.ids] / 255
        error = np.sqrt((grey * (1 - grey)).sum())
        assert abs(split.x.sum() - grey.sum()) < 4 * error
        assert not split.x[:, 0][grey == 0].any()
        assert split.x[:, 0][grey == 1].all()


def test_silhouettes_stand_upright_and_are_the_ink():
    data = read("caltech-silhouettes")
    assert not data.dynamic
    assert len(data.classes) == 101
    for name in SPLITS:
        x = data.split(name).x[:, 0]
        assert set(np.unique(x)) == {0.0, 1.0}
        assert x[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean() < 0.05
        assert x[:, 12:16, 12:16].mean() > 0.75

    def mean_of(name):
        split = data.train
        return split.x[split.labels == data.classes.index(name), 0].mean(0)

    assert mean_of("umbrella")[:14].sum() > 2 * mean_of("umbrella")[14:].sum()
    assert mean_of("pyramid")[14:].sum() > 2 * mean_of("pyramid")[:14].sum()
    places = (np.arange(28) - 13.5) ** 2
    for name, wide in (("Airplanes Side 2", True), ("lamp", False)):
        mean = mean_of(name)
        assert ((mean.sum(0) @ places) > (mean.sum(1) @ places)) == wide


def test_frey_faces_are_shuffled_and_keep_their_rows():
    data = read("frey")
    assert data.sketch.shape == (1, 28, 20)
    with np.load(current().data / ARCHIVES["frey"], allow_pickle=False) as stored:
        images = stored["images"]
    rows = np.concatenate([data.split(name).ids for name in SPLITS])
    assert sorted(rows) == list(range(1965))
    for name in SPLITS:
        split = data.split(name)
        np.testing.assert_array_equal(split.x[:, 0], (images[split.ids] + np.float32(0.5)) / 256)
    assert (np.diff(data.train.ids) == 1).mean() < 0.01


def test_emoji_keep_their_colours_groups_and_rows():
    data = read("emoji")
    assert data.sketch.shape == (3, 32, 32)
    assert not data.sketch.inked
    with np.load(current().data / ARCHIVES["emoji"], allow_pickle=False) as stored:
        images, group, names, split = (stored[k] for k in ("images", "group", "names", "split"))
        assert data.classes == tuple(stored["groups"])
    for number, name in enumerate(SPLITS):
        part = data.split(name)
        np.testing.assert_array_equal(part.ids, np.flatnonzero(split == number))
        np.testing.assert_array_equal(part.labels, group[part.ids])
        levels = 256 * part.x - np.float32(0.5)
        np.testing.assert_array_equal(levels.transpose(0, 2, 3, 1), images[part.ids])
    ground = data.train.x[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.median(ground) == 255.5 / 256
    tomato = data.train.x[data.train.ids == np.flatnonzero(names == "tomato")[0]][0]
    red, green, blue = tomato[:, 12:20, 12:20].mean((1, 2))
    assert red > 2 * max(green, blue)
    assert data.classes[data.train.labels[data.train.ids == 0][0]] == "Smileys & Emotion"
    assert data.train.names[data.train.ids == 0][0] == "grinning face"
    for part in map(data.split, SPLITS):
        np.testing.assert_array_equal(part.names, names[part.ids])


@pytest.mark.parametrize("kind", ["emoji", "glyphs"])
def test_rendered_pictures_are_modelled_as_pixels_of_eight_bits(kind):
    recipe = RunConfig.model_validate(
        {"data": {"kind": kind}, "model": {"kind": "vae"}, "prior": {"kind": "standard"}}
    )
    data = read(kind)
    assert not data.binary
    assert recipe.completed(data.sketch, data.binary).model.likelihood == "logistic"


def test_families_of_typefaces_are_never_divided():
    data = read("glyphs")
    with np.load(current().data / ARCHIVES["glyphs"], allow_pickle=False) as stored:
        images, families, typefaces = (stored[k] for k in ("images", "families", "names"))
        assert data.classes == tuple(stored["characters"])
    seen = [set(families[data.split(name).ids // 62]) for name in SPLITS]
    assert sum(map(len, seen)) == len(set.union(*seen)) == len(set(families))
    for name in SPLITS:
        part = data.split(name)
        np.testing.assert_array_equal(part.labels, part.ids % 62)
        np.testing.assert_array_equal(part.names, typefaces[part.ids // 62])
        np.testing.assert_array_equal(
            part.x[::500, 0], (images.reshape(-1, 32, 32)[part.ids[::500]] + np.float32(0.5)) / 256
        )
    ink = [data.test.x[data.test.labels == data.classes.index(c)].mean() for c in "iM"]
    assert 2 * ink[0] < ink[1]
