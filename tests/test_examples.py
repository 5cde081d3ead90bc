"""The examples run, and their output is as described."""

import numpy as np
import pytest
from PIL import Image

from explorer import Engine, load
from tests.examples import own_path, own_prior, scale_sweep


@pytest.fixture(scope="module")
def engine():
    return Engine(load("digits-vae-vamp-16"), "cpu")


def test_a_sweep_saves_a_row_of_samples_for_each_scale(tmp_path, engine):
    with Image.open(scale_sweep.main(tmp_path / "sweep.png")) as picture:
        shown = 1 - np.asarray(picture)[:: scale_sweep.PIXEL, :: scale_sweep.PIXEL] / 255
    rows = shown.reshape(len(scale_sweep.SCALES), 8, scale_sweep.SAMPLES, 8).swapaxes(1, 2)
    for row, scale in zip(rows, scale_sweep.SCALES, strict=True):
        expected = engine.sample(scale_sweep.SAMPLES, scale, seed=1).x[:, 0]
        np.testing.assert_allclose(row, expected, atol=1 / 255 + 1e-6)


def test_a_path_is_kept_from_one_sample_to_the_other(tmp_path, engine):
    with np.load(own_path.main(tmp_path / "path.npz")) as kept:
        codes, decoded, density = (kept[name] for name in ("codes", "decoded", "log_density"))
    assert codes.shape == (own_path.FRAMES, 16)
    assert decoded.shape == (own_path.FRAMES, 1, 8, 8)
    steps = np.diff(codes, axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-5)
    assert np.array_equal(density, engine.log_prior(codes))


def test_a_prior_of_ones_own_is_proven(capsys):
    own_prior.main()
    assert capsys.readouterr().out == "The Laplace prior keeps every law.\n"
