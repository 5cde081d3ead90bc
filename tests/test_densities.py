"""What a prior draws is what its density says, at every size of draw and every scale."""

import math

import pytest
import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from explorer.distributions import DiagonalMixture
from explorer.interfaces import noise, uniforms
from explorer.priors.mixture import LatentMixture
from tests.conftest import PRIORS, small_pair

CELLS, POINTS = 24, 10
SAMPLES = 200_000
every_prior = pytest.mark.parametrize("kind", PRIORS)
every_mixture = pytest.mark.parametrize("kind", ["mog", "xvae-mixture", "vamp"])


@torch.no_grad()
def latent_prior(kind, latent=2):
    model, prior = small_pair(kind, latent=latent)
    return prior.requires_grad_(False)(model.posterior)


def random_mixture(seed=0, components=7, latent=3):
    generator = torch.Generator().manual_seed(seed)
    log_weights, loc, log_variance = (
        torch.randn(shape, generator=generator, dtype=torch.float64)
        for shape in ((components,), (components, latent), (components, latent))
    )
    return log_weights.log_softmax(0), 4 * loc, (0.5 * log_variance).exp()


def cell_edges(prior):
    """Cut the plane into cells that hold all but 1e-8 of the mass."""
    parts = prior.components()
    low = (parts.loc - 6 * parts.scale).amin(0).double()
    high = (parts.loc + 6 * parts.scale).amax(0).double()
    return [torch.linspace(low[j], high[j], CELLS + 1, dtype=torch.float64) for j in (0, 1)]


def cell_masses(log_density, edges):
    """Integrate a density over each cell by the midpoint rule."""
    step = [float(edge[1] - edge[0]) / POINTS for edge in edges]
    ticks = [
        edge[0] + (torch.arange(CELLS * POINTS) + 0.5) * width
        for edge, width in zip(edges, step, strict=True)
    ]
    density = log_density(torch.cartesian_prod(*ticks)).exp()
    fine = density.reshape(CELLS, POINTS, CELLS, POINTS) * step[0] * step[1]
    return fine.sum((1, 3))


def total_variation(z, masses, edges):
    counts = torch.histogramdd(z.double(), edges).hist
    shares = counts / len(z)
    return 0.5 * float((shares - masses).abs().sum() + 1 - shares.sum())


@every_prior
def test_density_integrates_to_one(kind):
    prior = latent_prior(kind)
    total = cell_masses(prior.log_prob, cell_edges(prior)).sum()
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-5, rtol=0)


@every_prior
def test_samples_agree_with_density(kind):
    prior = latent_prior(kind)
    edges = cell_edges(prior)
    z = prior.draw(SAMPLES, seed=1).z
    assert total_variation(z, cell_masses(prior.log_prob, edges), edges) < 0.05


@every_mixture
def test_a_variance_taken_for_a_spread_is_noticed(kind):
    prior = latent_prior(kind)
    edges = cell_edges(prior)
    drawn = prior.draw(SAMPLES, seed=1)
    parts = prior.components()
    loc, scale = parts.loc[drawn.component], parts.scale[drawn.component]
    wrong = loc + scale * (drawn.z - loc)
    assert total_variation(wrong, cell_masses(prior.log_prob, edges), edges) > 0.05


@pytest.mark.parametrize("kind", ["mog", "xvae-mixture"])
def test_a_density_that_only_integrates_to_one_is_not_enough(kind):
    prior = latent_prior(kind)
    edges = cell_edges(prior)
    parts = prior.components()

    def mixed_per_unit(z):
        joint = Normal(parts.loc, parts.scale).log_prob(z[:, None])
        return (joint + parts.log_weights[:, None]).logsumexp(1).sum(1)

    masses = cell_masses(mixed_per_unit, edges)
    torch.testing.assert_close(float(masses.sum()), 1.0, atol=1e-5, rtol=0)
    assert total_variation(prior.draw(SAMPLES, seed=1).z, masses, edges) > 0.05


@pytest.mark.parametrize("seed", range(5))
def test_mixture_equals_the_one_in_torch(seed):
    log_weights, loc, scale = random_mixture(seed)
    ours = DiagonalMixture(log_weights, loc, scale)
    theirs = MixtureSameFamily(Categorical(logits=log_weights), Independent(Normal(loc, scale), 1))
    torch.manual_seed(seed)
    z = 6 * torch.randn(11, 13, 3, dtype=torch.float64)
    torch.testing.assert_close(ours.log_prob(z), theirs.log_prob(z), atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.variance, theirs.variance)
    total = ours.responsibilities(z).sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_mixture_is_precise_where_components_are_narrow_and_far_off():
    torch.manual_seed(0)
    components, latent = 20, 40
    loc = 10 * torch.randn(components, latent)
    scale = torch.full((components, latent), math.exp(-3))
    mixture = DiagonalMixture(torch.full((components,), -math.log(components)), loc, scale)
    z = loc.repeat(50, 1) + scale.repeat(50, 1) * torch.randn(50 * components, latent)
    direct = Independent(Normal(loc.double(), scale.double()), 1).log_prob(z.double()[:, None])
    expected = direct.logsumexp(1) - math.log(components)
    assert float((mixture.log_prob(z).double() - expected).abs().max()) < 1e-4
    precision = scale.pow(-2)
    square = z**2 @ precision.T - 2 * z @ (loc * precision).T + (loc**2 * precision).sum(1)
    hasty = -0.5 * (square + latent * math.log(2 * math.pi)) - scale.log().sum(1)
    assert float((hasty.logsumexp(1) - math.log(components) - expected).abs().max()) > 1e-4


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_a_mixture_samples_in_the_asked_shape(shape):
    torch.manual_seed(0)
    assert DiagonalMixture(*random_mixture()).sample(shape).shape == (*shape, 3)


def test_a_mixture_samples_by_its_moments():
    torch.manual_seed(0)
    mixture = DiagonalMixture(*random_mixture())
    z = mixture.sample((SAMPLES,))
    error = mixture.variance.sqrt() / math.sqrt(SAMPLES)
    assert bool(((z.mean(0) - mixture.mean).abs() < 4 * error).all())
    spread = (z - mixture.mean).pow(2)
    assert bool(
        ((spread.mean(0) - mixture.variance).abs() < 4 * spread.std(0) / math.sqrt(SAMPLES)).all()
    )


def test_variance_of_a_mixture_survives_a_far_off_mean():
    loc, scale = torch.full((1, 2), 300.0), torch.full((1, 2), 0.05)
    mixture = DiagonalMixture(torch.zeros(1), loc, scale)
    torch.testing.assert_close(mixture.variance, torch.full((2,), 0.0025), rtol=1e-2, atol=0)


@every_prior
def test_equal_seeds_give_equal_codes_and_others_do_not(kind):
    prior = latent_prior(kind)
    first, again, other = prior.draw(50, seed=4), prior.draw(50, seed=4), prior.draw(50, seed=5)
    assert torch.equal(first.z, again.z)
    assert torch.equal(first.component, again.component)
    assert not bool((first.z == other.z).any())


@every_prior
@pytest.mark.parametrize("n", [0, 1, 5, 16, 17, 100])
def test_a_smaller_draw_begins_a_larger_one(kind, n):
    prior = latent_prior(kind)
    few, many = prior.draw(n, seed=2, scale=1.3), prior.draw(211, seed=2, scale=1.3)
    assert few.z.shape == (n, 2)
    assert torch.equal(few.z, many.z[:n])
    assert torch.equal(few.component, many.component[:n])


@every_prior
def test_a_row_keeps_component_and_noise_over_scales(kind):
    prior = latent_prior(kind)
    still, once = prior.draw(100, seed=3, scale=0.0), prior.draw(100, seed=3)
    assert torch.equal(still.z, prior.components().loc[still.component])
    for scale in (0.25, 0.5, 2.0):
        scaled = prior.draw(100, seed=3, scale=scale)
        assert torch.equal(scaled.component, once.component)
        torch.testing.assert_close(scaled.z, still.z + scale * (once.z - still.z))


@every_prior
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_variance_inside_a_component_grows_with_the_squared_scale(kind, scale):
    prior = latent_prior(kind)
    n = 50_000
    parts = prior.components()
    for component in range(len(parts)):
        drawn = prior.draw(n, seed=6, scale=scale, component=component)
        assert bool((drawn.component == component).all())
        expected = (scale * parts.scale[component].double()).square()
        error = expected * math.sqrt(2 / n)
        assert bool(((drawn.z.double().var(0) - expected).abs() < 4 * error).all())
        place = (drawn.z.double().mean(0) - parts.loc[component]).abs()
        assert bool((place < 4 * expected.sqrt() / math.sqrt(n)).all())


@every_mixture
def test_components_come_as_often_as_they_weigh(kind):
    prior = latent_prior(kind)
    weights = prior.components().log_weights.double().exp()
    torch.testing.assert_close(float(weights.sum()), 1.0, atol=1e-6, rtol=0)
    shares = prior.draw(SAMPLES, seed=8).component.bincount(minlength=len(weights)) / SAMPLES
    error = (weights * (1 - weights) / SAMPLES).sqrt()
    assert bool(((shares - weights).abs() < 4 * error).all())


def test_a_component_without_weight_is_never_drawn():
    log_weights = torch.tensor([0.5, 0.0, 0.5, 0.0]).log()
    drawn = LatentMixture(log_weights, torch.zeros(4, 2), torch.ones(4, 2)).draw(10_000)
    assert set(drawn.component.tolist()) == {0, 2}


def test_every_component_of_many_is_drawn():
    components = 5000
    log_weights = torch.full((components,), -math.log(components))
    prior = LatentMixture(log_weights, torch.zeros(components, 1), torch.ones(components, 1))
    assert len(prior.draw(20 * components).component.unique()) == components


def test_noise_is_normal_and_apart_from_the_uniforms():
    n = 100_000
    eps, u = noise(n, 3, seed=11).double(), uniforms(n, seed=11)
    assert u.dtype == torch.float64
    assert 0 <= float(u.min()) <= float(u.max()) < 1
    columns = torch.column_stack([eps, eps.square(), u, u.square()])
    correlation = torch.corrcoef(columns.T)
    noise_columns, uniform_columns = slice(0, 6), slice(6, 8)
    assert float(correlation[noise_columns, uniform_columns].abs().max()) < 4.5 / math.sqrt(n)
    between = correlation[:3, :3] - torch.eye(3)
    assert float(between.abs().max()) < 4.5 / math.sqrt(n)
    for column in eps.T:
        grid = torch.linspace(0, 1, 201, dtype=torch.float64)[1:-1]
        law = torch.special.ndtr(column).sort().values
        share = torch.searchsorted(law, grid) / n
        assert float((share - grid).abs().max()) < 2 / math.sqrt(n)
    ranks = torch.searchsorted(u.sort().values, torch.linspace(0, 1, 201).double()) / n
    assert float((ranks - torch.linspace(0, 1, 201)).abs().max()) < 2 / math.sqrt(n)


def test_neighbouring_seeds_draw_unrelated_noise():
    n = 20_000
    rows = torch.stack([noise(n, 1, seed)[:, 0] for seed in range(5)])
    apart = torch.corrcoef(rows) - torch.eye(5)
    assert float(apart.abs().max()) < 4.5 / math.sqrt(n)


def test_one_component_is_a_plain_gaussian():
    loc = torch.tensor([1.0, -2.0], dtype=torch.float64)
    scale = torch.tensor([0.5, 3.0], dtype=torch.float64)
    prior = LatentMixture(torch.zeros(1, dtype=torch.float64), loc[None], scale[None])
    z = torch.randn(9, 2, dtype=torch.float64)
    expected = MultivariateNormal(loc, scale.square().diag()).log_prob(z)
    torch.testing.assert_close(prior.log_prob(z), expected)
