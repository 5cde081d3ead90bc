"""A run that cannot be resumed says why."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save as serialise

from explorer import checkpoint, training
from explorer.data import DataSet, SplitData
from explorer.errors import ExplorerError, TrainingError
from explorer.models import ConvVAEConfig
from explorer.sketch import CurveSketch
from tests.support.runs import digits, killed_run, log, recipe


def state_of(folder):
    return folder / training.WORK / training.STATE


def facts(**changes):
    whole = {
        "epoch": 1,
        "best": 0.0,
        "best_epoch": 1,
        "seconds": 0.0,
        "log": [],
        "recipe": recipe().completed(digits().sketch, digits().binary).model_dump(mode="json"),
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
    curves = SplitData(np.zeros((9, 3), np.float32), None, np.arange(9))
    data = DataSet(train=curves, valid=curves, test=curves, sketch=curve)
    config = recipe().model_copy(update={"model": ConvVAEConfig(latent=2)})
    with pytest.raises(ExplorerError, match="Convolutions need images") as caught:
        training.train(config, data, tmp_path)
    assert len(str(caught.value).splitlines()) == 1
