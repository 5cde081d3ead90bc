"""The bound of two levels is the sum of its terms."""

import math

import torch

from explorer.interfaces import joined
from explorer.objectives import elbo, unit_kl
from tests.support.hierarchies import (
    BOTTOM,
    TOP,
    every_hierarchy,
    every_prior,
    generator,
    hierarchy,
    pictures,
)


@every_hierarchy
def test_the_kl_of_the_bottom_is_the_mean_of_the_sampled_one(name):
    model, prior = hierarchy("mog", name)
    with torch.no_grad():
        q = model.posterior(pictures(3))
        top = q.sample(generator())[:, :TOP]
        own, p = q.below(top), prior.below(top)
        eps = torch.randn(20_000, 3, BOTTOM, generator=generator(1))
        z = own.loc + own.scale * eps
        sampled = own.log_prob(z) - p.log_prob(z)
        error = sampled.std(0) / math.sqrt(len(z))
    exact = unit_kl(own, p).sum(1)
    assert bool((exact > 10 * error).all())
    assert bool(((sampled.mean(0) - exact).abs() < 4 * error).all())


@every_prior
def test_the_bound_of_two_levels_is_the_sum_of_its_terms(kind):
    model, prior = hierarchy(kind)
    x = pictures()
    terms = elbo(model, prior, x, generator=generator())
    upper, lower = model.posterior(x).walk(generator=generator())
    z = joined((upper, lower))
    torch.testing.assert_close(terms.reconstruction, model.likelihood(z).log_prob(x))
    below = unit_kl(lower.q, prior.below(upper.z)).sum(1)
    above = unit_kl(upper.q, prior.upper)
    top = upper.log_prob() - prior.upper.log_prob(upper.z) if above is None else above.sum(1)
    assert (above is None) == (kind not in ("standard", "xvae"))
    torch.testing.assert_close(terms.kl, top + below)
    torch.testing.assert_close(terms.loss, (terms.kl - terms.reconstruction).mean())


@every_prior
def test_closed_forms_of_two_levels_have_the_mean_of_the_log_ratio(kind):
    n, batch = 4000, 2
    model, prior = hierarchy(kind)
    x = pictures(batch)
    with torch.no_grad():
        mixed = elbo(model, prior, x.repeat(n, 1, 1, 1), generator=generator(1)).kl
        eps = torch.randn(n, batch, TOP + BOTTOM, generator=generator(2))
        draws = model.posterior(x).walk(eps)
        ratio = sum(drawn.log_prob() for drawn in draws) - prior.log_prob(joined(draws))
    mixed = mixed.reshape(n, batch)
    error = ((mixed.var(0) + ratio.var(0)) / n).sqrt()
    assert bool(((mixed.mean(0) - ratio.mean(0)).abs() < 4 * error).all())


def test_free_bits_are_a_floor_for_the_units_of_each_level():
    model, prior = hierarchy("xvae")
    x = pictures()
    upper, lower = model.posterior(x).walk(generator=generator())
    units = torch.cat([unit_kl(upper.q, prior.upper), unit_kl(lower.q, prior.below(upper.z))], 1)
    means = units.mean(0)
    floor = float(means.sort().values[2:4].mean())
    terms = elbo(model, prior, x, free_bits=floor, generator=generator())
    penalty = terms.loss + terms.reconstruction.mean()
    torch.testing.assert_close(penalty, means.clamp(min=floor).sum(), atol=1e-4, rtol=1e-4)
    assert float(penalty) > float(means.sum()) + 0.01
