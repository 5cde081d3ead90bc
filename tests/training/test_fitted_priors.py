"""Priors fitted to codes or to data are fitted to those they name."""

import numpy as np
import pytest
import torch
from safetensors import safe_open

from explorer import checkpoint, training
from explorer.config import RunConfig
from explorer.errors import TrainingError
from explorer.inference import Engine
from explorer.pretraining import autoencoder_codes
from explorer.priors import VampDataPrior
from tests.support.runs import TWO_LEVELS, assert_same_run, digits, killed_run, recipe, trained

# VampPriors of data


ON_DATA = {"kind": "vamp-data", "components": 7}


def assert_components_are_of_their_rows(folder, seed):
    """Check that the prior holds what the trained encoder makes of the samples of its rows."""
    opened = checkpoint.load(folder)
    chosen = VampDataPrior(7, 2)
    chosen.fit(digits().train.x, seed, dynamic=True)
    assert torch.equal(opened.prior.rows, chosen.rows)
    q = opened.model.top_posterior(chosen.inputs)
    torch.testing.assert_close(opened.prior.loc, q.loc)
    torch.testing.assert_close(opened.prior.scale, q.scale)


@pytest.mark.parametrize("average", [0, 0.9])
@pytest.mark.parametrize("model", [None, TWO_LEVELS], ids=["one level", "two levels"])
def test_components_on_data_are_those_of_the_trained_encoder(tmp_path, model, average):
    config = recipe(model, prior=ON_DATA, epochs=2, average=average, seed=5)
    training.train(config, digits(), tmp_path)
    assert_components_are_of_their_rows(tmp_path, seed=5)
    with safe_open(tmp_path / checkpoint.WEIGHTS, framework="pt") as stored:
        prior = [name for name in stored.keys() if name.startswith("prior.")]  # noqa: SIM118
        largest = max(stored.get_tensor(name).numel() for name in prior)
    assert sorted(prior) == ["prior.loc", "prior.rows", "prior.scale"]
    assert largest < 64
    assert not (tmp_path / checkpoint.SNAPSHOTS).exists()


def test_a_start_on_other_data_keeps_rows_and_components_together(tmp_path):
    start = trained(tmp_path / "start", recipe(prior=ON_DATA, epochs=1, seed=5))
    training.train(
        recipe(prior=ON_DATA, epochs=2, seed=6), digits(), tmp_path / "next", init=start
    )
    assert_components_are_of_their_rows(tmp_path / "next", seed=6)


# X-VAE


def test_the_prior_of_an_xvae_has_the_moments_of_the_codes(tmp_path, autoencoder):
    config = recipe(prior={"kind": "xvae", "source": autoencoder.slug})
    found = training.train(config, digits(), tmp_path / "xvae")
    opened = checkpoint.load(tmp_path / "xvae")
    assert opened.config == found
    assert found.prior.source_hash == autoencoder.hash
    assert found.prior.floored == ()
    codes = autoencoder_codes(autoencoder, digits())
    np.testing.assert_allclose(opened.prior.loc, codes.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(opened.prior.scale, codes.std(0), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(opened.model.reference_scale, opened.prior.scale)


def test_an_xvae_of_two_levels_takes_the_codes_for_its_top(tmp_path, autoencoder):
    config = recipe(TWO_LEVELS, prior={"kind": "xvae", "source": autoencoder.slug}, epochs=1)
    training.train(config, digits(), tmp_path / "xvae")
    opened = checkpoint.load(tmp_path / "xvae")
    codes = autoencoder_codes(autoencoder, digits())
    np.testing.assert_allclose(opened.prior.loc, codes.mean(0), rtol=1e-5, atol=1e-6)
    assert Engine(opened, "cpu").draw(3)[0].shape == (3, 5)


def test_dead_units_of_the_autoencoder_are_raised_to_the_floor(tmp_path, autoencoder):
    with torch.no_grad():
        autoencoder.model.loc.weight[0] = 0
    checkpoint.save(autoencoder.model, None, autoencoder.config, autoencoder.folder)
    config = recipe(prior={"kind": "xvae", "source": autoencoder.slug, "floor": 0.1}, epochs=1)
    found = training.train(config, digits(), tmp_path / "xvae")
    codes = autoencoder_codes(checkpoint.load(autoencoder.slug), digits())
    assert found.prior.floored == (0,)
    assert codes.std(0)[0] == pytest.approx(0, abs=1e-6)
    scale = checkpoint.load(tmp_path / "xvae").prior.scale
    assert float(scale[0]) == pytest.approx(0.1 * np.median(codes.std(0)), rel=1e-4)


def test_an_xvae_mixture_is_fitted_to_the_codes_and_stays(tmp_path, autoencoder):
    prior = {"kind": "xvae-mixture", "source": autoencoder.slug, "components": 3}
    found = training.train(recipe(prior=prior), digits(), tmp_path / "mixture")
    assert found.prior.source_hash == autoencoder.hash
    opened = checkpoint.load(tmp_path / "mixture")
    fitted = found.build()[1]
    fitted.fit(autoencoder_codes(autoencoder, digits()), found.training.seed)
    for name, value in fitted.state_dict().items():
        torch.testing.assert_close(opened.prior.state_dict()[name], value)
    assert Engine(opened, "cpu").prototypes().weights.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["xvae", "xvae-mixture"])
@pytest.mark.usefixtures("save_always")
def test_a_resumed_xvae_equals_one_that_was_not_stopped(tmp_path, autoencoder, kind):
    config = recipe(prior={"kind": kind, "source": autoencoder.slug})
    training.train(config, digits(), tmp_path / "whole")
    killed_run(tmp_path / "killed", config)
    training.train(config, digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_a_source_of_another_latent_size_is_refused(tmp_path, autoencoder):
    config = recipe({"latent": 3}, prior={"kind": "xvae", "source": autoencoder.slug})
    with pytest.raises(TrainingError, match=r"latent size.*source"):
        training.train(config, digits(), tmp_path / "xvae")


@pytest.mark.parametrize("kind", ["xvae", "xvae-mixture"])
def test_a_source_that_is_no_autoencoder_of_these_data_is_refused(tmp_path, kind):
    curve = {"kind": "curve", "x": [0, 0.5, 1], "loc": [0, 0, 0], "scale": [1, 1, 1]}
    config = recipe({"kind": "ae"}).model_dump() | {"sketch": curve}
    config = RunConfig.model_validate(config)
    folder = tmp_path / "user" / "checkpoints" / "curve-ae"
    checkpoint.save(*config.build(), config, folder)
    with pytest.raises(TrainingError):
        training.train(
            recipe(prior={"kind": kind, "source": "curve-ae"}), digits(), tmp_path / "xvae"
        )
