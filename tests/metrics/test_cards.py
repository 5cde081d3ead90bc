"""Cards are reproducible: evaluation repeats their values within two standard errors."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from explorer import checkpoint, settings
from explorer.errors import DataMissingError
from explorer.metrics import evaluate
from explorer.metrics.measures import Part
from tests.support.load import FACTOR

ROOT = settings.PACKAGE.parent
WITH_PRIOR = sorted(
    folder
    for folder in (ROOT / "checkpoints").glob("*")
    if (folder / checkpoint.WEIGHTS).is_file() and "-ae-" not in folder.name
    and "-convae-" not in folder.name
    and "log_likelihood" in checkpoint.read_metrics(folder)
)  # fmt: skip
IMAGES, SAMPLES, CODES = 200, 32, 10_000
BEYOND_CHANCE = 4
"""Standard errors of the Monte Carlo alone, a small part of a card's own error; of two comparisons
for each of the models on the shelf, one beyond three is to be expected now and then."""
COSTLY = ("-convhvae-", "-pixelhvae-")
"""Of these models a sixth of the codes is compared, but by `python -m tests.load`: decoding one
takes a hundred times as long as with the others."""
PARTS: tuple[Part, ...] = ("likelihood", "units")


@functools.lru_cache(maxsize=1)
def data_of(config, root):
    """Load a data set once for the models that follow each other."""
    return config.load(root)


def costly(folder):
    return any(part in folder.name for part in COSTLY)


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(folder, marks=[pytest.mark.load] if costly(folder) else [], id=folder.name)
        for folder in sorted(WITH_PRIOR, key=costly, reverse=True)
    ],
)
def test_evaluation_repeats_the_card(folder):
    opened = checkpoint.load(folder)
    try:
        data = data_of(opened.config.data, settings.current().data)
    except DataMissingError:
        pytest.skip("its data set is not below the data root; name one with LATENT_EXPLORER_DATA")
    known = checkpoint.read_arrays(folder / checkpoint.LIKELIHOOD)
    depth = opened.metrics["log_likelihood"].samples
    if len(known["rows"]) < len(data.test):  # of these alone the card tells the likelihood
        data = replace(data, test=data.test.take(known["rows"]))
        known["rows"] = np.arange(len(data.test))
    part = max(1, 6 // FACTOR) if costly(folder) else 1
    wide = evaluate(
        opened, data, samples=min(SAMPLES, depth) // part, limit=IMAGES, seed=1, parts=PARTS
    )
    deep = evaluate(
        opened,
        data,
        samples=depth,
        limit=max(30, CODES // depth) // part,
        seed=1,
        parts=("likelihood",),
    )
    for name, again in (("elbo", wide), ("log_likelihood", deep)):
        # The same pictures: their differences are the Monte Carlo error alone, and are paired.
        rows = np.searchsorted(known["rows"], again.arrays["rows"])
        gap = again.arrays[name] - known[name][rows]
        assert abs(gap.mean()) < BEYOND_CHANCE * gap.std(ddof=1) / np.sqrt(len(gap)) + 0.02
        assert abs(gap.mean()) < 2 * opened.metrics[name].se
    units = opened.metrics["active_units"]
    assert wide.metrics["active_units"].unit == units.unit
    assert abs(wide.metrics["active_units"].value - units.value) <= max(1, 0.05 * units.value)
