"""What needs more samples than there are says how many would do, or is left out."""

import dataclasses
import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from explorer import training
from explorer.data import FilesConfig, SplitData
from explorer.errors import DataError, TrainingError
from explorer.metrics import evaluate
from explorer.metrics.features import train_features
from explorer.metrics.measures import PARTS
from explorer.metrics.tradeoff import measure_tradeoff
from explorer.priors import CodeMixturePrior, GaussianPrior
from explorer.projection import build_atlas
from tests.support.cli import apart, assert_one_sentence
from tests.support.data import digits
from tests.support.models import random_codes, small_checkpoint
from tests.support.runs import recipe


def few(n, *, alike=False):
    """Take n digits for each split."""
    whole = digits()
    rows = np.zeros(n, int) if alike else np.arange(n)

    def part(split):
        return SplitData(split.x[rows], split.labels[rows], np.arange(n))

    return dataclasses.replace(
        whole, **{name: part(whole.split(name)) for name in ("train", "valid", "test")}
    )


@pytest.mark.parametrize(("codes", "components"), [(24, 50), (24, 25), (600, 601)])
def test_a_mixture_of_more_components_than_codes_is_refused_with_the_number_that_fits(
    codes, components
):
    with pytest.raises(TrainingError, match=f"{components} components .* at most {codes}\\.$"):
        CodeMixturePrior(2, components).fit(random_codes()[:codes], 0)


def test_copies_of_a_code_do_not_count():
    codes = np.repeat(random_codes()[:5], 8, axis=0)
    with pytest.raises(TrainingError, match=r"5 different codes among 40; .* at most 5\.$"):
        CodeMixturePrior(2, 6).fit(codes, 0)


@pytest.mark.parametrize("codes", [2, 24])
def test_as_many_components_as_codes_are_fitted(codes):
    prior = CodeMixturePrior(2, codes)
    prior.fit(random_codes()[:codes], 0)
    found = prior(lambda x: None)
    assert torch.isfinite(found.log_prob(torch.from_numpy(random_codes()))).all()


@pytest.mark.parametrize("n", [1, 24])
@pytest.mark.parametrize("value", [0.5, math.nan])
def test_no_prior_is_fitted_to_codes_that_do_not_vary(n, value):
    codes = np.full((n, 2), value, np.float32)
    with pytest.raises(TrainingError, match="no prior can be fitted"):
        GaussianPrior(2).fit(codes, 0.05)
    for components in (1, 2):
        with pytest.raises(TrainingError, match="no prior can be fitted"):
            CodeMixturePrior(2, components).fit(codes, 0)


def test_rounding_is_no_spread():
    codes = np.full((24, 2), 0.5, np.float32)
    codes[3] = np.nextafter(codes[3], np.float32(1))
    for prior, fitting in ((GaussianPrior(2), [0.05]), (CodeMixturePrior(2, 1), [0])):
        with pytest.raises(TrainingError, match="are all alike"):
            prior.fit(codes, *fitting)


@pytest.mark.slow
def test_the_command_line_names_the_number_that_fits(tmp_path, user, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path))
    pixels = np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8)
    np.save(tmp_path / "thirty.npy", pixels)
    source = recipe({"kind": "ae", "likelihood": "logistic"}, epochs=1)
    training.train(source, few(24), user / "checkpoints" / "ae")
    mixture = {
        "data": {"kind": "files", "path": "thirty.npy"},
        "model": {"kind": "vae", "latent": 2, "hidden": [8], "likelihood": "logistic"},
        "prior": {"kind": "xvae-mixture", "source": "ae", "components": 50},
    }
    given = tmp_path / "mixture.json"
    given.write_text(json.dumps(mixture))
    found = apart("train", given)
    assert_one_sentence(found.returncode, found.stdout, found.stderr)
    samples = len(FilesConfig(path="thirty.npy").load(tmp_path).train)
    assert f"50 components cannot be fitted to {samples} codes" in found.stderr
    assert not (user / "checkpoints" / "mixture").exists()


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 3, 11])
def test_few_test_samples_are_measured_without_a_number_that_is_none(n):
    found = evaluate(small_checkpoint("vamp"), few(n), samples=3, parts=PARTS)
    assert found.metrics
    for name, metric in found.metrics.items():
        assert math.isfinite(metric.value), name
        assert metric.se is None or math.isfinite(metric.se), name


class _UMAP:
    """The real one takes a quarter of a minute to compile; it warns or fails where this fails."""

    def __init__(self, n_neighbors, init, **options):
        self.n_neighbors, self.init = n_neighbors, init

    def fit_transform(self, points):
        assert 2 <= self.n_neighbors < len(points)
        assert self.init == "random" or len(points) > 3
        return points[:, :2]


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_a_map_of_few_codes_is_projected(n, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=_UMAP))
    atlas = build_atlas(small_checkpoint(latent=3), few(n))
    assert atlas.method == "umap"
    assert atlas.xy.shape == (2 * n, 2)
    assert len(np.unique(atlas.xy, axis=0)) > 1
    assert ((atlas.trust >= 0) & (atlas.trust <= 1)).all()


def test_test_samples_that_are_all_alike_are_not_compared_with_samples():
    alike = few(30, alike=True)
    found = evaluate(small_checkpoint("vamp"), alike, samples=2, parts=("fidelity",))
    assert not found.metrics
    with pytest.raises(DataError, match="30 test samples are alike"):
        measure_tradeoff(small_checkpoint("vamp"), alike)


def test_a_feature_network_without_labelled_samples_is_refused():
    data = few(5)
    none = dataclasses.replace(data.train, labels=np.full(5, -1))
    with pytest.raises(DataError, match="labelled"):
        train_features(dataclasses.replace(data, train=none), steps=2)
