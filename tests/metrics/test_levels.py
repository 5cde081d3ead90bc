"""What is measured of each level."""

import math

import pytest
import torch

from explorer.metrics.latent import encode, kl_per_unit, posterior_means
from explorer.objectives import elbo, unit_kl
from tests.support.hierarchies import BOTTOM, TOP, every_hierarchy, generator, hierarchy, pictures


@every_hierarchy
def test_kl_of_the_units_of_two_levels_sums_to_the_kl(name):
    model, prior = hierarchy("xvae", name)
    x = pictures(30)
    units = kl_per_unit(model, prior, x, seed=5)
    assert units.shape == (TOP + BOTTOM,)
    expected = elbo(model, prior, x, generator=generator(5)).kl.mean()
    torch.testing.assert_close(units.sum(), expected)
    torch.testing.assert_close(units[:TOP], unit_kl(model.posterior(x), prior.upper).mean(0))


@pytest.mark.parametrize("kind", ["mog", "flow"])
def test_kl_of_the_bottoms_units_is_exact_under_every_top(kind):
    model, prior = hierarchy(kind)
    x = pictures(30)
    upper, lower = model.posterior(x).walk(generator=generator(5))
    units = kl_per_unit(model, prior, x, seed=5)
    expected = unit_kl(lower.q, prior.below(upper.z)).mean(0)
    torch.testing.assert_close(units[TOP:], expected)
    assert bool(units[:TOP].isnan().all()) == (kind == "flow")


def test_means_of_the_bottom_are_averages_over_the_top():
    model, _ = hierarchy("mog")
    x, draws = pictures(6), 1500
    found = posterior_means(model, x, draws=draws, seed=1)
    q = model.posterior(x)
    torch.testing.assert_close(found[:, :TOP], q.loc)
    z = q.loc + q.scale * torch.randn(draws, 6, TOP, generator=generator(2))
    each = q.below(z).loc
    error = each.std(0) * math.sqrt(2 / draws) + 1e-6
    assert bool(((found[:, TOP:] - each.mean(0)).abs() < 4.5 * error).all())
    assert float((found[:, TOP:] - q.flat().loc[:, TOP:]).abs().max()) > 4 * float(error.max())


def test_many_samples_are_encoded_along_the_means():
    model, _ = hierarchy("mog")
    x = pictures(2100)
    found, flat = encode(model, x), model.posterior(x).flat()
    torch.testing.assert_close(found.loc, flat.loc)
    torch.testing.assert_close(found.scale, flat.scale)
