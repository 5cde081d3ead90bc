"""A difference is taken sample by sample where it can be."""

import math

import numpy as np
import pytest

from explorer import comparison
from explorer.checkpoint import LIKELIHOOD, results_folder
from tests.support.results import N, entry, per_sample


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("name", ["log_likelihood", "elbo"])
def test_a_difference_is_taken_sample_by_sample_where_both_are_known(name):
    found = comparison.difference(entry("one-standard"), entry("two-mog"), name)
    gap = per_sample(1)[name].astype(float) - per_sample(2)[name].astype(float)
    assert (found.n, found.paired) == (N, True)
    np.testing.assert_allclose(found.value, gap.mean(), rtol=1e-12)
    np.testing.assert_allclose(found.error, gap.std(ddof=1) / math.sqrt(N), rtol=1e-12)
    back = comparison.difference(entry("two-mog"), entry("one-standard"), name)
    assert (back.value, back.error) == (-found.value, found.error)


@pytest.mark.usefixtures("three")
def test_a_difference_of_what_moves_together_is_sharper_sample_by_sample():
    one, other = entry("one-standard"), entry("two-mog")
    values = per_sample(1)["log_likelihood"]
    noise = np.random.default_rng(9).normal(0.5, 0.01, N).astype(np.float32)
    np.savez(other.folder / LIKELIHOOD, rows=np.arange(N), log_likelihood=values - noise)
    found = comparison.difference(one, other, "log_likelihood")
    assert abs(found.value - 0.5) < 0.01
    assert found.error < 0.003 < math.hypot(0.25, 0.25)


@pytest.mark.usefixtures("three")
def test_a_difference_of_numbers_alone_has_both_errors():
    found = comparison.difference(entry("one-standard"), entry("three-vamp"), "log_likelihood")
    assert (found.value, found.n, found.paired) == (1.0, N, False)
    np.testing.assert_allclose(found.error, math.hypot(0.25, 0.25))
    density = comparison.difference(entry("one-standard"), entry("two-mog"), "density")
    assert (density.value, density.paired) == (0.0, False)


@pytest.mark.usefixtures("three")
def test_models_that_share_some_samples_are_paired_on_these():
    one, other = entry("one-standard"), entry("two-mog")
    ours, shared = per_sample(1)["log_likelihood"].astype(float), np.arange(N - 1) + 1
    np.savez(other.folder / LIKELIHOOD, rows=shared[::-1], log_likelihood=ours[shared][::-1] - 2)
    found = comparison.difference(one, other, "log_likelihood")
    assert (found.n, found.paired) == (N - 1, True)
    np.testing.assert_allclose([found.value, found.error], [2, 0], atol=1e-6)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "arrays",
    [
        {"rows": np.arange(N) + N, "log_likelihood": np.zeros(N)},
        {"rows": np.arange(N), "log_likelihood": np.zeros(N - 1)},
        {"log_likelihood": np.zeros(N)},
    ],
    ids=["other rows", "fewer numbers", "rows unsaid"],
)
def test_other_samples_are_not_paired(arrays):
    one, other = entry("one-standard"), entry("two-mog")
    np.savez(other.folder / LIKELIHOOD, **arrays)
    assert not comparison.difference(one, other, "log_likelihood").paired


@pytest.mark.usefixtures("three")
def test_arrays_that_say_no_rows_and_differ_in_length_are_not_paired():
    one, other = entry("one-standard"), entry("two-mog")
    np.savez(one.folder / LIKELIHOOD, log_likelihood=np.zeros(N))
    np.savez(other.folder / LIKELIHOOD, log_likelihood=np.zeros(N - 1))
    assert not comparison.difference(one, other, "log_likelihood").paired


@pytest.mark.usefixtures("three")
def test_what_was_not_measured_has_no_difference():
    assert comparison.difference(entry("one-standard"), entry("two-mog"), "kl") is None
    assert comparison.difference(entry("one-standard"), entry("two-mog"), "active_units") is None


@pytest.mark.usefixtures("three")
def test_arrays_of_the_user_come_before_those_beside_the_weights():
    one = entry("one-standard")
    np.testing.assert_array_equal(comparison.arrays(one)["elbo"], per_sample(1)["elbo"])
    results_folder(one.hash).mkdir(parents=True)
    np.savez(results_folder(one.hash) / LIKELIHOOD, elbo=np.ones(3))
    assert comparison.arrays(one)["elbo"].tolist() == [1, 1, 1]
    assert comparison.arrays(entry("three-vamp")) == {}


@pytest.mark.usefixtures("three")
def test_damaged_arrays_are_as_good_as_none():
    one = entry("one-standard")
    (one.folder / LIKELIHOOD).write_bytes(b"PK no archive")
    assert comparison.arrays(one) == {}
    assert not comparison.difference(one, entry("two-mog"), "elbo").paired
