"""A study trains every arm for as long, once, and goes on where it was stopped."""

import numpy as np
import pytest

from explorer import checkpoint, study, training_loop
from explorer.data import DigitsConfig
from explorer.errors import TrainingError
from explorer.study import ARMS, Arm, Plan
from tests.support.runs import digits

pytestmark = pytest.mark.usefixtures("user")

PLAN = Plan(data=DigitsConfig(), latent=2, hidden=(8,), epochs=2, batch=60, seeds=(1,))


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_is_a_valid_recipe_of_as_many_epochs(arm):
    config = study.recipe(PLAN.model_copy(update={"epochs": 40}), arm, 2)
    assert config.training.epochs == (40 if ARMS[arm].base is None else 20)
    assert config.training.seed == 2
    base = study.base_recipe(PLAN, "bottleneck", 2)
    assert base.training.freeze == "trunk"


def test_every_reference_is_matched_by_both_methods_from_its_own_base():
    assert ARMS["features-score"] == Arm("features", "features", "score")
    assert ARMS["gmm-sliced"] == Arm("autoencoder", "gmm", "sliced")
    methods = {arm.rpartition("-")[2] for arm in ARMS if arm.startswith("bottleneck-")}
    assert methods == {"sliced", "score"}


@pytest.mark.slow
def test_a_study_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    arms = ("standard-sliced", "vae-xvae")
    monkeypatch.setattr(
        study.publishing, "measure", lambda *given, **options: {
            "c2st": checkpoint.Metric(value=0.5, n=9, unit="share")
        },
    )  # fmt: skip
    first = study.run(PLAN, digits(), tmp_path, arms=arms[:1])
    assert [one.arm for one in first] == ["standard-sliced"]
    monkeypatch.setattr(training_loop, "SAVE_EVERY_SECONDS", -1)
    told = []
    both = study.run(PLAN, digits(), tmp_path, arms=arms, report=lambda *state: told.append(state))
    assert [one.arm for one in both] == list(arms)
    assert both[0] == first[0], "a finished arm was trained again"
    assert told[-1] == ("vae-xvae, seed 1", 1, 2)
    assert study.read(tmp_path, PLAN) == both
    assert study.table(both, ("c2st", "mmd")) == [
        ("standard-sliced", "1", "0.500", "–"), ("vae-xvae", "1", "0.500", "–"),
    ]  # fmt: skip
    source = checkpoint.load(study.slug(PLAN, "vae-xvae", 1)).config.prior.source
    assert source == study.slug(PLAN, "autoencoder", 1)


def test_no_arm_is_begun_once_the_time_is_used_up(tmp_path):
    assert study.run(PLAN, digits(), tmp_path, arms=("ae",), hours=-1.0) == []


def test_results_of_another_plan_are_not_mixed_with_these(tmp_path):
    study._write(tmp_path, PLAN, [])
    more = PLAN.model_copy(update={"seeds": (1, 2)})
    assert study.read(tmp_path, more) == []
    with pytest.raises(TrainingError, match="another plan"):
        study.read(tmp_path, PLAN.model_copy(update={"latent": 3}))
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(TrainingError, match="damaged"):
        study.read(tmp_path, PLAN)


def test_an_unknown_arm_is_named(tmp_path):
    with pytest.raises(TrainingError, match="no arm"):
        study.run(PLAN, digits(), tmp_path, arms=("ring",))


def test_the_spread_over_seeds_is_told():
    one = study.Result(
        arm="ae", seed=1, hash="ab", seconds=1.0,
        metrics={"c2st": checkpoint.Metric(value=0.5, n=9, unit="share")},
    )  # fmt: skip
    other = one.model_copy(
        update={"seed": 2, "metrics": {"c2st": checkpoint.Metric(value=0.7, n=9, unit="share")}}
    )
    assert study.table([one, other], ("c2st",)) == [
        ("ae", "2", f"0.600 ± {np.std([0.5, 0.7], ddof=1):.3f}")
    ]
