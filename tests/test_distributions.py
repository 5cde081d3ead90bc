"""The discretised logistic is a distribution over its bins."""

import math

import pytest
import torch
from torch.distributions import AffineTransform, SigmoidTransform, TransformedDistribution, Uniform

from explorer.distributions import DiscretisedLogistic

MIDDLES = (torch.arange(256, dtype=torch.float64) + 0.5) / 256


def logistic(loc, log_scale, reference=False):
    values = (torch.full((256,), number, dtype=torch.float64) for number in (loc, log_scale))
    return DiscretisedLogistic(*values, reference)


@pytest.mark.parametrize("loc", [0.5 / 256, 0.02, 0.3, 0.5, 0.77, 1 - 0.5 / 256])
@pytest.mark.parametrize("log_scale", [-4.5, -3.0, -1.3, 0.0])
def test_masses_of_a_discretised_logistic_sum_to_one(loc, log_scale):
    law = logistic(loc, log_scale)
    total = law.log_prob(MIDDLES).exp().sum()
    torch.testing.assert_close(float(total), 1.0, atol=1e-5, rtol=0)
    single = DiscretisedLogistic(law.loc.float(), law.log_scale.float())
    total = single.log_prob(MIDDLES.float()).exp().sum()
    torch.testing.assert_close(float(total), 1.0, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("loc", "log_scale", "total"), [(0.5, -2.0, 0.9515), (0.5, 0.0, 0.245), (0.02, -3.0, 0.599)]
)
def test_masses_of_the_published_code_sum_to_less_than_one(loc, log_scale, total):
    found = float(logistic(loc, log_scale, True).log_prob(MIDDLES).exp().sum())
    torch.testing.assert_close(found, total, atol=5e-4, rtol=0)


@pytest.mark.parametrize("reference", [False, True])
def test_masses_of_a_discretised_logistic_are_those_of_its_bins(reference):
    loc, log_scale = 0.37, -1.8
    law = TransformedDistribution(
        Uniform(0.0, 1.0),
        [SigmoidTransform().inv, AffineTransform(loc, math.exp(log_scale))],
        validate_args=False,
    )
    edges = torch.arange(257, dtype=torch.float64) / 256
    cumulative = law.cdf(edges)
    if not reference:
        cumulative[0], cumulative[-1] = 0, 1
    expected = cumulative.diff() + (1e-7 if reference else 0)
    found = logistic(loc, log_scale, reference).log_prob(MIDDLES).exp()
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-3)


@pytest.mark.parametrize("reference", [False, True])
def test_every_value_of_a_bin_has_the_mass_of_its_bin(reference):
    law = logistic(0.4, -2.0, reference)
    expected = law.log_prob(MIDDLES)
    for share in (0.0, 0.3, 0.999):
        torch.testing.assert_close(law.log_prob(MIDDLES + (share - 0.5) / 256), expected)
    one = DiscretisedLogistic(law.loc[:1], law.log_scale[:1], reference)
    torch.testing.assert_close(one.log_prob(torch.ones(1).double()), expected[-1:])


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_discretised_logistic_is_finite_far_off(value, reference):
    loc = torch.tensor([0.5 / 256, 0.5, 1 - 0.5 / 256], requires_grad=True)
    log_scale = torch.full((3,), -4.5, requires_grad=True)
    density = DiscretisedLogistic(loc, log_scale, reference).log_prob(torch.full((3,), value))
    density.sum().backward()
    for found in (density, loc.grad, log_scale.grad):
        assert bool(torch.isfinite(found).all())
    if value != 0.5 and not reference:
        far, towards = (0, 1) if value else (2, -1)
        assert float(density.detach()[far]) < -80
        torch.testing.assert_close(float(loc.grad[far]) * towards, math.exp(4.5), atol=1, rtol=0)


def test_a_discretised_logistic_draws_by_its_masses():
    n = 40_000
    torch.manual_seed(1)
    for loc, log_scale in ((0.4, -2.5), (0.98, -1.5), (0.5, 0.0)):
        one = torch.tensor(loc), torch.tensor(log_scale)
        drawn = DiscretisedLogistic(*one).sample((n,))
        counts = (drawn.double() * 256 - 0.5).round().long().bincount(minlength=256)
        masses = logistic(loc, log_scale).log_prob(MIDDLES).exp()
        assert len(counts) == 256
        error = (masses * (1 - masses) / n).sqrt()
        assert bool(((counts / n - masses).abs() < 5 * error + 1e-4).all())
        torch.testing.assert_close(
            drawn.double(), MIDDLES[(drawn * 256).long()], atol=1e-6, rtol=0
        )
