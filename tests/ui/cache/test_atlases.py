"""What pages cache of a model is what was measured of it."""

import numpy as np
import pytest

from explorer.metrics.novelty import typicality
from explorer.projection import Split, rows_of
from explorer.reference import passed
from explorer.ui import cache
from explorer.ui.cache import references
from tests.support.engines import engine_of
from tests.support.gaussians import normal


@pytest.fixture(scope="module")
def engine():
    return engine_of("digits-vae-standard-16")


def test_data_are_judged_typical_by_drawn_codes_and_not_by_their_means(engine):
    atlas = cache.atlas(engine)
    test = atlas.split == Split.TEST
    rare = float((cache.data_typicality(engine)[test] < 5).mean())
    means = float((typicality(atlas.log_prior, cache.drawn_density(engine))[test] < 5).mean())
    assert 0.02 < rare < 0.1
    assert means > 0.3


def test_reconstructed_held_out_data_are_neither_copies_nor_far(engine):
    atlas, measure = cache.atlas(engine), cache.novelty_reference(engine)
    test = np.flatnonzero(atlas.split == Split.TEST)
    z = atlas.codes[test] + atlas.scale[test] * normal(len(test), engine.space.size, 7)
    found = measure.judge(engine.encode(engine.decode(z.astype(np.float32))).loc).percentile
    assert 42 < np.median(found) < 58
    assert (found < 5).mean() < 0.12
    assert (found > 95).mean() < 0.12


def test_without_a_reference_the_map_takes_its_place_with_rows_at_random(monkeypatch):
    engine = engine_of("digits-vae-standard-2")
    monkeypatch.setattr(references, "reference", lambda engine: None)
    measure = references.novelty_reference.__wrapped__(engine)
    atlas = cache.atlas(engine)
    assert measure.training == (atlas.split == Split.TRAIN).sum()
    assert measure.total is None
    assert not measure.whole
    test = rows_of(atlas, Split.TEST)
    z = atlas.codes[test] + atlas.scale[test] * normal(len(test), engine.space.size, 7)
    found = measure.judge(passed(engine, z.astype(np.float32))).percentile
    assert abs((found < 5).mean() - 0.05) < 0.06
    own = passed(engine, atlas.codes[atlas.split == Split.TRAIN])
    assert (measure.judge(own).percentile < 5).mean() > 0.95
