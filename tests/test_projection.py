"""Codes are placed among their neighbours, and places lifted to codes."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from explorer.projection import (
    NEIGHBOURS,
    geometric_median,
    lift,
    nearest,
    place,
    positions,
    reach,
)
from tests.support.atlases import atlas_of, normal


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "whitened"])
@pytest.mark.parametrize("k", [1, 7, 200, 500])
def test_nearest_agrees_with_brute_force(metric, k):
    codes = normal(200, 4) * np.array([0.2, 1, 5, 30], np.float32) + 3
    z = codes.mean(0) + normal(1, 4, 9)[0] * codes.std(0)
    whole = {
        "euclidean": cdist(codes, z[None]),
        "cosine": cdist(codes - codes.mean(0), (z - codes.mean(0))[None], "cosine"),
        "whitened": cdist(codes, z[None], "seuclidean", V=codes.var(0)),
    }[metric][:, 0]
    order, distance = nearest(codes, z, k, metric)
    assert len(order) == len(distance) == min(k, 200)
    np.testing.assert_allclose(distance, np.sort(whole)[:k], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(whole[order], distance, rtol=1e-4, atol=1e-5)


def test_each_metric_finds_another_neighbour():
    codes = np.array(
        [[1.0, 3.5], [4.0, 0.1], [0.4, -0.4], [-4.0, 0.0], [0.0, -30.0], [-1.2, 26.4]], np.float32
    )
    z = np.array([1.0, 0.0], np.float32)
    found = {name: int(nearest(codes, z, 1, name)[0][0]) for name in ("euclidean", "whitened")}
    assert found == {"euclidean": 2, "whitened": 0}
    assert int(nearest(codes, z, 1, "cosine")[0][0]) == 1


def test_a_known_code_is_its_own_nearest():
    codes = normal(300, 8)
    for metric in ("euclidean", "cosine", "whitened"):
        order, distance = nearest(codes, codes[37], 3, metric)
        assert order[0] == 37
        assert distance[0] == pytest.approx(0, abs=1e-6)
        assert (np.diff(distance) >= 0).all()


def test_a_known_code_is_placed_among_its_neighbours():
    codes = normal(600, 6)
    xy = codes[:, :2] @ np.array([[2, 1], [0, 1]], np.float32)
    placed = place(codes, xy, codes[:50])
    for row in range(50):
        near = np.argsort(cdist(codes[row : row + 1], codes)[0])[:NEIGHBOURS]
        low, high = xy[near].min(0), xy[near].max(0)
        assert (low - 1e-5 <= placed[row]).all()
        assert (placed[row] <= high + 1e-5).all()
        expected = geometric_median(xy[near][None].astype(float))[0]
        np.testing.assert_allclose(placed[row], expected, atol=5e-3)


@pytest.mark.parametrize("majority", range(8, 16))
def test_a_code_between_two_clusters_is_placed_in_one_and_not_in_the_gap(majority):
    generator = np.random.default_rng(majority)
    few = NEIGHBOURS - majority
    codes = generator.normal(size=(NEIGHBOURS, 5)).astype(np.float32)
    xy = generator.normal(size=(NEIGHBOURS, 2)) * 0.5
    xy[majority:] += 40
    placed = place(codes, xy.astype(np.float32), np.zeros((1, 5), np.float32))[0]
    assert np.linalg.norm(placed) < 5
    mean = xy.mean(0)
    assert abs(np.linalg.norm(mean) - 40 * math.sqrt(2) * few / NEIGHBOURS) < 1
    if few > 1:
        assert np.linalg.norm(mean) > 5


def test_places_hang_not_on_the_number_of_rows():
    codes, xy, z = normal(700, 6), normal(700, 2, 1), normal(1100, 6, 2)
    whole = place(codes, xy, z)
    np.testing.assert_allclose(whole[1000:], place(codes, xy, z[1000:]), atol=5e-3)
    assert place(codes, xy, z[:0]).shape == (0, 2)


def test_fewer_codes_than_neighbours_are_enough():
    codes, xy = normal(4, 3), normal(4, 2, 1)
    placed = place(codes, xy, normal(5, 3, 2))
    expected = geometric_median(xy[None].astype(float))[0]
    np.testing.assert_allclose(placed, np.tile(expected, (5, 1)), atol=5e-3)


def spread_sum(points, centre):
    return np.linalg.norm(points - centre, axis=1).sum()


@pytest.mark.parametrize("seed", range(12))
def test_a_geometric_median_has_the_least_sum_of_distances(seed):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(NEIGHBOURS, 2)) * generator.uniform(0.01, 50, 2)
    points[: seed % 7] += 30
    found = geometric_median(points[None])[0]
    best = min(
        minimize(
            lambda c: spread_sum(points, c),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
        ).fun
        for start in (points.mean(0), np.median(points, axis=0))
    )
    assert spread_sum(points, found) <= best * (1 + 2e-3)
    assert spread_sum(points, found) <= spread_sum(points, points.mean(0)) + 1e-9


def test_medians_of_many_sets_are_those_of_each():
    points = np.random.default_rng(0).normal(size=(30, NEIGHBOURS, 2))
    whole = geometric_median(points)
    for row, each in enumerate(points):
        np.testing.assert_allclose(geometric_median(each[None])[0], whole[row], atol=5e-3)


def test_a_median_moves_and_turns_with_its_points():
    points = np.random.default_rng(3).normal(size=(40, NEIGHBOURS, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    plain = geometric_median(points, 200)
    np.testing.assert_allclose(geometric_median(points @ turn.T, 200), plain @ turn.T, atol=2e-3)
    shift = np.array([9, -4])
    np.testing.assert_allclose(geometric_median(points + shift), geometric_median(points) + shift)
    np.testing.assert_allclose(geometric_median(7 * points), 7 * geometric_median(points))


def test_a_median_is_where_most_points_are_one():
    points = np.random.default_rng(0).normal(size=(1, NEIGHBOURS, 2))
    points[0, :8] = [2, -1]
    np.testing.assert_allclose(geometric_median(points), [[2, -1]], atol=0.02)
    same = np.full((1, NEIGHBOURS, 2), 3.0)
    np.testing.assert_allclose(geometric_median(same), [[3, 3]])


def test_on_a_plane_a_place_is_its_code():
    codes, places = normal(100, 2), normal(40, 2, 1, spread=9)
    np.testing.assert_array_equal(lift(codes, codes, places), places)


def test_elsewhere_a_place_is_lifted_among_the_codes_there():
    codes = normal(500, 6)
    xy = codes[:, :2].copy()
    places = normal(30, 2, 1, spread=0.7)
    lifted = lift(codes, xy, places)
    assert lifted.shape == (30, 6)
    assert np.abs(lifted[:, :2] - places).max() < 0.3
    for row, z in zip(places, lifted, strict=True):
        near = np.argsort(np.linalg.norm(xy - row, axis=1))[:NEIGHBOURS]
        assert (codes[near].min(0) - 1e-5 <= z).all()
        assert (z <= codes[near].max(0) + 1e-5).all()


def test_a_place_between_equal_codes_is_lifted_to_them():
    codes = np.repeat(normal(2, 4), 20, axis=0)
    xy = np.repeat(np.array([[0, 0], [10, 0]], np.float32), 20, axis=0)
    lifted = lift(codes, xy, np.array([[0.5, 0.0], [9.0, 1.0]]))
    np.testing.assert_allclose(lifted, codes[[0, 20]], atol=1e-6)


def test_a_plane_places_codes_where_they_are_and_a_projection_among_their_neighbours():
    train, test, new = normal(80, 2), normal(40, 2, 1), normal(5, 2, 2)
    np.testing.assert_array_equal(positions(atlas_of(train, test, 0.1), new), new)
    shifted = atlas_of(train, test, 0.1, xy=np.concatenate([train, test]) + 100)
    np.testing.assert_array_equal(positions(shifted, new), place(shifted.codes, shifted.xy, new))
    assert positions(shifted, new).min() > 90


def test_almost_all_codes_have_their_neighbours_within_reach():
    xy = normal(700, 2)
    away = np.sort(cdist(xy, xy), 1)[:, NEIGHBOURS]
    assert reach(xy) == pytest.approx(np.percentile(away, 99), rel=1e-3)
    assert reach(3 * xy) == pytest.approx(3 * reach(xy), rel=1e-3)


@pytest.mark.parametrize("n", [0, 1, 2, 10])
def test_a_map_of_few_codes_has_a_finite_reach(n):
    assert 0 <= reach(normal(n, 2)) < 10
