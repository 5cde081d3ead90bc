"""Training gives the same weights however often it is interrupted; failures are one sentence."""

import dataclasses
import json
import signal
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from explorer import checkpoint, publishing, training
from explorer.config import RunConfig
from explorer.data import DataSet, DigitsConfig, Split
from explorer.errors import ExplorerError, TrainingError
from explorer.inference import Engine
from explorer.models import ConvVAEConfig
from explorer.pretraining import autoencoder_codes
from explorer.priors import VampDataPrior
from explorer.projection import load_atlas
from explorer.sketch import CurveSketch

EPOCHS = 6


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("user", "shipped"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))


@pytest.fixture
def save_always(monkeypatch):
    monkeypatch.setattr(training, "SAVE_EVERY_SECONDS", -1)


@cache
def digits():
    """A tenth of the digits is enough to see whether training does what it says."""
    from pathlib import Path

    whole = DigitsConfig().load(Path())
    few = {name: whole.split(name).take(np.arange(60)) for name in ("valid", "test")}
    return dataclasses.replace(whole, train=whole.train.take(np.arange(120)), **few)


def recipe(model=None, prior=None, objective=None, **changes):
    kind = (model or {}).get("kind", "vae")
    default = None if kind == "ae" else {"kind": "vamp", "components": 4, "mean": 0.3}
    dense = {"kind": "vae", "latent": 2, "hidden": [8]}
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": model if "top" in (model or {}) else dense | (model or {}),
            "prior": prior or default,
            "objective": objective or {"warmup": {"kind": "linear", "epochs": 3}},
            "training": {
                "epochs": EPOCHS,
                "batch": 40,
                "learning_rate": 0.01,
                "decay": "cosine",
                "average": 0.9,
                "corruption": 0.2,
                "half": False,
            }
            | changes,
        }
    )


def weights(folder):
    opened = checkpoint.load(folder)
    found = {f"model.{name}": value for name, value in opened.model.state_dict().items()}
    if opened.prior is not None:
        found |= {f"prior.{name}": value for name, value in opened.prior.state_dict().items()}
    return found


def log(folder):
    lines = (folder / training.WORK / training.LOG).read_text().splitlines()
    return [{**json.loads(line), "seconds": 0} for line in lines]


def assert_same_run(one, other):
    assert (one / checkpoint.WEIGHTS).read_bytes() == (other / checkpoint.WEIGHTS).read_bytes()
    assert log(one) == log(other)
    assert checkpoint.load(one).hash == checkpoint.load(other).hash


class _Killed(Exception):
    pass


def killing(epoch):
    def report(progress):
        if progress.epoch == epoch:
            raise _Killed

    return report


def killed_run(folder, config, epoch=4):
    """Train until the report of an epoch raises; the state of the epoch before is stored."""
    with pytest.raises(_Killed):
        training.train(config, digits(), folder, report=killing(epoch))


# The same numbers


def test_the_same_seed_gives_the_same_weights(tmp_path):
    for name in ("one", "other"):
        training.train(recipe(), digits(), tmp_path / name)
        torch.rand(3)
    assert_same_run(tmp_path / "one", tmp_path / "other")


def test_another_seed_gives_other_weights(tmp_path):
    for seed in (1, 2):
        training.train(recipe(epochs=1, seed=seed), digits(), tmp_path / str(seed))
    one, other = (weights(tmp_path / str(seed)) for seed in (1, 2))
    assert any(not torch.equal(one[name], other[name]) for name in one)


TWO_LEVELS = {"kind": "hvae", "top": 2, "bottom": 3, "hidden": [8]}
RESUMED = {
    "vamp": recipe(),
    "mog without average": recipe(prior={"kind": "mog", "components": 3}, average=0),
    "standard, gradients normalised": recipe(
        prior={"kind": "standard"}, normalise_gradients=True, weight_decay=0.1
    ),
    "autoencoder": recipe({"kind": "ae"}, shift=1, prior_learning_rate=0.001),
    "flow": recipe(prior={"kind": "flow", "transforms": 2, "hidden": [8], "bins": 4}),
    "two levels on data": recipe(TWO_LEVELS, prior={"kind": "vamp-data", "components": 5}),
    "pixel by pixel": recipe(
        {
            "kind": "pixelhvae",
            "top": 2,
            "bottom": 2,
            "channels": [2, 2, 2, 2, 2],
            "width": 6,
            "decoder_channels": 3,
            "decoder_layers": 2,
        },
        prior={"kind": "vamp-weighted", "components": 3, "mean": 0.3},
    ),
}


@pytest.mark.parametrize("config", RESUMED.values(), ids=RESUMED.keys())
@pytest.mark.usefixtures("save_always")
def test_a_resumed_run_equals_one_that_was_not_stopped(tmp_path, config):
    training.train(config, digits(), tmp_path / "whole")
    killed_run(tmp_path / "killed", config)
    assert len(log(tmp_path / "killed")) == 3
    assert not (tmp_path / "killed" / checkpoint.WEIGHTS).exists()
    torch.manual_seed(99)
    training.train(config, digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    for name in ("whole", "killed"):
        assert len(log(tmp_path / name)) == EPOCHS


@pytest.mark.usefixtures("save_always")
def test_a_run_killed_twice_still_equals(tmp_path):
    training.train(recipe(), digits(), tmp_path / "whole")
    killed_run(tmp_path / "killed", recipe(), epoch=2)
    with pytest.raises(_Killed):
        training.train(recipe(), digits(), tmp_path / "killed", resume=True, report=killing(5))
    training.train(recipe(), digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    one, other = (
        checkpoint.read_arrays(tmp_path / name / checkpoint.SNAPSHOTS)
        for name in ("whole", "killed")
    )
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


SCRIPT = """
import os, signal, sys
from pathlib import Path
from explorer import training
from tests.test_training import digits, recipe

training.SAVE_EVERY_SECONDS = -1

def report(progress):
    if progress.epoch == 4:
        os.kill(os.getpid(), signal.SIGKILL)

training.train(recipe(), digits(), Path(sys.argv[1]), report=report)
"""


def test_a_run_killed_from_outside_goes_on_to_the_same_weights(tmp_path, pytestconfig):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed")]
    ended = subprocess.run(
        command, cwd=pytestconfig.rootpath, capture_output=True, timeout=120, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    training.train(recipe(), digits(), tmp_path / "killed", resume=True)
    training.train(recipe(), digits(), tmp_path / "whole")
    assert (tmp_path / "killed" / checkpoint.WEIGHTS).read_bytes() == (
        tmp_path / "whole" / checkpoint.WEIGHTS
    ).read_bytes()


def test_resuming_an_ended_run_changes_nothing(tmp_path):
    training.train(recipe(epochs=2), digits(), tmp_path)
    before = (tmp_path / checkpoint.WEIGHTS).read_bytes()
    training.train(recipe(epochs=2), digits(), tmp_path, resume=True)
    assert (tmp_path / checkpoint.WEIGHTS).read_bytes() == before
    assert len(log(tmp_path)) == 2


def test_the_progress_that_is_reported_is_the_one_in_the_log(tmp_path):
    seen = []
    training.train(recipe(epochs=3), digits(), tmp_path, report=seen.append)
    assert [progress.epoch for progress in seen] == [1, 2, 3]
    assert [progress.beta for progress in seen] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [line["valid_elbo"] for line in log(tmp_path)] == pytest.approx(
        [progress.valid_elbo for progress in seen], abs=1e-4
    )
    assert seen[-1].best == max(progress.valid_elbo for progress in seen)


# What cannot go on


def state_of(folder):
    return folder / training.WORK / training.STATE


def facts(**changes):
    whole = {
        "epoch": 1,
        "best": 0.0,
        "best_epoch": 1,
        "seconds": 0.0,
        "log": [],
        "recipe": training._complete(recipe(), digits()).model_dump(mode="json"),
    }
    return json.dumps({key: value for key, value in (whole | changes).items() if value is not ...})


def state(facts_text=None):
    metadata = None if facts_text is None else {"facts": facts_text}
    return serialise({"a": torch.zeros(2)}, metadata)


DAMAGED = {
    "empty": lambda old: b"",
    "cut": lambda old: old[: len(old) // 2],
    "cut in the header": lambda old: old[:100],
    "a text": lambda old: b"no state",
    "without facts": lambda old: state(),
    "facts that are no JSON": lambda old: state("{"),
    "facts that are a list": lambda old: state("[]"),
    "facts without a recipe": lambda old: state("{}"),
    "facts without a log": lambda old: state(facts(log=...)),
    "a recipe that is none": lambda old: state(facts(recipe={})),
    "without its tensors": lambda old: state(facts()),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_state_is_refused_in_one_sentence(tmp_path, damage):
    training.train(recipe(epochs=1), digits(), tmp_path)
    state_of(tmp_path).write_bytes(damage(state_of(tmp_path).read_bytes()))
    with pytest.raises(TrainingError) as caught:
        training.train(recipe(), digits(), tmp_path, resume=True)
    assert len(str(caught.value).splitlines()) == 1


def test_a_run_begun_before_a_field_was_known_goes_on(tmp_path):
    training.train(recipe(epochs=1), digits(), tmp_path)
    with safe_open(state_of(tmp_path), framework="pt") as stored:
        found = json.loads(stored.metadata()["facts"])
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no dictionary
    del found["recipe"]["training"]["bits"], found["recipe"]["sketch"]["light"]
    state_of(tmp_path).write_bytes(serialise(tensors, {"facts": json.dumps(found)}))
    training.train(recipe(epochs=2), digits(), tmp_path, resume=True)
    assert len(log(tmp_path)) == 2


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(TrainingError, match=r"nothing to resume.*--resume"):
        training.train(recipe(), digits(), tmp_path / "new", resume=True)
    assert not (tmp_path / "new" / checkpoint.WEIGHTS).exists()


OTHER_RECIPES = {
    "seed": recipe(seed=15),
    "batch": recipe(batch=41),
    "latent": recipe({"latent": 3}),
    "prior": recipe(prior={"kind": "standard"}),
    "warm-up": recipe(objective={"warmup": {"kind": "linear", "epochs": 4}}),
}


@pytest.mark.parametrize("other", OTHER_RECIPES.values(), ids=OTHER_RECIPES.keys())
@pytest.mark.usefixtures("save_always")
def test_a_run_of_another_recipe_is_not_resumed(tmp_path, other):
    killed_run(tmp_path, recipe(), epoch=2)
    before = state_of(tmp_path).read_bytes()
    with pytest.raises(TrainingError, match="a different recipe"):
        training.train(other, digits(), tmp_path, resume=True)
    assert state_of(tmp_path).read_bytes() == before


@pytest.mark.parametrize("prior", [None, {"kind": "flow"}], ids=["vamp", "flow"])
def test_a_loss_that_is_not_finite_ends_in_one_sentence(tmp_path, prior):
    broken = np.full_like(digits().train.x, np.nan)
    train_split = dataclasses.replace(digits().train, x=broken)
    data = dataclasses.replace(digits(), train=train_split, dynamic=False)
    with pytest.raises(TrainingError, match="not finite in epoch 1; lower the learning rate"):
        training.train(recipe(prior=prior), data, tmp_path)
    assert not (tmp_path / checkpoint.WEIGHTS).exists()


def test_convolutions_on_curves_end_in_one_sentence(tmp_path):
    curve = CurveSketch(x=(0, 0.5, 1), loc=(0, 0, 0), scale=(1, 1, 1))
    curves = Split(np.zeros((9, 3), np.float32), None, np.arange(9))
    data = DataSet(train=curves, valid=curves, test=curves, sketch=curve)
    config = recipe().model_copy(update={"model": ConvVAEConfig(latent=2)})
    with pytest.raises(ExplorerError, match="Convolutions need images") as caught:
        training.train(config, data, tmp_path)
    assert len(str(caught.value).splitlines()) == 1


# Starting from another checkpoint


def trained(folder, config):
    training.train(config, digits(), folder)
    return checkpoint.load(folder)


def test_a_start_takes_over_the_weights(tmp_path):
    start = trained(tmp_path / "start", recipe(epochs=2))
    still = recipe(epochs=1, learning_rate=1e-30, seed=5)
    training.train(still, digits(), tmp_path / "next", init=start)
    expected = weights(tmp_path / "start")
    for name, value in weights(tmp_path / "next").items():
        torch.testing.assert_close(value, expected[name], rtol=1e-6, atol=1e-7)


def test_a_start_may_have_another_prior(tmp_path):
    start = trained(tmp_path / "start", recipe(epochs=2, average=0))
    still = recipe(prior={"kind": "standard"}, epochs=1, learning_rate=1e-30, average=0)
    training.train(still, digits(), tmp_path / "next", init=start)
    expected = weights(tmp_path / "start")
    for name, value in weights(tmp_path / "next").items():
        if name.startswith("model."):
            torch.testing.assert_close(value, expected[name], rtol=0, atol=0)


@pytest.mark.parametrize(
    "model",
    [{"latent": 3}, {"hidden": [9]}, {"hidden": [8, 8]}],
    ids=["latent", "width", "depth"],
)
def test_a_start_of_another_shape_is_refused(tmp_path, model):
    start = trained(tmp_path / "start", recipe(model, epochs=1))
    with pytest.raises(TrainingError, match=r"start does not match the recipe's shapes.*--init"):
        training.train(recipe(), digits(), tmp_path / "next", init=start)


def test_a_decoder_of_another_kind_begins_anew(tmp_path):
    small = {"top": 2, "bottom": 3, "channels": [2, 2, 2, 2, 2], "width": 4}
    start = trained(
        tmp_path / "start",
        recipe(small | {"kind": "convhvae", "decoder_channels": [2]}, epochs=1),
    )
    pixel = small | {"kind": "pixelhvae", "decoder_channels": 2, "decoder_layers": 2}
    config = training._complete(recipe(pixel), digits())
    run = training._Run(config, digits(), tmp_path / "next", torch.device("cpu"))
    before = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.start_from(start)
    theirs = start.model.state_dict()
    for name, value in run.network.state_dict().items():
        if name.startswith("model.decoder."):
            assert torch.equal(value, before[name])
        elif name.startswith("model."):
            assert torch.equal(value, theirs[name.removeprefix("model.")])
    assert any(name.startswith("model.decoder.") for name in before)


def test_a_start_of_another_number_of_components_is_refused(tmp_path):
    start = trained(tmp_path / "start", recipe(prior={"kind": "vamp", "components": 5}, epochs=1))
    with pytest.raises(TrainingError, match="the recipe's shapes"):
        training.train(recipe(), digits(), tmp_path / "next", init=start)


# When it ends


@pytest.mark.parametrize(
    ("warmup", "patience", "last"),
    [
        ({"kind": "linear", "epochs": 5}, 2, 7),
        ({"kind": "linear", "epochs": 1}, 3, 4),
        ({"kind": "constant"}, 2, 3),
    ],
    ids=["long warm-up", "short warm-up", "none"],
)
def test_early_stopping_counts_from_the_end_of_the_warm_up(tmp_path, warmup, patience, last):
    still = recipe(
        objective={"warmup": warmup},
        epochs=20,
        learning_rate=1e-30,
        patience=patience,
        average=0,
    )
    training.train(still, digits(), tmp_path)
    assert len(log(tmp_path)) == last


def test_minutes_end_the_run_and_it_can_go_on(tmp_path):
    training.train(recipe(), digits(), tmp_path, minutes=0.0)
    assert len(log(tmp_path)) == 1
    assert checkpoint.load(tmp_path).config.sketch == digits().sketch
    training.train(recipe(), digits(), tmp_path, resume=True)
    assert len(log(tmp_path)) == EPOCHS
    training.train(recipe(), digits(), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", tmp_path)


# What a step does


def a_run(tmp_path, config, data=None):
    data = data or digits()
    return training._Run(training._complete(config, data), data, tmp_path, torch.device("cpu"))


def test_the_average_of_the_weights_is_what_is_published(tmp_path):
    run = a_run(tmp_path, recipe(epochs=3, objective={"warmup": {"kind": "constant"}}))
    for progress in run.epochs():
        if progress.valid_elbo == progress.best:
            best = training._copy(run.average.module.state_dict())
            raw = training._copy(run.network.state_dict())
    run.publish()
    published = weights(tmp_path)
    for name, value in published.items():
        torch.testing.assert_close(value, best[name], rtol=0, atol=0)
    assert any(not torch.equal(published[name], raw[name]) for name in published)


def test_training_raises_the_bound(tmp_path):
    config = recipe(epochs=30, average=0, corruption=0, decay="constant")
    training.train(config, digits(), tmp_path)
    lines = log(tmp_path)
    assert lines[-1]["valid_elbo"] > lines[0]["valid_elbo"] + 5


@pytest.mark.parametrize("shift", [1, 2, 8])
def test_a_shift_moves_pictures_and_keeps_them_pictures(tmp_path, shift):
    run = a_run(tmp_path, recipe(shift=shift))
    x = torch.from_numpy(digits().train.x[:40])
    moved = run._picture(x, torch.Generator().manual_seed(0))
    assert moved.shape == x.shape
    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert not torch.equal(moved, run._picture(x, torch.Generator().manual_seed(1)))


def test_a_shift_is_a_shift(tmp_path):
    data = dataclasses.replace(digits(), dynamic=False)
    run = a_run(tmp_path, recipe(shift=1), data)
    x = torch.from_numpy(digits().valid.x)
    moved = run._picture(x, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    shifts = [(row, column) for row in range(3) for column in range(3)]
    for before, after in zip(padded, moved, strict=True):
        candidates = [before[:, row : row + 8, column : column + 8] for row, column in shifts]
        assert any(torch.equal(after, candidate) for candidate in candidates)


def test_corruption_only_hides(tmp_path):
    run = a_run(tmp_path, recipe(corruption=0.5))
    x = torch.from_numpy(digits().valid.x)
    seen = run._corrupt(x, torch.Generator().manual_seed(0))
    assert seen.shape == x.shape
    assert bool(((seen == x) | (seen == 0)).all())
    share = 1 - float(seen.sum() / x.sum())
    assert share == pytest.approx(0.25, abs=0.05)
    assert a_run(tmp_path, recipe(corruption=0))._corrupt(x, torch.Generator()) is None


def test_normalised_gradients_have_norm_one(tmp_path):
    run = a_run(tmp_path, recipe(normalise_gradients=True, batch=1000))
    run._train_epoch(1.0)
    norms = [parameter.grad.norm() for parameter in run.network.parameters()]
    torch.testing.assert_close(torch.stack(norms), torch.ones(len(norms)), rtol=0, atol=1e-3)


def test_a_step_keeps_pseudo_inputs_inside_their_bounds(tmp_path):
    prior = {"kind": "vamp", "components": 20, "mean": 0.0, "spread": 0.5}
    config = recipe(prior=prior, prior_learning_rate=0.5, half=False)
    training.train(config, digits(), tmp_path)
    inputs = checkpoint.load(tmp_path).prior.pseudo_inputs()
    assert float(inputs.min()) >= 0
    assert float(inputs.max()) <= 1


def test_snapshots_of_pseudo_inputs_are_kept(tmp_path):
    training.train(recipe(), digits(), tmp_path)
    found = checkpoint.load(tmp_path).arrays(checkpoint.SNAPSHOTS)
    assert found["epochs"].tolist() == [1, 2, 3, 5, 6]
    assert found["inputs"].shape == (5, 4, 1, 8, 8)
    assert found["inputs"].dtype == np.float16
    assert (tmp_path / checkpoint.SNAPSHOTS).stat().st_size < 150_000


def test_a_prior_without_pseudo_inputs_has_no_snapshots(tmp_path):
    training.train(recipe(prior={"kind": "mog"}, epochs=2), digits(), tmp_path)
    assert not (tmp_path / checkpoint.SNAPSHOTS).exists()


# VampPriors of data


ON_DATA = {"kind": "vamp-data", "components": 7}


def assert_components_are_of_their_rows(folder, seed):
    """Check that the prior holds what the trained encoder makes of the samples of its rows."""
    opened = checkpoint.load(folder)
    chosen = VampDataPrior(7, 2)
    chosen.fit(digits().train.x, seed, dynamic=True)
    assert torch.equal(opened.prior.rows, chosen.rows)
    q = opened.model.top_posterior(chosen.inputs)
    torch.testing.assert_close(opened.prior.loc, q.loc)
    torch.testing.assert_close(opened.prior.scale, q.scale)


@pytest.mark.parametrize("average", [0, 0.9])
@pytest.mark.parametrize("model", [None, TWO_LEVELS], ids=["one level", "two levels"])
def test_components_on_data_are_those_of_the_trained_encoder(tmp_path, model, average):
    config = recipe(model, prior=ON_DATA, epochs=2, average=average, seed=5)
    training.train(config, digits(), tmp_path)
    assert_components_are_of_their_rows(tmp_path, seed=5)
    with safe_open(tmp_path / checkpoint.WEIGHTS, framework="pt") as stored:
        prior = [name for name in stored.keys() if name.startswith("prior.")]  # noqa: SIM118
        largest = max(stored.get_tensor(name).numel() for name in prior)
    assert sorted(prior) == ["prior.loc", "prior.rows", "prior.scale"]
    assert largest < 64
    assert not (tmp_path / checkpoint.SNAPSHOTS).exists()


def test_a_start_on_other_data_keeps_rows_and_components_together(tmp_path):
    start = trained(tmp_path / "start", recipe(prior=ON_DATA, epochs=1, seed=5))
    training.train(
        recipe(prior=ON_DATA, epochs=2, seed=6), digits(), tmp_path / "next", init=start
    )
    assert_components_are_of_their_rows(tmp_path / "next", seed=6)


# X-VAE


@pytest.fixture
def autoencoder(tmp_path):
    folder = tmp_path / "user" / "checkpoints" / "digits-ae"
    return trained(folder, recipe({"kind": "ae"}, epochs=3))


def test_the_prior_of_an_xvae_has_the_moments_of_the_codes(tmp_path, autoencoder):
    config = recipe(prior={"kind": "xvae", "source": autoencoder.slug})
    found = training.train(config, digits(), tmp_path / "xvae")
    opened = checkpoint.load(tmp_path / "xvae")
    assert opened.config == found
    assert found.prior.source_hash == autoencoder.hash
    assert found.prior.floored == ()
    codes = autoencoder_codes(autoencoder, digits())
    np.testing.assert_allclose(opened.prior.loc, codes.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(opened.prior.scale, codes.std(0), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(opened.model.reference_scale, opened.prior.scale)


def test_an_xvae_of_two_levels_takes_the_codes_for_its_top(tmp_path, autoencoder):
    config = recipe(TWO_LEVELS, prior={"kind": "xvae", "source": autoencoder.slug}, epochs=1)
    training.train(config, digits(), tmp_path / "xvae")
    opened = checkpoint.load(tmp_path / "xvae")
    codes = autoencoder_codes(autoencoder, digits())
    np.testing.assert_allclose(opened.prior.loc, codes.mean(0), rtol=1e-5, atol=1e-6)
    assert Engine(opened, "cpu").draw(3)[0].shape == (3, 5)


def test_dead_units_of_the_autoencoder_are_raised_to_the_floor(tmp_path, autoencoder):
    with torch.no_grad():
        autoencoder.model.loc.weight[0] = 0
    checkpoint.save(autoencoder.model, None, autoencoder.config, autoencoder.folder)
    config = recipe(prior={"kind": "xvae", "source": autoencoder.slug, "floor": 0.1}, epochs=1)
    found = training.train(config, digits(), tmp_path / "xvae")
    codes = autoencoder_codes(checkpoint.load(autoencoder.slug), digits())
    assert found.prior.floored == (0,)
    assert codes.std(0)[0] == pytest.approx(0, abs=1e-6)
    scale = checkpoint.load(tmp_path / "xvae").prior.scale
    assert float(scale[0]) == pytest.approx(0.1 * np.median(codes.std(0)), rel=1e-4)


def test_an_xvae_mixture_is_fitted_to_the_codes_and_stays(tmp_path, autoencoder):
    prior = {"kind": "xvae-mixture", "source": autoencoder.slug, "components": 3}
    found = training.train(recipe(prior=prior), digits(), tmp_path / "mixture")
    assert found.prior.source_hash == autoencoder.hash
    opened = checkpoint.load(tmp_path / "mixture")
    fitted = found.build()[1]
    fitted.fit(autoencoder_codes(autoencoder, digits()), found.training.seed)
    for name, value in fitted.state_dict().items():
        torch.testing.assert_close(opened.prior.state_dict()[name], value)
    assert Engine(opened, "cpu").prototypes().weights.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["xvae", "xvae-mixture"])
@pytest.mark.usefixtures("save_always")
def test_a_resumed_xvae_equals_one_that_was_not_stopped(tmp_path, autoencoder, kind):
    config = recipe(prior={"kind": kind, "source": autoencoder.slug})
    training.train(config, digits(), tmp_path / "whole")
    killed_run(tmp_path / "killed", config)
    training.train(config, digits(), tmp_path / "killed", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")


def test_a_source_of_another_latent_size_is_refused(tmp_path, autoencoder):
    config = recipe({"latent": 3}, prior={"kind": "xvae", "source": autoencoder.slug})
    with pytest.raises(TrainingError, match=r"latent size.*source"):
        training.train(config, digits(), tmp_path / "xvae")


@pytest.mark.parametrize("kind", ["xvae", "xvae-mixture"])
def test_a_source_that_is_no_autoencoder_of_these_data_is_refused(tmp_path, kind):
    curve = {"kind": "curve", "x": [0, 0.5, 1], "loc": [0, 0, 0], "scale": [1, 1, 1]}
    config = recipe({"kind": "ae"}).model_dump() | {"sketch": curve}
    config = RunConfig.model_validate(config)
    folder = tmp_path / "user" / "checkpoints" / "curve-ae"
    checkpoint.save(*config.build(), config, folder)
    with pytest.raises(TrainingError):
        training.train(
            recipe(prior={"kind": kind, "source": "curve-ae"}), digits(), tmp_path / "xvae"
        )


# Publishing

FILES = (
    checkpoint.METRICS,
    checkpoint.LIKELIHOOD,
    checkpoint.ATLAS,
    checkpoint.PREVIEW,
    checkpoint.CARD,
)


@pytest.mark.parametrize("kind", ["vae", "ae"])
def test_what_is_published_loads_again(tmp_path, kind):
    folder = tmp_path / "shipped" / "digits-small"
    training.train(recipe({"kind": kind}, epochs=2), digits(), folder)
    stages = []
    opened = publishing.publish(
        folder, digits(), samples=5, report=lambda stage, done, total: stages.append(stage)
    )
    assert {path.name for path in folder.iterdir()} >= set(FILES)
    assert not list(folder.glob(".*.part"))
    again = checkpoint.load("digits-small")
    assert again.hash == opened.hash
    assert again.metrics == opened.metrics == checkpoint.catalogue()[0].metrics
    of_test = {name: metric.n for name, metric in again.metrics.items() if name != "smoothness"}
    assert set(of_test.values()) == {len(digits().test)}
    atlas = load_atlas(again)
    assert atlas.method == "plane"
    assert len(atlas.codes) == len(digits().train) + len(digits().test)
    assert len(atlas.sample_xy) == (1000 if kind == "vae" else 0)
    measure = "log_likelihood" if kind == "vae" else "reconstruction"
    each = again.arrays(checkpoint.LIKELIHOOD)[measure]
    assert each.shape == (len(digits().test),)
    assert each.mean() == pytest.approx(again.metrics[measure].value, rel=1e-4)
    assert (folder / checkpoint.PREVIEW).read_bytes().startswith(b"\x89PNG")
    card = (folder / checkpoint.CARD).read_text()
    assert again.hash in card
    assert f"{again.metrics[measure].value:.2f}" in card
    assert stages
