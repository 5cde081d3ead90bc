"""References keep the laws of priors; their denoised means follow from their densities."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ive

from explorer.errors import NoDensityError, TrainingError
from explorer.priors import (
    KernelPrior,
    LatentKernel,
    LatentMixture,
    LatentNoised,
    LatentSphere,
    SpherePrior,
    whitened,
)
from explorer.priors.mixture import CodeMixturePrior
from explorer.priors.sphere import _resultant
from explorer.testing import densities
from tests.support.models import REFERENCES, random_codes, small_pair

every_reference = pytest.mark.parametrize("kind", REFERENCES)

LAWS = [
    densities.check_density_integrates_to_one,
    densities.check_samples_agree_with_density,
    densities.check_equal_seeds_give_equal_codes,
    densities.check_draws_are_prefix_stable,
    densities.check_scaling_keeps_component_and_noise,
    densities.check_one_level_takes_one_scale_and_one_seed,
    densities.check_responsibilities_follow_bayes_rule,
]


@torch.no_grad()
def reference(kind, latent=2):
    model, prior = small_pair(kind, model="dmvae", latent=latent)
    return prior.requires_grad_(False)(model.posterior)


def nowhere(x):
    raise AssertionError("a reference asked for the encoder")


@every_reference
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_reference_keeps_the_laws_of_a_prior(kind, law):
    law(reference(kind))


@pytest.mark.parametrize(
    "kind",
    ["gmm", "features", "noised", "noised-over-time", "noised-features", "noised-file-over-time"],
)
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_a_denoised_mean_is_the_score_in_other_words(kind, t):
    # Tweedie: E[z | x] = (x + (1 - t)^2 grad log p_t(x)) / t, and p_t is the noised reference.
    prior = reference(kind)
    density = prior.density if isinstance(prior, LatentNoised) else prior
    mixture = density.mixture
    parts = (mixture.log_weights, mixture.loc, mixture.scale)
    blurred = LatentNoised(LatentMixture(*parts), t)
    x = blurred.draw(50, seed=3).z.double().requires_grad_(True)
    (score,) = torch.autograd.grad(blurred.log_prob(x).sum(), x)
    expected = (x.detach() + (1 - t) ** 2 * score) / t
    at = torch.full((50, 1), t)
    found = prior.denoised(x.detach().float(), at)
    torch.testing.assert_close(found.double(), expected, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("latent", [2, 5])
def test_the_denoised_mean_on_a_sphere_is_that_of_its_samples(latent):
    sphere = LatentSphere(torch.eye(latent)[0])
    z = sphere.draw(200_000, seed=1).z.double()
    x, t = torch.full((1, latent), 0.4), 0.6
    weight = (-0.5 * (x - t * z).pow(2).sum(1) / (1 - t) ** 2).softmax(0)
    found = sphere.denoised(x, torch.tensor([[t]]))
    torch.testing.assert_close(found[0].double(), weight @ z, atol=0.02, rtol=0)


@pytest.mark.parametrize("dimensions", [2, 3, 16, 64])
def test_the_resultant_length_is_a_ratio_of_bessel_functions(dimensions):
    kappa = np.array([1e-3, 0.5, 3.0, 50.0, 1e4, 4e5])
    order = dimensions / 2
    with np.errstate(invalid="ignore"):
        expected = torch.from_numpy(ive(order, kappa) / ive(order - 1, kappa))
    known = torch.isfinite(expected)
    found = _resultant(torch.from_numpy(kappa)[:, None], dimensions)[:, 0]
    torch.testing.assert_close(found[known], expected[known], atol=1e-6, rtol=1e-6)


def test_codes_on_a_sphere_have_one_length_and_no_direction():
    sphere = LatentSphere(torch.eye(16)[0])
    z = sphere.draw(20_000, seed=2).z
    torch.testing.assert_close(z.norm(dim=1), torch.full((20_000,), 4.0))
    cosine = (z[:10_000] * z[10_000:]).sum(1) / 16
    assert float(cosine.mean()) == pytest.approx(0, abs=4 / math.sqrt(16 * 10_000))
    assert float(cosine.var()) == pytest.approx(1 / 16, rel=0.06)


def test_the_scale_turns_a_code_on_the_sphere_and_ends_at_one():
    sphere = LatentSphere(torch.tensor([0.6, 0.0, 0.8]))
    ends = sphere.draw(40, seed=1).z
    angle = torch.arccos((ends @ sphere.pole / sphere.radius).clamp(-1, 1))
    for scale in (0.25, 0.5, 0.75):
        z = sphere.draw(40, seed=1, scale=scale).z
        turned = torch.arccos((z @ sphere.pole / sphere.radius).clamp(-1, 1))
        torch.testing.assert_close(turned, scale * angle, atol=2e-4, rtol=1e-4)
        torch.testing.assert_close(z.norm(dim=1), torch.full((40,), sphere.radius))
    assert torch.equal(sphere.draw(40, seed=1, scale=2.0).z, ends)
    with pytest.raises(NoDensityError, match="no density"):
        sphere.log_prob(ends)


def test_the_pole_is_where_most_codes_are():
    prior = SpherePrior(3)
    prior.turn(torch.tensor([[0.0, 2.0, 0.0], [0.0, 4.0, 0.0]]))
    assert prior.pole.tolist() == [0.0, 1.0, 0.0]
    prior.turn(torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]))
    assert prior.pole.tolist() == [0.0, 1.0, 0.0], "codes without a mean turn it nowhere"


@pytest.mark.parametrize(("t", "sigma"), [(0.0, 1.0), (0.5, math.sqrt(0.5)), (1.0, 1.0)])
def test_noise_on_a_standard_normal_is_known(t, sigma):
    standard = LatentMixture(torch.zeros(1), torch.zeros(1, 2), torch.ones(1, 2))
    z = LatentNoised(standard, t).draw(100_000, seed=1).z
    assert float(z.std()) == pytest.approx(sigma, rel=0.01)


def test_without_noise_a_noised_reference_is_the_reference_and_its_scale_does_nothing():
    base = reference("features")
    still = LatentNoised(base, 1.0)
    assert torch.equal(still.draw(20, seed=4, scale=0.0).z, base.draw(20, seed=4).z)
    quiet = LatentNoised(base, 0.6).draw(20, seed=4, scale=0.0).z
    torch.testing.assert_close(quiet, 0.6 * base.draw(20, seed=4).z)


def test_a_noised_kernel_density_is_a_mixture_in_closed_form():
    codes, bandwidth, t = torch.tensor([[1.0, -2.0], [0.0, 3.0]]), torch.tensor([0.3, 0.5]), 0.6
    kernel = LatentKernel(torch.full((2,), 0.5).log(), codes, bandwidth.expand(2, 2))
    found = LatentNoised(kernel, t).density.mixture
    torch.testing.assert_close(found.loc, t * codes)
    spread = (t**2 * bandwidth**2 + (1 - t) ** 2).sqrt()
    torch.testing.assert_close(found.scale, spread.expand(2, 2))
    assert torch.equal(found.log_weights, kernel.mixture.log_weights)


@pytest.mark.parametrize("t", [None, 0.4])
def test_a_noised_density_is_that_of_its_mixture(t):
    law = LatentNoised(reference("features"), t)
    z = law.draw(64, seed=5).z
    torch.testing.assert_close(law.log_prob(z), law.density.log_prob(z))


def test_runs_of_one_spread_are_denoised_as_their_components_are_one_by_one():
    law = LatentNoised(reference("features"), None).density
    mixture, (x, t) = (
        law.mixture,
        (law.draw(30, seed=2).z, torch.linspace(0.05, 0.95, 30)[:, None]),
    )
    order = torch.randperm(len(mixture.loc), generator=torch.Generator().manual_seed(0))
    shuffled = LatentMixture(
        *(part[order] for part in (mixture.log_weights, mixture.loc, mixture.scale))
    )
    torch.testing.assert_close(law.denoised(x, t), shuffled.denoised(x, t), atol=1e-4, rtol=1e-4)


def test_at_another_time_a_code_keeps_its_reference_and_its_noise():
    law = LatentNoised(reference("sphere"), 0.8)
    start, middle, end = (law.at(t).draw(20, seed=4).z for t in (0.0, 0.5, 1.0))
    torch.testing.assert_close(middle, (start + end) / 2)
    assert torch.equal(law.at(0.8).draw(20, seed=4).z, law.draw(20, seed=4).z)


def test_a_kernel_density_at_rest_is_its_codes():
    prior = KernelPrior(2, 100)
    codes = random_codes()
    assert prior.fit(codes, seed=1) == 100
    z = prior(nowhere).draw(50, scale=0.0).z
    known = {tuple(row) for row in codes.tolist()}
    assert all(tuple(row) in known for row in z.tolist())


def test_the_bandwidth_is_that_of_the_best_held_out_likelihood():
    prior = KernelPrior(2, 4096)
    codes = np.random.default_rng(0).standard_normal((3000, 2)).astype(np.float32)
    prior.fit(codes, seed=0)
    # Silverman's rule for a Gaussian: (4 / ((d + 2) n))^(1 / (d + 4)).
    rule = (4 / (4 * 2400)) ** (1 / 6)
    assert float(prior.scale.mean()) == pytest.approx(rule, rel=0.3)


@pytest.mark.parametrize("codes", [np.ones((1, 2)), np.ones((40, 2)), np.full((9, 2), np.nan)])
def test_no_density_is_fitted_to_nothing(codes):
    with pytest.raises(TrainingError):
        KernelPrior(2, 50).fit(codes.astype(np.float32), seed=0)


def test_the_criterion_finds_the_number_of_clumps():
    generator = np.random.default_rng(1)
    places = np.array([[0, 0], [9, 0], [0, 9], [9, 9], [4, 20]])
    codes = places[generator.integers(5, size=900)] + generator.standard_normal((900, 2))
    prior = CodeMixturePrior(2, 11)
    assert prior.fit_by_criterion(codes.astype(np.float32), seed=0) == 5
    assert prior.loc.shape == (5, 2)


def test_whitened_codes_are_uncorrelated_and_of_variance_one():
    codes = random_codes(3) @ np.array([[2, 1, 0], [0, 1, 0], [0, 0, 5]], np.float32)
    white = whitened(codes)
    np.testing.assert_allclose(np.cov(white.T, ddof=0), np.eye(3), atol=1e-4)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-4)
