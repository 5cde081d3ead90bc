"""A run may start from another checkpoint."""

import pytest
import torch

from explorer import training, training_loop
from explorer.errors import TrainingError
from tests.support.runs import digits, recipe, trained, weights


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
    config = recipe(pixel).completed(digits().sketch, digits().binary)
    run = training_loop.Run(config, digits(), tmp_path / "next", torch.device("cpu"))
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
