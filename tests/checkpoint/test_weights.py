"""Weights come back as they were stored."""

import torch
from safetensors import safe_open

from explorer.checkpoint import WEIGHTS, load, save
from explorer.testing import checkpoints
from tests.support.models import binary, every_kind, small_checkpoint


@every_kind
def test_every_model_comes_back_from_its_checkpoint(model, kind, tmp_path):
    small = small_checkpoint(kind, model=model)
    checkpoints.check_checkpoint_round_trips(small, tmp_path / "one")
    checkpoints.check_weights_round_trip(small, tmp_path)


def test_a_vampprior_of_data_is_stored_without_its_pictures(tmp_path):
    small = small_checkpoint("vamp-data", model="hvae", latent=3)
    small.prior.fit(binary(30).numpy(), seed=2)
    small.prior.freeze(small.model.top_posterior)
    expected = small.model.latent_prior(small.prior).log_prob(torch.ones(5, 7))
    folder = save(small.model, small.prior, small.config, tmp_path / "one")
    with safe_open(folder / WEIGHTS, framework="pt") as stored:
        names = [name for name in stored.keys() if name.startswith("prior.")]  # noqa: SIM118
        shapes = {name: tuple(stored.get_slice(name).get_shape()) for name in names}
    assert shapes == {"prior.rows": (6,), "prior.loc": (6, 3), "prior.scale": (6, 3)}
    opened = load(folder)
    assert opened.prior.inputs is None
    assert torch.equal(opened.prior.rows, small.prior.rows)
    found = opened.model.latent_prior(opened.prior).log_prob(torch.ones(5, 7))
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)  # matrices in half precision
