"""Two-level models are sampled, weighted and refined by level, and agree with closed forms."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from explorer.errors import LevelError, NoDensityError
from explorer.inference import Engine
from explorer.interfaces import AbstractModel, LatentSpace, Level, Posterior, joined, noise
from explorer.metrics import importance_sampling
from explorer.metrics.amortisation import refine
from explorer.metrics.latent import encode, kl_per_unit, posterior_means
from explorer.objectives import elbo, unit_kl
from explorer.priors import HierarchicalPrior
from explorer.priors.mixture import LatentMixture
from tests.support.models import HIERARCHIES, MIXTURES, PRIORS, small_checkpoint, small_pair
from tests.test_densities import CELLS, SAMPLES, cell_masses, total_variation

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


# A posterior of several levels

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


# The prior of two levels


@with_components
def test_the_joint_prior_is_the_product_of_its_two_levels(kind):
    model, prior = hierarchy(kind)
    z = prior.draw(40, seed=1, scale=1.5).z
    upper, lower = z[:, :TOP], z[:, TOP:]
    top = prior.upper.components()
    mixture = MixtureSameFamily(
        Categorical(logits=top.log_weights), Independent(Normal(top.loc, top.scale), 1)
    )
    hidden = model.conditional(upper)
    log_variance = model.p_bottom.log_variance(hidden).clamp(-6, 2)
    below = Normal(model.p_bottom.loc(hidden), (0.5 * log_variance).exp())
    expected = mixture.log_prob(upper) + below.log_prob(lower).sum(1)
    torch.testing.assert_close(prior.log_prob(z), expected, atol=1e-4, rtol=1e-5)
    per_level = prior.levels(z)
    assert per_level[0] is prior.upper
    torch.testing.assert_close(per_level[1].loc, below.loc)
    torch.testing.assert_close(per_level[1].scale, below.scale)


def joint_edges(prior):
    """Cut the plane of one top and one bottom unit into cells that hold nearly all mass."""
    top = prior.upper.components()
    low, high = (-6.0, 6.0)
    if top is not None:
        low = float((top.loc - 6 * top.scale).min())
        high = float((top.loc + 6 * top.scale).max())
    q = prior.below(torch.linspace(low, high, 400)[:, None])
    sides = float((q.loc - 6 * q.scale).min()), float((q.loc + 6 * q.scale).max())
    return [torch.linspace(*ends, CELLS + 1).double() for ends in ((low, high), sides)]


@every_prior
def test_samples_of_two_levels_agree_with_their_joint_density(kind):
    _, prior = hierarchy(kind, latent=1, bottom=1)
    edges = joint_edges(prior)
    masses = cell_masses(prior.log_prob, edges)
    torch.testing.assert_close(float(masses.sum()), 1.0, atol=1e-3, rtol=0)
    z = prior.draw(SAMPLES, seed=1).z
    assert total_variation(z, masses, edges) < 0.05


@pytest.mark.parametrize("kind", ["xvae", "xvae-mixture", "mog"])
def test_a_bottom_of_another_top_is_noticed(kind):
    _, prior = hierarchy(kind, latent=1, bottom=1)
    edges = joint_edges(prior)
    masses = cell_masses(prior.log_prob, edges)
    upper, lower = prior.draw(SAMPLES, seed=1).z.split(1, 1)
    others = torch.cat([upper, lower.roll(1, 0)], 1)
    assert total_variation(others, masses, edges) > 0.05


def far_off():
    """Make a curved pair of levels whose top is far from the standard normal."""
    top = LatentMixture(
        torch.tensor([0.3, 0.7]).log(), torch.tensor([[-6.0], [4.0]]), torch.tensor([[0.5], [1.5]])
    )
    return HierarchicalPrior(
        top, 1, lambda z: Posterior(3 * torch.sin(z), (0.5 * torch.cos(z)).exp())
    )


def test_samples_far_from_the_standard_normal_agree_with_their_joint_density():
    prior = far_off()
    edges = joint_edges(prior)
    masses = cell_masses(prior.log_prob, edges)
    torch.testing.assert_close(float(masses.sum()), 1.0, atol=1e-4, rtol=0)
    z = prior.draw(SAMPLES, seed=1).z
    assert total_variation(z, masses, edges) < 0.05
    repeated = torch.cat([z[:, :1], 3 * torch.sin(z[:, :1]) + z[:, 1:].roll(1, 0)], 1)
    assert total_variation(repeated, masses, edges) > 0.05


@every_prior
def test_equal_seeds_give_equal_codes_of_two_levels(kind):
    _, prior = hierarchy(kind)
    first, again, other = (prior.draw(50, seed=seed, scale=1.2) for seed in (4, 4, 5))
    assert torch.equal(first.z, again.z)
    assert torch.equal(first.component, again.component)
    assert not bool((first.z == other.z).any())
    assert torch.equal(first.z, prior.draw(50, seed=(4, 4), scale=(1.2, 1.2)).z)


@every_prior
@pytest.mark.parametrize("n", [0, 1, 5, 16, 17, 100])
def test_a_smaller_draw_of_two_levels_begins_a_larger_one(kind, n):
    _, prior = hierarchy(kind)
    few, many = (prior.draw(rows, seed=2, scale=(1.3, 0.7)) for rows in (n, 211))
    assert few.z.shape == (n, TOP + BOTTOM)
    # The rounding of a network's products hangs on the number of rows.
    torch.testing.assert_close(few.z, many.z[:n], atol=1e-5, rtol=0)
    assert torch.equal(few.component, many.component[:n])


def bottom_noise(prior, z):
    below = prior.below(z[:, :TOP])
    return (z[:, TOP:] - below.loc) / below.scale


@every_prior
def test_a_scale_of_zero_gives_the_mean_of_its_level_and_leaves_the_other(kind):
    _, prior = hierarchy(kind)
    both = prior.draw(60, seed=3)
    calm, still = (prior.draw(60, seed=3, scale=scale) for scale in ((1.0, 0.0), (0.0, 1.0)))
    assert torch.equal(calm.z[:, :TOP], both.z[:, :TOP])
    torch.testing.assert_close(calm.z[:, TOP:], prior.below(both.z[:, :TOP]).loc)
    assert torch.equal(still.component, both.component)
    top = prior.upper.components()
    if top is None:
        assert float(still.z[:, :TOP].std(0).max()) < 1e-5
    else:
        assert torch.equal(still.z[:, :TOP], top.loc[still.component])
    eps = bottom_noise(prior, both.z)
    torch.testing.assert_close(bottom_noise(prior, still.z), eps, atol=1e-4, rtol=0)
    twice = prior.draw(60, seed=3, scale=(1.0, 2.0))
    torch.testing.assert_close(bottom_noise(prior, twice.z), 2 * eps, atol=1e-4, rtol=0)


@every_prior
def test_a_seed_of_a_level_changes_that_level_alone(kind):
    _, prior = hierarchy(kind)
    both = prior.draw(60, seed=(3, 3))
    lower, upper = prior.draw(60, seed=(3, 8)), prior.draw(60, seed=(8, 3))
    assert torch.equal(lower.z[:, :TOP], both.z[:, :TOP])
    assert torch.equal(lower.component, both.component)
    assert not bool((lower.z[:, TOP:] == both.z[:, TOP:]).any())
    assert not bool((upper.z[:, :TOP] == both.z[:, :TOP]).any())
    eps = bottom_noise(prior, both.z)
    torch.testing.assert_close(bottom_noise(prior, upper.z), eps, atol=1e-4, rtol=0)


def test_the_noises_of_the_levels_are_unrelated():
    _, prior = hierarchy("standard", latent=2, bottom=2)
    n = 20_000
    for seed in (0, 1, 7):
        z = prior.draw(n, seed=seed).z
        columns = torch.cat([z[:, :2], bottom_noise(prior, z)], 1).double()
        apart = torch.corrcoef(columns.T) - torch.eye(4)
        assert float(apart.abs().max()) < 4.5 / math.sqrt(n)


@pytest.mark.parametrize("wrong", [{"scale": (1.0,)}, {"seed": (1, 2, 3)}, {"scale": ()}])
def test_two_levels_take_two_scales_and_two_seeds(wrong):
    _, prior = hierarchy("mog")
    with pytest.raises(LevelError, match="for 2 levels"):
        prior.draw(4, **wrong)


@with_components
def test_responsibilities_hang_on_the_top_alone(kind):
    _, prior = hierarchy(kind)
    z = prior.draw(40, seed=2, scale=1.5).z
    moved = torch.cat([z[:, :TOP], z[:, TOP:] + 7], 1)
    found = prior.responsibilities(z)
    assert torch.equal(prior.responsibilities(moved), found)
    torch.testing.assert_close(found, prior.upper.responsibilities(z[:, :TOP]))
    torch.testing.assert_close(found.sum(1), torch.ones(40))


@with_components
def test_components_of_two_levels_are_the_tops_with_the_bottom_at_its_centre(kind):
    _, prior = hierarchy(kind)
    parts, top = prior.components(), prior.upper.components()
    assert torch.equal(parts.log_weights, top.log_weights)
    assert torch.equal(parts.loc[:, :TOP], top.loc)
    assert torch.equal(parts.scale[:, :TOP], top.scale)
    below = prior.below(top.loc)
    torch.testing.assert_close(parts.loc[:, TOP:], below.loc)
    torch.testing.assert_close(parts.scale[:, TOP:], below.scale)
    component = len(parts) - 1
    drawn = prior.draw(20, scale=0.0, component=component)
    assert set(drawn.component.tolist()) == {component}
    torch.testing.assert_close(drawn.z, parts.loc[component].expand(20, -1))


def test_a_flow_on_top_has_no_components():
    _, prior = hierarchy("flow")
    z = prior.draw(3).z
    assert prior.components() is prior.responsibilities(z) is None


# The bound, level by level


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


# A model of two levels whose every density is known

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


# What is measured of the levels


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


# The engine


@pytest.mark.parametrize(
    ("name", "kind"), [("hvae", "mog"), ("hvae", "flow"), ("pixelhvae", "vamp")]
)
def test_a_level_drawn_anew_leaves_the_other_bit_for_bit(name, kind):
    engine = Engine(small_checkpoint(kind, model=name), "cpu")
    z = engine.draw(1, seed=9)[0][0]
    upper, lower = (engine.resample(z, level, 40, seed=4) for level in ("z2", "z1"))
    assert upper.dtype == lower.dtype == np.float32
    assert upper.shape == lower.shape == (40, TOP + BOTTOM)
    assert np.array_equal(upper[:, TOP:], np.tile(z[TOP:], (40, 1)))
    assert np.array_equal(lower[:, :TOP], np.tile(z[:TOP], (40, 1)))
    assert len(np.unique(upper[:, :TOP], axis=0)) == len(np.unique(lower[:, TOP:], axis=0)) == 40
    for level, first in (("z2", upper), ("z1", lower)):
        assert np.array_equal(engine.resample(z, level, 40, seed=4), first)
        assert not np.array_equal(engine.resample(z, level, 40, seed=5), first)


def test_a_level_drawn_anew_has_the_law_of_its_prior():
    n = 20_000
    engine = Engine(small_checkpoint("xvae", model="hvae"), "cpu")
    z = engine.draw(1, seed=9)[0][0]
    top, given = (
        engine.prior.upper.components(),
        engine.prior.below(torch.from_numpy(z[None, :TOP])),
    )
    for scale in (0.0, 0.5, 1.0):
        upper, lower = (
            torch.from_numpy(engine.resample(z, level, n, scale=scale)).double()
            for level in ("z2", "z1")
        )
        for drawn, law in ((upper[:, :TOP], top), (lower[:, TOP:], given)):
            width = scale * law.scale[0].double()
            error = width / math.sqrt(n)
            assert bool(((drawn.mean(0) - law.loc[0]).abs() <= 4 * error + 1e-6).all())
            assert bool(((drawn.std(0) - width).abs() <= 4 * error + 1e-6).all())


def test_a_level_that_is_not_there_cannot_be_drawn():
    two, one = (Engine(small_checkpoint("mog", model=name), "cpu") for name in ("hvae", "vae"))
    with pytest.raises(LevelError, match="has no level z3"):
        two.resample(np.zeros(TOP + BOTTOM), "z3", 2)
    with pytest.raises(LevelError, match="has one level"):
        one.resample(np.zeros(TOP), "z", 2)
    with pytest.raises(NoDensityError):
        Engine(small_checkpoint(None), "cpu").resample(np.zeros(2), "z", 2)
    for engine, levels in ((two, 2), (one, 1)):
        with pytest.raises(LevelError, match=f"for {levels} levels"):
            engine.sample(3, scale=(1.0,) * 3)


@every_prior
def test_an_engine_scales_and_seeds_each_level(kind):
    engine = Engine(small_checkpoint(kind, model="hvae"), "cpu")
    both = engine.sample(9, (1.0, 0.5), (3, 4))
    drawn = engine.prior.draw(9, scale=(1.0, 0.5), seed=(3, 4))
    assert np.array_equal(both.z, drawn.z.numpy())
    assert np.array_equal(both.component, drawn.component.numpy())
    assert np.array_equal(both.x, engine.decode(both.z))
    torch.testing.assert_close(both.log_density, engine.prior.log_prob(drawn.z).numpy())
    assert np.array_equal(engine.sample(9, (0.3, 0.5), (3, 4)).component, both.component)


@every_hierarchy
def test_draws_of_a_posterior_go_down_the_levels(name):
    engine = Engine(small_checkpoint("mog", model=name), "cpu")
    x = pictures(1)
    n = 4000
    z = torch.from_numpy(engine.posterior_draws(x, n, seed=2))
    assert z.shape == (n, TOP + BOTTOM)
    q = engine.checkpoint.model.posterior(x)
    eps = (z[:, :TOP] - q.loc) / q.scale
    below = q.below(z[:, :TOP])
    eps = torch.cat([eps, (z[:, TOP:] - below.loc) / below.scale], 1).double()
    assert float(eps.mean(0).abs().max()) < 4 / math.sqrt(n)
    assert float((eps.std(0) - 1).abs().max()) < 4 / math.sqrt(n)
    apart = torch.corrcoef(eps.T) - torch.eye(TOP + BOTTOM)
    assert float(apart.abs().max()) < 4.5 / math.sqrt(n)
    assert np.array_equal(engine.posterior_draws(x, n, seed=2), z)
    assert not np.array_equal(engine.posterior_draws(x, n, seed=3), z)
    np.testing.assert_allclose(engine.posterior_draws(x, 7, seed=2), z[:7], atol=1e-5)


def test_draws_of_a_point_are_the_point():
    engine = Engine(small_checkpoint(None), "cpu")
    x = pictures(1)
    drawn = engine.posterior_draws(x, 3)
    np.testing.assert_allclose(drawn, np.tile(engine.encode(x).loc, (3, 1)), atol=1e-6)


def test_the_top_is_the_level_of_the_learned_prior():
    two, one = (Engine(small_checkpoint("mog", model=name), "cpu") for name in ("hvae", "vae"))
    assert two.top == (two.prior.upper, TOP)
    assert one.top == (one.prior, TOP)
    assert [level.name for level in two.space.levels] == ["z2", "z1"]
    assert two.space.size == two.checkpoint.config.model.latent == TOP + BOTTOM


@with_components
def test_responsibilities_of_an_engine_hang_on_the_top_alone(kind):
    engine = Engine(small_checkpoint(kind, model="hvae"), "cpu")
    z = engine.draw(100, 2.0)[0]
    found = engine.responsibilities(z)
    best = engine.prior.upper.responsibilities(torch.from_numpy(z[:, :TOP])).argmax(1)
    assert found.tolist() == best.tolist()
    shown = engine.prototypes()
    assert np.array_equal(shown.decoded, engine.decode(engine.components().loc))
