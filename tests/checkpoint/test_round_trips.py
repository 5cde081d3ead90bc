"""What is saved comes back equal; results lie over what is shipped."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load as deserialise

from explorer import checkpoint, weights
from explorer.checkpoint import METRICS, WEIGHTS, catalogue, load, save
from explorer.config import RunConfig
from tests.support.checkpoints import CURVE, PIXELS, metric, recipe, write_checkpoint
from tests.support.load import times

PRIORS = st.one_of(
    st.just({"kind": "standard"}),
    st.builds(
        lambda kind, k: {"kind": kind, "components": k},
        st.sampled_from(["mog", "vamp"]),
        st.integers(1, 5),
    ),
)


@settings(
    max_examples=times(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    latent=st.integers(1, 6),
    hidden=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    likelihood=st.sampled_from(["bernoulli", "gaussian"]),
    prior=st.none() | PRIORS,
    sketch=st.sampled_from([PIXELS, CURVE]),
    half=st.booleans(),
    seed=st.integers(0, 100),
)
@pytest.mark.load
def test_a_saved_checkpoint_comes_back_equal(
    tmp_path_factory, latent, hidden, likelihood, prior, sketch, half, seed
):
    folder = tmp_path_factory.mktemp("round") / "digits-trip"
    config = RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {
                "kind": "vae" if prior else "ae",
                "latent": latent,
                "hidden": hidden,
                "likelihood": likelihood,
            },
            "prior": prior,
            "training": {"half": half, "seed": seed},
            "sketch": sketch,
        }
    )
    model, own_prior = write_checkpoint(folder, config, seed)
    opened = load(folder)
    assert opened.config == config
    assert opened.slug == "digits-trip"
    assert (opened.prior is None) == (prior is None)
    assert not opened.model.training
    pairs = [(model, opened.model)] + ([(own_prior, opened.prior)] if own_prior else [])
    for before, after in pairs:
        found = after.state_dict()
        assert found.keys() == before.state_dict().keys()
        for name, tensor in before.state_dict().items():
            small = half and tensor.ndim > 1
            expected = tensor.half().float() if small else tensor
            torch.testing.assert_close(found[name], expected, rtol=0, atol=0)
            assert found[name].dtype == torch.float32
    write_checkpoint(folder.parent / "again", config, seed)
    assert load(folder.parent / "again").hash == opened.hash


@pytest.mark.parametrize("half", [True, False])
def test_only_matrices_are_stored_in_half_precision(tmp_path, half):
    write_checkpoint(tmp_path / "one", recipe(prior={"kind": "mog", "components": 3}, half=half))
    with safe_open(tmp_path / "one" / WEIGHTS, framework="pt") as stored:
        kinds = {
            name: (stored.get_tensor(name).ndim, stored.get_slice(name).get_dtype())
            for name in stored.keys()  # noqa: SIM118 - not a dictionary
        }
    assert {dtype for ndim, dtype in kinds.values() if ndim == 1} == {"F32"}
    assert {dtype for ndim, dtype in kinds.values() if ndim > 1} == {"F16" if half else "F32"}


@pytest.mark.parametrize("kind", ["vamp", "vamp-data"])
def test_eight_bits_keep_each_row_to_half_a_step(tmp_path, kind):
    config = recipe({"hidden": [40]}, {"kind": kind, "components": 20}, bits=8)
    model, prior = write_checkpoint(tmp_path / "one", config)
    opened = load(tmp_path / "one")
    exact = 0
    for before, after in ((model, opened.model), (prior, opened.prior)):
        for name, tensor in before.state_dict().items():
            found = after.state_dict()[name]
            if tensor.ndim > 1 and name.endswith(("weight", "inputs")):
                step = tensor.flatten(1).abs().amax(1) / 127
                error = (found - tensor).flatten(1).abs().amax(1)
                assert bool((error <= 0.501 * step).all())
                assert float(error.max()) > 0
            else:
                torch.testing.assert_close(found, tensor, rtol=1e-3, atol=0)
                exact += 1
    assert exact > 3
    write_checkpoint(tmp_path / "half", recipe({"hidden": [40]}, config.prior.model_dump()))
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("one", "half")]
    assert sizes[0] < 0.7 * sizes[1]


def test_a_row_of_zeros_and_what_is_no_weight_bear_eight_bits():
    found = {"a.weight": torch.zeros(2, 3), "prior.scale": torch.full((2, 3), 1e-4)}
    kept = deserialise(weights.packed(found, 8))
    assert kept["a.weight"].dtype == torch.int8
    assert kept["prior.scale"].dtype == torch.float16
    assert bool((kept["a.weight.step"] > 0).all())


def test_the_hash_is_of_config_and_weights_alone(tmp_path):
    folder = tmp_path / "one"
    model, prior = write_checkpoint(folder)
    first = load(folder).hash
    for name in (checkpoint.CARD, METRICS, checkpoint.ATLAS, checkpoint.PREVIEW):
        (folder / name).write_bytes(b"{}")
    assert load(folder).hash == first
    with torch.no_grad():
        model.loc.bias[0] += 1
    save(model, prior, recipe(), folder)
    weights_changed = load(folder).hash
    assert weights_changed != first
    save(model, prior, recipe(seed=15), folder)
    assert load(folder).hash not in (first, weights_changed)


def test_metrics_come_back_equal(tmp_path):
    metrics = {
        "elbo": metric(-1.5, se=0.25, seed=0, samples=500),
        "precision": metric(0.5, null=1),
    }
    checkpoint.write_metrics(tmp_path, metrics)
    assert checkpoint.read_metrics(tmp_path) == metrics


def test_results_of_the_user_lie_over_the_shipped_ones(shipped):
    write_checkpoint(shipped / "one")
    checkpoint.write_metrics(shipped / "one", {"elbo": metric(1), "kl": metric(2)})
    results = checkpoint.results_folder(load("one").hash)
    results.mkdir(parents=True)
    checkpoint.write_metrics(results, {"elbo": metric(3)})
    np.savez(results / "likelihood.npz", mine=np.ones(2))
    values = {name: found.value for name, found in load("one").metrics.items()}
    assert values == {"elbo": 3, "kl": 2}
    assert catalogue()[0].metrics == load("one").metrics
    assert load("one").arrays("likelihood.npz").keys() == {"mine"}
    assert load("one").arrays("absent.npz") == {}


def test_results_of_other_weights_are_not_laid_over(shipped):
    write_checkpoint(shipped / "one")
    results = checkpoint.results_folder(load("one").hash)
    results.mkdir(parents=True)
    checkpoint.write_metrics(results, {"elbo": metric(3)})
    write_checkpoint(shipped / "one", seed=1)
    assert load("one").metrics == {}


def test_damaged_results_of_the_user_leave_the_shipped_ones(shipped):
    write_checkpoint(shipped / "one")
    checkpoint.write_metrics(shipped / "one", {"elbo": metric(1)})
    results = checkpoint.results_folder(load("one").hash)
    results.mkdir(parents=True)
    (results / METRICS).write_text("[")
    assert load("one").metrics["elbo"].value == 1
