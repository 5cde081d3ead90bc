"""A prior samples from its density, at every size of draw and every scale."""

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
from explorer.priors import FlowPrior, VampDataPrior, VampPrior
from explorer.priors.mixture import LatentMixture
from explorer.testing import densities
from explorer.testing.densities import SAMPLES, cell_masses, cells, total_variation
from tests.support.models import MIXTURES, PRIORS, small_pair

every_prior = pytest.mark.parametrize("kind", PRIORS)

with_components = pytest.mark.parametrize("kind", MIXTURES)

every_mixture = pytest.mark.parametrize(
    "kind", ["mog", "xvae-mixture", "vamp", "vamp-data", "vamp-weighted"]
)


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


@every_prior
def test_density_integrates_to_one(kind):
    kinks = 1e-4 if kind == "flow" else 1e-5  # a spline's density is not smooth
    densities.check_density_integrates_to_one(latent_prior(kind), kinks)


@every_prior
def test_samples_agree_with_density(kind):
    densities.check_samples_agree_with_density(latent_prior(kind))


@every_mixture
def test_a_variance_taken_for_a_spread_is_noticed(kind):
    prior = latent_prior(kind)
    edges = cells(prior)
    drawn = prior.draw(SAMPLES, seed=1)
    parts = prior.components()
    loc, scale = parts.loc[drawn.component], parts.scale[drawn.component]
    wrong = loc + scale * (drawn.z - loc)
    assert total_variation(wrong, cell_masses(prior.log_prob, edges), edges) > 0.05


@pytest.mark.parametrize("kind", ["mog", "xvae-mixture"])
def test_a_density_that_only_integrates_to_one_is_not_enough(kind):
    prior = latent_prior(kind)
    edges = cells(prior)
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
    densities.check_equal_seeds_give_equal_codes(latent_prior(kind))


@every_prior
@pytest.mark.parametrize("n", [0, 1, 5, 16, 17, 100])
def test_a_smaller_draw_begins_a_larger_one(kind, n):
    densities.check_draws_are_prefix_stable(latent_prior(kind), (n,))


@every_prior
def test_a_row_keeps_component_and_noise_over_scales(kind):
    prior = latent_prior(kind)
    assert (prior.components() is None) == (kind in ("flow", "gaussian"))
    densities.check_scaling_keeps_component_and_noise(prior)


@with_components
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_variance_inside_a_component_grows_with_the_squared_scale(kind, scale):
    densities.check_variance_grows_with_the_squared_scale(latent_prior(kind), (scale,))


@every_mixture
def test_components_come_as_often_as_they_weigh(kind):
    densities.check_components_are_drawn_by_weight(latent_prior(kind))


@every_prior
def test_one_prior_takes_one_scale_and_one_seed(kind):
    densities.check_one_level_takes_one_scale_and_one_seed(latent_prior(kind))


@every_prior
def test_responsibilities_are_bayes_rule_on_the_components(kind):
    prior = latent_prior(kind)
    assert (prior.responsibilities(torch.zeros(1, 2)) is None) == (kind in ("flow", "gaussian"))
    densities.check_responsibilities_follow_bayes_rule(prior)


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


# VampPriors


def test_equal_weights_at_the_start_make_a_weighted_vampprior_the_plain_one():
    model, _ = small_pair("vamp")
    plain, weighted = (
        VampPrior((1, 8, 8), 7, (0.0, 1.0), 0.5, 0.2, weighted=flag) for flag in (False, True)
    )
    z = 2 * torch.randn(40, 2)
    with torch.no_grad():
        weighted.inputs.copy_(plain.inputs)
        expected = plain(model.posterior).log_prob(z)
        torch.testing.assert_close(weighted(model.posterior).log_prob(z), expected)
        weighted.logits[0] = 2
        moved = weighted(model.posterior)
    assert float((moved.log_prob(z) - expected).abs().max()) > 1e-3
    torch.testing.assert_close(
        moved.components().log_weights.exp(), weighted.logits.detach().softmax(0)
    )


def test_a_vampprior_of_all_data_has_their_posteriors_as_components():
    model, _ = small_pair("vamp")
    x = torch.bernoulli(torch.full((9, 1, 8, 8), 0.4))
    prior = VampDataPrior(len(x), 2)
    prior.fit(x.numpy(), seed=3)
    with torch.no_grad():
        mixture, q = prior(model.posterior), model.posterior(x)
        z = mixture.draw(30, seed=1).z
        each = torch.stack([q.log_prob(row.expand_as(q.loc)) for row in z])
        expected = each.logsumexp(1) - math.log(len(x))
        torch.testing.assert_close(mixture.log_prob(z), expected, atol=1e-4, rtol=1e-5)
    rows = prior.rows.long()
    assert sorted(rows.tolist()) == list(range(9))
    torch.testing.assert_close(mixture.components().loc, q.loc[rows])
    torch.testing.assert_close(mixture.components().scale, q.scale[rows])


def test_a_vampprior_of_data_follows_the_encoder_until_it_is_settled():
    model, _ = small_pair("vamp")
    prior = VampDataPrior(4, 2)
    prior.fit(torch.rand(20, 1, 8, 8).numpy(), seed=3)
    rows = prior.rows.clone()
    with torch.no_grad():
        prior.freeze(model.posterior)
        settled = prior.loc.clone()
        model.loc.bias.add_(1)
        torch.testing.assert_close(prior(model.posterior).components().loc, settled + 1)
        assert torch.equal(prior.loc, settled)
        prior.inputs = None
        assert torch.equal(prior(model.posterior).components().loc, settled)
    assert torch.equal(prior.rows, rows)


def test_data_of_a_vampprior_are_chosen_once_and_drawn_where_they_are_probabilities():
    grey = torch.rand(50, 1, 8, 8).numpy()
    one, again, other, drawn = (VampDataPrior(12, 2) for _ in range(4))
    for prior, seed, dynamic in ((one, 1, False), (again, 1, False), (other, 2, False)):
        prior.fit(grey, seed, dynamic=dynamic)
    drawn.fit(grey, 1, dynamic=True)
    assert torch.equal(one.rows, again.rows)
    assert not torch.equal(one.rows, other.rows)
    assert len(one.rows.unique()) == 12
    assert torch.equal(one.inputs, torch.from_numpy(grey)[one.rows.long()])
    assert torch.equal(drawn.rows, one.rows)
    assert set(drawn.inputs.unique().tolist()) == {0.0, 1.0}
    error = (one.inputs * (1 - one.inputs)).sum().sqrt()
    assert abs(float((drawn.inputs - one.inputs).sum())) < 4 * float(error)
    few = VampDataPrior(12, 2)
    few.fit(grey[:5], 1)
    assert set(few.rows.tolist()) <= set(range(5))


# Flows


def flow_in_doubles(latent):
    model, prior = small_pair("flow", latent=latent)
    return prior.double().requires_grad_(False)(model.posterior)


@pytest.mark.parametrize("latent", [1, 2, 3, 8])
def test_a_fresh_flow_is_the_standard_normal(latent):
    model, _ = small_pair("standard", latent=latent)
    prior = FlowPrior(latent, 3, (16,), 6).requires_grad_(False)(model.posterior)
    z = 3 * torch.randn(200, latent)
    expected = Normal(0, 1).log_prob(z).sum(1)
    torch.testing.assert_close(prior.log_prob(z), expected, atol=1e-5, rtol=1e-6)
    torch.testing.assert_close(prior.draw(200, seed=4).z, noise(200, latent, 4), atol=1e-5, rtol=0)


@pytest.mark.parametrize("latent", [1, 2, 3, 8])
def test_a_flow_returns_what_it_was_given(latent):
    prior = latent_prior("flow", latent)
    eps = noise(500, latent, 1)
    z = prior.draw(500, seed=1).z
    assert float((z - eps).abs().max()) > 0.1
    assert float((prior.flow.transform(z) - eps).abs().max()) < 1e-4
    assert float((prior.flow.transform.inv(prior.flow.transform(eps)) - eps).abs().max()) < 1e-4


@pytest.mark.parametrize("latent", [1, 2, 3, 5])
def test_density_of_a_flow_has_the_jacobian_of_autograd(latent):
    prior = flow_in_doubles(latent)
    z = 1.5 * torch.randn(20, latent, dtype=torch.float64)
    jacobians = torch.stack(
        [torch.autograd.functional.jacobian(prior.flow.transform, row) for row in z]
    )
    volume = torch.linalg.slogdet(jacobians).logabsdet
    assert float(volume.abs().max()) > 0.3
    base = Normal(0, 1).log_prob(prior.flow.transform(z)).sum(1)
    torch.testing.assert_close(prior.log_prob(z), base + volume, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 1.7])
def test_a_flow_scales_its_noise(scale):
    prior = latent_prior("flow")
    drawn = prior.draw(64, seed=3, scale=scale)
    base = prior.flow.transform(drawn.z)
    torch.testing.assert_close(base, scale * noise(64, 2, 3), atol=1e-4, rtol=0)
    assert not drawn.component.any()


def test_a_flow_leaves_the_checks_of_torch_as_they_are():
    FlowPrior(2, 1, (4,), 4)
    with pytest.raises(ValueError, match="scale"):
        Normal(0.0, -1.0)


@pytest.mark.parametrize("latent", [1, 2, 7])
def test_a_flow_that_is_made_for_its_shapes_has_the_tensors_of_a_whole_one(latent):
    whole = FlowPrior(latent, 3, (8, 4), 4, standardised=True)
    with torch.device("meta"):
        shapes = FlowPrior(latent, 3, (8, 4), 4, standardised=True)
    told = [
        {name: tuple(value.shape) for name, value in prior.state_dict().items()}
        for prior in (whole, shapes)
    ]
    assert told[0] == told[1]
