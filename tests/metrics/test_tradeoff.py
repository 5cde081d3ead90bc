"""The curve of diversity and fidelity is measured scale by scale, and resumed."""

import dataclasses
import functools
import math

import numpy as np
import pytest
import torch

from explorer.checkpoint import TRADEOFF, load, results_folder
from explorer.errors import CheckpointError, NoDensityError
from explorer.metrics import tradeoff, vendi_score
from explorer.metrics.samples import WhitenedComponents
from explorer.metrics.tradeoff import (
    MEASURES,
    REPEATS,
    SCALES,
    Tradeoff,
    measure_tradeoff,
    read_tradeoff,
)
from explorer.priors.mixture import LatentMixture
from tests.support.data import digits
from tests.support.engines import PIXELS
from tests.support.gaussians import brute_prdc
from tests.support.models import small_checkpoint


@functools.cache
def curve():
    return measure_tradeoff(small_checkpoint("mog"), digits())


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_scale_is_that_of_the_noise_in_the_codes(monkeypatch):
    scales = []
    draw = LatentMixture.draw

    def seen(self, n, *, scale=1.0, seed=0, component=None):
        scales.append((scale, seed))
        return draw(self, n, scale=scale, seed=seed, component=component)

    monkeypatch.setattr(LatentMixture, "draw", seen)
    measure_tradeoff(small_checkpoint("standard"), digits(), seed=7)
    assert scales == [(scale, 7 + repeat) for scale in SCALES for repeat in range(REPEATS)]


@pytest.mark.slow
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


@pytest.mark.slow
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
    return dataclasses.replace(load(PIXELS), folder=folder)


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
