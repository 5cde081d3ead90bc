"""Geodesics: straight if the decoder is flat, shorter where it curves, never of higher energy."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from explorer.errors import NoDensityError
from explorer.geodesics import embedding, geodesic, shortest
from tests.support.models import small_checkpoint

A, B = np.array([0.8, 0.0]), np.array([0.8, 2.0])
GREAT_CIRCLE, CHART_LINE = 1.252865, 1.3934


def sphere(angles):
    """Latitude and longitude on the unit sphere."""
    up, round_ = angles[:, 0], angles[:, 1]
    return torch.stack([up.cos() * round_.cos(), up.cos() * round_.sin(), up.sin()], 1)


def slowed(angles):
    """The same sphere, its longitude run through unevenly."""
    u = angles[:, 1] / 2
    return sphere(torch.stack([angles[:, 0], 2 * (0.5 * u + 0.5 * u**2)], 1))


def test_a_linear_decoder_has_straight_geodesics():
    matrix = torch.randn(7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, b = np.array([0.0, 1.0, -1.0]), np.array([2.0, -1.0, 0.5])
    found = geodesic(a, b, lambda z: z @ matrix.T)
    line = a + np.linspace(0, 1, len(found.codes))[:, None] * (b - a)
    np.testing.assert_allclose(found.codes, line, atol=1e-9)
    energy = float((matrix @ torch.from_numpy(b - a)).pow(2).sum())
    np.testing.assert_allclose(found.energies[-1], energy, rtol=1e-12)
    assert abs(found.saved) < 1e-9


@pytest.mark.parametrize("segments", [16, 64])
def test_a_great_circle_is_found(segments):
    found = geodesic(A, B, sphere, segments=segments)
    expected = (2 * segments * math.sin(GREAT_CIRCLE / (2 * segments))) ** 2
    np.testing.assert_allclose(found.energies[-1], expected, rtol=1e-5)
    assert found.energies[-1] < GREAT_CIRCLE**2
    np.testing.assert_allclose(found.straight_length, CHART_LINE, rtol=1e-3)
    np.testing.assert_allclose(found.saved, 1 - GREAT_CIRCLE / CHART_LINE, rtol=0.02)


def test_the_ends_stay_and_the_speed_is_even():
    found = geodesic(A, B, slowed, segments=48)
    np.testing.assert_array_equal(found.codes[[0, -1]], [A, B])
    steps = slowed(torch.from_numpy(found.codes)).diff(dim=0).norm(dim=1)
    assert float(steps.max() / steps.min()) < 1.05


@pytest.mark.slow
def test_the_length_does_not_hang_on_the_parametrisation():
    end = np.array([0.8, 2.0])
    one, other = geodesic(A, end, sphere, segments=64), geodesic(A, end, slowed, segments=64)
    np.testing.assert_allclose(one.length, other.length, rtol=1e-4)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "logistic"])
def test_energy_never_rises_and_is_at_most_the_straight_lines(likelihood):
    opened = small_checkpoint("vamp", latent=3, likelihood=likelihood)
    embed = embedding(opened.model.double())
    a, b = np.array([-2.0, 0.5, 1.0]), np.array([1.5, -1.0, 2.0])
    found = geodesic(a, b, embed, segments=12)
    assert all(later < earlier for earlier, later in pairwise(found.energies))
    line = torch.from_numpy(a + np.linspace(0, 1, 13)[:, None] * (b - a))
    straight = 12 * embed(line).diff(dim=0).pow(2).sum()
    np.testing.assert_allclose(found.energies[0], float(straight), rtol=1e-12)
    assert found.length**2 <= found.energies[-1] * (1 + 1e-12)
    assert found.length <= found.straight_length


def test_bernoulli_pixels_are_embedded_with_the_fisher_metric():
    opened = small_checkpoint("vamp", latent=3)
    model = opened.model.double()
    z = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    p = model.likelihood(z).mean.flatten(1)
    torch.testing.assert_close(embedding(model)(z), 2 * p.sqrt().arcsin())


def test_a_way_over_several_ends_visits_each():
    ends = np.array([[0.8, 0.0], [0.2, 1.0], [0.8, 2.0]])
    codes, legs = shortest(ends, 9, sphere, np.ones(2))
    assert len(legs) == 2
    np.testing.assert_allclose(codes[[0, 4, 8]], ends)


def test_equal_ends_make_a_way_of_no_length():
    found = geodesic(A, A, sphere)
    assert found.length == found.straight_length == found.saved == 0


def test_a_decoder_that_goes_pixel_by_pixel_has_none():
    opened = small_checkpoint("vamp", model="pixelhvae")
    with pytest.raises(NoDensityError, match="autoregressive"):
        embedding(opened.model)(torch.zeros(2, opened.model.space.size))
