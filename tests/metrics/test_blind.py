"""A blind test is fair, and its score has an interval."""

import numpy as np
import pytest

from explorer.metrics.blind import PAIRS, pairs
from explorer.metrics.proportions import share_of, wilson


@pytest.mark.parametrize("seed", range(4))
def test_data_are_left_in_half_of_the_pairs_and_right_in_the_others(seed):
    real, made = np.ones((PAIRS, 1, 2, 2), np.float32), np.zeros((PAIRS, 1, 2, 2), np.float32)
    found = pairs(real, made, seed)
    assert found.left.sum() == PAIRS // 2
    np.testing.assert_array_equal(found.x[:, 0, 0, 0, 0] == 1, found.left)
    np.testing.assert_array_equal(found.x[:, 1, 0, 0, 0] == 0, found.left)


def test_the_order_is_that_of_the_seed():
    x = np.zeros((PAIRS, 3), np.float32)
    orders = [tuple(pairs(x, x, seed).left) for seed in (0, 0, 1, 2)]
    assert orders[0] == orders[1]
    assert len(set(orders)) == 3


def test_interval_is_wilsons():
    # Newcombe (1998), table I: 81 of 263, and 0 of 20.
    found = share_of(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    none = share_of(0, 20)
    assert (none.low, round(none.high, 4)) == (0.0, 0.1611)
    assert share_of(20, 20).high == 1.0


def test_interval_covers_as_often_as_it_says():
    hits = np.random.default_rng(0).binomial(20, 0.7, 20_000) / 20
    low, high = wilson(hits, 20, 1.959964)
    assert 0.93 < ((low < 0.7) & (high > 0.7)).mean() < 0.98
