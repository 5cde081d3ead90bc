"""Held-out codes are as new and as typical as they are said to be."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from explorer.metrics.novelty import Axes, NoveltyReference, anomaly, typicality
from tests.support.gaussians import normal

# New or copied


@pytest.mark.parametrize("latent", [2, 16])
def test_held_out_codes_stand_evenly_among_themselves(latent):
    training, held_out = normal(800, latent), normal(500, latent, 1)
    found = NoveltyReference(training, held_out).judge(held_out)
    np.testing.assert_allclose(np.sort(found.percentile), np.arange(500) / 5, atol=1e-6)


def test_fresh_codes_of_the_same_law_stand_evenly():
    measure = NoveltyReference(normal(1000, 8), normal(2000, 8, 1))
    percentile = np.sort(measure.judge(normal(2000, 8, 2)).percentile)
    assert np.abs(percentile - np.linspace(0, 100, 2000)).max() < 100 * 2 * math.sqrt(2 / 2000)


def test_a_copy_is_at_no_distance_and_below_all_held_out_codes():
    training = normal(700, 16) * 3 + 5
    found = NoveltyReference(training, normal(300, 16, 1) * 3 + 5).judge(training)
    np.testing.assert_array_equal(found.nearest[:, 0], np.arange(700))
    assert (found.distance == 0).all()
    assert (found.percentile == 0).all()


def test_a_far_code_is_above_all_held_out_codes():
    found = NoveltyReference(normal(300, 4), normal(200, 4, 1)).judge(normal(9, 4, 2) + 50)
    assert (found.percentile == 100).all()


@pytest.mark.parametrize("k", [1, 4, 900])
def test_nearest_training_codes_are_those_of_brute_force(k):
    scale = np.array([0.01, 1, 20], np.float32)
    training, codes = normal(600, 3) * scale, normal(700, 3, 1) * scale
    found = NoveltyReference(training, normal(50, 3, 2) * scale).judge(codes, k)
    distance = cdist(codes, training, "seuclidean", V=training.var(0))
    expected = np.sort(distance, axis=1)
    np.testing.assert_allclose(found.distance, expected[:, 0], atol=1e-4)
    assert found.nearest.shape == (700, min(k, 600))
    np.testing.assert_allclose(
        np.take_along_axis(distance, found.nearest, 1), expected[:, :k], atol=2e-3
    )


def test_a_percentile_hangs_not_on_the_unit_of_the_codes():
    training, held_out, codes = (normal(300, 4, seed) for seed in range(3))
    scale = np.array([1e-2, 1, 7, 100], np.float32)
    plain = NoveltyReference(training, held_out).judge(codes)
    scaled = NoveltyReference(scale * training, scale * held_out).judge(scale * codes)
    np.testing.assert_allclose(scaled.percentile, plain.percentile, atol=0.5)
    np.testing.assert_allclose(scaled.distance, plain.distance, rtol=1e-3)


def test_all_training_codes_are_compared_with():
    training = normal(9000, 2)
    measure = NoveltyReference(training, normal(30, 2, 1))
    assert (measure.training, measure.held_out) == (9000, 30)
    assert measure.judge(training[-5:]).nearest[:, 0].tolist() == list(range(8995, 9000))
    assert measure.judge(normal(0, 2)).nearest.shape == (0, 1)


def test_a_unit_that_the_posterior_does_not_determine_hardly_counts():
    training = normal(500, 3) * np.array([1, 1, 0.01], np.float32)
    scale = np.array([0.1, 0.1, 1], np.float32)
    axes = Axes.of(training, scale)
    moved = axes.project(training[:1] + np.array([0, 0, 0.02], np.float32))
    assert np.linalg.norm(moved - axes.project(training[:1])) < 0.03
    plain = Axes.of(training)
    moved = plain.project(training[:1] + np.array([0, 0, 0.02], np.float32))
    assert np.linalg.norm(moved - plain.project(training[:1])) > 1


def test_codes_come_back_from_the_space_of_comparison():
    training = normal(50, 4) * np.array([1, 3, 0.1, 0], np.float32) + 2
    axes = Axes.of(training, np.array([0.2, 1, 0.05, 1], np.float32))
    np.testing.assert_allclose(axes.lift(axes.project(training)), training, atol=1e-5)


# Typical or not


def log_normal(z):
    return -0.5 * (z.astype(float) ** 2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)


@pytest.mark.parametrize("latent", [2, 40])
def test_samples_of_the_prior_are_evenly_typical(latent):
    drawn = log_normal(normal(4000, latent))
    found = np.sort(typicality(log_normal(normal(3000, latent, 1)), drawn))
    bound = 100 * 2 * math.sqrt(1 / 4000 + 1 / 3000)
    assert np.abs(found - np.linspace(0, 100, 3000)).max() < bound
    own = np.sort(typicality(drawn, drawn))
    np.testing.assert_allclose(own, np.arange(4000) / 40, atol=1e-6)


def test_the_mode_of_many_units_is_probable_but_not_typical():
    drawn = log_normal(normal(4000, 40))
    mode = log_normal(np.zeros((1, 40)))
    assert mode > drawn.max()
    assert typicality(mode, drawn) == 0


def test_too_thin_and_too_dense_are_equally_far_from_typical():
    drawn = np.random.default_rng(0).normal(-50, 3, 1000)
    mean = drawn.mean()
    above, below = typicality(np.array([mean + 4, mean - 4]), drawn)
    assert above == below
    assert 10 < above < 30
    assert typicality(np.array([mean]), drawn) > 99.5


# More or less likely than held-out data


def test_the_percentage_of_more_likely_samples_is_counted():
    known = np.arange(100.0)
    value, error = anomaly(30.5, 0.0, known)
    assert value == 69
    assert error == 0
    assert anomaly(-1.0, 0.0, known)[0] == 100
    assert anomaly(99.5, 0.0, known)[0] == 0


def test_the_error_of_a_percentage_is_that_of_scoring_again():
    rng = np.random.default_rng(0)
    known = rng.normal(-90, 20, 10_000)
    value, error = anomaly(-88.0, 2.5, known)
    again = [anomaly(-88.0 + 2.5 * step, 0.0, known)[0] for step in rng.normal(size=400)]
    assert error == pytest.approx(np.std(again), rel=0.15)
    assert value == pytest.approx(np.mean(again), abs=error / 3)
