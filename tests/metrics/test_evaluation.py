"""What is measured part by part is what is measured at once."""

import math
from functools import cache

import numpy as np
import pytest
import torch

from explorer import checkpoint
from explorer.checkpoint import LIKELIHOOD, Metric
from explorer.metrics import evaluate
from explorer.metrics.measures import PARTS
from tests.support.data import digits
from tests.support.evaluations import run
from tests.support.models import PRIORS as KINDS
from tests.support.models import small_checkpoint


def test_a_part_is_laid_over_what_was_known_and_leaves_the_rest(opened, tmp_path):
    found, arrays, _ = run(opened, tmp_path / "one", parts=("units",))
    assert found.keys() == {"active_units", "active_units_absolute"}
    kept = checkpoint.read_metrics(tmp_path / "one")
    assert kept == opened.metrics | found
    assert (kept["log_likelihood"].value, kept["coverage"].null) == (-9, 0.75)
    assert kept["active_units"].value <= 2
    np.testing.assert_array_equal(arrays["log_likelihood"], np.zeros(250))
    assert not np.array_equal(arrays["kl_per_unit"], np.ones(2))


@pytest.mark.slow
def test_all_parts_leave_nothing_of_what_was_known(opened, tmp_path):
    metrics, arrays, _ = run(opened, tmp_path / "one", parts=PARTS)
    assert checkpoint.read_metrics(tmp_path / "one") == metrics
    assert metrics["log_likelihood"].samples == 3
    assert (arrays["log_likelihood"] != 0).all()


def test_likelihoods_of_a_subset_keep_their_rows_beside_a_part_of_the_whole_split(
    opened, tmp_path
):
    np.savez(opened.folder / LIKELIHOOD, rows=3 * np.arange(20), log_likelihood=np.zeros(20))
    _, arrays, _ = run(opened, tmp_path / "one", parts=("units",))
    assert arrays["rows"].tolist() == list(range(0, 60, 3))
    assert len(arrays["log_likelihood"]) == 20
    assert len(arrays["log_prior"]) == 250


def test_what_the_user_measured_is_not_written_beside_the_shipped_weights(opened):
    results = checkpoint.results_folder(opened.hash)
    results.mkdir(parents=True)
    quick = Metric(value=-3, n=250, unit="nats", samples=1)
    checkpoint.write_metrics(results, {"log_likelihood": quick})
    run(checkpoint.load(opened.folder), opened.folder, parts=("units",))
    assert checkpoint.read_metrics(opened.folder)["log_likelihood"].value == -9


def test_damaged_arrays_of_before_do_not_cost_a_part_its_numbers(opened, tmp_path):
    (opened.folder / LIKELIHOOD).write_bytes(b"PK no archive")
    found, _, _ = run(opened, tmp_path / "one", parts=("units",))
    assert checkpoint.read_metrics(tmp_path / "one").keys() >= found.keys()


@cache
def whole(kind="mog", model="vae"):
    return evaluate(small_checkpoint(kind, model=model), digits(), samples=3, limit=40)


PART_NAMES = {
    "likelihood": {
        "log_likelihood", "elbo", "reconstruction", "kl", "effective_samples",
        "bits_per_dimension",
    },
    "units": {"active_units", "active_units_absolute"},
    "fidelity": {"precision", "recall", "density", "coverage", "vendi"},
    "alignment": {
        "information", "marginal_kl", "mmd", "mmd_p_value", "sliced_wasserstein",
        "two_sample_accuracy",
    },
    "features": {"frechet_distance", "kernel_distance"},
    "smoothness": {"smoothness"},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_a_part_by_itself_is_what_it_is_among_all(part):
    found = evaluate(small_checkpoint("mog"), digits(), samples=3, limit=40, parts=(part,))
    assert found.metrics.keys() == PART_NAMES[part]
    assert found.metrics == {name: whole().metrics[name] for name in PART_NAMES[part]}
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(values, whole().arrays[name])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_measured_on_a_gpu_as_well(part):
    opened = small_checkpoint("mog")
    found = evaluate(opened, digits(), samples=3, limit=40, parts=(part,), device="cuda")
    assert found.metrics.keys() == PART_NAMES[part]


def test_all_parts_are_all_there_is():
    assert whole().metrics.keys() == set().union(*PART_NAMES.values())
    assert PART_NAMES.keys() == set(PARTS)


@pytest.mark.parametrize("kind", KINDS)
def test_misalignment_is_measured_under_single_gaussians_alone(kind):
    found = evaluate(small_checkpoint(kind), digits(), parts=("alignment",), limit=30)
    single = kind in ("standard", "xvae")
    assert ("misalignment" in found.metrics) == single
    assert ("misalignment_per_unit" in found.arrays) == single
    if single:
        parts = found.arrays["misalignment_per_unit"]
        torch.testing.assert_close(
            float(parts.sum()), found.metrics["misalignment"].value, rtol=1e-4, atol=1e-5
        )


def collapsed(place=0.0, spread=1.0):
    """Make a model whose posteriors are all its prior."""
    opened = small_checkpoint("xvae", latent=4)
    opened.prior.loc.fill_(place)
    opened.prior.scale.fill_(spread)
    with torch.no_grad():
        for layer, value in (
            (opened.model.loc, place),
            (opened.model.log_variance, 2 * math.log(spread)),
        ):
            layer.weight.zero_()
            layer.bias.fill_(value)
    return opened


@pytest.mark.parametrize(("place", "spread"), [(0.0, 1.0), (3.0, 0.3)])
@pytest.mark.slow
def test_posteriors_that_are_the_prior_stand_at_the_null(place, spread):
    found = [
        evaluate(collapsed(place, spread), digits(), parts=("alignment",), seed=seed).metrics
        for seed in range(5)
    ]
    for metrics in found:
        assert metrics["misalignment"].value < 1e-6
        assert abs(metrics["marginal_kl"].value) < 1e-5
        assert abs(metrics["information"].value) < 1e-5
        accuracy = metrics["two_sample_accuracy"]
        assert abs(accuracy.value - accuracy.null) < 4 * accuracy.se
        assert 0.005 < metrics["mmd_p_value"].value < 0.999
    distance = np.array([each["sliced_wasserstein"].value for each in found])
    null = np.array([each["sliced_wasserstein"].null for each in found])
    # Codes that shared the prior's noise would be at no distance at all from its draws.
    assert 0.5 < distance.mean() / null.mean() < 2


def test_posteriors_far_from_the_prior_are_told_from_it():
    opened = collapsed()
    with torch.no_grad():
        opened.model.loc.bias.fill_(2.0)
    metrics = evaluate(opened, digits(), parts=("alignment",)).metrics
    torch.testing.assert_close(metrics["misalignment"].value, 4 * 2.0**2 / 2, rtol=1e-4, atol=0)
    assert metrics["mmd_p_value"].value < 0.01
    assert metrics["mmd"].value > 100 * abs(metrics["mmd"].null)
    assert metrics["two_sample_accuracy"].value > 0.95
    torch.testing.assert_close(metrics["sliced_wasserstein"].value, 2.0**2, rtol=0.15, atol=0)


@pytest.mark.slow
def test_the_parts_of_a_kl_add_up_to_it():
    metrics = evaluate(small_checkpoint("standard"), digits(), samples=200).metrics
    total = metrics["information"].value + metrics["marginal_kl"].value
    error = math.hypot(metrics["information"].se, metrics["marginal_kl"].se)
    assert abs(total - metrics["kl"].value) < 4 * error


@pytest.mark.parametrize("model", ["hvae", "convhvae"])
def test_of_two_levels_each_has_its_units_and_the_top_is_aligned(model):
    opened = small_checkpoint("standard", model=model, latent=2, bottom=3)
    found = evaluate(opened, digits(), parts=("units", "alignment"), limit=40)
    metrics = found.metrics
    for name in ("active_units", "active_units_absolute"):
        levels = metrics[f"{name}_z2"], metrics[f"{name}_z1"]
        assert [level.unit for level in levels] == ["of 2 units", "of 3 units"]
        assert sum(level.value for level in levels) == metrics[name].value
    assert found.arrays["misalignment_per_unit"].shape == (2,)
    assert found.arrays["kl_per_unit"].shape == (5,)


def test_a_decoder_that_goes_pixel_by_pixel_has_no_smoothness():
    opened = small_checkpoint("standard", model="pixelhvae")
    assert evaluate(opened, digits(), parts=("smoothness",)).metrics == {}


def test_without_a_network_there_are_no_feature_distances(tmp_path, monkeypatch):
    (tmp_path / "shipped").mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))
    opened = small_checkpoint("standard")
    assert evaluate(opened, digits(), parts=("features",)).metrics == {}


def test_feature_distances_say_on_which_network():
    metrics = whole().metrics
    assert metrics["frechet_distance"].unit == metrics["kernel_distance"].unit
    assert metrics["frechet_distance"].unit.startswith("on features ")
    assert metrics["frechet_distance"].value > metrics["frechet_distance"].null > 0


def test_bits_are_nats_over_pixels():
    metrics = whole().metrics
    expected = -metrics["log_likelihood"].value / (64 * math.log(2))
    torch.testing.assert_close(metrics["bits_per_dimension"].value, expected)


def test_an_autoencoder_has_the_same_two_numbers_whatever_is_asked():
    opened = small_checkpoint(None, likelihood="gaussian")
    found = evaluate(opened, digits(), limit=20, parts=("alignment",)).metrics
    assert found.keys() == {"reconstruction", "active_units"}
