"""A line drawn on the map becomes codes in equal steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.ui import cache
from explorer.ui.address.places import path_codes
from tests.support.engines import PIXELS, WIDE, engine_of


@pytest.mark.parametrize("frames", [2, 5, 17])
def test_a_path_has_equal_steps_from_end_to_end(atlas, frames):
    codes, places = path_codes(atlas, "-1,0,2,0,2,1", frames)
    assert places.shape == codes.shape == (frames, 2)
    np.testing.assert_allclose(places[[0, -1]], [[-1, 0], [2, 1]], atol=1e-6)
    arc = np.where(places[:, 1] > 0, 3 + places[:, 1], places[:, 0] + 1)
    np.testing.assert_allclose(np.diff(arc), 4 / (frames - 1), atol=1e-5)


def test_on_the_plane_a_path_is_its_own_codes(atlas):
    codes, places = path_codes(atlas, "0,0,1,1", 4)
    np.testing.assert_array_equal(codes, places)


def test_elsewhere_a_path_is_lifted_into_the_codes():
    known = cache.atlas(engine_of(WIDE))
    codes, places = path_codes(known, "0,0,1e9,-1e9", 9)
    assert codes.shape == (9, 16)
    assert np.isfinite(codes).all()
    assert np.isfinite(places).all()
    assert (codes >= known.codes.min(0) - 1e-4).all()
    assert (codes <= known.codes.max(0) + 1e-4).all()


def test_a_path_without_length_stays_where_it_is(atlas):
    _, places = path_codes(atlas, "1,2,1,2,1,2", 5)
    np.testing.assert_array_equal(places, np.full((5, 2), (1, 2), np.float32))


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=32),
    st.integers(2, 41),
)
@settings(max_examples=60)
def test_no_step_of_a_path_is_longer_than_its_share(vertices, frames):
    known = cache.atlas(engine_of(PIXELS))
    path = ",".join(f"{x / 10},{y / 10}" for x, y in vertices)
    _, places = path_codes(known, path, frames)
    corners = np.array(vertices) / 10
    length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert (steps <= length / (frames - 1) + 1e-4).all()
    np.testing.assert_allclose(places[[0, -1]], corners[[0, -1]], atol=1e-5)
