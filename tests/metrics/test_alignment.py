"""Posterior against prior: each distance equals its closed form, and vanishes under the null."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest

from explorer.interfaces import Posterior, noise
from explorer.metrics.alignment import (
    _DIRECTIONS,
    accuracy_error,
    combined,
    discrepancy,
    misalignment,
    misalignment_of_all,
    sliced_distance,
    two_sample_accuracy,
)
from explorer.metrics.measures import _codes
from explorer.objectives import unit_kl
from explorer.objectives.distances import MULTIPLES
from explorer.priors.mixture import LatentMixture
from tests.support.models import PRIORS, small_pair


def normal(n, d, seed=0, *, shift=0.0, spread=1.0):
    """Draw n codes around (shift, 0, ...)."""
    generator = torch.Generator().manual_seed(seed)
    codes = spread * torch.randn(n, d, generator=generator, dtype=torch.float64)
    codes[:, 0] += shift
    return codes


# Maximum mean discrepancy


def kernel_mean(constant, d, shift, variance):
    """Integrate C / (C + r^2) over two Gaussians `shift` apart whose variances sum so."""

    def weighed(t):
        spread = 1 + 2 * t * variance
        return constant * np.exp(-constant * t - t * shift**2 / spread) * spread ** (-d / 2)

    return quad(weighed, 0, np.inf)[0]


def squared(constant, d, shift, spread):
    """Return MMD^2 between N((shift, 0, ...), spread^2 I) and N(0, I) under one kernel."""
    same = kernel_mean(constant, d, 0, 2 * spread**2) + kernel_mean(constant, d, 0, 2)
    return same - 2 * kernel_mean(constant, d, shift, 1 + spread**2)


def expected(d, shift, spread):
    """Return it under the seven kernels whose width N(0, I) sets."""
    return sum(squared(2 * d * multiple, d, shift, spread) for multiple in MULTIPLES)


def test_the_integrals_have_their_known_values():
    torch.testing.assert_close(squared(4, 2, 1, 1), 0.0911274, atol=1e-6, rtol=0)
    torch.testing.assert_close(expected(8, 0, 0.5), 0.4270912, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("d", "shift", "spread"), [(8, 0, 0.5), (2, 1, 1), (3, 0.5, 1.5)], ids=str
)
def test_the_discrepancy_is_that_of_its_integral(d, shift, spread):
    n, runs = 400, 12
    found = [
        discrepancy(
            normal(n, d, 2 * run, shift=shift, spread=spread),
            normal(n, d, 2 * run + 1),
            permutations=0,
        ).value
        for run in range(runs)
    ]
    error = np.std(found, ddof=1) / math.sqrt(runs)
    assert abs(np.mean(found) - expected(d, shift, spread)) < 4 * error
    assert error < 0.05 * expected(d, shift, spread)


def test_the_discrepancy_is_that_of_a_plain_double_loop():
    a, b = normal(7, 3, 0, shift=1), normal(5, 3, 1, spread=0.6)
    width = 2 * 3 * float(b.var(0).mean())

    def kernel(x, y):
        square = float((x - y).pow(2).sum())
        return sum(m * width / (m * width + square) for m in MULTIPLES)

    def within(x):
        pairs = [kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]
        return sum(pairs) / (len(x) * (len(x) - 1))

    across = sum(kernel(x, y) for x in a for y in b) / (len(a) * len(b))
    plain = within(a) + within(b) - 2 * across
    found = discrepancy(a, b, permutations=3).value
    torch.testing.assert_close(found, plain, atol=1e-12, rtol=1e-12)


def test_the_second_set_sets_the_width():
    a, b = normal(300, 8, 0, spread=0.5), normal(300, 8, 1)
    one, other = (discrepancy(*pair, permutations=0).value for pair in ((a, b), (b, a)))
    assert abs(one - other) > 0.1 * one


def test_the_discrepancy_hangs_neither_on_unit_nor_on_place():
    a, b = normal(30, 4, 0, shift=1), normal(40, 4, 1)
    found = discrepancy(a, b, permutations=20)
    for factor, place in ((100.0, 0.0), (0.01, 3.0), (1.0, -50.0)):
        moved = discrepancy(factor * (a + place), factor * (b + place), permutations=20)
        torch.testing.assert_close(moved.value, found.value, atol=1e-9, rtol=1e-9)
        assert moved.p_value == found.p_value


def test_under_the_null_the_discrepancy_is_unbiased_and_mostly_below_zero():
    runs = 500
    found = np.array(
        [
            discrepancy(normal(50, 1, 2 * run), normal(50, 1, 2 * run + 1), permutations=0).value
            for run in range(runs)
        ]
    )
    assert abs(found.mean()) < 4 * found.std(ddof=1) / math.sqrt(runs)
    assert 0.55 < (found < 0).mean() < 0.75


def test_under_the_null_p_values_are_uniform():
    found = [
        discrepancy(
            normal(30, 2, 2 * run), normal(40, 2, 2 * run + 1), permutations=99, seed=run
        ).p_value
        for run in range(200)
    ]
    assert kstest(found, "uniform").pvalue > 1e-3
    assert min(found) >= 0.01
    assert max(found) <= 1


def test_other_laws_have_the_least_p_value_there_is():
    p = discrepancy(normal(100, 3, 0, shift=1.5), normal(100, 3, 1), permutations=50).p_value
    assert p == 1 / 51


def test_the_mixing_hangs_on_its_seed_alone():
    pair = normal(25, 2, 0, shift=0.4), normal(25, 2, 1)
    found = [discrepancy(*pair, permutations=40, seed=seed) for seed in (1, 1, 2, 3, 4)]
    assert found[0] == found[1]
    assert len({each.value for each in found}) == 1
    assert len({each.p_value for each in found}) > 1


# Sliced distance


def test_the_sliced_distance_of_two_gaussians_is_that_of_its_closed_form():
    runs, d = 8, 10
    found = [
        sliced_distance(
            normal(1000, d, 2 * run, shift=3), normal(1000, d, 2 * run + 1, spread=0.5), seed=run
        )
        for run in range(runs)
    ]
    bias = 6 / 1000
    error = np.std(found, ddof=1) / math.sqrt(runs)
    assert abs(np.mean(found) - 1.15) < 4 * error + bias
    assert error < 0.05


def test_the_sliced_distance_is_that_of_sorted_projections():
    a, b = normal(60, 3, 0, shift=1).numpy(), normal(60, 3, 1, spread=2).numpy()
    total = 0.0
    for direction in noise(9, 3, 4 ^ _DIRECTIONS).double().numpy():
        theta = direction / np.linalg.norm(direction)
        total += np.mean((np.sort(a @ theta) - np.sort(b @ theta)) ** 2) / 9
    found = sliced_distance(torch.from_numpy(a), torch.from_numpy(b), projections=9, seed=4)
    torch.testing.assert_close(found, total, atol=1e-12, rtol=1e-12)


def test_moving_a_set_costs_the_square_of_the_way_over_its_units():
    a = normal(50, 5)
    found = sliced_distance(a, a + torch.tensor([3.0, 0, 0, 0, 0]), projections=5_000)
    torch.testing.assert_close(found, 9 / 5, atol=0, rtol=0.05)
    assert sliced_distance(a, a.flip(0)) < 1e-24
    in_one = normal(50, 1)
    torch.testing.assert_close(sliced_distance(in_one, in_one + 3), 9.0)


def test_under_the_null_the_sliced_distance_has_its_known_size():
    runs = 200
    found = [
        sliced_distance(normal(500, 1, 2 * run), normal(500, 1, 2 * run + 1), projections=1)
        for run in range(runs)
    ]
    error = np.std(found, ddof=1) / math.sqrt(runs)
    assert abs(np.mean(found) - 0.0129) < 4 * error
    assert 4 / 500 < np.mean(found) < 8 / 500


# A classifier


def test_a_classifier_cannot_tell_one_law_from_itself():
    found = [
        two_sample_accuracy(normal(300, 4, 2 * run).numpy(), normal(300, 4, 2 * run + 1).numpy())
        for run in range(4)
    ]
    assert abs(np.mean(found) - 0.5) < 4 * accuracy_error(found, 300)


def test_the_error_of_an_accuracy_is_the_spread_of_repetitions_and_at_least_binomial():
    assert accuracy_error([0.4, 0.6], 10_000) == pytest.approx(0.1)
    assert accuracy_error([0.5, 0.5], 100) == pytest.approx(0.05 / math.sqrt(2))
    assert accuracy_error([0.7], 100) == pytest.approx(math.sqrt(0.7 * 0.3 / 100))


@pytest.mark.slow
def test_the_error_of_an_accuracy_says_how_far_seeds_spread():
    """The spread over disjoint data, codes and splits, beside what one evaluation states."""
    means, stated = [], []
    for seed in range(8):
        found = [
            two_sample_accuracy(normal(100, 3, k).numpy(), normal(100, 3, k + 7).numpy(), k)
            for k in range(1000 * seed, 1000 * seed + 5)
        ]
        means.append(np.mean(found))
        stated.append(accuracy_error(found, 100))
    ratio = np.std(means, ddof=1) / np.sqrt(np.mean(np.square(stated)))
    assert 0.35 < ratio < 1.6  # 99.9 % of a chi distribution of seven degrees, twice


def test_directions_are_not_the_codes_of_a_prior_drawn_with_their_seed():
    found = [sliced_distance(normal(500, 40, 50 + k), noise(500, 40, k), seed=k) for k in range(3)]
    apart = [
        sliced_distance(normal(500, 40, 50 + k), noise(500, 40, k + 9), seed=k) for k in range(3)
    ]
    assert np.mean(found) == pytest.approx(np.mean(apart), rel=0.15)


def test_a_classifier_tells_far_sets_apart():
    accuracy = two_sample_accuracy(normal(200, 3, 0, shift=8).numpy(), normal(100, 3, 1).numpy())
    assert accuracy > 0.99


def test_a_classifier_sees_what_two_moments_miss():
    a, b = normal(400, 2, 0), normal(400, 2, 1)
    split = a.clone()
    split[:, 0] = 0.95 * a[:, 0].sign() + math.sqrt(1 - 0.95**2) * a[:, 1]
    torch.testing.assert_close(split.var(0).mean(), b.var(0).mean(), atol=0.15, rtol=0)
    accuracy = two_sample_accuracy(split.numpy(), b.numpy())
    assert accuracy - 0.5 > 4 * accuracy_error([accuracy], 400)


# What one Gaussian costs beside the best


def posteriors(n=60, latent=3):
    generator = torch.Generator().manual_seed(2)
    loc = torch.randn(n, latent, generator=generator) * torch.tensor([2.0, 1.0, 0.0]) + 0.5
    scale = (0.5 * torch.randn(n, latent, generator=generator) - 1).exp()
    return Posterior(loc.double(), scale.double())


def gaussian(loc, scale):
    one = torch.zeros(1, dtype=torch.float64)
    return LatentMixture(one, loc.double()[None], scale.double()[None])


def mean_kl(q, prior):
    return unit_kl(q, prior).mean(0)


def best_for(q):
    codes = q.loc.mean(0)
    return codes, (q.scale.square() + (q.loc - codes).square()).mean(0).sqrt()


def test_misalignment_is_what_the_mean_kl_would_fall_by():
    q = posteriors()
    prior = gaussian(torch.tensor([1.0, -0.5, 0.2]), torch.tensor([0.5, 1.0, 2.0]))
    total, units = misalignment(q, prior)
    expected_units = mean_kl(q, prior) - mean_kl(q, gaussian(*best_for(q)))
    torch.testing.assert_close(units, expected_units, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(total, float(expected_units.sum()), atol=1e-10, rtol=1e-10)


def test_the_best_prior_is_not_misaligned_and_no_other_is_better():
    q = posteriors()
    loc, scale = best_for(q)
    total, units = misalignment(q, gaussian(loc, scale))
    assert abs(total) < 1e-10
    assert float(units.abs().max()) < 1e-10
    for step in (-0.1, 0.1):
        assert misalignment(q, gaussian(loc + step, scale))[0] > 1e-4
        assert misalignment(q, gaussian(loc, scale * (1 + step)))[0] > 1e-4


@pytest.mark.parametrize("kind", PRIORS)
def test_misalignment_is_known_under_single_gaussians_alone(kind):
    _, prior = small_pair(kind)
    with torch.no_grad():
        found = misalignment(
            Posterior(torch.randn(9, 2), torch.ones(9, 2)), prior(small_pair(kind)[0].posterior)
        )
    assert (found is not None) == (kind in ("standard", "xvae"))
    if found is not None:
        torch.testing.assert_close(found[0], float(found[1].sum()))


def test_a_point_posterior_is_not_compared():
    prior = gaussian(torch.zeros(2), torch.ones(2))
    assert misalignment(Posterior(torch.zeros(4, 2).double(), None), prior) is None


# Draws of few data


@pytest.mark.parametrize("n", [30, 25])
def test_no_sample_is_drawn_twice_where_data_are_few(n):
    q = Posterior(torch.arange(30.0)[:, None], torch.full((30, 1), 1e-3))
    for repeat in range(3):
        codes = _codes(q, n, repeat, torch.Generator().manual_seed(repeat))
        assert len(codes.round().unique()) == n


def test_a_misalignment_from_few_posteriors_is_that_of_all_on_average():
    prior = gaussian(torch.zeros(3), torch.ones(3))
    generator = torch.Generator().manual_seed(1)
    n, found, plain = 60, [], []
    for _ in range(300):
        loc = 0.05 + 0.9 * torch.randn(n, 3, generator=generator).double()
        q = Posterior(loc, torch.full_like(loc, 0.3))
        found.append(misalignment_of_all(q, prior))
        plain.append(misalignment(q, prior)[0])
    moments = torch.full((1, 3), 0.05), torch.full((1, 3), math.sqrt(0.9))
    true = float(unit_kl(Posterior(*(item.double() for item in moments)), prior).sum())
    values = np.array([one.value for one in found])
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - true) < 4 * error
    assert np.mean(plain) > true + 20 * error
    assert 0.7 < np.mean([one.error for one in found]) / values.std(ddof=1) < 1.5


def test_p_values_of_several_draws_are_combined_into_one_with_an_error():
    assert combined(np.array([0.3])) == (pytest.approx(0.3), 0.0)
    assert combined(np.full(5, 0.2)) == (pytest.approx(0.2), pytest.approx(0.0, abs=1e-12))
    value, error = combined(np.array([0.02, 0.27, 0.1, 0.15, 0.06]))
    assert 0.02 < value < 0.15
    assert 0 < error < 0.1
    generator = np.random.default_rng(0)
    alike = np.tile(generator.uniform(size=(5_000, 1)), 5)
    for drawn in (generator.uniform(size=(5_000, 5)), alike):
        small = np.mean([combined(row)[0] < 0.05 for row in drawn])
        assert 0.037 < small < 0.063
