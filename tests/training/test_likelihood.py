"""The likelihood follows the data: Bernoulli is for values of 0 and 1."""

import json

import numpy as np
import pytest

from explorer import checkpoint, training
from explorer.config import RunConfig
from explorer.data import NacaConfig
from explorer.errors import RecipeError
from tests.support.own_files import recipe, trained
from tests.support.sentences import assert_one_sentence

KINDS = {
    "noise": (np.random.default_rng(0).integers(0, 256, (60, 6, 6), np.uint8), "logistic"),
    "masks": (np.random.default_rng(0).integers(0, 2, (60, 6, 6)).astype(np.float32), "bernoulli"),
    "greys": (np.random.default_rng(0).random((60, 6, 6), np.float32), "logistic"),
}


@pytest.mark.parametrize(("values", "fitting"), KINDS.values(), ids=KINDS.keys())
def test_a_recipe_that_names_none_gets_the_likelihood_of_its_data(values, fitting, tmp_path):
    np.save(tmp_path / "x.npy", values)
    config = recipe("x.npy")
    data = config.data.load(tmp_path)
    assert config.completed(data.sketch, data.binary).model.likelihood == fitting
    binary = recipe("x.npy", binary=True)
    data = binary.data.load(tmp_path)
    assert binary.completed(data.sketch, data.binary).model.likelihood == "bernoulli"


def test_bernoulli_of_grey_values_is_refused_with_the_remedy(tmp_path):
    np.save(tmp_path / "x.npy", KINDS["noise"][0])
    config = recipe("x.npy", "bernoulli")
    with pytest.raises(RecipeError, match='"logistic", or "binary" of the data') as error:
        training.train(config, config.data.load(tmp_path), tmp_path / "out")
    assert_one_sentence(error.value)
    assert not (tmp_path / "out").exists()
    curves = RunConfig.model_validate(
        json.loads(config.model_dump_json()) | {"data": {"kind": "naca", "count": 60}}
    )
    data = NacaConfig(count=60).load(tmp_path)
    with pytest.raises(RecipeError, match='likelihood to "gaussian"'):
        curves.completed(data.sketch, data.binary)


def test_a_model_of_binary_pixels_alone_says_so(tmp_path):
    np.save(tmp_path / "x.npy", KINDS["noise"][0])
    given = recipe("x.npy").model_dump(exclude={"model"}) | {"model": {"kind": "pixelhvae"}}
    config = RunConfig.model_validate(given)
    data = config.data.load(tmp_path)
    with pytest.raises(RecipeError, match='set "binary" of the data to true'):
        config.completed(data.sketch, data.binary)


def test_an_autoencoder_may_have_any(tmp_path):
    np.save(tmp_path / "x.npy", KINDS["noise"][0])
    given = recipe("x.npy", "bernoulli").model_dump() | {"prior": None}
    given["model"]["kind"] = "ae"
    config = RunConfig.model_validate(given)
    data = config.data.load(tmp_path)
    assert config.completed(data.sketch, data.binary).model.likelihood == "bernoulli"
    assert not config.is_pseudo(False)


def test_noise_takes_eight_bits_at_least(tmp_path):
    np.save(tmp_path / "x.npy", KINDS["noise"][0])
    opened = trained(recipe("x.npy"), tmp_path, tmp_path / "noise")
    bits = opened.metrics["bits_per_dimension"]
    assert bits.value + 3 * (bits.se or 0) > 8
    assert opened.fingerprint is not None
    assert not opened.fingerprint.binary
    assert "log_likelihood" in checkpoint.read_metrics(opened.folder)
