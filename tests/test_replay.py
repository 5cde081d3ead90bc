"""Matching is replayed as it was: frames of one run, distances beside their null."""

import numpy as np
import pytest

from explorer import checkpoint, replay
from tests.support.runs import EPOCHS, digits, recipe, trained

MATCHED = {"kind": "dmvae", "hidden": [16]}


@pytest.fixture
def matched(tmp_path):
    config = recipe(
        MATCHED,
        {"kind": "standard"},
        {"kind": "matching", "weight": 500},
        epochs=EPOCHS,
        average=0,
    )
    return trained(tmp_path / "matched", config)


def test_a_replay_begins_unmatched_and_ends_with_the_model(matched):
    found = replay.read(matched)
    assert found.epochs[0] == 0
    assert list(found.epochs) == sorted(set(found.epochs.tolist()))
    assert found.codes.shape == (len(found.epochs), 120, 2)
    assert found.planes.shape == (len(found.epochs), 81, 1, 8, 8)
    assert found.distance[0] > found.null_high > found.null > 0
    assert set(found.labels.tolist()) <= set(range(10))


def test_the_last_frame_is_of_the_weights_that_are_published(matched):
    found = replay.read(matched)
    last = replay.plane(matched.model, matched.model.latent_prior(matched.prior))
    at = int(
        np.abs(found.planes.astype(int) - last.numpy().astype(int)).sum((1, 2, 3, 4)).argmin()
    )
    assert np.abs(found.planes[at].astype(int) - last.numpy().astype(int)).max() <= 1


def test_other_models_have_none(tmp_path):
    opened = trained(tmp_path / "vae", recipe(prior={"kind": "standard"}, epochs=1))
    assert replay.read(opened) is None
    assert not (opened.folder / replay.FILE).exists()


@pytest.mark.parametrize("damage", ["torn", "lacking", "codes", "labels", "nan"])
def test_a_damaged_replay_is_none(matched, damage):
    path = matched.folder / replay.FILE
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:100])
    else:
        kept = checkpoint.read_arrays(path)
        if damage == "lacking":
            del kept["null"]
        elif damage == "nan":
            kept["distance"][0] = np.nan
        else:
            kept[damage] = kept[damage][..., :1]
        np.savez_compressed(path, **kept)
    assert replay.read(matched) is None


def test_the_plane_is_a_square_around_the_reference(matched):
    cells = replay.grid(matched.model.latent_prior(matched.prior))
    assert cells.shape == (81, 2)
    assert float(cells[0, 1]) > float(cells[-1, 1]), "the first row is not the topmost"
    assert float(cells.abs().max()) == pytest.approx(2.5, rel=0.1)
    assert len(digits().train) == 120
