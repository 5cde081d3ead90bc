"""The KL is the sum of its parts."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from explorer.interfaces import Posterior, noise
from explorer.metrics.surgery import Surgery, elbo_surgery
from explorer.priors.mixture import LatentMixture
from tests.support.gaussians import normal, standard


def quadrature(loc, scale, prior):
    """Integrate the parts of the mean KL of one-dimensional posteriors."""
    grid = torch.linspace(-40, 40, 160_001, dtype=torch.float64)
    log_q = Normal(loc, scale).log_prob(grid[:, None])
    log_aggregated = log_q.logsumexp(1) - math.log(len(loc))
    log_prior = prior.log_prob(grid[:, None])
    q, step = log_q.exp(), float(grid[1] - grid[0])
    mean = (q * (log_q - log_prior[:, None])).sum() * step / len(loc)
    marginal = (log_aggregated.exp() * (log_aggregated - log_prior)).sum() * step
    return float(mean), float(marginal)


def toy():
    loc = torch.tensor([-2.0, -1.5, -0.3, 0.0, 0.4, 1.9, 3.0], dtype=torch.float64)
    scale = torch.tensor([0.3, 0.8, 0.2, 0.5, 0.4, 1.1, 0.25], dtype=torch.float64)
    return loc, scale


def test_the_parts_of_a_kl_are_those_of_quadrature():
    loc, scale = toy()
    prior = standard(1)
    mean, marginal = quadrature(loc, scale, prior)
    found = elbo_surgery(Posterior(loc[:, None], scale[:, None]), prior, draws=1200)
    assert found.n == 7
    assert abs(found.marginal - marginal) < 0.05
    assert abs(found.information - (mean - marginal)) < 0.05
    exact = Normal(loc, scale)
    kl = torch.distributions.kl_divergence(exact, Normal(torch.zeros(7).double(), 1.0)).mean()
    assert abs(mean - float(kl)) < 1e-6


@pytest.mark.parametrize("draws", [1, 16])
def test_the_parts_sum_to_the_mean_kl_of_the_same_codes(draws):
    loc, scale = torch.from_numpy(normal(60, 3)), torch.from_numpy(np.exp(normal(60, 3, 1)))
    q, prior = Posterior(loc, scale), standard(3)
    found = elbo_surgery(q, prior, draws=draws, seed=4)
    z = loc + scale * noise(60 * draws, 3, 4).reshape(draws, 60, 3)
    kl = float((q.log_prob(z) - prior.log_prob(z)).mean())
    assert found.information + found.marginal == pytest.approx(kl, abs=1e-4)
    assert found == elbo_surgery(q, prior, draws=draws, seed=4)
    assert found != elbo_surgery(q, prior, draws=draws, seed=5)


def test_equal_posteriors_tell_nothing():
    one = torch.ones(50, 4)
    found = elbo_surgery(Posterior(0.7 * one, 0.5 * one), standard(4))
    assert abs(found.information) < 1e-5
    assert found.information_error < 1e-5
    exact = 4 * (math.log(2) + (0.25 + 0.49 - 1) / 2)
    assert abs(found.marginal - exact) < 4 * found.marginal_error
    assert not found.saturated


def test_posteriors_far_apart_tell_everything():
    loc = 100 * torch.from_numpy(normal(64, 5))
    found = elbo_surgery(Posterior(loc, torch.full((64, 5), 0.3)), standard(5))
    assert found.information == pytest.approx(math.log(64), abs=1e-5)
    assert found.saturated


def test_under_the_aggregated_posterior_as_prior_nothing_is_left():
    loc, scale = torch.from_numpy(normal(80, 3)), torch.full((80, 3), 0.5)
    prior = LatentMixture(torch.full((80,), -math.log(80)), loc, scale)
    found = elbo_surgery(Posterior(loc, scale), prior)
    assert abs(found.marginal) < 1e-5
    assert found.marginal_error < 1e-5
    assert 0 < found.information < math.log(80)


def test_the_information_is_saturated_from_its_share_of_the_ceiling_on():
    n = 100
    ceiling = math.log(n)
    assert Surgery(0.96 * ceiling, 0.0, 0.0, 0.0, n).saturated
    assert not Surgery(0.94 * ceiling, 0.0, 0.0, 0.0, n).saturated
