import math
from functools import cache

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from explorer.errors import NoDensityError
from explorer.interfaces import Posterior
from explorer.metrics import coverage_under_null, evaluate, importance_sampling, prdc, vendi_score
from explorer.metrics import likelihood as likelihood_module
from explorer.metrics.draws import draw_data
from explorer.metrics.latent import active_units, kl_per_unit, prior_variance
from explorer.metrics.samples import WhitenedComponents, jackknife, prdc_and_errors, vendi_error
from explorer.objectives import unit_kl
from explorer.priors.mixture import LatentMixture
from tests.support.data import digits
from tests.support.gaussians import LATENT, LinearGaussian, brute_prdc, observations, standard
from tests.support.models import PRIORS, small_checkpoint, small_pair


def test_importance_sampling_from_the_true_posterior_is_exact():
    model, x = LinearGaussian(), observations()
    found = importance_sampling(model, standard(), x, samples=13)
    expected = model.marginal().log_prob(x)
    for value in (found.log_likelihood, found.elbo, found.reconstruction - found.kl):
        torch.testing.assert_close(value, expected, atol=1e-9, rtol=0)
    torch.testing.assert_close(found.effective, torch.full_like(expected, 13.0))


def test_the_estimate_tightens_with_more_codes():
    model, x = LinearGaussian(wrong=0.8), observations(400)
    found = {
        samples: importance_sampling(model, standard(), x, samples=samples)
        for samples in (1, 5, 50, 500)
    }
    exact = model.marginal().log_prob(x)
    means = [float(each.log_likelihood.mean()) for each in found.values()]
    assert means == sorted(means)
    assert means[2] < float(exact.mean())
    gap = found[500].log_likelihood - exact
    assert abs(float(gap.mean())) < 0.01 + 4 * float(gap.std()) / math.sqrt(len(x))
    torch.testing.assert_close(found[1].log_likelihood, found[1].elbo)
    for samples, each in found.items():
        assert bool((each.log_likelihood >= each.elbo - 1e-9).all())
        assert bool(((each.effective >= 1 - 1e-9) & (each.effective <= samples + 1e-9)).all())
        torch.testing.assert_close(each.elbo, each.reconstruction - each.kl)


def test_the_importance_weights_average_to_the_probability():
    model, x = LinearGaussian(wrong=0.5), observations(5)
    runs = torch.stack(
        [
            importance_sampling(model, standard(), x, samples=20, seed=seed).log_likelihood
            for seed in range(200)
        ]
    )
    ratio = (runs - model.marginal().log_prob(x)).exp()
    assert bool(((ratio.mean(0) - 1).abs() < 4 * ratio.std(0) / math.sqrt(200)).all())


@pytest.mark.parametrize("rows", [7, 60])
def test_chunks_change_nothing_but_the_noise(rows, monkeypatch):
    model, x = LinearGaussian(wrong=0.5), observations(150)
    whole = importance_sampling(model, standard(), x, samples=20)
    done = []
    monkeypatch.setitem(likelihood_module.ROWS, "cpu", rows)
    parts = importance_sampling(model, standard(), x, samples=20, report=done.append)
    assert sum(done) == len(x)
    for name in ("log_likelihood", "elbo", "kl", "effective"):
        mine, other = getattr(parts, name), getattr(whole, name)
        assert mine.shape == other.shape == (150,)
        gap = mine - other
        assert abs(float(gap.mean())) < 4 * float(gap.std()) / math.sqrt(150)


@pytest.mark.parametrize("kind", PRIORS)
def test_effective_codes_never_exceed_the_codes(kind):
    model, prior = small_pair(kind)
    x = torch.from_numpy(digits().test.x[:30])
    with torch.no_grad():
        effective = importance_sampling(model, prior(model.posterior), x, samples=7).effective
    assert bool(((effective >= 1 - 1e-5) & (effective <= 7 * (1 + 1e-5))).all())


def test_effective_codes_are_counted_where_log_weights_are_large():
    class Far(LinearGaussian):
        def likelihood(self, z, labels=None):
            return Independent(Normal(z @ self.weight.T.float() + self.bias.float(), 0.01), 1)

        def posterior(self, x, labels=None):
            exact = super().posterior(x)
            return Posterior(exact.loc.float(), 1e-6 * exact.scale.float())

    x = observations(20).float() + 30
    prior = LatentMixture(torch.zeros(1), torch.zeros(1, LATENT), torch.ones(1, LATENT))
    effective = importance_sampling(Far(), prior, x, samples=50).effective
    assert bool((effective <= 50 * (1 + 1e-5)).all())


def test_a_point_posterior_has_no_likelihood():
    model = small_checkpoint(None).model
    with pytest.raises(NoDensityError):
        importance_sampling(model, standard(), torch.zeros(2, 1, 8, 8))


def normal(n, d, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (n, d))


@pytest.mark.parametrize(("n", "m"), [(40, 40), (30, 55), (1100, 60)])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_prdc_agrees_with_brute_force(n, m, k):
    real, fake = normal(n, 3), normal(m, 3, seed=1, shift=0.5)
    np.testing.assert_allclose(prdc(real, fake, k), brute_prdc(real, fake, k), atol=1e-12)


@pytest.mark.parametrize("shift", [0.3, 1.5])
def test_the_error_of_a_comparison_says_how_far_draws_spread(shift):
    """The spread over forty draws of the samples, beside what each states of itself."""
    real = normal(150, 3)
    fakes = [normal(200, 3, seed, shift) for seed in range(1, 41)]
    found = [
        (*prdc_and_errors(real, fake), vendi_score(fake), vendi_error(fake)) for fake in fakes
    ]
    values = np.array([(*value, vendi) for value, _, vendi, _ in found])
    stated = np.array([(*error, own) for _, error, _, own in found])
    ratio = values.std(0, ddof=1) / np.sqrt(np.square(stated).mean(0))
    assert (ratio > 0.5).all()
    assert (ratio < 1.3).all()
    assert (np.median(stated, 0) > 0.5 * values.std(0, ddof=1)).all()


def test_the_error_of_a_mean_is_that_of_the_mean():
    generator = np.random.default_rng(0)
    values = generator.normal(size=400)
    left = np.array([np.delete(values, slice(k, k + 20)).mean() for k in range(0, 400, 20)])
    parts = values.reshape(20, 20).mean(1)
    assert jackknife(left) == pytest.approx(parts.std(ddof=1) / np.sqrt(20))


@pytest.mark.parametrize("seed", range(5))
def test_ties_are_inside_for_precision_and_recall_only(seed):
    generator = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(7.0), np.arange(7.0)), -1).reshape(-1, 2)
    real, fake = (generator.permutation(grid)[:25] for _ in range(2))
    found = prdc(real, fake, 3)
    np.testing.assert_allclose(found, brute_prdc(real, fake, 3), atol=1e-12)


def test_a_tie_tells_the_two_kinds_of_ball_apart():
    real, fake = np.array([[0.0], [2.0]]), np.array([[4.0], [6.0]])
    assert prdc(real, fake, 1) == (0.5, 0.5, 0.0, 0.0)


def test_identical_sets_score_full_marks():
    x = normal(300, 6)
    assert prdc(x, x) == (1, 1, 1, 1)


def test_disjoint_sets_score_nothing():
    assert prdc(normal(100, 4), normal(100, 4, seed=1, shift=100)) == (0, 0, 0, 0)


def test_a_lost_mode_lowers_recall_and_coverage():
    real, whole = (
        np.concatenate([normal(200, 3, seed), normal(200, 3, seed + 1, 20)]) for seed in (0, 2)
    )
    full, half = prdc(real, whole), prdc(real, normal(400, 3, 4))
    assert half.recall < 0.6 < 0.85 < full.recall
    assert half.coverage < 0.6 < 0.85 < full.coverage
    assert half.precision > 0.8
    assert 0.8 < half.density < 1.2


def test_an_outlier_raises_precision_but_not_density():
    real, outlier = normal(200, 3), np.full((1, 3), 30.0)
    fake = np.concatenate([normal(100, 3, 1), normal(100, 3, 2, shift=25)])
    clean, spoiled = prdc(real, fake), prdc(np.concatenate([real, outlier]), fake)
    assert spoiled.precision > clean.precision + 0.45
    assert spoiled.density <= clean.density + 0.1 + 1e-9


def test_prdc_hangs_neither_on_place_nor_on_precision():
    real, fake = normal(80, 3), normal(80, 3, seed=1, shift=0.5)
    moved = prdc((real + 300).astype(np.float32), (fake + 300).astype(np.float32))
    np.testing.assert_allclose(moved, prdc(real, fake), atol=0.02)


@pytest.mark.parametrize(("k", "expected"), [(3, 0.8754), (5, 0.9690)])
def test_coverage_under_null_has_its_known_values(k, expected):
    torch.testing.assert_close(coverage_under_null(1000, 1000, k), expected, atol=5e-5, rtol=0)


@pytest.mark.parametrize(("n", "m"), [(100, 100), (60, 150)])
def test_coverage_of_equal_laws_is_that_under_null(n, m):
    found = [prdc(normal(n, 2, 2 * s), normal(m, 2, 2 * s + 1), 3).coverage for s in range(60)]
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - coverage_under_null(n, m, 3)) < 4 * error


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (np.eye(7), 7),
        (3 * np.eye(7, 20), 7),
        (np.ones((9, 4)), 1),
        (np.repeat(np.eye(2), 5, axis=0), 2),
        (np.repeat(np.eye(2, 30), (5, 15), axis=0), 1.754765),
        (np.repeat(np.eye(2), (1, 3), axis=0), 1.754765),
    ],
)
def test_vendi_scores_have_their_known_values(features, expected):
    torch.testing.assert_close(vendi_score(features), float(expected), atol=1e-6, rtol=0)


def test_vendi_hangs_not_on_the_side_of_the_kernel():
    x = normal(30, 20)
    wide = np.concatenate([x, np.zeros((30, 40))], 1)
    torch.testing.assert_close(vendi_score(x), vendi_score(wide))


def test_whitened_components_have_unit_variance():
    reference = normal(200, 6) * [10, 5, 1, 0.5, 0.2, 0.1] + 3
    found = WhitenedComponents(reference, 4)(reference)
    np.testing.assert_allclose(np.cov(found.T), np.eye(4), atol=1e-9)


def test_whitening_gives_rounding_noise_no_voice():
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(3, 60))
    real, fake = (
        (generator.normal(size=(200, 3)) @ mixing + 1e-6 * generator.normal(size=(200, 60)))
        for _ in range(2)
    )
    smooth = generator.normal(size=(200, 3)) @ mixing
    features = WhitenedComponents(real)
    null, found = prdc(features(real), features(fake)), prdc(features(real), features(smooth))
    np.testing.assert_allclose(found, null, atol=0.15)


def test_activity_of_a_unit_hangs_not_on_its_scale():
    torch.manual_seed(0)
    loc = torch.randn(500, 4) * torch.tensor([1.0, 0.5, 0.05, 0.0]) + 3
    expected = [True, True, False, False]
    for scale in (1e-3, 1.0, 1e3):
        variance = torch.full((4,), scale**2)
        assert active_units(scale * loc, variance).tolist() == expected
        assert active_units(scale * loc, scale**2).tolist() == expected
    assert active_units(loc).tolist() == expected
    assert active_units(1e-3 * loc).tolist() == [False] * 4


@pytest.mark.parametrize("kind", ["standard", "xvae"])
def test_kl_of_units_sums_to_the_kl(kind):
    model, prior = small_pair(kind, latent=4)
    x = torch.from_numpy(digits().test.x)
    with torch.no_grad():
        q, p = model.posterior(x), prior(model.posterior)
        units = kl_per_unit(model, p, x)
        assert units.shape == (4,)
        torch.testing.assert_close(units.sum(), unit_kl(q, p).sum(1).mean())
        z = Posterior(q.loc.repeat(200, 1), q.scale.repeat(200, 1)).sample()
        many = Posterior(q.loc.repeat(200, 1), q.scale.repeat(200, 1))
        sampled = (many.log_prob(z) - p.log_prob(z)).mean()
    torch.testing.assert_close(units.sum(), sampled, rtol=0.01, atol=0)


def test_kl_of_units_under_a_mixture_compares_marginals():
    model, prior = small_pair("mog", latent=3)
    x = torch.from_numpy(digits().test.x)
    with torch.no_grad():
        q, p = model.posterior(x), prior(model.posterior)
        z = q.sample(torch.Generator().manual_seed(6))
        units, parts = kl_per_unit(model, p, x, seed=6), p.components()
        for j in range(3):
            marginal = LatentMixture(
                parts.log_weights, parts.loc[:, j : j + 1], parts.scale[:, j : j + 1]
            )
            own = Posterior(q.loc[:, j : j + 1], q.scale[:, j : j + 1])
            rows = z[:, j : j + 1]
            expected = (own.log_prob(rows) - marginal.log_prob(rows)).mean()
            torch.testing.assert_close(units[j], expected, atol=1e-4, rtol=1e-4)


def test_kl_of_units_under_a_flow_is_not_a_number():
    model, prior = small_pair("flow", latent=3)
    x = torch.from_numpy(digits().test.x[:9])
    with torch.no_grad():
        units = kl_per_unit(model, prior(model.posterior), x)
    assert units.shape == (3,)
    assert bool(units.isnan().all())


def test_kl_of_units_of_many_samples_is_their_mean():
    model, prior = small_pair("xvae", latent=3)
    x = torch.from_numpy(digits().train.x[:1200])
    with torch.no_grad():
        p = prior(model.posterior)
        expected = unit_kl(model.posterior(x), p).mean(0)
        torch.testing.assert_close(kl_per_unit(model, p, x), expected)


@pytest.mark.parametrize("kind", PRIORS)
@pytest.mark.parametrize("name", ["vae", "hvae"])
def test_variance_of_a_prior_is_that_of_its_draws(name, kind):
    model, prior = small_pair(kind, model=name)
    drawn = name == "hvae" or kind == "flow"  # the rest has a closed form
    with torch.no_grad():
        p = model.latent_prior(prior)
        z = p.draw(100_000, seed=1).z
        spread = (z - z.mean(0)).square()
        error = spread.std(0) * math.sqrt(1 / len(z) + drawn / 16_384)
        assert bool(((prior_variance(p) - spread.mean(0)).abs() < 4 * error).all())


def test_variance_of_a_prior_survives_a_far_off_mean():
    far = LatentMixture(torch.zeros(1), torch.full((1, 2), 300.0), torch.full((1, 2), 0.05))
    torch.testing.assert_close(prior_variance(far), torch.full((2,), 0.0025), rtol=1e-2, atol=0)


@cache
def evaluated(kind, likelihood="bernoulli", run=0):
    opened = small_checkpoint(kind, likelihood=likelihood)
    parts = ("likelihood", "units", "fidelity")
    return evaluate(opened, digits(), samples=5, limit=20, seed=1, parts=parts)


@pytest.mark.parametrize("kind", ["standard", "vamp"])
def test_an_evaluation_names_number_seed_and_error(kind):
    metrics, arrays = evaluated(kind)
    measured = {"log_likelihood", "elbo", "reconstruction", "kl", "effective_samples"}
    fidelity = {"precision", "recall", "density", "coverage", "vendi"}
    others = {"active_units", "active_units_absolute", "bits_per_dimension"}
    assert metrics.keys() == measured | fidelity | others
    for name in measured:
        metric = metrics[name]
        assert (metric.n, metric.seed, metric.samples) == (20, 1, 5)
        assert 0 <= metric.se < math.inf
    for name in fidelity:
        metric = metrics[name]
        assert (metric.n, metric.seed, metric.samples) == (20, 1, 100)
        assert 0 <= metric.se < math.inf
        assert metric.null is not None
    terms = metrics["reconstruction"].value - metrics["kl"].value
    torch.testing.assert_close(metrics["elbo"].value, terms, atol=1e-3, rtol=1e-5)
    assert metrics["elbo"].value <= metrics["log_likelihood"].value
    assert 1 <= metrics["effective_samples"].value <= 5
    assert arrays["log_likelihood"].shape == arrays["rows"].shape == (20,)
    assert arrays["kl_per_unit"].shape == (2,)
    mean = float(arrays["log_likelihood"].mean())
    torch.testing.assert_close(mean, metrics["log_likelihood"].value, atol=1e-3, rtol=1e-5)
    spread = float(arrays["log_likelihood"].std(ddof=1) / np.sqrt(20))
    torch.testing.assert_close(spread, metrics["log_likelihood"].se, atol=0, rtol=1e-4)


def test_an_evaluation_twice_is_the_same():
    first, again = evaluated("vamp"), evaluated("vamp", run=1)
    assert first.metrics == again.metrics
    for name, values in first.arrays.items():
        assert np.array_equal(values, again.arrays[name])


def test_a_subset_is_drawn_at_random_and_kept_in_order():
    rows = evaluated("standard").arrays["rows"]
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.tolist() != list(range(20))
    assert rows.max() > 125


def test_an_autoencoder_is_measured_without_a_density():
    metrics, _ = evaluated(None, "gaussian")
    assert metrics.keys() == {"reconstruction", "active_units"}


def test_a_single_row_has_no_standard_error():
    metrics = evaluate(small_checkpoint("standard"), digits(), samples=2, limit=1).metrics
    assert metrics["log_likelihood"].n == 1
    assert metrics["log_likelihood"].se is None


def test_drawn_data_look_like_the_data():
    model, prior = small_pair("mog")
    with torch.no_grad():
        x = draw_data(model, prior(model.posterior), 50, 0, binary=True)
        again = draw_data(model, prior(model.posterior), 50, 0, binary=True)
    assert x.shape == (50, 1, 8, 8)
    assert set(np.unique(x)) == {0.0, 1.0}
    assert np.array_equal(x, again)
