"""The smallest change of class is the nearest within the prior; what is said of a plane."""

import numpy as np
import pytest

from explorer.designs import decisions, flips
from explorer.designs.flips import flip
from explorer.errors import DesignError
from tests.support.asked import classifier, described_regressor, install, regressor
from tests.support.engines import CURVES, engine_of

FLAT, DEEP = "digits-vae-vamp-2", "digits-vae-vamp-16"
pytestmark = pytest.mark.usefixtures("one_prober")


@pytest.fixture
def side(tmp_path):
    """A classifier by which half of the ink is heavier: digits are of both classes."""
    return install(tmp_path / "side", classifier(seed=1)).family


@pytest.fixture
def start():
    return engine_of(FLAT).sample(1, 1.0, 4).z[0]


def nearest(engine, family, z, floor, before):
    """The nearest code of another class on a fine grid around a code, in standard deviations."""
    _, spread = engine.moments()
    line = np.linspace(-2.5, 2.5, 401)
    steps = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    codes = (z + steps * spread).astype(np.float32)
    good = family.judge(engine.decode(codes)).best != before
    good[good] = engine.heights(codes[good]) >= floor
    return np.linalg.norm(steps[good], axis=1).min()


@pytest.mark.parametrize("seed", [1, 4])
def test_it_is_the_nearest_that_there_is(side, seed):
    engine = engine_of(FLAT)
    z = engine.sample(1, 1.0, seed).z[0]
    floor = float(np.percentile(engine.log_prior(engine.sample(500).z), 5))
    found = flip(engine, side, z, floor)
    assert found.before != found.after
    assert found.log_density >= floor
    assert side.judge(engine.decode(found.z[None])).best[0] == found.after
    _, spread = engine.moments()
    np.testing.assert_allclose(
        np.linalg.norm((found.z - z) / spread), found.distance, rtol=1e-3, atol=1e-5
    )
    best = nearest(engine, side, z, floor, found.before)
    assert found.distance <= best + 0.02


def test_a_floor_that_cuts_off_the_nearest_is_kept(side, start):
    engine = engine_of(FLAT)
    low = flip(engine, side, start, -np.inf)
    heights = engine.log_prior(engine.sample(500).z)
    high = flip(engine, side, start, float(np.percentile(heights, 60)))
    assert high is None or (
        high.log_density >= np.percentile(heights, 60) and high.distance >= low.distance - 1e-3
    )
    assert flip(engine, side, start, np.inf) is None


def test_pulling_in_improves_on_the_way_to_samples(side):
    engine = engine_of(DEEP)
    z = engine.sample(1, 1.0, 2).z[0]
    found = flip(engine, side, z, -np.inf)
    assert found.distance < 0.95 * found.straight


def test_a_class_can_be_asked_for(side, start):
    engine = engine_of(FLAT)
    found = flip(engine, side, start, -np.inf)
    again = flip(engine, side, start, -np.inf, wanted=found.after)
    assert again.after == found.after
    with pytest.raises(DesignError, match="already"):
        flip(engine, side, start, -np.inf, wanted=found.before)


def test_the_same_seed_finds_the_same(side, start):
    engine = engine_of(FLAT)
    one, two = (flip(engine, side, start, -np.inf, seconds=60.0) for _ in range(2))
    np.testing.assert_array_equal(one.z, two.z)


def test_it_stops_at_its_limits(side, start, monkeypatch):
    engine = engine_of(DEEP)
    z = engine.sample(1, 1.0, 2).z[0]
    found = flip(engine, side, z, -np.inf, evaluations=300)
    assert found.evaluations < 300 + 16 * 16 + 16 * 8
    assert not found.complete
    monkeypatch.setattr(flips.time, "monotonic", iter(range(1000)).__next__)
    assert flip(engine, side, z, -np.inf, seconds=1.0).evaluations < 1000


def test_what_has_no_class_is_refused(side, start):
    side.fault = "It is off."
    with pytest.raises(DesignError, match="no answer"):
        flip(engine_of(FLAT), side, start, -np.inf)


def test_a_decision_map_says_at_each_place_what_is_decoded_there(side):
    engine = engine_of(FLAT)
    found = decisions.decide(engine, side, (-3.0, 3.0), (-2.0, 2.0), finest=24)
    assert found.value.shape == (24, 36)
    row, column = 5, 30
    z = np.array([[found.x[column], found.y[row]]], np.float32)
    judged = side.judge(engine.decode(z))
    assert judged.best[0] == found.best[row, column]
    np.testing.assert_allclose(judged.margin[0], found.value[row, column], atol=1e-4)
    picture = decisions.painted(found, ("#000000", "#ff0000", "#00ff00"))
    assert picture.shape == (24, 36, 4)
    tone = [(0, 0, 0), (255, 0, 0), (0, 255, 0)][judged.best[0]]
    assert tuple(picture[23 - row, column, :3]) == tone  # the highest y comes first
    assert picture[23 - np.argmax(found.value.max(1)), :, 3].max() > picture[..., 3].min()


def test_unknown_places_are_left_open(tmp_path):
    family = install(tmp_path / "logs", regressor(), described_regressor()).family
    found = decisions.decide(engine_of(FLAT), family, (-1.0, 1.0), (-1.0, 1.0), finest=8)
    assert found.best is None
    broken = found._replace(value=np.where(np.eye(8) > 0, np.nan, found.value))
    alpha = decisions.painted(broken, ("#000000", "#ffffff"))[::-1, :, 3]
    assert (alpha[np.eye(8) > 0] == 0).all()
    assert (alpha[np.eye(8) == 0] > 0).all()


def test_a_slow_network_gets_a_coarser_map(side, monkeypatch):
    monkeypatch.setattr(decisions, "SECONDS", 1e-9)
    found = decisions.decide(engine_of(FLAT), side, (-3.0, 3.0), (-3.0, 3.0))
    assert found.value.shape == (decisions.COARSEST, decisions.COARSEST)


def test_a_plane_needs_two_units(side):
    with pytest.raises(DesignError, match="two latent units"):
        decisions.decide(engine_of(CURVES), side, (-1.0, 1.0), (-1.0, 1.0))
