"""A subset of a split is a sample of it: no class is more frequent than by chance."""

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from explorer import checkpoint
from explorer.projection import Split, load_atlas, rows_of
from tests.support.data import SIZES, read
from tests.support.repository import WHOLE, relative

LABELLED = [
    folder
    for folder in WHOLE
    if (checkpoint.read_arrays(folder / checkpoint.ATLAS)["label"] >= 0).any()
]


def unlike(some, whole, classes):
    """Return the probability of a subset at least as uneven as this, if it was drawn at random."""
    counts = np.stack([np.bincount(labels, minlength=classes) for labels in (some, whole)])
    counts = counts[:, counts.sum(0) > 0]
    if counts.shape[1] < 2:
        return 1.0
    few = counts.sum(0) * counts[0].sum() / counts.sum() < 5
    if few.any():  # rare classes are counted together, as the approximation asks for
        counts = np.concatenate([counts[:, ~few], counts[:, few].sum(1, keepdims=True)], 1)
    counts = counts[:, counts.sum(0) > 0]
    return 1.0 if counts.shape[1] < 2 else float(chi2_contingency(counts)[1])


@pytest.mark.parametrize("folder", LABELLED, ids=relative)
def test_rows_chosen_of_an_atlas_have_its_classes_by_chance(folder):
    atlas = load_atlas(checkpoint.load(folder))
    for split in (Split.TRAIN, Split.TEST):
        whole = atlas.label[atlas.split == split]
        for most in (64, 128, 256, 1000):
            rows = rows_of(atlas, split, most, seed=3)
            assert len(rows) == min(most, len(whole))
            assert (np.diff(rows) > 0).all()
            rest = np.setdiff1d(np.flatnonzero(atlas.split == split), rows)
            if len(rest) > 100:
                some, others = atlas.label[rows], atlas.label[rest]
                assert unlike(some, others, len(atlas.classes)) > 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("folder", LABELLED, ids=relative)
def test_the_codes_of_an_atlas_have_the_classes_of_its_data_by_chance(folder):
    opened = checkpoint.load(folder)
    kind = opened.config.data.kind
    if kind not in SIZES:
        pytest.skip("data of its own")
    data, atlas = read(kind), load_atlas(opened)
    for split in (Split.TRAIN, Split.TEST):
        whole, some = data.split(split.label).labels, atlas.label[atlas.split == split]
        shares = np.bincount(whole, minlength=len(data.classes)) / len(whole)
        found = np.bincount(some, minlength=len(data.classes))
        used = shares > 0
        expected = len(some) * shares[used]
        missed = ((found[used] - expected) ** 2 / expected).sum()
        assert chi2.sf(missed, used.sum() - 1) > 1e-5


def test_the_first_rows_of_an_atlas_are_no_sample_of_it():
    atlas = load_atlas(checkpoint.load(next(f for f in WHOLE if "mnist-static-vae" in f.name)))
    rows = np.flatnonzero(atlas.split == Split.TEST)
    first, rest = atlas.label[rows[:1000]], atlas.label[rows[1000:]]
    assert unlike(first, rest, len(atlas.classes)) < 1e-12
