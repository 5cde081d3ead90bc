"""Bounds are bounds, and agree with closed forms, quadrature and other code."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from explorer.errors import NoDensityError
from explorer.interfaces import Posterior
from explorer.objectives import elbo, unit_kl
from explorer.objectives.elbo import exact_divergence, jensen_bound, variational_bound
from explorer.objectives.schedules import ConstantConfig, CyclicalConfig, LinearConfig
from explorer.priors import VampPrior
from explorer.priors.mixture import LatentMixture
from explorer.testing import training as laws
from explorer.testing.training import sampled_kl
from tests.support.models import AUTOENCODERS, MIXTURES, PRIORS, small_checkpoint, small_pair

every_prior = pytest.mark.parametrize("kind", PRIORS)
single_priors = pytest.mark.parametrize("kind", ["standard", "xvae"])
every_bound = pytest.mark.parametrize("bound", [jensen_bound, variational_bound])


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


def gaussian(loc, scale):
    return Posterior(double([loc]), double([scale]))


def mixture(log_weights, loc, scale):
    return LatentMixture(log_weights, loc, scale)


def two_modes():
    return mixture(double(0.5, 0.5).log(), double([-2.0], [2.0]), double([1.0], [1.0]))


def random_pair(seed, components=5, latent=2, batch=3):
    """Draw posteriors and a mixture prior in float64."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    q = Posterior(2 * normal(batch, latent), (0.5 * normal(batch, latent)).exp())
    prior = mixture(
        normal(components).log_softmax(0),
        2 * normal(components, latent),
        (0.5 * normal(components, latent)).exp(),
    )
    return q, prior


def quadrature(q, prior):
    """Integrate q log(q / p) over the line, for a batch of one code of one unit."""
    z = torch.linspace(-30, 30, 60_001, dtype=torch.float64)[:, None]
    log_q = Normal(q.loc, q.scale).log_prob(z)[:, 0]
    return torch.trapezoid(log_q.exp() * (log_q - prior.log_prob(z)), z[:, 0])


def pictures(n=24):
    return torch.bernoulli(
        torch.full((n, 1, 8, 8), 0.4), generator=torch.Generator().manual_seed(0)
    )


def noise():
    return torch.Generator().manual_seed(12)


@pytest.mark.parametrize(
    ("q", "p", "nats"), [((0, 1), (1, 2), 0.443147), ((1, 2), (0, 1), 1.306853)]
)
def test_kl_of_two_gaussians_has_its_known_value(q, p, nats):
    posterior = gaussian(float(q[0]), float(q[1]))
    prior = mixture(double(0.0), double([float(p[0])]), double([float(p[1])]))
    torch.testing.assert_close(float(unit_kl(posterior, prior)), nats, atol=1e-6, rtol=0)
    torch.testing.assert_close(float(quadrature(posterior, prior)), nats, atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_unit_kl_is_the_closed_form(seed):
    q, prior = random_pair(seed, components=1)
    loc, scale = prior.components().loc[0], prior.components().scale[0]
    ratio = (q.scale / scale).square()
    formula = 0.5 * (ratio + ((q.loc - loc) / scale).square() - 1 - ratio.log())
    torch.testing.assert_close(unit_kl(q, prior), formula, atol=1e-6, rtol=0)
    mean, error = sampled_kl(q, prior, 20_000)
    assert bool(((mean - formula.sum(1)).abs() < 4 * error).all())


def test_a_mixture_has_no_kl_of_units():
    q, prior = random_pair(0)
    assert unit_kl(q, prior) is None
    point = Posterior(q.loc, None)
    assert unit_kl(point, random_pair(0, components=1)[1]) is None


@pytest.mark.parametrize(
    ("loc", "exact", "variational", "jensen"),
    [(0.0, 0.943340, 2.0, 2.0), (2.0, 0.632720, 0.692812, 4.0)],
)
def test_divergences_under_two_modes_have_their_known_values(loc, exact, variational, jensen):
    q, prior = gaussian(loc, 1.0), two_modes()
    z = q.loc
    torch.testing.assert_close(float(quadrature(q, prior)), exact, atol=1e-6, rtol=0)
    mean, error = sampled_kl(q, prior)
    assert abs(float(mean) - exact) < 4 * float(error)
    found = float(variational_bound(q, prior, z)), float(jensen_bound(q, prior, z))
    torch.testing.assert_close(found, (variational, jensen), atol=1e-6, rtol=0)


@pytest.mark.parametrize("seed", range(8))
def test_variational_bound_lies_between_the_kl_and_jensens(seed):
    q, prior = random_pair(seed)
    mean, error = sampled_kl(q, prior, 20_000)
    variational, jensen = variational_bound(q, prior, q.loc), jensen_bound(q, prior, q.loc)
    assert bool((mean - 4 * error <= variational).all())
    assert bool((variational <= jensen + 1e-12).all())


@every_bound
def test_bounds_are_tight_for_one_component(bound):
    q, prior = random_pair(1, components=1)
    torch.testing.assert_close(bound(q, prior, q.loc), unit_kl(q, prior).sum(1))


@every_bound
def test_bounds_are_tight_for_identical_components(bound):
    q, one = random_pair(2, components=1)
    parts = one.components()
    weights = double(0.2, 0.3, 0.5)
    many = mixture(weights.log(), parts.loc.repeat(3, 1), parts.scale.repeat(3, 1))
    torch.testing.assert_close(bound(q, many, q.loc), unit_kl(q, one).sum(1))
    z = q.sample(noise())
    torch.testing.assert_close(exact_divergence(q, many, z), exact_divergence(q, one, z))


def test_jensens_gradient_is_that_of_a_single_gaussian():
    q, prior = random_pair(3)
    parts = prior.components()
    weights = parts.log_weights.exp()[:, None]
    precision = (weights / parts.scale.square()).sum(0)
    loc = (weights * parts.loc / parts.scale.square()).sum(0) / precision
    product = Independent(Normal(loc, precision.rsqrt()), 1)
    leaves = q.loc.clone().requires_grad_(), q.scale.clone().requires_grad_()
    bound = jensen_bound(Posterior(*leaves), prior, q.loc)
    single = kl_divergence(Independent(Normal(*leaves), 1), product)
    gap = bound - single
    torch.testing.assert_close(gap, gap[:1].expand_as(gap))
    for mine, theirs in zip(
        torch.autograd.grad(bound.sum(), leaves),
        torch.autograd.grad(single.sum(), leaves),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


@every_prior
def test_elbo_is_the_sum_of_its_terms(kind):
    laws.check_elbo_is_the_sum_of_its_terms(*small_pair(kind))


@pytest.mark.slow
@every_prior
def test_the_closed_form_is_the_mean_of_the_sampled_kl(kind):
    laws.check_closed_form_kl_matches_monte_carlo(*small_pair(kind))


@pytest.mark.parametrize(
    ("kind", "divergence"),
    [(kind, "exact") for kind in PRIORS]
    + [(kind, bound) for kind in MIXTURES for bound in ("variational", "jensen")],
)
@pytest.mark.parametrize("name", ["vae", "hvae"])
def test_beta_weighs_only_the_kl(name, kind, divergence):
    laws.check_beta_scales_only_the_kl(*small_pair(kind, model=name), divergence)


@pytest.mark.parametrize("divergence", ["variational", "jensen"])
def test_a_bound_on_the_kl_needs_a_mixture(divergence):
    model, prior = small_pair("flow")
    p = prior(model.posterior)
    with pytest.raises(NoDensityError, match="need a mixture"):
        elbo(model, p, pictures(), divergence=divergence, generator=noise())


@single_priors
def test_free_bits_are_a_floor(kind):
    latent = 6
    model, prior = small_pair(kind, latent=latent)
    p, x = prior(model.posterior), pictures()
    units = unit_kl(model.posterior(x), p).mean(0).detach()
    floor = float(units.sort().values[2:4].mean())

    def pull(free_bits):
        """Return the gradient of the penalty alone, which ends at each unit's own bias."""
        losses = [
            elbo(model, p, x, beta=beta, free_bits=free_bits, generator=noise()).loss
            for beta in (1.0, 0.0)
        ]
        biases = model.loc.bias, model.log_variance.bias
        return losses[0] - losses[1], torch.stack(
            torch.autograd.grad(losses[0] - losses[1], biases)
        )

    plain, whole = pull(0.0)
    floored, held = pull(floor)
    below = units < floor
    assert below.sum() == 3
    torch.testing.assert_close(plain, units.sum(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(floored, units.clamp(min=floor).sum(), atol=1e-4, rtol=1e-4)
    assert bool(floored >= latent * floor)
    torch.testing.assert_close(held[:, below], torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(held[:, ~below], whole[:, ~below], atol=1e-5, rtol=1e-4)
    assert float(whole[:, below].abs().max()) > 1e-3


@pytest.mark.parametrize("kind", ["mog", "flow"])
def test_free_bits_of_a_prior_of_no_units_are_a_floor_of_the_whole(kind):
    model, prior = small_pair(kind)
    p, x = prior(model.posterior), pictures()
    kl = elbo(model, p, x, generator=noise()).kl.mean().detach()
    for free_bits, expected in ((0.0, kl), (float(kl) / 4, kl), (float(kl), 2 * kl)):
        terms = elbo(model, p, x, free_bits=free_bits, generator=noise())
        penalty = terms.loss + terms.reconstruction.mean()
        torch.testing.assert_close(penalty, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_loss_without_prior_is_the_reconstruction(name):
    model = small_checkpoint(None, model=name).model
    terms = elbo(model, None, pictures(), generator=noise())
    assert float(terms.kl.abs().max()) == 0
    torch.testing.assert_close(terms.loss, -terms.reconstruction.mean())


def test_the_encoder_sees_the_inputs_and_the_decoder_is_judged_by_the_samples():
    model, prior = small_pair("standard")
    p, x = prior(model.posterior), pictures()
    terms = elbo(model, p, x, inputs=0 * x, generator=noise())
    q = model.posterior(0 * x)
    torch.testing.assert_close(terms.kl, unit_kl(q, p).sum(1))
    expected = model.likelihood(q.sample(noise())).log_prob(x)
    torch.testing.assert_close(terms.reconstruction, expected)


@pytest.mark.parametrize(
    ("schedule", "epoch", "beta"),
    [
        (ConstantConfig(beta=4.0), 17, 4.0),
        (LinearConfig(epochs=100), 0, 0.0),
        (LinearConfig(epochs=100), 1, 0.01),
        (LinearConfig(epochs=100), 100, 1.0),
        (LinearConfig(epochs=100), 101, 1.0),
        (CyclicalConfig(), 0, 0.0),
        (CyclicalConfig(), 5, 0.4),
        (CyclicalConfig(), 12.5, 1.0),
        (CyclicalConfig(), 24.9, 1.0),
        (CyclicalConfig(), 25, 0.0),
        (CyclicalConfig(), 100, 1.0),
        (CyclicalConfig(), 1000, 1.0),
        (CyclicalConfig(epochs=90, cycles=3, rise=1.0), 45, 0.5),
    ],
)
def test_schedules_have_their_known_values(schedule, epoch, beta):
    torch.testing.assert_close(schedule.beta_at(float(epoch)), beta, atol=1e-12, rtol=0)


@pytest.mark.parametrize("schedule", [ConstantConfig(), LinearConfig(), CyclicalConfig()])
def test_schedules_take_the_whole_epochs_of_training(schedule):
    assert schedule.beta_at(100) == 1


def test_a_vampprior_on_all_data_is_the_aggregated_posterior():
    model, _ = small_pair("standard")
    model.double()
    x = pictures().double()
    prior = VampPrior((1, 8, 8), len(x), (0.0, 1.0), mean=0.5, spread=0.1).double()
    with torch.no_grad():
        prior.inputs.copy_(x)
        q, p = model.posterior(x), prior(model.posterior)
        z = q.sample(noise())
        aggregated = torch.stack([q.log_prob(row.expand_as(z)) for row in z]).logsumexp(1)
        aggregated = aggregated - math.log(len(x))
        torch.testing.assert_close(p.log_prob(z), aggregated, atol=1e-9, rtol=0)
        information = (q.log_prob(z) - aggregated).mean()
        torch.testing.assert_close(elbo(model, p, x, generator=noise()).kl.mean(), information)
        mean, error = sampled_kl(q, p, 5_000)
    assert float(mean.mean() - 4 * error.mean()) <= math.log(len(x))
