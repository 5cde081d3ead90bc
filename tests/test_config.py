"""A recipe is read whole, or refused with the field that is wrong."""

import json

import pytest
from pydantic import ValidationError

from explorer.config import MAX_PARAMETERS, RunConfig, read_recipe
from explorer.errors import RecipeError
from tests.support.models import AUTOENCODERS, CONVOLUTIONS, MODELS, PRIORS, SKETCHES, small_model


def run(model, prior=None, sketch=None):
    known = SKETCHES["pixels"] if sketch is None else sketch
    return {
        "data": {"kind": "digits"},
        "model": model,
        "prior": prior,
        "sketch": known.model_dump(mode="json"),
    }


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_refuse_curves_in_one_sentence(name, tmp_path):
    config = small_model(name)
    with pytest.raises(RecipeError) as refused:
        config.build(SKETCHES["curve"])
    said = str(refused.value)
    assert said == "Convolutions need images; choose the kind ae, vae or hvae for curves."
    prior = None if name in AUTOENCODERS else {"kind": "standard"}
    whole = run(config.model_dump(mode="json"), prior, SKETCHES["curve"])
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(RecipeError, match="Convolutions need images") as named:
        read_recipe(path)
    said = str(named.value)
    assert "\n" not in said
    assert said.endswith("for curves.")


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_a_plain_autoencoder_has_no_prior(name):
    model = small_model(name).model_dump(mode="json")
    assert RunConfig.model_validate(run(model)).build()[1] is None
    with pytest.raises(ValidationError, match="has no prior"):
        RunConfig.model_validate(run(model, {"kind": "standard"}))


@pytest.mark.parametrize("name", MODELS)
def test_every_other_model_needs_a_prior(name):
    model = small_model(name).model_dump(mode="json")
    for kind, prior in PRIORS.items():
        found = RunConfig.model_validate(run(model, prior.model_dump(mode="json")))
        assert (found.model.kind, found.prior.kind) == (name, kind)
    with pytest.raises(ValidationError, match="every other model needs one"):
        RunConfig.model_validate(run(model))


def test_a_recipe_of_too_many_parameters_is_refused():
    wide = {"kind": "hvae", "top": 2, "bottom": 2, "hidden": [4096] * 6}
    large = SKETCHES["pixels"].model_copy(update={"height": 128, "width": 128})
    with pytest.raises(ValidationError, match=f"over {MAX_PARAMETERS:,} parameters"):
        RunConfig.model_validate(run(wide, {"kind": "standard"}, large))
    many = {"kind": "vamp", "components": 5000}
    largest = SKETCHES["pixels"].model_copy(update={"height": 512, "width": 512})
    small = {"kind": "vae", "latent": 2, "hidden": [4]}
    with pytest.raises(ValidationError, match=f"over {MAX_PARAMETERS:,} parameters"):
        RunConfig.model_validate(run(small, many, largest))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "hvae", "top": 0},
        {"kind": "hvae", "latent": 3},
        {"kind": "convvae", "channels": [3, 4, 4, 5]},
        {"kind": "convhvae", "decoder_channels": []},
        {"kind": "pixelhvae", "likelihood": "gaussian"},
        {"kind": "pixelhvae", "decoder_layers": 0},
        {"kind": "vae", "likelihood": "logistic-edge"},
    ],
    ids=lambda fields: " ".join(map(str, fields.values())),
)
def test_impossible_models_are_refused(fields):
    with pytest.raises(ValidationError):
        RunConfig.model_validate(run(fields, {"kind": "standard"}))
