"""Models of two levels, small and untrained."""

import pytest
import torch

from tests.support.models import HIERARCHIES, MIXTURES, PRIORS, small_pair

every_prior = pytest.mark.parametrize("kind", PRIORS)

with_components = pytest.mark.parametrize("kind", MIXTURES)

every_hierarchy = pytest.mark.parametrize("name", HIERARCHIES)

TOP, BOTTOM = 2, 3


def generator(seed=12):
    return torch.Generator().manual_seed(seed)


def pictures(n=24):
    return torch.bernoulli(torch.full((n, 1, 8, 8), 0.4), generator=generator(0))


def hierarchy(kind, name="hvae", **fields):
    """Return a small model of two levels and its joint prior, the bottom narrow and bent."""
    model, prior = small_pair(kind, model=name, **fields)
    model.requires_grad_(False)
    with torch.no_grad():
        model.p_bottom.loc.weight.mul_(2)
        model.p_bottom.log_variance.bias.sub_(1)
        return model, model.latent_prior(prior.requires_grad_(False))
