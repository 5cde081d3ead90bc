"""Refining a posterior closes the gap that the encoder leaves."""

import numpy as np
import pytest
import torch

from explorer.checkpoint import load
from explorer.errors import NoDensityError
from explorer.inference import Engine
from explorer.metrics.amortisation import refine
from tests.support.data import digits
from tests.support.engines import PIXELS
from tests.support.gaussians import LinearGaussian, observations, standard
from tests.support.models import PRIORS, small_checkpoint

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("row", range(2))
def test_refining_closes_the_gap_of_a_linear_model(row):
    model, x = LinearGaussian(wrong=0.8), observations()[row : row + 1]
    exact = float(model.marginal().log_prob(x))
    found = refine(model, standard(), x, steps=200, samples=4000)
    assert float(found.elbo[0]) < exact - 0.1
    assert float(found.elbo[-1]) == pytest.approx(exact, abs=0.01)
    truth = LinearGaussian().posterior(x)
    torch.testing.assert_close(found.loc, truth.loc[0], atol=0.05, rtol=0)
    torch.testing.assert_close(found.scale, truth.scale[0], atol=0.05, rtol=0)
    # Never above log p(x), but for the noise of codes; and it levels off.
    assert float(found.elbo.max()) < exact + 4 * found.error + 0.01
    assert float((found.elbo[-1] - found.elbo[-40]).abs()) < 0.01


def test_a_linear_model_with_the_exact_encoder_has_nothing_to_gain():
    model, x = LinearGaussian(), observations()[:1]
    found = refine(model, standard(), x, samples=4000)
    exact = float(model.marginal().log_prob(x))
    assert float(found.elbo[0]) == pytest.approx(exact, abs=1e-6)
    assert float(found.elbo[-1]) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("kind", PRIORS)
def test_the_first_bound_is_that_of_the_encoder(kind):
    engine = Engine(small_checkpoint(kind, latent=3), "cpu")
    x = digits().test.x[:1]
    found = refine(
        engine.checkpoint.model, engine.prior, torch.from_numpy(x), samples=4000, steps=0
    )
    expected = engine.score(x, samples=8000, seed=3)
    assert found.elbo.shape == (1,)
    assert abs(float(found.elbo[0]) - float(expected.elbo[0])) < 0.5
    assert (found.rise, found.error) == (0, 0)
    codes = engine.encode(x)
    np.testing.assert_allclose(found.loc, codes.loc[0], atol=1e-6)
    np.testing.assert_allclose(found.scale, codes.scale[0], rtol=1e-5)


@pytest.mark.parametrize("kind", PRIORS)
def test_refining_an_untrained_encoder_raises_the_bound(kind):
    engine = Engine(small_checkpoint(kind, latent=3), "cpu")
    found = engine.refine(digits().test.x[:1])
    assert float(found.elbo[-1]) > float(found.elbo[0]) + 1


@pytest.mark.parametrize("model", ["vae", "convvae", "hvae", "convhvae", "pixelhvae"])
def test_what_was_refined_is_a_whole_code(model):
    engine = Engine(small_checkpoint("vamp", model=model), "cpu")
    found = engine.refine(digits().test.x[:1])
    assert found.loc.shape == found.scale.shape == (engine.space.size,)
    assert engine.decode(found.loc.numpy()[None]).shape == (1, *engine.sketch.shape)


def test_the_refined_bound_stays_below_the_likelihood():
    engine = Engine(load(PIXELS), "cpu")
    for row in range(3):
        x = digits().test.x[row : row + 1]
        found = engine.refine(x)
        likelihood = float(engine.score(x, samples=2000).log_likelihood[0])
        assert float(found.elbo[-1]) < likelihood + 4 * found.error
        assert len(found.elbo) == 61
        assert found.loc.shape == found.scale.shape == (2,)
        assert bool((found.scale > 0).all())


def test_refining_leaves_the_weights_as_they_are():
    opened = small_checkpoint("vamp")
    before = {name: part.clone() for name, part in opened.model.state_dict().items()}
    engine = Engine(opened, "cpu")
    x = digits().test.x[:1]
    codes = engine.encode(x)
    first, again = engine.refine(x), engine.refine(x)
    assert torch.equal(first.elbo, again.elbo)
    assert not torch.equal(first.elbo, engine.refine(x, seed=1).elbo)
    for name, part in opened.model.state_dict().items():
        assert torch.equal(part, before[name])
    np.testing.assert_array_equal(engine.encode(x).loc, codes.loc)
    assert all(part.grad is None for part in opened.model.parameters())


def test_a_plain_autoencoder_has_no_bound():
    engine = Engine(small_checkpoint(None), "cpu")
    x = digits().test.x[:1]
    with pytest.raises(NoDensityError):
        refine(engine.checkpoint.model, standard(), torch.from_numpy(x))
    for ask in (engine.refine, engine.score):
        with pytest.raises(NoDensityError):
            ask(x)
    with pytest.raises(NoDensityError):
        engine.moments()
