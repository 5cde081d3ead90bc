"""The assignment is the best of all, and its cost is told beside that of equal laws."""

from itertools import permutations

import numpy as np
import pytest

from explorer.metrics.transport import assign, transport


def normal(n, seed=0, latent=2):
    return np.random.default_rng(seed).standard_normal((n, latent)).astype(np.float32)


def test_no_other_pairing_is_shorter():
    codes, others = normal(6), normal(6, 1)
    found = assign(codes, others)
    costs = {
        order: ((codes - others[list(order)]) ** 2).sum(1).mean()
        for order in permutations(range(6))
    }
    best = min(costs, key=costs.__getitem__)
    assert tuple(found.partner) == best
    assert found.distance == pytest.approx(costs[best] ** 0.5, rel=1e-6)
    assert found.distance < np.sqrt(costs[tuple(range(6))])


def test_in_one_dimension_codes_keep_their_order():
    codes, others = normal(300, latent=1), 3 * normal(300, 1, latent=1) + 100
    partner = assign(codes, others).partner
    assert (np.argsort(codes[:, 0]) == np.argsort(others[partner, 0])).all()


def test_what_is_shifted_goes_back_by_the_shift():
    codes, order = normal(200), np.random.default_rng(2).permutation(200)
    shift = np.float32([0.3, -0.4])
    found = assign(codes, (codes + shift)[order])
    assert (order[found.partner] == np.arange(200)).all()
    assert found.distance == pytest.approx(0.5, rel=1e-4)


def test_equal_laws_are_as_far_apart_as_the_prior_from_itself():
    same = transport(normal(400, 9), normal)
    assert 0.7 < same.distance / same.null < 1.4
    wide = transport(2 * normal(400, 9), normal)
    assert wide.distance > 3 * wide.null
    assert {tuple(row) for row in same.partners} == {tuple(row) for row in normal(400)}
    assert len(np.unique(same.partners, axis=0)) == 400


def test_only_the_first_units_are_compared_where_so_many_are_named():
    codes = normal(100, 4, 3)
    codes[:, 2] = 1e6
    found = transport(codes, lambda n, seed: normal(n, seed, 3), size=2)
    assert found.distance < 2
    assert found.partners.shape == (100, 3)
