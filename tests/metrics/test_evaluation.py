"""An evaluation has parts, resumes where it was interrupted, and can be compared."""

import io
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from explorer import checkpoint, publishing
from explorer.checkpoint import LIKELIHOOD, METRICS, Metric
from explorer.config import RunConfig
from explorer.data import DigitsConfig
from explorer.interfaces import AbstractModel, LatentSpace
from explorer.metrics import evaluate, importance_sampling
from explorer.metrics.likelihood import BLOCK, Likelihood
from explorer.metrics.measures import PARTS
from explorer.metrics.published import PUBLISHED, published
from explorer.metrics.smoothness import path_smoothness, path_speeds
from explorer.naming import DATA, MODELS, PRIORS
from explorer.priors.mixture import LatentMixture
from explorer.publishing import PARTIAL, measure
from tests.support.models import PRIORS as KINDS
from tests.support.models import small_checkpoint, small_pair

ROWS, CODES = 150, 6


@cache
def digits():
    return DigitsConfig().load(Path("nowhere"))


# Going on


@cache
def scored(name="vae"):
    """Score test digits in one go."""
    return score(name)


def score(name="vae", rows=ROWS, **options):
    model, prior = small_pair("vamp", model=name)
    x = torch.from_numpy(digits().test.x[:rows])
    with torch.no_grad():
        return importance_sampling(
            model, model.latent_prior(prior), x, samples=CODES, seed=2, **options
        )


def first(found, rows):
    return Likelihood(*(column[:rows] for column in found))


def assert_same(found, expected):
    for name, a, b in zip(Likelihood._fields, found, expected, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, atol=0, rtol=0, msg=name)


@pytest.mark.parametrize("known", [0, 1, BLOCK - 1, BLOCK, BLOCK + 7, 2 * BLOCK, ROWS - 1, ROWS])
def test_what_is_gone_on_with_is_the_same_bit_for_bit(known):
    done = []
    again = score(known=first(scored(), known), report=done.append)
    assert_same(again, scored())
    assert sum(done) == ROWS
    assert done[0] == known // BLOCK * BLOCK


def test_a_hierarchy_is_gone_on_with_as_well():
    assert_same(score("hvae", known=first(scored("hvae"), BLOCK)), scored("hvae"))


def test_known_rows_are_not_done_again():
    marked = Likelihood(*(column[:100] + 1000 for column in scored()))
    again = score(known=marked)
    assert_same(first(again, BLOCK), first(marked, BLOCK))
    assert_same(
        Likelihood(*(column[BLOCK:] for column in again)),
        Likelihood(*(column[BLOCK:] for column in scored())),
    )


def test_what_is_kept_grows_by_whole_blocks():
    kept = []
    score(keep=kept.append)
    assert [len(each.elbo) for each in kept] == [BLOCK, 2 * BLOCK, ROWS]
    for each in kept:
        assert_same(each, first(scored(), len(each.elbo)))


def test_any_stop_can_be_gone_on_with():
    def stop(found):
        kept.append(found)
        raise KeyboardInterrupt

    kept = [None]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            score(known=kept[-1], keep=stop)
    assert [len(each.elbo) for each in kept[1:]] == [BLOCK, 2 * BLOCK]
    assert_same(score(known=kept[-1]), scored())


def test_rows_hang_on_those_of_their_block_alone():
    shorter = score(rows=BLOCK + 20)
    assert_same(first(shorter, BLOCK), first(scored(), BLOCK))


def test_every_block_has_codes_of_its_own():
    model, prior = small_pair("standard")
    same = torch.from_numpy(digits().test.x[:1]).expand(2 * BLOCK, -1, -1, -1)
    with torch.no_grad():
        found = importance_sampling(model, prior(model.posterior), same, samples=2).elbo
    assert len(found.unique()) == 2 * BLOCK


# Keeping on disk


@cache
def small_config():
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]},
            "prior": {"kind": "mog", "components": 3},
            "training": {"epochs": 1},
            "sketch": {"kind": "pixels", "height": 8, "width": 8},
        }
    )


@pytest.fixture
def opened(tmp_path):
    """A small checkpoint in a folder of its own, with numbers of other parts and other work."""
    torch.manual_seed(5)
    config = small_config()
    folder = checkpoint.save(*config.build(), config, tmp_path / "digits-small")
    known = {
        "log_likelihood": Metric(value=-9, n=250, unit="nats", samples=7),
        "coverage": Metric(value=0.5, n=250, unit="share", null=0.75),
        "active_units": Metric(value=99, n=250, unit="of 2 units"),
    }
    checkpoint.write_metrics(folder, known)
    arrays = {"rows": np.arange(250, dtype=np.int32), "kl_per_unit": np.ones(2, np.float32)}
    np.savez(folder / LIKELIHOOD, **arrays, log_likelihood=np.zeros(250, np.float32))
    return checkpoint.load(folder)


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(publishing, "KEEP_EVERY_SECONDS", -1.0)


def run(opened, folder, **options):
    """Measure the likelihood, and return metrics, arrays and how far each report was."""
    done = []
    metrics = measure(
        opened,
        digits(),
        folder,
        **{"samples": 3, "parts": ("likelihood",)} | options,
        report=lambda stage, count, total: done.append((stage, count, total)),
    )
    return metrics, checkpoint.read_arrays(folder / LIKELIHOOD), done


def stop_after(opened, folder, reports, samples=3):
    left = reports

    def report(stage, done, total):
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(opened, digits(), folder, samples=samples, parts=("likelihood",), report=report)


def assert_equal_arrays(a, b):
    assert a.keys() == b.keys()
    for name, values in a.items():
        np.testing.assert_array_equal(values, b[name])


@pytest.mark.usefixtures("always")
def test_a_stopped_measurement_goes_on_and_ends_as_if_it_had_not_been(opened, tmp_path):
    whole, arrays, _ = run(opened, tmp_path / "whole")
    folder = tmp_path / "stopped"
    stop_after(opened, folder, 3)
    assert [path.name for path in folder.iterdir()] == [PARTIAL]
    metrics, again, done = run(opened, folder)
    assert [count for _, count, _ in done] == [2 * BLOCK, 3 * BLOCK, 250]
    assert {total for _, _, total in done} == {250}
    assert metrics == whole
    assert_equal_arrays(again, arrays)
    assert {path.name for path in folder.iterdir()} == {METRICS, LIKELIHOOD}
    assert checkpoint.read_metrics(folder) == checkpoint.read_metrics(tmp_path / "whole")


def test_nothing_is_kept_before_its_time(opened, tmp_path):
    stop_after(opened, tmp_path / "stopped", 3)
    assert list((tmp_path / "stopped").iterdir()) == []


def partial(opened, **changes):
    """Write what a run has kept, with values that no run would find."""
    columns = {name: np.full(2 * BLOCK, 77.0) for name in Likelihood._fields}
    facts = {"hash": opened.hash, "asked": np.array([3, 250])} | columns | changes
    stream = io.BytesIO()
    np.savez_compressed(
        stream, **{name: value for name, value in facts.items() if value is not None}
    )
    return stream.getvalue()


def test_what_is_gone_on_with_is_what_was_kept(opened, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / PARTIAL).write_bytes(partial(opened))
    _, arrays, done = run(opened, folder)
    assert done[0][1] == 2 * BLOCK
    assert (arrays["elbo"][: 2 * BLOCK] == 77).all()
    assert (arrays["elbo"][2 * BLOCK :] != 77).all()


OTHERS = {
    "other weights": {"hash": "0" * 16},
    "other samples": {"asked": np.array([4, 250])},
    "another split": {"asked": np.array([3, 251])},
    "nothing asked": {"asked": np.zeros(0, int)},
    "no hash": {"hash": None},
    "nothing said of what was asked": {"asked": None},
    "no bound": {"elbo": None},
    "columns of unequal length": {"kl": np.full(BLOCK, 77.0)},
    "a table": {"elbo": np.full((2 * BLOCK, 1), 77.0)},
    "a number": {"elbo": np.array(77.0)},
    "a word for each": {"log_likelihood": np.full(2 * BLOCK, "77")},
    "more rows than there are": {name: np.full(6 * BLOCK, 77.0) for name in Likelihood._fields},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS.keys())
def test_what_was_kept_of_another_run_is_passed_over(opened, tmp_path, changes):
    assert_passed_over(opened, tmp_path, partial(opened, **changes))


@pytest.mark.parametrize("size", [0, 100, 600])
def test_a_damaged_file_of_a_stopped_run_is_passed_over(opened, tmp_path, size):
    assert_passed_over(opened, tmp_path, partial(opened)[:size])


def assert_passed_over(opened, tmp_path, content):
    expected, arrays, _ = run(opened, tmp_path / "fresh")
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / PARTIAL).write_bytes(content)
    metrics, again, done = run(opened, folder)
    assert done[0][1] == BLOCK
    assert metrics == expected
    assert_equal_arrays(again, arrays)
    assert not (folder / PARTIAL).exists()


@pytest.mark.usefixtures("always")
def test_measuring_another_part_leaves_a_stopped_likelihood_to_be_gone_on_with(opened, tmp_path):
    folder = tmp_path / "stopped"
    stop_after(opened, folder, 3)
    run(opened, folder, parts=("units",))
    assert run(opened, folder)[2][0][1] == 2 * BLOCK


# Part by part


def test_a_part_is_laid_over_what_was_known_and_leaves_the_rest(opened, tmp_path):
    found, arrays, _ = run(opened, tmp_path / "one", parts=("units",))
    assert found.keys() == {"active_units", "active_units_absolute"}
    kept = checkpoint.read_metrics(tmp_path / "one")
    assert kept == opened.metrics | found
    assert (kept["log_likelihood"].value, kept["coverage"].null) == (-9, 0.75)
    assert kept["active_units"].value <= 2
    np.testing.assert_array_equal(arrays["log_likelihood"], np.zeros(250))
    assert not np.array_equal(arrays["kl_per_unit"], np.ones(2))


def test_all_parts_leave_nothing_of_what_was_known(opened, tmp_path):
    metrics, arrays, _ = run(opened, tmp_path / "one", parts=PARTS)
    assert checkpoint.read_metrics(tmp_path / "one") == metrics
    assert metrics["log_likelihood"].samples == 3
    assert (arrays["log_likelihood"] != 0).all()


def test_arrays_of_a_subset_are_not_mixed_with_those_of_the_whole_split(opened, tmp_path):
    np.savez(opened.folder / LIKELIHOOD, rows=np.arange(20), log_likelihood=np.zeros(20))
    _, arrays, _ = run(opened, tmp_path / "one", parts=("units",))
    assert "log_likelihood" not in arrays
    assert len(arrays["rows"]) == 250


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


# Smoothness


class Line(AbstractModel):
    """x = A z with unit noise; `slope` bends it."""

    def __init__(self, latent=3, size=5):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(
            torch.randn(size, latent, generator=generator, dtype=torch.float64)
        )
        self.space = LatentSpace.single(latent)

    def posterior(self, x, labels=None):
        raise NotImplementedError

    def likelihood(self, z, labels=None):
        return Independent(Normal(z @ self.weight.T, torch.ones(())), 1)


def ends(pairs=9, latent=3):
    generator = torch.Generator().manual_seed(4)
    return torch.randn(pairs, 2, latent, generator=generator, dtype=torch.float64)


def times(pairs=9):
    return torch.linspace(0, 1, pairs, dtype=torch.float64)


def test_a_linear_decoder_has_the_speed_of_its_matrix():
    model, pairs = Line(), ends()
    way = (pairs[:, 1] - pairs[:, 0]) @ model.weight.T
    torch.testing.assert_close(path_speeds(model, pairs, times()), way.detach().square().sum(1))


def test_a_constant_decoder_stands_still():
    model = Line()
    with torch.no_grad():
        model.weight.zero_()
    assert bool((path_speeds(model, ends(), times()) == 0).all())


def test_speeds_of_many_pairs_are_those_of_each():
    model, pairs = Line(), ends(130)
    found = path_speeds(model, pairs, times(130))
    each = [path_speeds(model, pair[None], times(1)) for pair in pairs]
    torch.testing.assert_close(found, torch.cat(each))


@pytest.mark.parametrize("name", ["vae", "convvae", "hvae", "convhvae"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "logistic"])
def test_a_speed_is_the_limit_of_small_steps(name, likelihood):
    model = small_checkpoint("standard", model=name, likelihood=likelihood).model.double()
    size, step = model.space.size, 1e-3
    pairs, t = ends(5, size), 0.1 + 0.8 * times(5)
    found = path_speeds(model, pairs, t)

    def at(moment):
        z = pairs[:, 0] + moment[:, None] * (pairs[:, 1] - pairs[:, 0])
        return model.likelihood(z).mean.flatten(1)

    with torch.no_grad():
        quotient = (at(t + step / 2) - at(t - step / 2)).square().sum(1) / step**2
    assert bool((found > 0).all())
    torch.testing.assert_close(found, quotient, rtol=0.01, atol=0)


def test_smoothness_is_the_mean_speed_between_prior_samples():
    model, prior = (
        Line(),
        LatentMixture(
            torch.zeros(1, dtype=torch.float64),
            torch.zeros(1, 3).double(),
            torch.ones(1, 3).double(),
        ),
    )
    found = path_smoothness(model, prior, pairs=1000, seed=3)
    expected = 2 * float(model.weight.detach().square().sum())  # b - a has twice the variance
    error = float(found.std()) / math.sqrt(len(found))
    assert abs(float(found.mean()) - expected) < 4 * error
    assert torch.equal(found, path_smoothness(model, prior, pairs=1000, seed=3))
    assert not torch.equal(found, path_smoothness(model, prior, pairs=1000, seed=4))


# The literature

TABLE = {
    "mnist-static": {
        "vae": (-88.56, -85.57), "hvae": (-86.05, -83.19),
        "convhvae": (-82.41, -81.09), "pixelhvae": (-80.58, -79.78),
    },
    "mnist": {
        "vae": (-84.50, -82.38), "hvae": (-82.42, -81.24),
        "convhvae": (-80.40, -79.75), "pixelhvae": (-79.70, -78.45),
    },
    "caltech-silhouettes": {
        "vae": (-123.43, -114.55), "hvae": (-112.08, -108.28),
        "convhvae": (-106.35, -104.22), "pixelhvae": (-85.51, -86.22),
    },
    "frey": {
        "vae": (4.63, 4.57), "hvae": (4.61, 4.51),
        "convhvae": (4.49, 4.45), "pixelhvae": (4.43, 4.38),
    },
}  # fmt: skip
FURTHER = {
    ("mnist-static", "hvae", "mog"): (-85.07, "table 2"),
    ("mnist-static", "hvae", "vamp-data"): (-85.71, "table 2"),
    ("mnist", "hvae", "vamp-data"): (-81.71, "table 3"),
}


def test_published_numbers_are_those_of_the_tables():
    expected = {
        (data, model, prior): (value, "table 1")
        for data, models in TABLE.items()
        for model, pair in models.items()
        for prior, value in zip(("standard", "vamp"), pair, strict=True)
    } | FURTHER
    found = {(row.data, row.model, row.prior): (row.value, row.place) for row in PUBLISHED}
    assert found == expected
    assert len(PUBLISHED) == len(expected)


def test_published_numbers_say_their_unit_and_their_protocol():
    for row in PUBLISHED:
        assert row.unit == ("bits per dimension" if row.data == "frey" else "nats")
        assert row.samples == 5000
        assert "Tomczak" in row.source
        assert row.data in DATA
        assert row.model in MODELS
        assert row.prior in PRIORS


@pytest.mark.parametrize("data", DATA)
def test_published_numbers_stand_beside_their_own_data_alone(data):
    rows = published(data)
    assert {row.data for row in rows} == ({data} if data in TABLE else set())
    assert len(rows) == sum(row.data == data for row in PUBLISHED)


def test_omniglot_of_another_making_is_compared_with_nothing():
    assert published("omniglot28") == published("omniglot") == ()
