"""Matching draws the codes' law to the prior; its distances agree with closed forms."""

import pytest
import torch
from pydantic import ValidationError

from explorer.config import RunConfig
from explorer.errors import NoDensityError
from explorer.interfaces import noise
from explorer.objectives import ElboConfig, MatchingConfig, elbo
from explorer.objectives.distances import kernel_distance, sliced_distance
from explorer.objectives.schedules import ConstantConfig
from explorer.testing.checks import SKETCH, generator, random_samples
from tests.support.models import small_pair

RECIPE = {
    "data": {"kind": "digits"},
    "model": {"kind": "dmvae", "latent": 2},
    "prior": {"kind": "standard"},
    "objective": {"kind": "matching"},
}


def gaussian(n, d, *, loc=0.0, scale=1.0, seed=0):
    return loc + scale * noise(n, d, seed).double()


def test_the_sliced_distance_of_gaussians_is_their_shift_and_their_spread():
    shift = torch.zeros(10, dtype=torch.float64)
    shift[0] = 3
    a, b = gaussian(4000, 10), gaussian(4000, 10, loc=shift, scale=0.5, seed=1)
    found = sliced_distance(a, b, gaussian(500, 10, seed=2))
    assert float(found) == pytest.approx(9 / 10 + 0.25, abs=0.06)  # |m - n|^2 / d + (s - t)^2
    apart = sliced_distance(a, b, 7 * gaussian(500, 10, seed=2))
    torch.testing.assert_close(apart, found, msg="the length of directions matters")


def test_two_sets_of_one_law_are_six_variances_over_n_apart():
    found = [
        float(sliced_distance(
            gaussian(500, 1, seed=2 * k), gaussian(500, 1, seed=2 * k + 1),
            torch.ones(1, 1, dtype=torch.float64),
        ))
        for k in range(300)
    ]  # fmt: skip
    assert sum(found) / len(found) == pytest.approx(6 / 500, rel=0.25)


def test_the_kernel_distance_agrees_with_its_closed_form():
    # Seven inverse multiquadrics between N(0, I) and N(0, I / 4) in 8 dimensions, by quadrature.
    found = [
        float(kernel_distance(
            gaussian(500, 8, seed=2 * k), gaussian(500, 8, scale=0.5, seed=2 * k + 1), 1.0
        ))
        for k in range(12)
    ]  # fmt: skip
    assert sum(found) / len(found) == pytest.approx(0.4270912, abs=0.01)


def test_the_kernel_distance_has_no_bias_and_a_gradient():
    found = torch.stack([
        kernel_distance(gaussian(200, 4, seed=2 * k), gaussian(200, 4, seed=2 * k + 1), 1.0)
        for k in range(200)
    ])  # fmt: skip
    assert abs(float(found.mean())) < 3 * float(found.std()) / 200**0.5
    assert float((found < 0).double().mean()) > 0.3, "it is not unbiased if it is never negative"
    codes = gaussian(50, 4, loc=1.0).requires_grad_(True)
    kernel_distance(codes, gaussian(50, 4, seed=1), 1.0).backward()
    assert bool(torch.isfinite(codes.grad).all())
    assert float((codes.grad * torch.ones(4)).sum()) > 0, "codes are not drawn to the reference"


@pytest.mark.parametrize("kind", ["standard", "xvae"])
def test_without_weight_and_with_the_kl_it_is_the_elbo_bit_for_bit(kind):
    model, prior = small_pair(kind, model="dmvae")
    latent, x = model.latent_prior(prior), random_samples(24, SKETCH)
    matching = MatchingConfig(weight=0, warmup=ConstantConfig(beta=1.0))
    found = matching.terms(model, latent, x, beta=1.0, generator=generator(5))
    expected = elbo(model, latent, x, generator=generator(5))
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(ours, theirs)
    by_config = ElboConfig().terms(model, latent, x, beta=0.5, generator=generator(5))
    assert torch.equal(
        by_config.loss, elbo(model, latent, x, beta=0.5, generator=generator(5)).loss
    )


@pytest.mark.parametrize("distance", ["sliced", "mmd"])
def test_what_is_validated_is_what_is_minimised(distance):
    model, prior = small_pair("standard", model="dmvae")
    latent, x = model.latent_prior(prior), random_samples(64, SKETCH)
    config = MatchingConfig(distance=distance, weight=50)
    terms = config.terms(model, latent, x, generator=generator(1))
    torch.testing.assert_close(terms.loss, (terms.kl - terms.reconstruction).mean())
    again = config.terms(model, latent, x, generator=generator(1))
    assert torch.equal(terms.loss, again.loss), "the same noise gives another number"


@pytest.mark.parametrize("distance", ["sliced", "mmd"])
def test_steps_draw_the_codes_of_data_to_the_prior(distance):
    torch.manual_seed(0)
    model, prior = small_pair("standard", model="dmvae")
    latent, x = model.latent_prior(prior), random_samples(512, SKETCH)
    config = MatchingConfig(distance=distance, weight=1000)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)

    def apart():
        with torch.no_grad():
            z = model.posterior(x).sample(generator(3))
            return float(sliced_distance(z, latent.draw(512, seed=9).z, noise(200, 2, 4)))

    before = apart()
    for step in range(60):
        optimiser.zero_grad()
        config.terms(model, latent, x, beta=0.0, generator=generator(step)).loss.backward()
        optimiser.step()
    assert apart() < 0.2 * before


def test_every_posterior_has_the_noise_of_the_recipe():
    model, _ = small_pair("standard", model="dmvae")
    scale = model.posterior(random_samples(5, SKETCH)).scale
    assert bool((scale == torch.tensor(0.2)).all())


def test_matching_needs_a_reference():
    model, _ = small_pair("standard", model="dmvae")
    with pytest.raises(NoDensityError, match="needs a prior"):
        MatchingConfig().terms(model, None, random_samples(4, SKETCH))


def test_an_objective_without_a_kind_is_the_elbo():
    whole = RunConfig.model_validate(RECIPE | {"objective": {"free_bits": 0.5}})
    assert isinstance(whole.objective, ElboConfig)
    assert isinstance(RunConfig.model_validate(RECIPE).objective, MatchingConfig)


@pytest.mark.parametrize(
    "changes",
    [
        {"prior": {"kind": "vamp"}},
        {"prior": {"kind": "mog"}},
        {"model": {"kind": "vae"}},
        {"objective": {"kind": "matching", "weight": -1}},
        {"objective": {"kind": "matching", "distance": "energy"}},
        {"objective": {"kind": "guess"}},
        {"model": {"kind": "dmvae", "noise": -0.1}},
        {"model": {"kind": "dmvae", "noise": 0}, "objective": {"kind": "elbo"}},
        {"prior": {"kind": "sphere"}, "objective": {"kind": "elbo"}},
        {"objective": {"kind": "matching", "network": {"every": 0}}},
    ],
)
def test_a_recipe_that_cannot_be_matched_is_refused(changes):
    with pytest.raises(ValidationError):
        RunConfig.model_validate(RECIPE | changes)
