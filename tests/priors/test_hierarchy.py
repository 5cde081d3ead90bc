"""The joint prior of two levels is their product, drawn and scored."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from explorer.errors import LevelError
from explorer.interfaces import Posterior
from explorer.priors import HierarchicalPrior
from explorer.priors.mixture import LatentMixture
from explorer.testing.densities import SAMPLES, cell_masses, total_variation
from tests.support.hierarchies import BOTTOM, TOP, every_prior, hierarchy, with_components

CELLS = 24
"""Along each axis, as many as `explorer.testing.densities` cuts."""


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
