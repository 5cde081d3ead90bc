"""A second-stage VAE keeps the laws of priors, and its bound is below its density."""

import math

import pytest
import torch

from explorer.config import RunConfig
from explorer.errors import NoDensityError
from explorer.inference import Engine
from explorer.interfaces import noise
from explorer.testing import densities
from tests.priors.test_references import LAWS
from tests.support.models import small_checkpoint, small_pair


@pytest.fixture(scope="module")
def law():
    with torch.no_grad():
        _, prior = small_pair("second-stage")
        prior.loc.copy_(torch.tensor([1.0, -2.0]))
        prior.scale.copy_(torch.tensor([0.5, 3.0]))
        return prior.requires_grad_(False)(lambda x: None)


@pytest.mark.parametrize("each", LAWS, ids=lambda each: each.__name__)
def test_it_keeps_the_laws_of_a_prior(law, each):
    each(law)


def test_its_bound_is_below_its_density(law):
    # The density itself, by many codes of the second stage.
    module, z = law._module, law.draw(40, seed=5).z
    u = noise(20_000, 2, 9)
    p = torch.distributions.Normal(
        module.loc + module.scale * module.decoded(u), module.scale * module.log_scale.exp()
    )
    exact = p.log_prob(z[:, None]).sum(-1).logsumexp(1) - math.log(len(u))
    bound = law.log_bound(z)
    assert float((bound - exact).mean()) < 0
    assert float((bound - exact).max()) < 0.3
    assert float((exact - bound).mean()) < 1.5


def test_a_bound_does_not_depend_on_the_batch(law):
    z = law.draw(700, seed=3).z
    torch.testing.assert_close(law.log_bound(z)[650:], law.log_bound(z[650:]))
    assert law.log_bound(z.reshape(7, 100, 2)).shape == (7, 100)


def test_it_is_told_from_a_density_everywhere():
    engine = Engine(small_checkpoint("second-stage", model="vae"), "cpu")
    assert (engine.has_density, engine.bounded, engine.scored) == (False, True, False)
    assert "lower bound only" in engine.why_unscored
    with pytest.raises(NoDensityError, match="lower bound only"):
        engine.log_prior(engine.draw(3)[0])
    assert engine.log_bound(engine.draw(3)[0]).shape == (3,)
    other = Engine(small_checkpoint("standard"), "cpu")
    assert not other.bounded
    with pytest.raises(NoDensityError, match="use `log_prob`"):
        other.log_bound(other.draw(3)[0])


def test_a_recipe_cannot_train_it():
    whole = small_checkpoint("second-stage").config.model_dump(mode="json")
    with pytest.raises(ValueError, match="latent-explorer fit"):
        RunConfig.model_validate(whole | {"fitted": None})


def test_a_prior_without_density_or_bound_is_found_out(law):
    law_without = type("Bare", (type(law),), {"bounded": False})(law._module)
    densities.check_density_integrates_to_one(law_without)  # it says that it has none
