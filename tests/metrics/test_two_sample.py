"""The classifier is as accurate as Bayes', and distances stand beside those under the null."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binom, kstest, norm

from explorer.errors import DataError
from explorer.metrics import two_sample
from explorer.metrics.two_sample import c2st, compare, kernel, sliced


def normal(n, d, seed=0, *, shift=0.0, spread=1.0):
    """Draw n codes around (shift, 0, ...)."""
    codes = spread * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    codes[:, 0] += shift
    return codes


def reference(d):
    return lambda n, seed: normal(n, d, 10_000 + seed)


# The classifier


@pytest.mark.slow
@pytest.mark.parametrize(("d", "shift"), [(2, 1.0), (2, 2.5), (8, 1.5)], ids=str)
def test_the_accuracy_is_that_of_bayes(d, shift):
    found = c2st(normal(6000, d, 1, shift=shift), normal(6000, d, 2))
    bayes = norm.cdf(shift / 2)
    # Never better than Bayes but by chance; what training lacks is at most 1 %.
    assert bayes - 3 * found.error - 0.01 < found.accuracy < bayes + 3 * found.error
    assert found.p_value < 1e-6


def test_its_error_is_binomial_over_the_judged_codes():
    found = c2st(normal(900, 2, 1), normal(1000, 2, 2))
    assert (found.trained, found.n) == (900, 900)
    assert found.null_error == math.sqrt(0.25 / 900)
    assert found.error == pytest.approx(binom.std(900, found.accuracy) / 900)


def test_no_more_codes_than_five_thousand_a_side_are_judged(monkeypatch):
    assert two_sample.MOST_CODES == 5000
    monkeypatch.setattr(two_sample, "MOST_CODES", 40)
    found = c2st(normal(900, 2, 1), normal(500, 2, 2))
    assert (found.trained, found.n) == (80, 80)


@pytest.mark.slow
def test_codes_of_the_reference_cannot_be_told_apart_from_it():
    runs = [c2st(normal(300, 4, 2 * k), normal(300, 4, 2 * k + 1), seed=k) for k in range(40)]
    z = (np.mean([run.accuracy for run in runs]) - 0.5) / (runs[0].null_error / math.sqrt(40))
    assert abs(z) < 3
    assert kstest([run.p_value for run in runs], "uniform").pvalue > 0.01


@pytest.mark.slow
def test_a_difference_of_the_law_that_no_moment_shows_is_found():
    ring = torch.nn.functional.normalize(normal(1500, 2, 1), dim=1) * math.sqrt(2)
    found = c2st(ring, normal(1500, 2, 2))
    assert found.accuracy > 0.85


def test_the_same_seed_gives_the_same_classifier_and_leaves_the_global_one():
    state = torch.random.get_rng_state()
    one, again, other = (
        c2st(normal(200, 3, 1), normal(200, 3, 2), seed=seed) for seed in (4, 4, 5)
    )
    z = normal(50, 3, 9)
    torch.testing.assert_close(one.log_ratio(z), again.log_ratio(z), rtol=0, atol=0)
    assert not torch.equal(one.log_ratio(z), other.log_ratio(z))
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_log_ratio_is_that_of_the_densities():
    z = normal(400, 2, 3)
    found = c2st(normal(6000, 2, 1, shift=1.0), normal(6000, 2, 2)).log_ratio(z)
    exact = z[:, 0] - 0.5  # log N(z; 1, 1) - log N(z; 0, 1)
    assert float((found - exact).abs().mean()) < 0.25
    assert np.corrcoef(found, exact)[0, 1] > 0.97


def test_units_of_another_scale_change_nothing():
    a, b, scale = normal(400, 2, 1, shift=1), normal(400, 2, 2), torch.tensor([1000.0, 0.001])
    one, other = c2st(a, b), c2st(a * scale + 7, b * scale + 7)
    assert abs(one.accuracy - other.accuracy) < 0.02


def test_a_constant_unit_is_no_division_by_nothing():
    a, b = normal(100, 2, 1), normal(100, 2, 2)
    a[:, 1] = b[:, 1] = 3
    assert 0 <= c2st(a, b).accuracy <= 1


@pytest.mark.parametrize(
    ("codes", "words"),
    [(torch.zeros(19, 2), "too few"), (torch.full((30, 2), torch.nan), "not finite")],
    ids=["few", "nan"],
)
def test_what_cannot_be_compared_is_refused(codes, words):
    with pytest.raises(DataError, match=words):
        c2st(codes, normal(30, 2))


# Distances and their nulls


@pytest.mark.parametrize("n", [200, 500])
def test_the_null_of_the_sliced_distance_is_six_over_n(n):
    found = sliced(normal(n, 1, 1), reference(1), repeats=100)
    # Facts of the normal distribution: 6 / n at n = 500 (0.0129), more at smaller n.
    assert found.null == pytest.approx(6 / n, rel=0.25)
    assert found.null < found.null_high
    assert found.n == n


def test_the_sliced_distance_is_that_of_its_closed_form_above_the_null():
    d, shift, spread = 10, 3.0, 0.5
    found = sliced(normal(2000, d, 1, shift=shift, spread=spread), reference(d), repeats=3)
    exact = shift**2 / d + (1 - spread) ** 2  # 1.15
    assert found.value == pytest.approx(exact, abs=4 * found.error + 0.05)
    assert found.value > 50 * found.null_high


def test_the_kernel_distance_is_that_of_its_integral():
    found = kernel(normal(1000, 8, 1, spread=0.5), reference(8), repeats=3)
    # The width is 2 d s^2 with s^2 of a sample, 1 within 1 %.
    assert found.value == pytest.approx(0.4270912, rel=0.05)
    assert abs(found.null) < 0.01


@pytest.mark.parametrize("measure", [sliced, kernel])
def test_codes_of_the_reference_lie_within_the_null(measure):
    draw = reference(3)
    found = [measure(normal(150, 3, seed), draw, seed=50 * seed) for seed in range(12)]
    above = sum(item.value > item.null_high for item in found)
    assert above <= binom.ppf(0.999, 12, 0.05)
    below = [measure(normal(150, 3, 1, shift=1.0), draw)]
    assert below[0].value > below[0].null_high


def test_the_null_is_of_independent_samples_of_the_same_size():
    seen = []

    def draw(n, seed):
        seen.append((n, seed))
        return normal(n, 1, seed)

    found = compare(normal(30, 1, 99), draw, lambda a, b, seed: float(len(a) == len(b) == 30))
    assert [n for n, _ in seen] == [30] * 5 + [60] * 20
    assert len({seed for _, seed in seen}) == 25
    assert (found.value, found.null) == (1.0, 1.0)
