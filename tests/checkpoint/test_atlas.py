"""An atlas comes back equal, or is refused in one sentence."""

import dataclasses

import numpy as np
import pytest

from explorer import checkpoint
from explorer.checkpoint import catalogue, load
from explorer.errors import CheckpointError
from explorer.projection import VERSION, Atlas, load_atlas, save_atlas
from tests.support.checkpoints import npz, write_checkpoint

CODES = 20


@pytest.fixture
def opened(shipped):
    write_checkpoint(shipped / "one")
    return load("one")


def atlas_of(opened):
    random = np.random.default_rng(0)
    one = {
        name: random.random(CODES).astype(np.float16).astype(np.float32)
        for name in ("trust", "kl", "reconstruction", "log_prior")
    }
    codes = random.normal(size=(CODES, 2)).astype(np.float16).astype(np.float32)
    return Atlas(
        method="plane",
        codes=codes,
        scale=np.full((CODES, 2), 0.25, np.float32),
        xy=codes,
        split=np.zeros(CODES, np.uint8),
        ids=np.arange(CODES, dtype=np.int32),
        label=np.full(CODES, -1, np.int16),
        sample_xy=np.zeros((5, 2), np.float32),
        prototype_xy=np.zeros((0, 2), np.float32),
        classes=("zero", "one"),
        hash=opened.hash,
        **one,
    )


def test_an_atlas_comes_back_equal(opened):
    atlas = atlas_of(opened)
    assert load_atlas(opened) is None
    checkpoint.write(opened.folder / checkpoint.ATLAS, save_atlas(atlas))
    found = load_atlas(opened)
    for name, value in atlas._asdict().items():
        np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)


def test_an_atlas_of_other_weights_is_ignored(opened, shipped):
    checkpoint.write(opened.folder / checkpoint.ATLAS, save_atlas(atlas_of(opened)))
    write_checkpoint(shipped / "one", seed=1)
    assert load_atlas(load("one")) is None


NAN = np.full(CODES, np.nan, np.float32)

BAD_ATLASES = {
    "another version": {"version": VERSION + 1},
    "a version that is a text": {"version": "one"},
    "versions": {"version": np.ones(2)},
    "no codes": {"codes": None},
    "no hash": {"hash": None},
    "too few places": {"xy": np.zeros((3, 2), np.float32)},
    "three dimensions": {"xy": np.zeros((CODES, 3), np.float32)},
    "codes of another size": {"codes": np.zeros((CODES, 3), np.float16)},
    "one code": {"codes": np.float32(1)},
    "a flat map": {"sample_xy": np.zeros(5, np.float32)},
    "prototypes in 3-D": {"prototype_xy": np.zeros((5, 3), np.float32)},
    "NaN in trust": {"trust": NAN},
    "NaN in codes": {"codes": np.stack([NAN, NAN], 1)},
    "NaN in samples": {"sample_xy": np.full((5, 2), np.nan)},
    "infinite KL": {"kl": np.full(CODES, np.inf)},
    "texts for places": {"xy": np.full((CODES, 2), "left")},
    "texts for trust": {"trust": np.full(CODES, "high")},
    "complex places": {"xy": np.zeros((CODES, 2), np.complex64)},
    "labels that are texts": {"label": np.full(CODES, "seven")},
    "a label beyond": {"label": np.full(CODES, 2, np.int16)},
    "a split beyond": {"split": np.full(CODES, 9, np.uint8)},
    "one class": {"classes": np.array("zero")},
}


@pytest.mark.parametrize("changes", BAD_ATLASES.values(), ids=BAD_ATLASES.keys())
def test_a_damaged_atlas_is_refused_in_one_sentence(opened, changes):
    stored = {"version": VERSION, **atlas_of(opened)._asdict()} | changes
    stored = {name: value for name, value in stored.items() if value is not None}
    (opened.folder / checkpoint.ATLAS).write_bytes(npz(**stored))
    with pytest.raises(CheckpointError) as caught:
        load_atlas(opened)
    assert len(str(caught.value).splitlines()) == 1


def test_an_atlas_of_too_many_codes_is_refused(opened, monkeypatch):
    monkeypatch.setattr("explorer.projection.MOST_CODES", CODES - 1)
    checkpoint.write(opened.folder / checkpoint.ATLAS, save_atlas(atlas_of(opened)))
    with pytest.raises(CheckpointError, match="too many codes"):
        load_atlas(opened)


def test_an_entry_is_plain_data(opened):
    entry = catalogue()[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.slug = "other"  # type: ignore[misc]
