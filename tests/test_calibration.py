"""What is called a copy, novel or far is so as often as it is said, with every shipped model."""

import json
import math

import numpy as np
import pytest

from explorer import checkpoint
from explorer.inference import Engine
from explorer.metrics.novelty import COPIED, FAR
from explorer.projection import Split, load_atlas, rows_of
from explorer.reference import load_reference, passed
from tests.support.gaussians import normal
from tests.support.repository import WHOLE, relative

COSTLY = ("convhvae", "pixelhvae")
REFERRED = [folder for folder in WHOLE if (folder / checkpoint.REFERENCE).is_file()]

SAMPLES = 300


def kind_of(folder):
    return json.loads((folder / checkpoint.CONFIG).read_text())["model"]["kind"]


def within(share, expected, *counts, sigmas=4.0):
    error = math.sqrt(expected * (1 - expected) * sum(1 / n for n in counts))
    assert abs(share - expected) <= sigmas * error + 1e-9, (share, expected, error)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(folder, marks=pytest.mark.slow if kind_of(folder) in COSTLY else ())
        for folder in REFERRED
    ],
    ids=relative,
)
def shipped(request):
    opened = checkpoint.load(request.param)
    return Engine(opened, "cpu"), load_reference(opened), load_atlas(opened)


def test_every_shipped_model_with_a_prior_is_compared_with_its_whole_training_split():
    with_prior = {folder for folder in WHOLE if kind_of(folder) not in ("ae", "convae")}
    assert with_prior <= set(REFERRED)


def test_the_rates_that_a_page_tells_are_those_of_its_rule(shipped):
    engine, found, atlas = shipped
    measure = found.measure()
    # Not as it was calibrated: other samples, drawn with another seed.
    rows = rows_of(atlas, Split.TEST, SAMPLES, seed=9)
    eps = normal(len(rows), engine.space.size, 9)
    z = (atlas.codes[rows] + atlas.scale[rows] * eps).astype(np.float32)
    far = measure.judge(passed(engine, z)).percentile
    for which in (far < COPIED, far > FAR):
        within(which.mean(), 0.05, len(rows), measure.held_out)
    for name in ("held_out_copied", "held_out_far"):
        within(found.rates[name].value, 0.05, found.rates[name].n, measure.held_out)
    assert measure.whole
    near = measure.judge(passed(engine, atlas.codes[rows_of(atlas, Split.TRAIN, SAMPLES)]))
    copied = found.rates["training_copied"]
    within((near.percentile < COPIED).mean(), copied.value, SAMPLES, copied.n)
