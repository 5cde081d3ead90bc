"""A posterior of several levels is walked down, level by level."""

import math
from itertools import pairwise

import pytest
import torch
from torch.distributions import Independent, Normal

from explorer.errors import NoDensityError
from explorer.interfaces import Posterior, joined
from tests.support.hierarchies import generator

WIDTHS = (2, 1, 3)


def stairs(batch=4):
    """Make a posterior of three levels, each curved in all that lie above it."""
    draws = generator(3)

    def normal(*shape):
        return torch.randn(*shape, generator=draws, dtype=torch.float64)

    def step(inputs, outputs, rest):
        to_loc, to_scale = normal(inputs, outputs), normal(inputs, outputs)

        def below(z):
            loc, scale = torch.sin(z @ to_loc), (0.3 * torch.cos(z @ to_scale)).exp()
            return Posterior(loc, scale, rest)

        return below

    steps = None
    for inputs, outputs in reversed(list(pairwise(WIDTHS))):
        steps = step(inputs, outputs, steps)
    return Posterior(normal(batch, WIDTHS[0]), normal(batch, WIDTHS[0]).exp(), steps)


def parts(z):
    return z.split(WIDTHS, -1)


@pytest.mark.parametrize("lead", [(), (5,), (3, 2)])
def test_a_walk_goes_down_by_mean_and_spread_times_noise(lead):
    q = stairs()
    eps = torch.randn(*lead, 4, sum(WIDTHS), generator=generator(), dtype=torch.float64)
    draws = q.walk(eps)
    level = q
    for drawn, own in zip(draws, parts(eps), strict=True):
        torch.testing.assert_close(drawn.z, level.loc + level.scale * own)
        torch.testing.assert_close(drawn.q.loc, level.loc)
        level = level.below(drawn.z) if level.below else None
    assert level is None
    assert joined(draws).shape == eps.shape
    assert torch.equal(joined(draws), torch.cat([drawn.z for drawn in draws], -1))


def test_a_walk_from_a_generator_draws_a_level_at_a_time():
    q = stairs()
    first, again = q.walk(generator=generator()), q.walk(generator=generator())
    source = generator()
    for drawn, same in zip(first, again, strict=True):
        eps = torch.randn(drawn.z.shape, generator=source).double()
        torch.testing.assert_close(drawn.z, drawn.q.loc + drawn.q.scale * eps)
        assert torch.equal(drawn.z, same.z)
    assert torch.equal(q.sample(generator()), joined(first))
    assert not torch.equal(q.sample(generator(1)), joined(first))


def test_density_of_a_walk_is_the_sum_of_its_rungs():
    q = stairs()
    eps = torch.randn(7, 4, sum(WIDTHS), generator=generator(), dtype=torch.float64)
    draws = q.walk(eps)
    z = joined(draws)
    expected, level = torch.zeros(7, 4, dtype=torch.float64), q
    for drawn, own in zip(draws, parts(z), strict=True):
        each = Independent(Normal(level.loc, level.scale), 1).log_prob(own)
        torch.testing.assert_close(drawn.log_prob(), each)
        expected = expected + each
        level = level.below(own) if level.below else None
    torch.testing.assert_close(q.log_prob(z), expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(sum(drawn.log_prob() for drawn in draws), expected)


def test_density_of_a_walk_has_the_entropy_of_its_levels():
    """The lower levels' spreads depend on those above, so that this needs every term."""
    q = stairs(1)
    rows = Posterior(q.loc.expand(50_000, -1), q.scale.expand(50_000, -1), q.below)
    draws = rows.walk(generator=generator())
    surprise = -rows.log_prob(joined(draws))
    entropy = sum(Normal(drawn.q.loc, drawn.q.scale).entropy().sum(-1) for drawn in draws)
    gap = surprise - entropy
    assert abs(float(gap.mean())) < 4 * float(gap.std()) / math.sqrt(len(gap))


def test_a_flat_posterior_follows_the_means_down():
    q = stairs()
    flat, level = q.flat(), q
    assert flat.below is None
    locs, scales = parts(flat.loc), parts(flat.scale)
    for loc, scale in zip(locs, scales, strict=True):
        torch.testing.assert_close(loc, level.loc)
        torch.testing.assert_close(scale, level.scale)
        level = level.below(level.loc) if level.below else None
    assert flat.flat() is flat
    zero = torch.zeros(4, sum(WIDTHS), dtype=torch.float64)
    torch.testing.assert_close(joined(q.walk(zero)), flat.loc)


def test_a_walk_is_differentiable_in_the_top():
    q = stairs()
    loc = q.loc.clone().requires_grad_()
    z = Posterior(loc, q.scale, q.below).sample(generator())
    (pull,) = torch.autograd.grad(z[:, -1].sum(), loc)
    assert bool((pull != 0).all())


def test_a_point_has_one_rung_and_no_density():
    q = Posterior(torch.ones(3, 2), None)
    (drawn,) = q.walk()
    assert torch.equal(drawn.z, q.loc)
    assert q.flat() is q
    with pytest.raises(NoDensityError):
        q.log_prob(q.loc)
