"""The engine draws, scales and seeds each level, and says what its numbers are of."""

import math

import numpy as np
import pytest
import torch

from explorer.errors import LevelError, NoDensityError
from explorer.inference import Engine
from explorer.interfaces import LatentPrior
from explorer.metrics import importance_sampling
from tests.support.data import digits
from tests.support.gaussians import standard
from tests.support.hierarchies import (
    BOTTOM,
    TOP,
    every_hierarchy,
    every_prior,
    pictures,
    with_components,
)
from tests.support.models import PRIORS, small_checkpoint


@pytest.mark.parametrize(
    ("name", "kind"), [("hvae", "mog"), ("hvae", "flow"), ("pixelhvae", "vamp")]
)
def test_a_level_drawn_anew_leaves_the_other_bit_for_bit(name, kind):
    engine = Engine(small_checkpoint(kind, model=name), "cpu")
    z = engine.draw(1, seed=9)[0][0]
    upper, lower = (engine.resample(z, level, 40, seed=4) for level in ("z2", "z1"))
    assert upper.dtype == lower.dtype == np.float32
    assert upper.shape == lower.shape == (40, TOP + BOTTOM)
    assert np.array_equal(upper[:, TOP:], np.tile(z[TOP:], (40, 1)))
    assert np.array_equal(lower[:, :TOP], np.tile(z[:TOP], (40, 1)))
    assert len(np.unique(upper[:, :TOP], axis=0)) == len(np.unique(lower[:, TOP:], axis=0)) == 40
    for level, first in (("z2", upper), ("z1", lower)):
        assert np.array_equal(engine.resample(z, level, 40, seed=4), first)
        assert not np.array_equal(engine.resample(z, level, 40, seed=5), first)


def test_a_level_drawn_anew_has_the_law_of_its_prior():
    n = 20_000
    engine = Engine(small_checkpoint("xvae", model="hvae"), "cpu")
    z = engine.draw(1, seed=9)[0][0]
    top, given = (
        engine.prior.upper.components(),
        engine.prior.below(torch.from_numpy(z[None, :TOP])),
    )
    for scale in (0.0, 0.5, 1.0):
        upper, lower = (
            torch.from_numpy(engine.resample(z, level, n, scale=scale)).double()
            for level in ("z2", "z1")
        )
        for drawn, law in ((upper[:, :TOP], top), (lower[:, TOP:], given)):
            width = scale * law.scale[0].double()
            error = width / math.sqrt(n)
            assert bool(((drawn.mean(0) - law.loc[0]).abs() <= 4 * error + 1e-6).all())
            assert bool(((drawn.std(0) - width).abs() <= 4 * error + 1e-6).all())


def test_a_level_that_is_not_there_cannot_be_drawn():
    two, one = (Engine(small_checkpoint("mog", model=name), "cpu") for name in ("hvae", "vae"))
    with pytest.raises(LevelError, match="has no level z3"):
        two.resample(np.zeros(TOP + BOTTOM), "z3", 2)
    with pytest.raises(LevelError, match="has one level"):
        one.resample(np.zeros(TOP), "z", 2)
    with pytest.raises(NoDensityError):
        Engine(small_checkpoint(None), "cpu").resample(np.zeros(2), "z", 2)
    for engine, levels in ((two, 2), (one, 1)):
        with pytest.raises(LevelError, match=f"for {levels} levels"):
            engine.sample(3, scale=(1.0,) * 3)


@every_prior
def test_an_engine_scales_and_seeds_each_level(kind):
    engine = Engine(small_checkpoint(kind, model="hvae"), "cpu")
    both = engine.sample(9, (1.0, 0.5), (3, 4))
    drawn = engine.prior.draw(9, scale=(1.0, 0.5), seed=(3, 4))
    assert np.array_equal(both.z, drawn.z.numpy())
    assert np.array_equal(both.component, drawn.component.numpy())
    assert np.array_equal(both.x, engine.decode(both.z))
    torch.testing.assert_close(both.log_density, engine.prior.log_prob(drawn.z).numpy())
    assert np.array_equal(engine.sample(9, (0.3, 0.5), (3, 4)).component, both.component)


@every_hierarchy
def test_draws_of_a_posterior_go_down_the_levels(name):
    engine = Engine(small_checkpoint("mog", model=name), "cpu")
    x = pictures(1)
    n = 4000
    z = torch.from_numpy(engine.posterior_draws(x, n, seed=2))
    assert z.shape == (n, TOP + BOTTOM)
    q = engine.checkpoint.model.posterior(x)
    eps = (z[:, :TOP] - q.loc) / q.scale
    below = q.below(z[:, :TOP])
    eps = torch.cat([eps, (z[:, TOP:] - below.loc) / below.scale], 1).double()
    assert float(eps.mean(0).abs().max()) < 4 / math.sqrt(n)
    assert float((eps.std(0) - 1).abs().max()) < 4 / math.sqrt(n)
    apart = torch.corrcoef(eps.T) - torch.eye(TOP + BOTTOM)
    assert float(apart.abs().max()) < 4.5 / math.sqrt(n)
    assert np.array_equal(engine.posterior_draws(x, n, seed=2), z)
    assert not np.array_equal(engine.posterior_draws(x, n, seed=3), z)
    np.testing.assert_allclose(engine.posterior_draws(x, 7, seed=2), z[:7], atol=1e-5)


def test_draws_of_a_point_are_the_point():
    engine = Engine(small_checkpoint(None), "cpu")
    x = pictures(1)
    drawn = engine.posterior_draws(x, 3)
    np.testing.assert_allclose(drawn, np.tile(engine.encode(x).loc, (3, 1)), atol=1e-6)


def test_the_top_is_the_level_of_the_learned_prior():
    two, one = (Engine(small_checkpoint("mog", model=name), "cpu") for name in ("hvae", "vae"))
    assert two.top == (two.prior.upper, TOP)
    assert one.top == (one.prior, TOP)
    assert [level.name for level in two.space.levels] == ["z2", "z1"]
    assert two.space.size == two.checkpoint.config.model.latent == TOP + BOTTOM


@with_components
def test_responsibilities_of_an_engine_hang_on_the_top_alone(kind):
    engine = Engine(small_checkpoint(kind, model="hvae"), "cpu")
    z = engine.draw(100, 2.0)[0]
    found = engine.responsibilities(z)
    best = engine.prior.upper.responsibilities(torch.from_numpy(z[:, :TOP])).argmax(1)
    assert found.tolist() == best.tolist()
    shown = engine.prototypes()
    assert np.array_equal(shown.decoded, engine.decode(engine.components().loc))


@pytest.mark.parametrize("kind", PRIORS)
def test_moments_are_those_of_samples(kind):
    engine = Engine(small_checkpoint(kind, latent=3), "cpu")
    mean, spread = engine.moments()
    z = engine.draw(40_000, seed=9)[0].astype(float)
    assert mean.shape == spread.shape == (3,)
    counted = kind in ("flow", "gaussian")  # of 4096 draws; the rest has a closed form
    error = spread * np.sqrt(1 / 40_000 + counted / 4096)
    assert (np.abs(z.mean(0) - mean) < 5 * error).all()
    np.testing.assert_allclose(z.std(0), spread, rtol=0.03)


def test_moments_of_a_prior_without_components_are_counted():
    class Curved(LatentPrior):
        def log_prob(self, z):
            return z.sum(-1)

        def draw(self, n, *, scale=1.0, seed=0, component=None):
            drawn = standard(2).draw(n, scale=scale, seed=seed)
            return drawn._replace(z=(3 + 2 * drawn.z).float())

        def components(self):
            return None

    engine = Engine(small_checkpoint("standard"), "cpu")
    engine._prior = Curved()
    mean, spread = engine.moments()
    np.testing.assert_allclose(mean, [3, 3], atol=0.15)
    np.testing.assert_allclose(spread, [2, 2], atol=0.15)


def test_an_engine_scores_as_importance_sampling_does():
    opened = small_checkpoint("vamp")
    engine = Engine(opened, "cpu")
    x = digits().test.x[:5]
    found = engine.score(x, samples=40, seed=2)
    expected = importance_sampling(
        opened.model, engine.prior, torch.from_numpy(x), samples=40, seed=2
    )
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)
    assert bool((found.log_likelihood >= found.elbo).all())


def test_a_glance_is_what_is_decoded_up_to_rounding():
    engine = Engine(small_checkpoint("vamp"), "cpu")
    z = engine.draw(5, seed=4)[0]
    np.testing.assert_allclose(engine.glance(z), engine.decode(z), atol=1e-5)
    np.testing.assert_array_equal(engine.glance(z)[2:3], engine.glance(z[2:3]))
