"""Smoothness and speed of paths, where both are known."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from explorer.interfaces import AbstractModel, LatentSpace
from explorer.metrics.smoothness import path_smoothness, path_speeds
from explorer.priors.mixture import LatentMixture
from tests.support.models import small_checkpoint


class Line(AbstractModel):
    """x = A z with unit noise; `slope` bends it."""

    def __init__(self, latent=3, size=5):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(
            torch.randn(size, latent, generator=generator, dtype=torch.float64)
        )
        self.space = LatentSpace.single(latent)

    def posterior(self, x, labels=None):
        raise NotImplementedError

    def likelihood(self, z, labels=None):
        return Independent(Normal(z @ self.weight.T, torch.ones(())), 1)


def ends(pairs=9, latent=3):
    generator = torch.Generator().manual_seed(4)
    return torch.randn(pairs, 2, latent, generator=generator, dtype=torch.float64)


def times(pairs=9):
    return torch.linspace(0, 1, pairs, dtype=torch.float64)


def test_a_linear_decoder_has_the_speed_of_its_matrix():
    model, pairs = Line(), ends()
    way = (pairs[:, 1] - pairs[:, 0]) @ model.weight.T
    torch.testing.assert_close(path_speeds(model, pairs, times()), way.detach().square().sum(1))


def test_a_constant_decoder_stands_still():
    model = Line()
    with torch.no_grad():
        model.weight.zero_()
    assert bool((path_speeds(model, ends(), times()) == 0).all())


def test_speeds_of_many_pairs_are_those_of_each():
    model, pairs = Line(), ends(130)
    found = path_speeds(model, pairs, times(130))
    each = [path_speeds(model, pair[None], times(1)) for pair in pairs]
    torch.testing.assert_close(found, torch.cat(each))


@pytest.mark.parametrize("name", ["vae", "convvae", "hvae", "convhvae"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "logistic"])
def test_a_speed_is_the_limit_of_small_steps(name, likelihood):
    model = small_checkpoint("standard", model=name, likelihood=likelihood).model.double()
    size, step = model.space.size, 1e-3
    pairs, t = ends(5, size), 0.1 + 0.8 * times(5)
    found = path_speeds(model, pairs, t)

    def at(moment):
        z = pairs[:, 0] + moment[:, None] * (pairs[:, 1] - pairs[:, 0])
        return model.likelihood(z).mean.flatten(1)

    with torch.no_grad():
        quotient = (at(t + step / 2) - at(t - step / 2)).square().sum(1) / step**2
    assert bool((found > 0).all())
    torch.testing.assert_close(found, quotient, rtol=0.01, atol=0)


def test_smoothness_is_the_mean_speed_between_prior_samples():
    model, prior = (
        Line(),
        LatentMixture(
            torch.zeros(1, dtype=torch.float64),
            torch.zeros(1, 3).double(),
            torch.ones(1, 3).double(),
        ),
    )
    found = path_smoothness(model, prior, pairs=1000, seed=3)
    expected = 2 * float(model.weight.detach().square().sum())  # b - a has twice the variance
    error = float(found.std()) / math.sqrt(len(found))
    assert abs(float(found.mean()) - expected) < 4 * error
    assert torch.equal(found, path_smoothness(model, prior, pairs=1000, seed=3))
    assert not torch.equal(found, path_smoothness(model, prior, pairs=1000, seed=4))
