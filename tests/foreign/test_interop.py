"""Models of other packages, where these are installed: exported, opened, and compared."""

import numpy as np
import pytest
import torch

import explorer
from explorer.inference import Engine

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of other packages
]


def pictures(n=80):
    draw = np.random.default_rng(0)
    return (draw.random((n, 1, 8, 8)) * draw.random((n, 1, 1, 8))).astype(np.float32)


@pytest.fixture
def pythae():
    return pytest.importorskip("pythae.models")


@pytest.mark.parametrize("kind", ["VAE", "BetaVAE", "AE", "WAE_MMD", "RAE_L2"])
def test_a_model_of_pythae_goes_in_whole(pythae, tmp_path, kind):
    config = getattr(pythae, f"{kind}_Config" if "_" in kind else f"{kind}Config")
    model = getattr(pythae, kind)(config(input_dim=(1, 8, 8), latent_dim=2)).eval()
    opened = explorer.export_model(
        model, data=pictures(), name="own", folder=tmp_path, importance_samples=2
    )
    x = torch.from_numpy(pictures(9))
    with torch.no_grad():
        found = model.encoder(x)
        expected = model.decoder(found.embedding).reconstruction
    engine = Engine(opened, "cpu")
    np.testing.assert_allclose(engine.encode(x).loc, found.embedding, atol=1e-4)
    np.testing.assert_allclose(engine.decode(found.embedding), expected, atol=1e-4)
    assert (opened.prior is None) == (kind in ("AE", "WAE_MMD", "RAE_L2"))


def test_a_vampprior_of_pythae_comes_with_its_prior(pythae, tmp_path):
    torch.manual_seed(0)
    config = pythae.VAMPConfig(input_dim=(1, 8, 8), latent_dim=2, number_components=7)
    model = pythae.VAMP(config).eval()
    opened = explorer.export_model(
        model, data=pictures(), name="own", folder=tmp_path, importance_samples=2
    )
    law = opened.prior(lambda x: None)
    z = torch.randn(5, 2)
    with torch.no_grad():
        expected = model._log_p_z(z) - np.log(2 * np.pi)  # which it leaves out
    torch.testing.assert_close(law.log_prob(z), expected, atol=1e-3, rtol=1e-3)
    assert len(law.components()) == 7


def test_a_model_of_diffusers_goes_in_whole(tmp_path):
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    model = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=1,
        sample_size=8,
    ).eval()
    data = 2 * torch.rand(40, 3, 8, 8) - 1
    opened = explorer.export_model(
        model, data=data, name="own", folder=tmp_path, importance_samples=2
    )
    x = torch.rand(5, 3, 8, 8)
    with torch.no_grad():
        z = model.encode(2 * x - 1).latent_dist.mean
        expected = (model.decode(z).sample + 1) / 2
    engine = Engine(opened, "cpu")
    np.testing.assert_allclose(engine.encode(x).loc, z.flatten(1), atol=1e-4)
    np.testing.assert_allclose(engine.decode(z.flatten(1)), expected, atol=1e-4)
    assert opened.config.model.range == (-1, 1)
