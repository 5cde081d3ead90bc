"""Likelihoods and bounds of a model of two levels whose every density is known."""

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from explorer.interfaces import AbstractModel, LatentSpace, Level, Posterior, joined, noise
from explorer.metrics import importance_sampling
from explorer.metrics.amortisation import refine
from explorer.objectives import elbo, unit_kl
from explorer.priors import HierarchicalPrior
from explorer.priors.mixture import LatentMixture
from tests.support.hierarchies import BOTTOM, TOP, every_hierarchy, generator, hierarchy, pictures

DIMENSIONS, SPREAD, BELOW = 5, 0.7, 0.6


class TwoLevels(AbstractModel):
    """z1 = A z2 + a + noise; x = B z1 + C z2 + b + noise, the columns of B orthogonal.

    With one unit on top all posteriors are diagonal: q(z2|x) q(z1|x,z2) can be exact.

    Args:
        upper: Shifts and widens q(z2|x) away from the exact posterior; 0 is exact.
        lower: The same for q(z1|x,z2).
    """

    def __init__(self, upper=0.0, lower=0.0):
        super().__init__()
        draws = generator(5)

        def normal(*shape):
            return torch.randn(*shape, generator=draws, dtype=torch.float64)

        self.space = LatentSpace((Level("z2", 0, 1), Level("z1", 1, 3)))
        self.slope, self.offset = normal(2, 1), normal(2)
        self.gain = torch.tensor([1.5, 0.6], dtype=torch.float64)
        self.weight = torch.linalg.qr(normal(DIMENSIONS, 2)).Q * self.gain
        self.direct, self.bias = normal(DIMENSIONS, 1), normal(DIMENSIONS)
        self.loc, self.scale = 1.5, 0.5  # of p(z2)
        self.upper, self.lower = upper, lower

    @property
    def top(self):
        return LatentSpace(self.space.levels[:1])

    def prior(self):
        one = torch.ones(1, 1, dtype=torch.float64)
        return self.joint(LatentMixture(torch.zeros(1).double(), self.loc * one, self.scale * one))

    def joint(self, prior):
        def below(z):
            loc = z @ self.slope.T + self.offset
            return Posterior(loc, torch.full_like(loc, BELOW))

        return HierarchicalPrior(prior, 1, below)

    def likelihood(self, z, labels=None):
        loc = z[..., 1:] @ self.weight.T + z[..., :1] @ self.direct.T + self.bias
        return Independent(Normal(loc, SPREAD), 1)

    def given_top(self):
        """Return slope, offset and covariance of x given z2."""
        slope = (self.weight @ self.slope + self.direct)[:, 0]
        offset = self.weight @ self.offset + self.bias
        noise = SPREAD**2 * torch.eye(DIMENSIONS).double()
        return slope, offset, noise + BELOW**2 * self.weight @ self.weight.T

    def marginal(self):
        slope, offset, noise = self.given_top()
        return MultivariateNormal(
            offset + slope * self.loc, noise + self.scale**2 * torch.outer(slope, slope)
        )

    def posterior(self, x, labels=None):
        slope, offset, noise = self.given_top()
        weighted = torch.linalg.solve(noise, slope)
        variance = 1 / (1 / self.scale**2 + slope @ weighted)
        loc = variance * (self.loc / self.scale**2 + (x - offset) @ weighted)
        scale = variance.sqrt() * (1 + self.upper)

        def below(z):
            inner = 1 / (1 / BELOW**2 + self.gain.square() / SPREAD**2)
            rest = x - self.bias - z @ self.direct.T
            prior = (z @ self.slope.T + self.offset) / BELOW**2
            mean = inner * (prior + rest @ self.weight / SPREAD**2)
            width = inner.sqrt().expand_as(mean)
            return Posterior(mean + 0.3 * self.lower, width * (1 + self.lower))

        top = loc[:, None] + 0.3 * self.upper
        return Posterior(top, scale.expand_as(top), below)


def observations(n):
    torch.manual_seed(0)
    return TwoLevels().marginal().sample((n,))


def test_importance_sampling_of_two_levels_is_exact_from_the_true_posterior():
    model, x = TwoLevels(), observations(40)
    found = importance_sampling(model, model.prior(), x, samples=13)
    expected = model.marginal().log_prob(x)
    for value in (found.log_likelihood, found.elbo, found.reconstruction - found.kl):
        torch.testing.assert_close(value, expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(found.effective, torch.full_like(expected, 13.0))


@pytest.mark.parametrize(("upper", "lower"), [(0.8, 0.0), (0.0, 0.8), (0.6, 0.6)])
def test_importance_sampling_of_two_levels_tightens_with_more_codes(upper, lower):
    model, x = TwoLevels(upper, lower), observations(400)
    found = [
        importance_sampling(model, model.prior(), x, samples=samples)
        for samples in (1, 5, 50, 300)
    ]
    exact = model.marginal().log_prob(x)
    means = [float(each.log_likelihood.mean()) for each in found]
    assert means == sorted(means)
    assert means[0] < float(exact.mean()) - 0.1
    gap = found[-1].log_likelihood - exact
    assert abs(float(gap.mean())) < 0.01 + 4 * float(gap.std()) / math.sqrt(len(x))
    for each in found:
        assert bool((each.log_likelihood >= each.elbo - 1e-9).all())
        torch.testing.assert_close(each.elbo, each.reconstruction - each.kl)


def test_importance_weights_of_two_levels_average_to_the_probability():
    model, x = TwoLevels(0.4, 0.4), observations(5)
    runs = torch.stack(
        [
            importance_sampling(model, model.prior(), x, samples=20, seed=seed).log_likelihood
            for seed in range(200)
        ]
    )
    ratio = (runs - model.marginal().log_prob(x)).exp()
    assert bool(((ratio.mean(0) - 1).abs() < 4 * ratio.std(0) / math.sqrt(200)).all())


@pytest.mark.parametrize(("upper", "lower"), [(0.0, 0.0), (0.5, 0.5)])
def test_the_bound_of_two_levels_is_the_likelihood_less_the_gap_of_q(upper, lower):
    """Where q is exact the bound's mean over codes is log p(x), whichever KL is in closed form."""
    model, x = TwoLevels(upper, lower), observations(2)
    n = 20_000
    terms = elbo(model, model.prior(), x.repeat(n, 1), generator=generator())
    bound = (terms.reconstruction - terms.kl).reshape(n, 2)
    error = bound.std(0) / math.sqrt(n)
    gap = model.marginal().log_prob(x) - bound.mean(0)
    if upper == lower == 0:
        assert bool((gap.abs() < 4 * error).all())
    else:
        true, wrong = TwoLevels().posterior(x), model.posterior(x)
        top = Posterior(wrong.loc, wrong.scale)
        above = unit_kl(top, Posterior(true.loc, true.scale)).sum(1)
        z = wrong.loc  # the lower levels differ by the same shift and width whatever lies above
        below = unit_kl(wrong.below(z), true.below(z)).sum(1)
        assert bool(((gap - above - below).abs() < 4 * error).all())


def test_refining_the_top_closes_the_gap_of_the_top():
    model, x = TwoLevels(upper=0.8), observations(1)
    exact = float(model.marginal().log_prob(x))
    found = refine(model, model.prior(), x, steps=200, samples=4000)
    assert found.loc.shape == found.scale.shape == (model.space.size,)
    assert float(found.elbo[0]) < exact - 0.1
    assert float(found.elbo[-1]) == pytest.approx(exact, abs=0.01)
    truth = TwoLevels().posterior(x)
    torch.testing.assert_close(found.loc[:1], truth.loc[0], atol=0.05, rtol=0)
    torch.testing.assert_close(found.scale[:1], truth.scale[0], atol=0.05, rtol=0)


@every_hierarchy
def test_the_bound_is_refined_from_where_the_encoder_has_it(name):
    model, prior = hierarchy("mog", name)
    x = pictures(1)
    start = refine(model, prior, x, samples=300, steps=0, seed=6)
    with torch.no_grad():
        draws = model.posterior(x).walk(noise(300, TOP + BOTTOM, 6))
        z = joined(draws)
        log_q = sum(drawn.log_prob() for drawn in draws)
        bound = model.likelihood(z).log_prob(x) + prior.log_prob(z) - log_q
    torch.testing.assert_close(start.elbo, bound.mean()[None], atol=1e-3, rtol=1e-5)
    moved = refine(model, prior, x, samples=300, steps=20, seed=6)
    torch.testing.assert_close(moved.elbo[0], start.elbo[0])
    assert moved.rise > 1
    assert moved.loc.shape == moved.scale.shape == (TOP + BOTTOM,)
