"""A drawing becomes a reference, and a model that is matched to it."""

import numpy as np
import pytest

from explorer import checkpoint, jobs, matching, replay
from explorer.data.drawn import Stroke
from explorer.errors import TrainingError
from explorer.jobs import Order
from tests.support.runs import digits

pytestmark = pytest.mark.usefixtures("user")

LINE = Stroke([(0.1, 0.5), (0.9, 0.5)], 0.06)
DOT = Stroke([(0.5, 0.1)], 0.1)


def test_a_line_is_sampled_evenly_and_as_wide_as_it_is():
    z = matching.points_of([LINE])
    assert z.shape == (matching.POINTS, 2)
    assert z[:, 0].min() > -2.5
    quarters = np.histogram(z[:, 0], 4, (-2, 2))[0] / len(z)
    np.testing.assert_allclose(quarters, 0.25, atol=0.04)
    assert z[:, 1].mean() == pytest.approx(0, abs=0.02)
    assert z[:, 1].std() == pytest.approx(5 * 0.06 / 3, rel=0.1)


def test_up_is_up_and_the_same_drawing_is_the_same_sample():
    z = matching.points_of([DOT])
    assert z[:, 1].mean() == pytest.approx(2.0, abs=0.05)
    assert np.array_equal(z, matching.points_of([DOT]))


def test_long_strokes_have_more_of_the_codes():
    short = Stroke([(0.1, 0.1), (0.3, 0.1)], 0.06)
    z = matching.points_of([LINE, short])
    assert (z[:, 1] > 1).mean() == pytest.approx(0.2, abs=0.03)


def test_a_dot_beside_a_line_is_not_lost():
    z = matching.points_of([LINE, DOT])
    assert (z[:, 1] > 1).mean() == pytest.approx(0.1 / 0.9, abs=0.03)


def test_an_empty_sheet_is_said():
    with pytest.raises(TrainingError, match="Nothing is drawn"):
        matching.points_of([])


def test_a_drawing_starts_from_an_autoencoder_of_two_units():
    for slug in ("digits-ae-16", "digits-vae-vamp-2"):
        with pytest.raises(TrainingError, match="two units"):
            matching.recipe(checkpoint.load(slug), "0" * 12)


def test_a_match_can_be_watched_and_ends_as_a_model(tmp_path, monkeypatch):
    monkeypatch.setattr(matching, "EPOCHS", 3)
    start, live, told = checkpoint.load("digits-ae-2"), tmp_path / "live.npz", []
    name = matching.keep(matching.points_of([LINE, DOT]))
    assert matching.watched(live) is None
    matching.match(start, digits(), name, lambda *state: told.append(state), live)
    assert ("epoch", 3, 3) in told
    epoch, codes, plane = matching.watched(live)
    assert epoch <= 3
    assert codes.shape == (120, 2)
    assert plane.shape == (81, 1, 8, 8)
    opened = checkpoint.load(f"drawn-{name}")
    assert opened.config.prior.path == f"drawn-{name}.npy"
    assert opened.arrays(checkpoint.ATLAS)
    assert replay.read(opened).epochs[0] == 0
    assert (opened.folder / checkpoint.PREVIEW).is_file()


def test_orders_of_two_drawings_are_two_jobs_and_old_ones_keep_their_key():
    order = Order(kind="match", checkpoint="x", hash="ab", drawing="0" * 12)
    other = order.model_copy(update={"drawing": "1" * 12})
    assert order.key != other.key
    old = Order(kind="atlas", checkpoint="x", hash="ab")
    assert "drawing" in Order.model_fields
    assert old.key == Order.model_validate({"kind": "atlas", "checkpoint": "y", "hash": "ab"}).key
    assert jobs.live_of(order).name == matching.LIVE


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nothing"])
def test_a_torn_state_is_not_shown(tmp_path, content):
    path = tmp_path / "live.npz"
    path.write_bytes(content)
    assert matching.watched(path) is None
