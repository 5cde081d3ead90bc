"""What a card says is measured again: evaluation repeats it within two standard errors of it."""

import numpy as np
import pytest

from explorer import checkpoint, settings
from explorer.errors import DataMissingError
from explorer.metrics import evaluate
from explorer.metrics.measures import Part

ROOT = settings.PACKAGE.parent
WITH_PRIOR = sorted(
    folder
    for folder in (ROOT / "checkpoints").glob("*")
    if (folder / checkpoint.WEIGHTS).is_file() and "-ae-" not in folder.name
    and "-convae-" not in folder.name
)  # fmt: skip
IMAGES, SAMPLES = 200, 200
BEYOND_CHANCE = 4
"""Standard errors of the Monte Carlo alone, a small part of a card's own error, by chance."""
PARTS: tuple[Part, ...] = ("likelihood", "units")


@pytest.mark.parametrize("folder", WITH_PRIOR, ids=lambda folder: folder.name)
def test_evaluation_repeats_the_card(folder):
    opened = checkpoint.load(folder)
    try:
        data = opened.config.data.load(settings.current().data)
    except DataMissingError:
        pytest.skip("its data set is not below the data root; name one with LATENT_EXPLORER_DATA")
    depth = opened.metrics["log_likelihood"].samples
    samples = min(SAMPLES, depth)
    again = evaluate(opened, data, samples=samples, limit=IMAGES, seed=1, parts=PARTS)
    known = checkpoint.read_arrays(folder / checkpoint.LIKELIHOOD)
    rows = np.searchsorted(known["rows"], again.arrays["rows"])
    # The same pictures: their differences are the Monte Carlo error alone, and are paired.
    gap = again.arrays["elbo"] - known["elbo"][rows]
    assert abs(gap.mean()) < BEYOND_CHANCE * gap.std(ddof=1) / np.sqrt(len(gap)) + 0.02
    assert abs(gap.mean()) < 2 * opened.metrics["elbo"].se
    looser = again.arrays["log_likelihood"] - known["log_likelihood"][rows]
    error = looser.std(ddof=1) / np.sqrt(len(looser))
    if depth == samples:
        assert abs(looser.mean()) < BEYOND_CHANCE * error + 0.02
    else:  # fewer codes give a looser bound, in expectation
        assert looser.mean() < BEYOND_CHANCE * error
        assert looser.mean() > -max(3, 0.01 * abs(again.metrics["log_likelihood"].value))
    units = opened.metrics["active_units"]
    assert again.metrics["active_units"].unit == units.unit
    assert abs(again.metrics["active_units"].value - units.value) <= max(1, 0.05 * units.value)
