"""What stands in for a sample that is not at hand is of the kind of the data."""

import numpy as np
import pytest

from explorer.projection import Split
from explorer.ui import cache
from explorer.ui.address.views import ReconstructView
from explorer.ui.reconstruct import source
from tests.support.engines import CURVES, PIXELS, engine_of


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setattr(cache, "original", lambda engine, row: None)
    monkeypatch.setattr(cache, "originals", lambda engine: None)
    monkeypatch.setattr(source.st, "number_input", lambda *args, **kwargs: None)


@pytest.mark.usefixtures("absent")
def test_of_a_binary_sample_it_is_binary_and_ranked_among_them():
    engine = engine_of(PIXELS)
    given = source._test(engine, ReconstructView(index=3))
    assert set(np.unique(given.x)) == {0, 1}
    assert not given.smooth
    again = source._test(engine, ReconstructView(index=3))
    np.testing.assert_array_equal(given.x, again.x)
    known = cache.test_likelihood(engine)
    rows = np.flatnonzero(cache.atlas(engine).split == Split.TEST)[:60]
    x = engine.paint(cache.atlas(engine).codes[rows], source.PAINTED)
    score = engine.score(x, 200).log_likelihood.numpy()
    # The mean of p(x|z) is more likely by half.
    assert abs(score.mean() - known.mean()) < 3 * known.std() / np.sqrt(60) + 2


@pytest.mark.usefixtures("absent")
def test_of_a_curve_it_is_a_mean_and_not_ranked():
    given = source._test(engine_of(CURVES), ReconstructView(index=3))
    assert given.smooth
