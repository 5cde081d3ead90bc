"""The flow learns the law of any codes, and is measured at every point of its curves."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from explorer import checkpoint
from explorer.checkpoint import Metric
from explorer.errors import DataError
from explorer.metrics import downstream as flows
from explorer.metrics import evaluate, features, two_sample
from explorer.metrics.downstream import (
    EULER,
    TRAINED,
    Downstream,
    Standard,
    downstream,
    sample_flow,
    train_flow,
)
from explorer.metrics.evaluation import SENTINELS, lacking
from explorer.metrics.features import FeatureNet, feature_distances, frechet_distance
from explorer.metrics.matching import CURVES
from explorer.metrics.measures import ON_REQUEST, PARTS
from explorer.priors import SphereConfig
from tests.support.data import digits
from tests.support.models import small_checkpoint

MIXTURE = torch.tensor([[-2.0, 0.0], [1.0, 1.5], [1.0, -1.5]])


def mixture(n, seed):
    """Draw codes of three Gaussians in the plane, standardised by their own moments."""
    generator = torch.Generator().manual_seed(seed)
    centre = MIXTURE[torch.randint(3, (n,), generator=generator)]
    codes = centre + 0.25 * torch.randn(n, 2, generator=generator)
    return codes / torch.tensor([1.44, 1.25])


def learned(steps, *, width=64, seed=0, batch=256):
    known = mixture(4000, 1)
    return list(
        train_flow(
            lambda rows, generator: known[rows], 4000, 2, steps=steps, width=width, seed=seed,
            batch=batch,
        )
    )  # fmt: skip


# Training and sampling


@pytest.mark.slow
def test_the_flow_learns_a_mixture_to_within_the_null():
    found = learned(1500)
    losses = [point.loss for point in found]
    assert losses == sorted(losses, reverse=True)
    plain = Standard(torch.zeros(2), torch.ones(2))
    codes = sample_flow(found[-1].net, plain, 1000, 50, seed=7)
    compared = two_sample.sliced(codes, lambda n, seed: mixture(n, 100 + seed))
    noise = two_sample.sliced(torch.randn(1000, 2, generator=torch.Generator().manual_seed(1)),
                              lambda n, seed: mixture(n, 100 + seed))  # fmt: skip
    assert compared.value < compared.null_high
    assert noise.value > 4 * compared.null_high
    early = sample_flow(found[0].net, plain, 1000, 50, seed=7)
    assert two_sample.sliced(early, lambda n, seed: mixture(n, 100 + seed)).value > compared.value


def test_it_is_measured_at_five_points_of_a_training_that_its_seed_decides():
    state = torch.random.get_rng_state()
    one, again, other = learned(32), learned(32), learned(32, seed=1)
    assert [point.step for point in one] == [round(32 * part) for part in TRAINED]
    x, t = mixture(5, 3), torch.full((5, 1), 0.3)
    torch.testing.assert_close(one[-1].net(x, t), again[-1].net(x, t), rtol=0, atol=0)
    assert not torch.equal(one[-1].net(x, t), other[-1].net(x, t))
    assert not torch.equal(one[-1].net(x, t), one[0].net(x, t))
    assert torch.equal(state, torch.random.get_rng_state())


def test_samples_come_back_in_the_units_of_the_model():
    codes = 5 + 0.01 * mixture(400, 1)
    standard = Standard.of(codes)
    torch.testing.assert_close(standard.undo(standard.apply(codes)), codes)
    own = standard.apply(codes)
    torch.testing.assert_close(own.std(0, correction=0), torch.ones(2), atol=1e-3, rtol=0)
    net = learned(8)[-1].net
    fewer, more = (sample_flow(net, standard, n, 2, seed=3) for n in (16, 32))
    assert more.shape == (32, 2)
    torch.testing.assert_close(more[:16], fewer)
    assert (more.mean(0) - 5).abs().max() < 0.1


def test_a_constant_unit_stays_what_it_is():
    codes = torch.cat([mixture(50, 1), torch.full((50, 1), 7.0)], 1)
    standard = Standard.of(codes)
    assert standard.apply(codes)[:, 2].abs().max() == 0
    torch.testing.assert_close(standard.undo(standard.apply(codes)), codes)


# What is measured of a model


def network(monkeypatch, tmp_path):
    """Have an untrained feature network of the digits."""
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path))
    torch.manual_seed(0)
    features.save_features(FeatureNet((1, 8, 8), 10), 0.5, tmp_path / "checkpoints", "digits")


def few(n=60):
    return dataclasses.replace(
        digits(), train=digits().train.take(np.arange(200)),
        valid=digits().valid.take(np.arange(n)), test=digits().test.take(np.arange(n)),
    )  # fmt: skip


SMALL = {"steps": 16, "batch": 32, "n": 120}


@pytest.mark.parametrize("kind", [None, "standard", "vamp"], ids=str)
def test_every_model_has_its_curves(kind, monkeypatch, tmp_path):
    network(monkeypatch, tmp_path)
    found = downstream(small_checkpoint(kind), few(), **SMALL)
    assert [point.trained for point in found.training] == [1, 2, 4, 8, 16]
    assert {point.euler for point in found.training} == {50}
    assert [point.euler for point in found.sampling] == list(EULER)
    assert found.sampling[-1] == found.training[-1]
    assert (found.n, found.draws, len(found.loss)) == (60, 2, 5)
    assert (found.direct is None) == (kind is None)
    assert found.floor is not None
    assert found.null is not None
    for point in (*found.training, *found.sampling):
        for name in CURVES:
            score = getattr(point, name)
            assert math.isfinite(score.value)
            assert score.se >= 0
        assert 0 <= point.copies.value <= 1
    assert Downstream.model_validate_json(found.model_dump_json()) == found


def test_two_levels_are_drawn_together(monkeypatch, tmp_path):
    network(monkeypatch, tmp_path)
    opened = small_checkpoint("standard", model="hvae")
    found = downstream(opened, few(), **SMALL)
    assert found.direct is not None
    source, standard = flows.code_source(opened.model, few(), 0, "cpu")
    size = opened.model.space.size
    assert len(standard.mean) == size
    codes = source(torch.arange(10), torch.Generator().manual_seed(0))
    assert codes.shape == (10, size)


def test_codes_are_drawn_anew_where_the_posterior_is_stochastic():
    rows = torch.zeros(2, dtype=torch.int64)
    for kind in (None, "standard"):
        source, _ = flows.code_source(small_checkpoint(kind).model, few(), 0, "cpu")
        one, other = source(rows, torch.Generator().manual_seed(0))
        assert torch.equal(one, other) == (kind is None)


def test_codes_of_training_data_are_found_to_copy_them():
    opened, data = checkpoint.load("digits-ae-16"), few(200)
    data = dataclasses.replace(data, dynamic=False)  # each is binarised once
    judge = flows._Judge(opened, opened.model, data, 0, 100, "cpu")
    known = flows.encode(opened.model, torch.from_numpy(data.train.x)).loc
    copied = judge.of(lambda seed: known[:100], 1, 1).copies
    far = judge.of(lambda seed: known[:100] + 50, 1, 1).copies
    assert copied.value > 0.9
    assert far.value < 0.1


def test_too_few_test_data_are_refused():
    with pytest.raises(DataError, match="too few"):
        downstream(small_checkpoint("standard"), few(10), **SMALL)


# The distance of features


def test_the_frechet_distance_is_torchmetrics_and_its_error_that_of_repeated_draws():
    generator = np.random.default_rng(0)
    mixed = generator.normal(size=(64, 64)) / 8

    def drawn(n, shift=0.0):
        return (generator.normal(size=(n, 64)) @ mixed + shift).astype(np.float32)

    real, fake = drawn(500), drawn(400, 0.3)
    plain = FeatureNet((1, 8, 8), 3)
    plain.body = torch.nn.Flatten()
    pictures = [torch.from_numpy(rows).reshape(-1, 1, 8, 8) for rows in (real, fake)]
    oracle = feature_distances(plain, *pictures).frechet
    assert frechet_distance(real, fake)[0] == pytest.approx(oracle, rel=1e-5)
    again = [frechet_distance(real, drawn(400, 0.3)) for _ in range(30)]
    spread = np.std([value for value, _ in again], ddof=1)
    assert 0.5 * spread < np.mean([error for _, error in again]) < 2 * spread


# As parts of an evaluation


@pytest.fixture
def brief(monkeypatch):
    """Train for a few steps wherever a part is measured."""

    def short(*args, **rest):
        return downstream(*args, **rest | {"steps": 16, "batch": 32})

    monkeypatch.setattr("explorer.metrics.matching.downstream", short)


def test_parts_on_request_are_no_usual_ones():
    assert set(ON_REQUEST) == {"matching", "downstream"}
    assert not set(ON_REQUEST) & set(PARTS)


@pytest.mark.parametrize("kind", [None, "standard"], ids=str)
def test_the_part_has_numbers_and_curves(kind, brief, monkeypatch, tmp_path):
    network(monkeypatch, tmp_path)
    found = evaluate(small_checkpoint(kind), few(), parts=("downstream",))
    assert ("direct_frechet" in found.metrics) == (kind is not None)
    last = found.metrics["flow_frechet"]
    assert last.unit.startswith("on features ")
    assert found.arrays["flow_training_frechet"][-1] == np.float32(last.value)
    assert found.arrays["flow_sampling"].tolist() == list(EULER)
    assert "test" in found.arrays  # on which data, of a plain autoencoder too
    assert found.metrics["flow_copies"].null == 0.05
    assert (last.n, last.samples) == (60, 5 * 60)
    assert found.metrics["flow_floor"].null == last.null


def test_a_limit_holds_for_the_samples_too(brief):
    found = evaluate(small_checkpoint(None), few(), parts=("downstream",), limit=20)
    assert (found.metrics["flow_copies"].n, found.metrics["flow_copies"].samples) == (20, 20)


def test_without_a_network_there_are_shares_and_no_distances(brief, monkeypatch, tmp_path):
    for name in ("USER", "CHECKPOINTS"):
        monkeypatch.setenv(f"LATENT_EXPLORER_{name}", str(tmp_path))
    found = evaluate(small_checkpoint("standard"), few(), parts=("downstream",))
    assert not [name for name in (*found.metrics, *found.arrays) if "frechet" in name]
    assert {"flow_precision", "flow_copies", "direct_coverage"} <= found.metrics.keys()


def test_codes_are_compared_with_fresh_ones_of_the_reference():
    found = evaluate(small_checkpoint("standard"), few(250), parts=("matching",)).metrics
    assert found["c2st"].n == 250
    assert found["c2st"].value > found["c2st"].null_high  # untrained
    assert abs(found["c2st"].null - 0.5) < 0.1
    for name in ("reference_sliced", "reference_mmd"):
        assert found[name].value > found[name].null_high > found[name].null


def test_too_few_codes_have_no_matching():
    assert evaluate(small_checkpoint("standard"), few(39), parts=("matching",)).metrics == {}


def test_what_is_lacking_is_first_the_usual_then_what_is_on_request():
    one = Metric(value=1, n=1, unit="share")
    usual = dict.fromkeys(
        ("reconstruction", "active_units_absolute", "density", "mmd", "frechet_distance",
         "smoothness"),
        one,
    )  # fmt: skip
    assert lacking({}) == PARTS
    assert lacking(usual) == ON_REQUEST
    assert lacking(usual | {"c2st": one}) == ("downstream",)
    assert lacking(usual | {"c2st": one, "flow_precision": one}) == PARTS
    assert lacking({}, has_prior=False) == ("downstream",)


# Where there are no densities


def matched(*, noise, sphere):
    """Make an untrained model with a deterministic encoder, or a prior without a density."""
    opened = small_checkpoint("standard", model="dmvae", noise=0.2)
    chosen = opened.config.model.model_copy(update={"noise": noise})
    model = chosen.build(opened.config.sketch)
    config = opened.config.model_copy(update={"model": chosen})
    prior = SphereConfig().build(model.space, opened.config.sketch) if sphere else opened.prior
    return dataclasses.replace(opened, config=config, model=model.eval(), prior=prior.eval())


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "sphere"), [(0.0, False), (0.2, True)], ids=["point", "sphere"])
def test_only_what_needs_no_density_is_measured_without_one(noise, sphere, brief):
    opened = matched(noise=noise, sphere=sphere)
    found = evaluate(opened, few(), samples=3, parts=(*PARTS, *ON_REQUEST))
    absent = {"log_likelihood", "elbo", "kl", "information", "marginal_kl"}
    assert not absent & found.metrics.keys()
    assert {"reconstruction", "active_units", "density", "mmd", "c2st", "direct_copies"} <= (
        found.metrics.keys()
    )
    assert ("log_prior" in found.arrays) != sphere
    for part, name in SENTINELS.items():
        assert name in found.metrics or part == "features"  # there is no network here
