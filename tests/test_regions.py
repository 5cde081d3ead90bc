"""Contours and holes are where the densities say."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from explorer import regions
from explorer.inference import Engine
from explorer.priors.mixture import LatentMixture
from explorer.projection import PRIOR_SAMPLES
from tests.support.atlases import (
    PriorOnly,
    atlas_of,
    drawn,
    gaussian_engine,
    integral,
    mixture_engine,
    normal,
)
from tests.support.models import small_checkpoint

# Inside a polygon


SQUARE = [[0, 0], [2, 0], [2, 2], [0, 2]]

COMB = [
    [0, 0],
    [6, 0],
    [6, 3],
    [5, 3],
    [5, 1],
    [4, 1],
    [4, 3],
    [3, 3],
    [3, 1],
    [1, 1],
    [1, 3],
    [0, 3],
]

CHEVRON = [[0, 0], [4, 3], [0, 6], [1.5, 3]]

STAR = [
    [math.cos(t) * r, math.sin(t) * r]
    for t, r in zip(np.arange(10) * math.pi / 5, itertools.cycle([3, 1]))
]


def winding(points, polygon):
    """Sum the angles under which the edges are seen: a whole turn inside, nothing outside."""
    away = polygon[None] - points[:, None]
    following = np.roll(away, -1, axis=1)
    cross = away[..., 0] * following[..., 1] - away[..., 1] * following[..., 0]
    turned = np.arctan2(cross, (away * following).sum(-1)).sum(1)
    return np.abs(turned) > math.pi


@pytest.mark.parametrize("corners", [SQUARE, COMB, CHEVRON, STAR])
@pytest.mark.parametrize("turn", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_point_is_inside_where_the_border_goes_round_it(corners, turn, backwards):
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    polygon = np.array(corners, float)[:: -1 if backwards else 1] @ rotation.T
    points = np.random.default_rng(0).uniform(polygon.min() - 1, polygon.max() + 1, (4000, 2))
    found = regions.inside(points, polygon)
    np.testing.assert_array_equal(found, winding(points, polygon))
    assert 0 < found.sum() < len(points)


@pytest.mark.parametrize("seed", range(5))
def test_inside_a_convex_polygon_is_on_one_side_of_every_edge(seed):
    generator = np.random.default_rng(seed)
    angles = np.sort(generator.uniform(0, 2 * np.pi, 9))
    polygon = np.stack([3 * np.cos(angles), 2 * np.sin(angles)], 1)
    points = generator.uniform(-3.5, 3.5, (2000, 2))
    edge = np.roll(polygon, -1, axis=0) - polygon
    to = points[:, None] - polygon
    expected = (edge[:, 0] * to[..., 1] - edge[:, 1] * to[..., 0] > 0).all(1)
    np.testing.assert_array_equal(regions.inside(points, polygon), expected)


def test_a_closed_polygon_holds_what_the_open_one_does():
    polygon = np.array(COMB, float)
    points = np.random.default_rng(1).uniform(-1, 7, (2000, 2))
    closed = np.concatenate([polygon, polygon[:1]])
    np.testing.assert_array_equal(regions.inside(points, closed), regions.inside(points, polygon))


def test_a_level_with_a_corner_counts_once():
    points = np.array([[1.0, 0.0], [-3.0, 0.0], [3.0, 0.0]])
    diamond = np.array([[-2.0, 0.0], [0.0, -2.0], [2.0, 0.0], [0.0, 2.0]])
    assert regions.inside(points, diamond).tolist() == [True, False, False]


def test_what_is_surrounded_twice_is_outside():
    points = np.array([[0.0, 0.0], [0.0, 2.5]])
    pentagram = np.array(
        [[3 * math.sin(t), 3 * math.cos(t)] for t in 4 * math.pi / 5 * np.arange(5)]
    )
    assert regions.inside(points, pentagram).tolist() == [False, True]


# Contours


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.3, 2.0)])
def test_contours_of_a_gaussian_have_their_known_radii(scale):
    x, y = (np.linspace(-5 * s + 1, 5 * s + 1, 301) for s in scale)
    u, v = np.meshgrid((x - 1) / scale[0], (y - 1) / scale[1])
    density = np.exp(-0.5 * (u**2 + v**2))
    for share, lines in zip(regions.SHARES, regions.contours(x, y, density), strict=True):
        assert len(lines) == 1
        radii = np.linalg.norm((lines[0] - 1) / np.array(scale), axis=1)
        np.testing.assert_allclose(radii, math.sqrt(-2 * math.log(1 - share)), atol=0.03)
        points = np.random.default_rng(0).normal(1, scale, (20_000, 2))
        error = math.sqrt(share * (1 - share) / len(points))
        assert abs(regions.inside(points, lines[0]).mean() - share) < 0.01 + 4 * error


def test_contours_of_two_far_gaussians_are_two_of_each():
    x, y = np.linspace(-10, 10, 201), np.linspace(-4, 4, 101)
    u, v = np.meshgrid(x, y)
    density = 0.7 * np.exp(-0.5 * ((u - 5) ** 2 + v**2)) + 0.3 * np.exp(
        -0.5 * ((u + 5) ** 2 + v**2)
    )
    assert [len(lines) for lines in regions.contours(x, y, density, (0.9, 0.99))] == [2, 2]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 1.0])
def test_a_level_holds_its_share_and_hardly_more(share):
    density = np.random.default_rng(0).exponential(size=(40, 30))
    level = regions.level_of(density, share)
    assert density[density >= level].sum() >= share * density.sum() - 1e-9
    assert density[density > level].sum() <= share * density.sum() + 1e-9


def test_levels_hang_not_on_the_unit_of_the_density():
    density = np.random.default_rng(0).exponential(size=(40, 30))
    for share in regions.SHARES:
        level = regions.level_of(density, share)
        assert math.isclose(regions.level_of(1e-30 * density, share), 1e-30 * level)


# The aggregated posterior


def test_the_aggregated_posterior_is_the_mixture_of_the_training_posteriors():
    atlas = atlas_of(normal(40, 3), normal(25, 3, 1), 0.4)
    spread = np.random.default_rng(5).uniform(0.1, 2, atlas.scale.shape).astype(np.float32)
    atlas = atlas._replace(scale=spread)
    z = torch.from_numpy(normal(100, 3, 2, spread=2))
    for split, rows in (("train", slice(0, 40)), ("test", slice(40, 65))):
        theirs = MixtureSameFamily(
            Categorical(logits=torch.zeros(len(atlas.codes[rows]))),
            Independent(
                Normal(torch.from_numpy(atlas.codes[rows]), torch.from_numpy(spread[rows])), 1
            ),
        )
        ours = regions.aggregated_posterior(atlas, split)
        torch.testing.assert_close(ours.log_prob(z), theirs.log_prob(z), atol=1e-4, rtol=1e-5)


def test_points_and_absent_splits_have_no_aggregated_posterior():
    assert regions.aggregated_posterior(atlas_of(normal(9, 2), normal(9, 2, 1), 0.0)) is None
    assert regions.aggregated_posterior(atlas_of(normal(9, 2), normal(9, 2), 1.0), "valid") is None


def test_few_codes_of_held_out_data_lie_below_the_level_of_a_hole():
    atlas = atlas_of(normal(500, 2), normal(4000, 2, 1), 0.5)
    q = regions.aggregated_posterior(atlas)
    level = np.quantile(regions.held_out_heights(atlas, q), regions.RARE)
    fresh = torch.from_numpy(normal(40_000, 2, 2, spread=math.sqrt(1.25)))
    below = float((q.log_prob(fresh) < level).float().mean())
    assert abs(below - regions.RARE) < 4 * math.sqrt(regions.RARE * 0.95 * (1 / 4000 + 1 / 40_000))


# Holes


def test_without_a_prior_or_posterior_there_is_no_plane():
    autoencoder = Engine(small_checkpoint(None), "cpu")
    points = atlas_of(normal(50, 2), normal(50, 2, 1), 0.0)
    assert regions.plane(autoencoder, points) is None
    assert regions.plane(gaussian_engine([0.0, 0.0], 1.0), points) is None
    train_only = atlas_of(normal(50, 2), normal(0, 2), 0.5)
    assert regions.plane(gaussian_engine([0.0, 0.0], 1.0), train_only) is None


@pytest.mark.parametrize("latent", [2, 8])
def test_of_a_perfect_prior_the_expected_share_falls_into_holes(latent):
    if latent == 2:
        train, test, scale = normal(1500, 2), normal(3000, 2, 1), 0.5
    else:
        # Few components that test codes repeat: then q(z) is the law of both.
        train = np.repeat(normal(20, latent, spread=3), 40, axis=0)
        test, scale = np.repeat(normal(20, latent, spread=3), 100, axis=0), 1.0
    engine = mixture_engine(train, scale)
    xy = None if latent == 2 else normal(len(train) + len(test), 2, 4)
    sample_xy = drawn(engine) if latent == 2 else normal(PRIOR_SAMPLES, 2, 5)
    found = regions.plane(engine, atlas_of(train, test, scale, sample_xy, xy))
    assert found.samples == PRIOR_SAMPLES
    assert found.exact == (latent == 2)
    # Both the prior's samples and the held-out codes that set the level are finitely many.
    expected_error = math.sqrt(0.05 * 0.95 * (1 / PRIOR_SAMPLES + 1 / len(test)))
    assert abs(found.hole_error - expected_error) < 0.003
    assert abs(found.hole_mass - 0.05) < 4 * expected_error


def test_the_error_of_a_share_in_holes_is_that_of_repeated_experiments():
    repeats = [regions.share_below(normal(1000, 1, k)[:, 0], normal(250, 1, 999 + k)[:, 0])
               for k in range(200)]  # fmt: skip
    shares, errors = np.array(repeats).T
    assert abs(shares.mean() - regions.RARE) < 0.01
    assert abs(np.sqrt((errors**2).mean()) / shares.std(ddof=1) - 1) < 0.2


@pytest.mark.parametrize("latent", [2, 6])
def test_a_prior_far_from_data_is_one_hole(latent):
    engine = gaussian_engine([8.0] * latent, 1.0)
    train, test = normal(300, latent), normal(200, latent, 1)
    xy = None if latent == 2 else np.concatenate([train, test])[:, :2]
    found = regions.plane(engine, atlas_of(train, test, 0.4, drawn(engine)[:, :2], xy))
    assert found.hole_mass > 0.99
    assert found.hole_error < 0.01
    biggest = found.holes[0]
    assert biggest.mass > 0.9
    np.testing.assert_allclose(biggest.xy, [8, 8], atol=1)
    assert biggest.z.shape == (latent,)
    np.testing.assert_allclose(biggest.z, [8] * latent, atol=3)


def test_holes_are_between_the_data_and_the_biggest_comes_first():
    centres = np.array([[-4, 0], [4, 0]], np.float32)
    train = np.concatenate([normal(300, 2, k, 0.5) + c for k, c in enumerate(centres)])
    test = np.concatenate([normal(300, 2, 5 + k, 0.5) + c for k, c in enumerate(centres)])
    prior = PriorOnly(
        LatentMixture(
            torch.tensor([0.5, 0.3, 0.2]).log(),
            torch.tensor([[4.0, 0.0], [0.0, 5.0], [0.0, -5.0]]),
            torch.full((3, 2), 0.5),
        )
    )
    found = regions.plane(prior, atlas_of(train, test, 0.3, drawn(prior)))
    masses = [hole.mass for hole in found.holes]
    assert masses == sorted(masses, reverse=True)
    for hole, place_, mass in zip(found.holes, ([0, 5], [0, -5]), (0.3, 0.2), strict=False):
        np.testing.assert_allclose(hole.xy, place_, atol=0.4)
        assert 0.9 * mass < hole.mass <= mass
    assert abs(found.hole_mass - 0.5) < 0.1
    atlas = atlas_of(train, test, 0.3)
    aggregated = regions.aggregated_posterior(atlas)
    level = np.quantile(regions.held_out_heights(atlas, aggregated), regions.RARE)
    for hole in found.holes:
        assert float(aggregated.log_prob(torch.from_numpy(hole.z)[None])) < level


@pytest.mark.parametrize("seed", range(4))
def test_exact_holes_never_hold_more_than_the_prior_does(seed):
    generator = np.random.default_rng(seed)
    prior = PriorOnly(
        LatentMixture(
            torch.from_numpy(generator.normal(size=6).astype(np.float32)).log_softmax(0),
            torch.from_numpy(generator.normal(0, 4, (6, 2)).astype(np.float32)),
            torch.from_numpy(generator.uniform(0.3, 1.5, (6, 2)).astype(np.float32)),
        )
    )
    train, test = normal(200, 2, seed), normal(200, 2, seed + 50)
    found = regions.plane(prior, atlas_of(train, test, 0.4, drawn(prior)))
    total = integral(found, found.prior)
    assert 0.97 < total < 1.005
    masses = [hole.mass for hole in found.holes]
    assert masses == sorted(masses, reverse=True)
    assert 0 < sum(masses) <= integral(found, found.prior * found.hole) + 1e-5 < total
    # What is counted in samples agrees with what is integrated, but for the thinnest percent.
    assert abs(sum(masses) - found.hole_mass) < 0.02 + 4 * found.hole_error
    assert integral(found, found.aggregated) <= 1.005


def test_estimated_holes_are_counted_in_samples():
    engine = PriorOnly(
        LatentMixture(
            torch.tensor([0.6, 0.4]).log(),
            torch.tensor([[0.0] * 5, [9.0] * 5]),
            torch.ones(2, 5),
        )
    )
    train, test = normal(400, 5), normal(400, 5, 1)
    z = drawn(engine)
    xy = np.concatenate([train, test])[:, :2]
    found = regions.plane(engine, atlas_of(train, test, 0.5, z[:, :2], xy))
    assert not found.exact
    inside = (z[:, 0] > 4.5).mean()
    assert len(found.holes) >= 1
    assert sum(hole.mass for hole in found.holes) <= found.hole_mass + 1e-9
    assert found.hole_mass >= inside
    chosen = found.holes[0]
    assert chosen.z.tolist() in z.tolist()
    np.testing.assert_allclose(chosen.xy, chosen.z[:2])
    assert abs(sum(hole.mass for hole in found.holes) - inside) < 0.05
    assert all(hole.xy.min() > 4 for hole in found.holes)


def test_outlines_go_round_the_holes():
    engine = gaussian_engine([8.0, 8.0], 1.0)
    found = regions.plane(engine, atlas_of(normal(300, 2), normal(200, 2, 1), 0.4, drawn(engine)))
    lines = regions.outlines(found)
    for line in lines:
        np.testing.assert_array_equal(line[0], line[-1])
    grid = np.stack(np.meshgrid(found.x, found.y), -1).reshape(-1, 2)
    covered = np.zeros(len(grid), bool)
    for line in lines:
        covered ^= regions.inside(grid, line)
    np.testing.assert_array_equal(covered.reshape(found.hole.shape), found.hole)
