"""A reference is fitted to its source and stays; what is frozen is not trained."""

import numpy as np
import pytest
import torch

from explorer import checkpoint, training
from explorer.errors import DataError, TrainingError
from explorer.pretraining import autoencoder_codes
from tests.support.runs import digits, recipe, trained, weights

MATCHED = {"kind": "dmvae"}
MATCHING = {"kind": "matching"}


@pytest.mark.parametrize("kind", ["features", "bottleneck", "gmm"])
def test_a_reference_is_made_of_its_sources_codes_and_stays(tmp_path, autoencoder, kind):
    prior = {"kind": kind, "source": autoencoder.slug} | ({"most": 4} if kind == "gmm" else {})
    found = training.train(recipe(MATCHED, prior, MATCHING), digits(), tmp_path / "out")
    opened = checkpoint.load(tmp_path / "out")
    codes = autoencoder_codes(autoencoder, digits())
    assert found.prior.source_hash == autoencoder.hash
    if kind == "gmm":
        assert found.prior.components == len(opened.prior.logits) <= 4
        mean = opened.prior(opened.model.posterior).mixture.mean
        np.testing.assert_allclose(mean, codes.mean(0), atol=1e-3)
    else:
        assert found.prior.points == len(opened.prior.points) == 96
        known = {tuple(row) for row in codes.tolist()}
        assert all(tuple(row) in known for row in opened.prior.points.tolist())


def test_a_recipe_of_a_finished_model_makes_the_same_reference(tmp_path, autoencoder):
    prior = {"kind": "gmm", "source": autoencoder.slug, "most": 4}
    config = recipe(MATCHED, prior, MATCHING, epochs=1)
    found = training.train(config, digits(), tmp_path / "one")
    again = found.model_copy(update={"sketch": None})
    training.train(again, digits(), tmp_path / "other")
    one, other = weights(tmp_path / "one"), weights(tmp_path / "other")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_file_beside_the_recipe_is_a_reference(tmp_path):
    codes = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
    np.save(tmp_path / "ring.npy", codes)
    config = recipe(MATCHED, {"kind": "file", "path": "ring.npy"}, MATCHING, epochs=1)
    found = training.train(config, digits(), tmp_path / "out", beside=tmp_path)
    assert found.prior.points == 48
    assert found.prior.path == "ring.npy"
    assert len(found.prior.content) == 64
    np.save(tmp_path / "wide.npy", np.ones((60, 5)))
    wrong = recipe(MATCHED, {"kind": "file", "path": "wide.npy"}, MATCHING, epochs=1)
    with pytest.raises(DataError, match="n x 2"):
        training.train(wrong, digits(), tmp_path / "wrong", beside=tmp_path)


@pytest.mark.parametrize(("kind", "t"), [("file", None), ("bottleneck", 0.7)])
def test_a_kernel_density_with_noise_on_it_is_matched_by_score(tmp_path, autoencoder, kind, t):
    codes = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
    np.save(tmp_path / "ring.npy", codes)
    inner = {"path": "ring.npy"} if kind == "file" else {"source": autoencoder.slug}
    prior = {"kind": "noised", "reference": {"kind": kind} | inner, "t": t}
    config = recipe(MATCHED, prior, MATCHING | {"distance": "score"}, epochs=1)
    found = training.train(config, digits(), tmp_path / "out", beside=tmp_path)
    opened = checkpoint.load(tmp_path / "out")
    assert found.prior.reference.points == len(opened.prior.reference.points)
    law = opened.model.latent_prior(opened.prior)
    assert law.has_density
    assert torch.isfinite(law.log_prob(law.draw(5).z)).all()


@pytest.mark.parametrize("freeze", ["trunk", "encoder"])
def test_what_is_frozen_is_not_trained(tmp_path, autoencoder, freeze):
    config = recipe(
        MATCHED, {"kind": "standard"}, MATCHING, freeze=freeze, average=0, weight_decay=0.1
    )
    training.train(config, digits(), tmp_path / "out", init=autoencoder)
    before = autoencoder.model.state_dict()
    after = checkpoint.load(tmp_path / "out").model.state_dict()
    for name, value in after.items():
        if name not in before:
            continue
        kept = name.startswith("encoder.") or (freeze == "encoder" and name.startswith("loc."))
        assert torch.equal(value, before[name]) == kept, name


def test_two_levels_are_not_frozen(tmp_path):
    config = recipe(
        {"kind": "hvae", "top": 2, "bottom": 2, "hidden": [8]},
        {"kind": "standard"},
        freeze="trunk",
    )
    with pytest.raises(TrainingError, match="one level"):
        training.train(config, digits(), tmp_path / "out")


def test_contrast_makes_codes_of_variance_one_and_says_what_they_keep(tmp_path):
    config = recipe(
        {"kind": "ae", "hidden": [16]},
        epochs=1,
        freeze="encoder",
        average=0,
        pretraining={"steps": 5, "batch": 32},
    )
    opened = trained(tmp_path / "out", config)
    share = opened.config.training.pretraining.explained
    assert 0 < share <= 1
    codes = autoencoder_codes(opened, digits())
    np.testing.assert_allclose(np.cov(codes.T, ddof=0), np.eye(2), atol=1e-2)


def test_on_a_sphere_the_pole_is_set_at_the_end(tmp_path):
    config = recipe(MATCHED | {"noise": 0}, {"kind": "sphere"}, MATCHING)
    opened = trained(tmp_path / "out", config)
    codes = opened.model.posterior(torch.from_numpy(digits().train.x)).loc.detach()
    expected = codes.mean(0) / codes.mean(0).norm()
    torch.testing.assert_close(opened.prior.pole, expected, atol=1e-3, rtol=1e-3)
