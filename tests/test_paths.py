"""Paths have the right endpoints and speed, and follow the prior."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from explorer import paths
from explorer.distributions import DiagonalMixture
from explorer.interfaces import Components

ORIGIN, UNIT = np.zeros(2), np.ones(2)


def codes(n, latent, seed=0, spread=1.0):
    return (spread * np.random.default_rng(seed).normal(size=(n, latent))).astype(np.float32)


def angle(a, b):
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return np.arccos(np.clip(cosine, -1, 1))


def lengths(walked):
    return np.linalg.norm(np.diff(walked, axis=0), axis=1)


def ring(z):
    """Evaluate the log density of a ring of radius 2, up to a constant."""
    return -((z.norm(dim=1) - 2) ** 2) / (2 * 0.3**2)


def wells(places, scale=0.5):
    """Make a mixture of equal round components."""
    loc = torch.tensor(places, dtype=torch.float64)
    return DiagonalMixture(
        torch.full((len(loc),), -math.log(len(loc)), dtype=torch.float64),
        loc,
        torch.full_like(loc, scale),
    )


def heights(log_prob, walked):
    return -log_prob(torch.from_numpy(walked)).double().numpy()


def barrier(log_prob, walked):
    height = heights(log_prob, walked)
    return height.max() - max(height[0], height[-1])


def moments(mixture):
    return mixture.mean.numpy(), mixture.variance.sqrt().numpy()


# Straight


@pytest.mark.parametrize("ends", [2, 3, 4])
def test_a_straight_way_visits_its_ends_after_equally_many_frames(ends):
    z = codes(ends, 5)
    walked = paths.straight(z, 6 * (ends - 1) + 1)
    assert walked.dtype == np.float32
    np.testing.assert_array_equal(walked[::6], z)
    for leg in range(ends - 1):
        moves = np.diff(walked[6 * leg : 6 * leg + 7], axis=0)
        np.testing.assert_allclose(
            moves, np.broadcast_to((z[leg + 1] - z[leg]) / 6, moves.shape), atol=1e-6
        )


@pytest.mark.parametrize(("ends", "frames"), [(2, 2), (3, 10), (4, 101)])
def test_every_way_begins_and_stops_exactly(ends, frames):
    z = codes(ends, 2, spread=2)
    walked = {
        "straight": paths.straight(z, frames),
        "spherical": paths.spherical(z, frames, ORIGIN, UNIT),
        "following": paths.following(z, frames, ring, ORIGIN, UNIT),
    }
    for name, way in walked.items():
        assert way.shape == (frames, 2), name
        assert way.dtype == np.float32
        for row, end in ((0, z[0]), (-1, z[-1])):
            np.testing.assert_allclose(way[row], end, atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(walked["straight"][[0, -1]], z[[0, -1]])


def test_a_straight_way_through_a_gaussian_leaves_its_shell():
    a, b = codes(4000, 40), codes(4000, 40, seed=1)
    middle = np.stack([paths.straight(np.stack(pair), 3)[1] for pair in zip(a, b, strict=True)])
    shrunk = np.linalg.norm(middle, axis=1).mean() / np.linalg.norm(a, axis=1).mean()
    assert abs(shrunk - 1 / math.sqrt(2)) < 0.005
    assert abs(np.linalg.norm(middle, axis=1).mean() - 4.45) < 0.03


# Spherical


@pytest.mark.parametrize("latent", [2, 3, 40])
@pytest.mark.parametrize("ends", [2, 3, 4])
def test_an_arc_between_equal_norms_keeps_the_norm_and_the_angular_speed(latent, ends):
    z = codes(ends, latent).astype(np.float64)
    z *= 3 / np.linalg.norm(z, axis=1, keepdims=True)
    walked = paths.spherical(z, 8 * (ends - 1) + 1, np.zeros(latent), np.ones(latent))
    np.testing.assert_allclose(np.linalg.norm(walked, axis=1), 3, atol=1e-6)
    for leg in range(ends - 1):
        turned = angle(walked[8 * leg : 8 * leg + 8], walked[8 * leg + 1 : 8 * leg + 9])
        np.testing.assert_allclose(turned, angle(z[leg], z[leg + 1]) / 8, atol=1e-6)


def test_an_arc_between_unequal_norms_changes_its_norm_evenly():
    z = np.array([[1.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
    walked = paths.spherical(z, 9, np.zeros(3), np.ones(3))
    np.testing.assert_allclose(np.linalg.norm(walked, axis=1), np.linspace(1, 5, 9), atol=1e-6)
    np.testing.assert_allclose(angle(walked[:-1], walked[1:]), np.pi / 16, atol=1e-6)
    np.testing.assert_array_equal(walked[:, 2], 0)


def test_an_arc_between_equal_norms_is_the_textbook_one():
    a, b = codes(2, 6).astype(np.float64)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    between = angle(a, b)
    time = np.linspace(0, 1, 7)[:, None]
    expected = (np.sin((1 - time) * between) * a + np.sin(time * between) * b) / np.sin(between)
    walked = paths.spherical(np.stack([a, b]), 7, np.zeros(6), np.ones(6))
    np.testing.assert_allclose(walked, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [3.0, 6.0]),
        ([1.0, 2.0], [-1.0, -2.0]),
        ([1.0, 2.0], [-0.5, -1.0]),
        ([0.0, 0.0], [1.0, 2.0]),
        ([1.0, 2.0], [0.0, 0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1.0, 2.0], [-1.0, -2.0001]),
    ],
)
def test_an_arc_that_is_not_defined_is_straight(a, b):
    z = np.array([a, b], np.float32)
    walked = paths.spherical(z, 11, ORIGIN, UNIT)
    np.testing.assert_allclose(walked, paths.straight(z, 11), atol=1e-6)


def test_only_the_leg_without_an_arc_is_straight():
    z = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 2.0]], np.float32)
    walked = paths.spherical(z, 17, ORIGIN, UNIT)
    np.testing.assert_allclose(walked[:9], paths.straight(z[:2], 9), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(walked[8:], axis=1), 2, atol=1e-6)


def test_an_arc_turns_round_the_mean_in_units_of_the_spread():
    z = codes(3, 5, spread=2)
    loc, scale = codes(1, 5, seed=1)[0].astype(np.float64), np.array([0.1, 0.5, 1, 3, 9])
    plain = paths.spherical(z.astype(np.float64), 21, np.zeros(5), np.ones(5))
    walked = paths.spherical(loc + scale * z, 21, loc, scale)
    np.testing.assert_allclose(walked, loc + scale * plain, atol=1e-5)
    unwhitened = paths.spherical(loc + scale * z, 21, np.zeros(5), np.ones(5))
    assert np.abs(walked - unwhitened).max() > 0.1


def test_an_arc_keeps_the_typical_density_of_a_gaussian_where_a_straight_way_does_not():
    a, b = codes(2, 40, seed=3)
    shell = np.linalg.norm(
        paths.spherical(np.stack([a, b]), 33, np.zeros(40), np.ones(40)), axis=1
    )
    ends = sorted([np.linalg.norm(a), np.linalg.norm(b)])
    assert ends[0] - 1e-4 <= shell.min() <= shell.max() <= ends[1] + 1e-4
    assert np.linalg.norm(paths.straight(np.stack([a, b]), 33), axis=1).min() < ends[0] - 1


# Following the density


def test_on_a_ring_the_string_has_the_known_length_and_no_barrier():
    ends = np.array([[2.0, 0.0], [0.0, 2.0]])
    line = paths.straight(ends, 33)
    assert abs(barrier(ring, line) - 1.906365) < 1e-6
    found = paths.relax(line, ring)
    assert 0 <= found.barrier < 1e-4
    assert abs(barrier(ring, found.codes) - found.barrier) < 1e-4
    moved = lengths(found.codes)
    assert abs(moved.sum() - 3.14128) < 1e-3
    assert abs(moved.sum() - math.pi) < 2e-3
    assert moved.max() / moved.min() < 1.0005
    np.testing.assert_array_equal(found.codes[[0, -1]], ends)
    np.testing.assert_allclose(np.linalg.norm(found.codes, axis=1), 2, atol=5e-3)


def test_a_way_on_a_ring_is_the_same_in_other_units():
    ends = np.array([[2.0, 0.0], [0.0, 2.0]])
    loc, scale = np.array([40.0, -3.0]), np.array([7.0, 0.2])

    def moved(z):
        return ring((z - torch.from_numpy(loc)) / torch.from_numpy(scale))

    plain = paths.following(ends, 21, ring, ORIGIN, UNIT)
    walked = paths.following(loc + scale * ends, 21, moved, loc, scale)
    np.testing.assert_allclose((walked - loc) / scale, plain, atol=2e-3)


@pytest.mark.parametrize("frames", [9, 100])
def test_a_following_way_has_one_speed(frames):
    ends = np.array([[2.0, 0.0], [0.0, 2.0]])
    moved = lengths(paths.following(ends, frames, ring, ORIGIN, UNIT))
    assert moved.max() / moved.min() < 1.02
    assert abs(moved.sum() - math.pi) < 0.01


@pytest.mark.parametrize("start", [[3.0, 0.0], [2.0, -2.0]])
def test_under_one_gaussian_the_way_bows_to_the_mean(start):
    normal = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    ends = np.array([start, [0.0, 3.0]])
    walked = paths.following(ends, 33, normal.log_prob, ORIGIN, UNIT)
    line = paths.straight(ends, 33)
    assert np.linalg.norm(walked, axis=1).min() < 0.5 * np.linalg.norm(line, axis=1).min()
    assert heights(normal.log_prob, walked).mean() < heights(normal.log_prob, line).mean()
    assert barrier(normal.log_prob, walked) < 1e-9


def test_without_closeness_the_way_is_straight():
    ends = codes(3, 2, spread=2)
    anchors = codes(200, 2, seed=2, spread=2)
    walked = paths.following(ends, 21, ring, ORIGIN, UNIT, closeness=0.0, anchors=anchors)
    np.testing.assert_allclose(walked, paths.straight(ends, 21), atol=1e-5)


def test_the_less_closeness_the_nearer_to_the_line():
    ends = np.array([[2.0, 0.0], [0.0, 2.0]])
    line = paths.straight(ends, 33)
    away = [
        np.abs(paths.following(ends, 33, ring, ORIGIN, UNIT, closeness=closeness) - line).max()
        for closeness in (0.0, 0.02, 1.0)
    ]
    assert away == sorted(away)
    assert away[0] < 1e-6
    assert 0.01 < away[1] < 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    "places",
    [
        [[-2, 0], [2, 0]],
        [[-2, 0], [0, 2], [2, 0]],
        [[-2, -1], [0, 2.5], [2, -1], [0, -4]],
    ],
)
@pytest.mark.parametrize("closeness", [0.5, 1.0])
def test_no_barrier_is_above_that_of_the_straight_way(places, closeness):
    mixture = wells(places)
    loc, scale = moments(mixture)
    ends = np.array([places[0], places[-2] if len(places) > 2 else places[1]], float)
    walked = paths.following(ends, 33, mixture.log_prob, loc, scale, closeness=closeness)
    straight = barrier(mixture.log_prob, paths.straight(ends, 33))
    assert barrier(mixture.log_prob, walked) <= straight + 1e-6


def test_between_two_wells_the_way_crosses_at_the_saddle():
    mixture = wells([[-2, 0], [2, 0]])
    loc, scale = moments(mixture)
    ends = np.array([[-2.0, 1.0], [2.0, 1.0]])
    walked = paths.following(ends, 1001, mixture.log_prob, loc, scale)
    saddle = -float(mixture.log_prob(torch.zeros(1, 2, dtype=torch.float64)))
    assert heights(mixture.log_prob, walked).max() < saddle + 0.3
    middle = walked[np.abs(walked[:, 0]).argmin()]
    assert abs(middle[1]) < 0.5
    assert heights(mixture.log_prob, paths.straight(ends, 1001)).max() > saddle + 1.5


@pytest.mark.slow
def test_a_way_over_codes_of_data_finds_the_detour_that_a_string_does_not():
    places = [[2 * math.cos(t), 2 * math.sin(t)] for t in np.linspace(1, 2 * math.pi - 1, 12)]
    mixture = wells(places, scale=0.35)
    loc, scale = moments(mixture)
    ends = np.array([places[0], places[-1]])
    torch.manual_seed(0)
    anchors = mixture.sample((400,)).numpy()
    alone = paths.following(ends, 65, mixture.log_prob, loc, scale)
    guided = paths.following(ends, 65, mixture.log_prob, loc, scale, anchors=anchors)
    assert barrier(mixture.log_prob, alone) > 3
    assert barrier(mixture.log_prob, guided) < 1.2
    np.testing.assert_allclose(guided[[0, -1]], ends, atol=1e-9)


@pytest.mark.slow
def test_codes_of_data_never_raise_the_barrier():
    for seed in range(2):
        generator = np.random.default_rng(seed)
        mixture = wells(generator.normal(0, 2.5, (6, 2)).tolist(), scale=0.6)
        loc, scale = moments(mixture)
        ends = mixture.loc[:2].numpy()
        torch.manual_seed(seed)
        anchors = mixture.sample((150,)).numpy()
        # As many frames as the string has codes: between them it is not evaluated.
        alone, guided = (
            barrier(
                mixture.log_prob,
                paths.following(ends, 33, mixture.log_prob, loc, scale, anchors=given),
            )
            for given in (None, anchors)
        )
        assert guided <= alone + 1e-5


@pytest.mark.slow
def test_each_leg_is_followed_by_itself():
    ends = np.array([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]])
    walked = paths.following(ends, 41, ring, ORIGIN, UNIT)
    np.testing.assert_allclose(walked[20], ends[1], atol=1e-6)
    first = paths.following(ends[:2], 21, ring, ORIGIN, UNIT)
    second = paths.following(ends[1:], 21, ring, ORIGIN, UNIT)
    np.testing.assert_allclose(walked[:21], first, atol=1e-6)
    np.testing.assert_allclose(walked[20:], second, atol=1e-6)


def test_a_way_back_is_the_way_there():
    ends = np.array([[2.0, 0.0], [-1.2, 1.6]])
    there = paths.following(ends, 33, ring, ORIGIN, UNIT)
    back = paths.following(ends[::-1].copy(), 33, ring, ORIGIN, UNIT)
    np.testing.assert_allclose(there, back[::-1], atol=1e-3)


def test_steps_are_counted_in_spreads():
    scale = np.array([2.0, 0.5])
    walked = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [8.0, -1.0]])
    np.testing.assert_allclose(paths.steps(walked, scale), [1, 2, 5])


# Where an arc means nothing


def components(log_weights, loc, scale):
    return Components(
        *(torch.tensor(part, dtype=torch.float64) for part in (log_weights, loc, scale))
    )


def test_one_gaussian_has_a_centre_to_turn_round():
    assert paths.slerp_objection(None) is None
    assert paths.slerp_objection(components([0.0], [[5.0, 1.0]], [[1.0, 2.0]])) is None


def test_equal_components_are_one_gaussian():
    half = math.log(0.5)
    assert (
        paths.slerp_objection(components([half] * 2, [[1.0, 1.0]] * 2, [[1.0, 2.0]] * 2)) is None
    )
    nothing = components([0.0, -800.0], [[0.0, 0.0], [9.0, 9.0]], [[1.0, 1.0]] * 2)
    assert paths.slerp_objection(nothing) is None


def test_an_objection_tells_the_variance_between_components():
    torch.manual_seed(0)
    log_weights = torch.tensor([0.2, 0.3, 0.5]).double().log()
    loc = 3 * torch.randn(3, 2, dtype=torch.float64)
    scale = torch.rand(3, 2, dtype=torch.float64) + 0.5
    theirs = MixtureSameFamily(Categorical(logits=log_weights), Independent(Normal(loc, scale), 1))
    within = (log_weights.exp()[:, None] * scale**2).sum(0).sum()
    share = float(1 - within / theirs.variance.sum())
    assert share > 0.05
    said = paths.slerp_objection(Components(log_weights, loc, scale))
    assert f"{100 * share:.0f} %" in said
    assert "3 components" in said


def two_wells(z):
    means = torch.tensor([[-2.0, 0.0], [2.0, 0.0]], dtype=z.dtype)
    square = ((z[:, None] - means) ** 2).sum(-1)
    return (-0.5 * square / 0.25).logsumexp(1)


def heights_between(log_prob, codes, times=40):
    share = np.linspace(0, 1, times)[:, None, None]
    fine = (codes[:-1] * (1 - share) + codes[1:] * share).reshape(-1, codes.shape[1])
    return -log_prob(torch.from_numpy(fine)).numpy()


@pytest.mark.parametrize("ends", [[(-2, 1), (2, 1)], [(-2, 1), (2, -1)], [(-1, 0.5), (2, 0)]])
def test_a_string_neither_coils_nor_steps_over_a_ridge(ends):
    ends = np.array(ends, float)
    line = paths.straight(ends, paths.IMAGES)
    found = paths.relax(line, two_wells)
    worst = max(
        heights_between(two_wells, ends[[0, 0]]).max(),
        -float(two_wells(torch.from_numpy(ends[1:]))),
    )
    top = heights_between(two_wells, found.codes).max()
    assert top - worst <= heights_between(two_wells, line).max() - worst + 1e-3
    assert abs(found.barrier - (top - worst)) < 0.1
    assert lengths(found.codes).sum() < 2 * np.linalg.norm(ends[1] - ends[0])


def test_a_way_from_a_code_to_itself_stays_there():
    ends = np.array([[2.0, 1.0], [2.0, 1.0]], np.float32)
    walked = paths.following(ends, 9, two_wells, np.zeros(2), np.ones(2))
    np.testing.assert_allclose(walked, ends[:1].repeat(9, 0), atol=1e-6)
