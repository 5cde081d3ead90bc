"""Novelty, typicality, ELBO surgery and steps agree with known values."""

import dataclasses
import functools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch.distributions import MultivariateNormal, Normal

from explorer import strips
from explorer.checkpoint import TRADEOFF, load, results_folder
from explorer.data import DigitsConfig
from explorer.distributions import DiagonalMixture
from explorer.errors import CheckpointError, NoDensityError
from explorer.inference import Engine
from explorer.interfaces import LatentPrior, Posterior, noise
from explorer.metrics import importance_sampling, tradeoff, vendi_score
from explorer.metrics.amortisation import refine
from explorer.metrics.novelty import MOST_TRAINING, NoveltyReference, typicality
from explorer.metrics.samples import WhitenedComponents
from explorer.metrics.surgery import Surgery, elbo_surgery
from explorer.metrics.tradeoff import (
    MEASURES,
    REPEATS,
    SCALES,
    Tradeoff,
    measure_tradeoff,
    read_tradeoff,
)
from explorer.priors.mixture import LatentMixture
from explorer.ui import cache
from tests.metrics.test_metrics import LinearGaussian, brute_prdc, observations, standard
from tests.support.models import PRIORS, small_checkpoint

SHIPPED = Path(__file__).parents[2] / "checkpoints" / "digits-vae-vamp-2"


def normal(n, latent, seed=0):
    return np.random.default_rng(seed).normal(size=(n, latent)).astype(np.float32)


@functools.cache
def digits():
    return DigitsConfig().load(Path("nowhere"))


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


def test_only_so_many_training_codes_are_compared_with():
    measure = NoveltyReference(normal(MOST_TRAINING + 100, 2), normal(30, 2, 1))
    assert measure.training == MOST_TRAINING
    assert measure.held_out == 30
    assert measure.judge(normal(0, 2)).nearest.shape == (0, 1)


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


# What the KL is made of


def quadrature(loc, scale, prior):
    """Integrate the parts of the mean KL of one-dimensional posteriors."""
    grid = torch.linspace(-40, 40, 160_001, dtype=torch.float64)
    log_q = Normal(loc, scale).log_prob(grid[:, None])
    log_aggregated = log_q.logsumexp(1) - math.log(len(loc))
    log_prior = prior.log_prob(grid[:, None])
    q, step = log_q.exp(), float(grid[1] - grid[0])
    mean = (q * (log_q - log_prior[:, None])).sum() * step / len(loc)
    marginal = (log_aggregated.exp() * (log_aggregated - log_prior)).sum() * step
    return float(mean), float(marginal)


def toy():
    loc = torch.tensor([-2.0, -1.5, -0.3, 0.0, 0.4, 1.9, 3.0], dtype=torch.float64)
    scale = torch.tensor([0.3, 0.8, 0.2, 0.5, 0.4, 1.1, 0.25], dtype=torch.float64)
    return loc, scale


def test_the_parts_of_a_kl_are_those_of_quadrature():
    loc, scale = toy()
    prior = standard(1)
    mean, marginal = quadrature(loc, scale, prior)
    found = elbo_surgery(Posterior(loc[:, None], scale[:, None]), prior, draws=1200)
    assert found.n == 7
    assert abs(found.marginal - marginal) < 0.05
    assert abs(found.information - (mean - marginal)) < 0.05
    exact = Normal(loc, scale)
    kl = torch.distributions.kl_divergence(exact, Normal(torch.zeros(7).double(), 1.0)).mean()
    assert abs(mean - float(kl)) < 1e-6


@pytest.mark.parametrize("draws", [1, 16])
def test_the_parts_sum_to_the_mean_kl_of_the_same_codes(draws):
    loc, scale = torch.from_numpy(normal(60, 3)), torch.from_numpy(np.exp(normal(60, 3, 1)))
    q, prior = Posterior(loc, scale), standard(3)
    found = elbo_surgery(q, prior, draws=draws, seed=4)
    z = loc + scale * noise(60 * draws, 3, 4).reshape(draws, 60, 3)
    kl = float((q.log_prob(z) - prior.log_prob(z)).mean())
    assert found.information + found.marginal == pytest.approx(kl, abs=1e-4)
    assert found == elbo_surgery(q, prior, draws=draws, seed=4)
    assert found != elbo_surgery(q, prior, draws=draws, seed=5)


def test_equal_posteriors_tell_nothing():
    one = torch.ones(50, 4)
    found = elbo_surgery(Posterior(0.7 * one, 0.5 * one), standard(4))
    assert abs(found.information) < 1e-5
    assert found.information_error < 1e-5
    exact = 4 * (math.log(2) + (0.25 + 0.49 - 1) / 2)
    assert abs(found.marginal - exact) < 4 * found.marginal_error
    assert not found.saturated


def test_posteriors_far_apart_tell_everything():
    loc = 100 * torch.from_numpy(normal(64, 5))
    found = elbo_surgery(Posterior(loc, torch.full((64, 5), 0.3)), standard(5))
    assert found.information == pytest.approx(math.log(64), abs=1e-5)
    assert found.saturated


def test_under_the_aggregated_posterior_as_prior_nothing_is_left():
    loc, scale = torch.from_numpy(normal(80, 3)), torch.full((80, 3), 0.5)
    prior = LatentMixture(torch.full((80,), -math.log(80)), loc, scale)
    found = elbo_surgery(Posterior(loc, scale), prior)
    assert abs(found.marginal) < 1e-5
    assert found.marginal_error < 1e-5
    assert 0 < found.information < math.log(80)


def test_the_information_is_saturated_from_its_share_of_the_ceiling_on():
    n = 100
    ceiling = math.log(n)
    assert Surgery(0.96 * ceiling, 0.0, 0.0, 0.0, n).saturated
    assert not Surgery(0.94 * ceiling, 0.0, 0.0, 0.0, n).saturated


# Fidelity and diversity over the scale


@functools.cache
def curve():
    return measure_tradeoff(small_checkpoint("mog"), digits())


def test_a_curve_has_every_scale_and_says_when_it_is_whole():
    seen, steps = [], []
    opened = small_checkpoint("mog")
    whole = measure_tradeoff(
        opened, digits(), keep=seen.append, report=lambda *counts: steps.append(counts)
    )
    assert whole.scales.tolist() == list(SCALES)
    assert whole.values.shape == whole.errors.shape == (len(SCALES), len(MEASURES))
    assert whole.complete
    assert [each.complete for each in seen] == [False] * (len(SCALES) - 1) + [True]
    assert steps == [(k + 1, len(SCALES)) for k in range(len(SCALES))]
    assert (whole.errors >= 0).all()
    for a, b in zip(whole, curve(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_row_at_scale_one_is_that_of_samples_as_trained():
    opened, data = small_checkpoint("mog"), digits()
    n = len(data.test)
    real = data.test.x[np.random.default_rng(0).permutation(n)]
    features = WhitenedComponents(real)
    prior = opened.prior(opened.model.posterior)
    rows = []
    for seed in range(REPEATS):
        with torch.inference_mode():
            mean = opened.model.likelihood(prior.draw(n, seed=seed).z).mean
            # Data are binary, and so are samples.
            x = torch.bernoulli(mean, generator=torch.Generator().manual_seed(seed)).numpy()
        fake = features(x)
        rows.append((*brute_prdc(features(real), fake, 5), vendi_score(fake)))
    found = curve()
    row = found.scales.tolist().index(1.0)
    np.testing.assert_allclose(found.values[row], np.mean(rows, 0), rtol=1e-5, atol=2e-3)
    error = np.std(rows, 0, ddof=1) / math.sqrt(REPEATS)
    np.testing.assert_allclose(found.errors[row], error, rtol=0.05, atol=2e-3)
    assert (found.n, found.repeats, found.seed) == (n, REPEATS, 0)


def test_a_scale_is_that_of_the_noise_in_the_codes(monkeypatch):
    scales = []
    draw = LatentMixture.draw

    def seen(self, n, *, scale=1.0, seed=0, component=None):
        scales.append((scale, seed))
        return draw(self, n, scale=scale, seed=seed, component=component)

    monkeypatch.setattr(LatentMixture, "draw", seen)
    measure_tradeoff(small_checkpoint("standard"), digits(), seed=7)
    assert scales == [(scale, 7 + repeat) for scale in SCALES for repeat in range(REPEATS)]


def test_known_scales_are_not_measured_again(monkeypatch):
    whole, asked = curve(), []
    draw = tradeoff.draw_data

    def counted(*arguments, scale=1.0, **named):
        asked.append(scale)
        return draw(*arguments, scale=scale, **named)

    monkeypatch.setattr(tradeoff, "draw_data", counted)
    rows = np.array([1, 4, 10])
    known = whole._replace(
        scales=whole.scales[rows], values=whole.values[rows], errors=whole.errors[rows]
    )
    again = measure_tradeoff(small_checkpoint("mog"), digits(), known=known)
    missing = [scale for k, scale in enumerate(SCALES) if k not in rows]
    assert asked == [scale for scale in missing for _ in range(REPEATS)]
    for a, b in zip(again, whole, strict=True):
        np.testing.assert_array_equal(a, b)
    asked.clear()
    measure_tradeoff(small_checkpoint("mog"), digits(), known=again)
    assert asked == []


def test_a_stopped_curve_goes_on_where_it_was_stopped():
    kept = []

    def stop(found):
        kept.append(found)
        if len(kept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_tradeoff(small_checkpoint("mog"), digits(), keep=stop)
    assert kept[-1].scales.tolist() == list(SCALES[:3])
    resumed = measure_tradeoff(small_checkpoint("mog"), digits(), known=kept[-1])
    np.testing.assert_array_equal(resumed.values, curve().values)


def test_without_a_prior_there_is_no_curve():
    with pytest.raises(NoDensityError):
        measure_tradeoff(small_checkpoint(None), digits())


def some_curve(scales=3):
    generator = np.random.default_rng(0)
    return Tradeoff(
        np.array(SCALES[:scales]),
        generator.random((scales, len(MEASURES))),
        generator.random((scales, len(MEASURES))),
        generator.random(len(MEASURES)),
        360,
        REPEATS,
        0,
    )


def opened_in(folder):
    folder.mkdir(exist_ok=True)
    return dataclasses.replace(load(SHIPPED), folder=folder)


def write_curve(folder, digest, **changed):
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / TRADEOFF, hash=digest, **some_curve()._asdict() | changed)


def test_a_kept_curve_is_read_back(tmp_path):
    opened = opened_in(tmp_path / "one")
    assert read_tradeoff(opened) is None
    write_curve(opened.folder, opened.hash)
    found = read_tradeoff(opened)
    for a, b in zip(found, some_curve(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not found.complete
    assert some_curve(len(SCALES)).complete
    write_curve(results_folder(opened.hash), opened.hash, n=77)
    assert read_tradeoff(opened).n == 77


@pytest.mark.parametrize("digest", ["another", "", None])
def test_a_curve_of_other_weights_is_passed_over(tmp_path, digest):
    opened = opened_in(tmp_path / "one")
    write_curve(opened.folder, digest or "")
    if digest is None:
        np.savez_compressed(opened.folder / TRADEOFF, **some_curve()._asdict())
    assert read_tradeoff(opened) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scales", np.zeros((3, 1))),
        ("scales", np.array([0.0, np.nan, 0.4])),
        ("values", np.zeros((3, 4))),
        ("values", np.full((3, 5), np.nan)),
        ("errors", np.zeros((2, 5))),
        ("errors", np.full((3, 5), np.inf)),
        ("null", np.zeros(4)),
        ("n", np.zeros(1)),
        ("n", np.nan),
        ("seed", np.zeros(2)),
        ("repeats", np.inf),
    ],
)
def test_a_damaged_curve_is_refused(tmp_path, name, value):
    opened = opened_in(tmp_path / "one")
    write_curve(opened.folder, opened.hash, **{name: value})
    with pytest.raises(CheckpointError, match=name):
        read_tradeoff(opened)


@pytest.mark.parametrize("name", Tradeoff._fields)
def test_a_curve_that_lacks_a_part_is_refused(tmp_path, name):
    opened = opened_in(tmp_path / "one")
    parts = {key: value for key, value in some_curve()._asdict().items() if key != name}
    np.savez_compressed(opened.folder / TRADEOFF, hash=opened.hash, **parts)
    with pytest.raises(CheckpointError):
        read_tradeoff(opened)


def test_a_file_that_is_no_curve_is_refused(tmp_path):
    opened = opened_in(tmp_path / "one")
    for content in (b"", b"PK\x03\x04 no archive"):
        (opened.folder / TRADEOFF).write_bytes(content)
        with pytest.raises(CheckpointError):
            read_tradeoff(opened)


# What one encoder for all data costs


@pytest.mark.parametrize("row", range(4))
def test_refining_closes_the_gap_of_a_linear_model(row):
    model, x = LinearGaussian(wrong=0.8), observations()[row : row + 1]
    exact = float(model.marginal().log_prob(x))
    found = refine(model, standard(), x, steps=200, samples=4000)
    assert float(found.elbo[0]) < exact - 0.1
    assert float(found.elbo[-1]) == pytest.approx(exact, abs=0.01)
    truth = LinearGaussian().posterior(x)
    torch.testing.assert_close(found.loc, truth.loc[0], atol=0.05, rtol=0)
    torch.testing.assert_close(found.scale, truth.scale[0], atol=0.05, rtol=0)
    # Never above log p(x), but for the noise of codes; and it levels off.
    assert float(found.elbo.max()) < exact + 4 * found.error + 0.01
    assert float((found.elbo[-1] - found.elbo[-40]).abs()) < 0.01


def test_a_linear_model_with_the_exact_encoder_has_nothing_to_gain():
    model, x = LinearGaussian(), observations()[:1]
    found = refine(model, standard(), x, samples=4000)
    exact = float(model.marginal().log_prob(x))
    assert float(found.elbo[0]) == pytest.approx(exact, abs=1e-6)
    assert float(found.elbo[-1]) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("kind", PRIORS)
def test_the_first_bound_is_that_of_the_encoder(kind):
    engine = Engine(small_checkpoint(kind, latent=3), "cpu")
    x = digits().test.x[:1]
    found = refine(
        engine.checkpoint.model, engine.prior, torch.from_numpy(x), samples=4000, steps=0
    )
    expected = engine.score(x, samples=8000, seed=3)
    assert found.elbo.shape == (1,)
    assert abs(float(found.elbo[0]) - float(expected.elbo[0])) < 0.5
    assert (found.rise, found.error) == (0, 0)
    codes = engine.encode(x)
    np.testing.assert_allclose(found.loc, codes.loc[0], atol=1e-6)
    np.testing.assert_allclose(found.scale, codes.scale[0], rtol=1e-5)


@pytest.mark.parametrize("kind", PRIORS)
def test_refining_an_untrained_encoder_raises_the_bound(kind):
    engine = Engine(small_checkpoint(kind, latent=3), "cpu")
    found = engine.refine(digits().test.x[:1])
    assert float(found.elbo[-1]) > float(found.elbo[0]) + 1


@pytest.mark.parametrize("model", ["vae", "convvae", "hvae", "convhvae", "pixelhvae"])
def test_what_was_refined_is_a_whole_code(model):
    engine = Engine(small_checkpoint("vamp", model=model), "cpu")
    found = engine.refine(digits().test.x[:1])
    assert found.loc.shape == found.scale.shape == (engine.space.size,)
    assert engine.decode(found.loc.numpy()[None]).shape == (1, *engine.sketch.shape)


def test_the_refined_bound_stays_below_the_likelihood():
    engine = Engine(load(SHIPPED), "cpu")
    for row in range(3):
        x = digits().test.x[row : row + 1]
        found = engine.refine(x)
        likelihood = float(engine.score(x, samples=2000).log_likelihood[0])
        assert float(found.elbo[-1]) < likelihood + 4 * found.error
        assert len(found.elbo) == 61
        assert found.loc.shape == found.scale.shape == (2,)
        assert bool((found.scale > 0).all())


def test_refining_leaves_the_weights_as_they_are():
    opened = small_checkpoint("vamp")
    before = {name: part.clone() for name, part in opened.model.state_dict().items()}
    engine = Engine(opened, "cpu")
    x = digits().test.x[:1]
    codes = engine.encode(x)
    first, again = engine.refine(x), engine.refine(x)
    assert torch.equal(first.elbo, again.elbo)
    assert not torch.equal(first.elbo, engine.refine(x, seed=1).elbo)
    for name, part in opened.model.state_dict().items():
        assert torch.equal(part, before[name])
    np.testing.assert_array_equal(engine.encode(x).loc, codes.loc)
    assert all(part.grad is None for part in opened.model.parameters())


def test_a_plain_autoencoder_has_no_bound():
    engine = Engine(small_checkpoint(None), "cpu")
    x = digits().test.x[:1]
    with pytest.raises(NoDensityError):
        refine(engine.checkpoint.model, standard(), torch.from_numpy(x))
    for ask in (engine.refine, engine.score):
        with pytest.raises(NoDensityError):
            ask(x)
    with pytest.raises(NoDensityError):
        engine.moments()


# The engine's numbers


@pytest.mark.parametrize("kind", PRIORS)
def test_moments_are_those_of_samples(kind):
    engine = Engine(small_checkpoint(kind, latent=3), "cpu")
    mean, spread = engine.moments()
    z = engine.draw(40_000, seed=9)[0].astype(float)
    assert mean.shape == spread.shape == (3,)
    counted = kind == "flow"  # of 4096 draws; the rest has a closed form
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


# Strips


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


# Of a model on the shelf


@pytest.fixture(scope="module")
def engine():
    return Engine(load(SHIPPED.parent / "digits-vae-standard-16"), "cpu")


def test_data_are_judged_typical_by_drawn_codes_and_not_by_their_means(engine):
    atlas = cache.atlas(engine)
    test = atlas.split == 2
    rare = float((cache.data_typicality(engine)[test] < 5).mean())
    means = float((typicality(atlas.log_prior, cache.drawn_density(engine))[test] < 5).mean())
    assert 0.02 < rare < 0.1
    assert means > 0.3


def test_reconstructed_held_out_data_are_neither_copies_nor_far(engine):
    atlas, measure = cache.atlas(engine), cache.novelty_reference(engine)
    test = np.flatnonzero(atlas.split == 2)
    z = atlas.codes[test] + atlas.scale[test] * normal(len(test), engine.space.size, 7)
    found = measure.judge(engine.encode(engine.decode(z.astype(np.float32))).loc).percentile
    assert 42 < np.median(found) < 58
    assert (found < 5).mean() < 0.12
    assert (found > 95).mean() < 0.12
