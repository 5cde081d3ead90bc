"""A strip keeps its noise from frame to frame."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.distributions import MultivariateNormal

from explorer import strips
from explorer.checkpoint import load
from explorer.distributions import DiagonalMixture
from explorer.errors import NoDensityError
from explorer.inference import Engine
from explorer.metrics.tradeoff import measure_tradeoff, read_tradeoff
from tests.support.engines import engine_of
from tests.support.gaussians import normal
from tests.support.models import small_checkpoint


def test_a_grid_keeps_its_codes_and_their_pictures():
    engine = Engine(small_checkpoint("mog"), "cpu")
    z = normal(12, 2).reshape(4, 3, 2)
    strip = strips.grid_strip(engine, z, (0.0, 0.5, 1.0, 2.0))
    assert strip.samples.shape == (4, 3, 1, 8, 8)
    assert strip.values == (0.0, 0.5, 1.0, 2.0)
    np.testing.assert_array_equal(strip.z, z)
    for frame in range(4):
        np.testing.assert_array_equal(strip.samples[frame], engine.decode(z[frame]))
        np.testing.assert_array_equal(strip.log_density[frame], engine.log_prior(z[frame]))
    assert strip.components.tolist() == [-1] * 3


def test_a_traversal_starts_at_its_centre_and_moves_one_direction_a_row():
    engine = Engine(small_checkpoint("standard", latent=4), "cpu")
    centre, directions = normal(1, 4)[0], np.eye(4, dtype=np.float32)[:3] * 2
    strip = strips.traversal_strip(engine, centre, directions, (-1.5, 0.0, 1.0))
    assert strip.z.shape == (3, 3, 4)
    np.testing.assert_array_equal(strip.z[1], np.tile(centre, (3, 1)))
    for frame, value in enumerate(strip.values):
        for row in range(3):
            expected = centre.copy()
            expected[row] += 2 * value
            np.testing.assert_allclose(strip.z[frame, row], expected, atol=1e-6)
    exact = MultivariateNormal(torch.zeros(4), torch.eye(4)).log_prob(torch.from_numpy(strip.z))
    np.testing.assert_allclose(strip.log_density, exact, atol=1e-4)


def test_a_traversal_of_an_autoencoder_has_pictures_too():
    engine = Engine(small_checkpoint(None), "cpu")
    strip = strips.traversal_strip(
        engine, np.zeros(2, np.float32), np.eye(2, dtype=np.float32), (0.0, 1.0)
    )
    assert strip.samples.shape[:2] == (2, 2)
    assert not strip.log_density.any()


def test_a_difference_is_how_far_two_strips_are_apart():
    one, other = (
        strips.scale_strip(
            Engine(small_checkpoint(kind), "cpu"), strips.StripSpec(tiles=5), (0.5, 1.0)
        )
        for kind in ("standard", "mog")
    )
    apart = strips.difference_strip(one, other)
    np.testing.assert_array_equal(apart.samples, np.abs(one.samples - other.samples))
    np.testing.assert_array_equal(apart.samples, strips.difference_strip(other, one).samples)
    assert apart.samples.max() > 0.01
    assert not strips.difference_strip(one, one).samples.any()
    assert apart.z is None
    assert apart.spec is None
    assert set(apart.components.tolist()) == {-1}
    assert one.panel[1] != apart.panel[1]


def test_a_mixture_of_the_engines_components_has_the_engines_moments():
    engine = Engine(small_checkpoint("mog"), "cpu")
    parts = engine.components()
    mixture = DiagonalMixture(parts.log_weights, parts.loc, parts.scale)
    mean, spread = engine.moments()
    np.testing.assert_allclose(mean, mixture.mean, atol=1e-6)
    np.testing.assert_allclose(spread, mixture.variance.sqrt(), atol=1e-6)


@pytest.mark.slow
def test_refining_never_costs_an_exact_encoder_anything_that_can_be_measured():
    engine = Engine(load("digits-vae-standard-16"), "cpu")
    x = engine.sample(4, seed=5).x.round()
    for row in x:
        found = engine.refine(row[None])
        assert found.rise > -3 * found.error
        assert abs(float(found.elbo[-1] - found.elbo[0]) - found.rise) < 1e-4


def test_a_curve_measured_in_another_way_is_not_gone_on_with():
    opened = load("digits-vae-vamp-2")
    data = opened.config.data.load(Path())
    done = read_tradeoff(opened)
    stale = done._replace(n=done.n - 1, values=done.values + 9)
    kept = []

    class Enough(Exception):
        pass

    def keep(curve):
        kept.append(curve)
        raise Enough

    with pytest.raises(Enough):
        measure_tradeoff(opened, data, known=stale, keep=keep)
    assert kept[0].n == done.n
    assert (kept[0].values[0] < stale.values[0]).any()


# Slow models


@pytest.fixture(scope="module")
def slow():
    return Engine(small_checkpoint("mog", model="convhvae"), "cpu")


def test_only_a_large_strip_of_a_slow_model_is_deferred(slow):
    few, many = strips.StripSpec(tiles=6), strips.StripSpec(tiles=7)
    assert slow.slow
    assert not strips.scale_strip(slow, few).deferred
    assert strips.scale_strip(slow, many).deferred
    dense = Engine(small_checkpoint("mog", model="hvae"), "cpu")
    assert not strips.scale_strip(dense, strips.StripSpec(tiles=64)).deferred


def test_a_deferred_frame_is_decoded_when_it_is_asked_for_and_equals_the_whole(slow, monkeypatch):
    decoded = []
    decode = type(slow).decode

    def watch(engine, z, labels=None):
        decoded.append(len(z))
        return decode(engine, z)

    monkeypatch.setattr(type(slow), "decode", watch)
    strip = strips.scale_strip(slow, strips.StripSpec(tiles=9, seed=2))
    assert decoded == []
    one = strip.body(30)
    assert decoded == [9]
    assert strip.body(30) == one
    assert decoded == [9]
    header, body = strip.panel
    assert len(decoded) == 41
    size = len(body) // header["frames"]
    assert body[30 * size : 31 * size] == one
    np.testing.assert_array_equal(strip.samples[30], decode(slow, strip.z[30]))


def test_the_difference_to_a_deferred_strip_is_deferred(slow):
    one = strips.scale_strip(slow, strips.StripSpec(tiles=7))
    other = strips.scale_strip(slow, strips.StripSpec(tiles=7, seed=1))
    apart = strips.difference_strip(one, other)
    assert apart.deferred
    np.testing.assert_array_equal(
        apart.frames[3], strips.difference(one.frames[3], other.frames[3])
    )


def test_the_frames_of_a_path_lie_side_by_side():
    engine = Engine(small_checkpoint("mog"), "cpu")
    z = normal(5, 2)
    path = strips.grid_strip(engine, z[:, None], tuple(map(float, range(5))))
    row, plain = strips.as_row(path), strips.grid_strip(engine, z[None], (0.0,))
    np.testing.assert_array_equal(row.samples, plain.samples)
    np.testing.assert_array_equal(row.z, plain.z)
    np.testing.assert_array_equal(row.log_density, plain.log_density)
    assert row.panel == plain.panel


def test_the_time_of_a_noised_prior_goes_from_noise_to_its_reference():
    engine, spec = engine_of("digits-dmvae-noised-2"), strips.StripSpec(tiles=5, seed=3)
    assert engine.timed
    start, middle, end, trained = (
        strips.scale_strip(engine, spec.model_copy(update={"time": t})).z
        for t in (0.0, 0.5, 1.0, None)
    )
    np.testing.assert_allclose(middle, (start + end) / 2, atol=1e-6)
    np.testing.assert_allclose(trained, 0.2 * start + 0.8 * end, atol=1e-6)
    np.testing.assert_array_equal(end[0], end[-1])
    other = engine_of("digits-dmvae-sphere-2")
    assert not other.timed
    timed = spec.model_copy(update={"time": 0.5})
    assert timed.of_model(other) == spec
    assert strips.StripSpec.of(timed.query()) == timed
    with pytest.raises(NoDensityError, match="no time"):
        other.draw(1, time=0.5)
    with pytest.raises(ValidationError):
        strips.StripSpec.of({"t": "1.5"})
