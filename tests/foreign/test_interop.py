"""Models of other packages, where these are installed: exported, opened, and compared."""

import importlib.util
import subprocess
import sys

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


@pytest.fixture
def autoencoder_kl():
    diffusers = pytest.importorskip("diffusers")
    torch.manual_seed(0)
    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        latent_channels=2,
        sample_size=8,
    ).eval()


def _is_it(opened, model):
    """Whether a checkpoint encodes and decodes as an AutoencoderKL does, with all components."""
    x = torch.rand(5, 3, 8, 8)
    with torch.no_grad():
        z = model.encode(2 * x - 1).latent_dist.mean
        expected = (model.decode(z).sample + 1) / 2
    engine = Engine(opened, "cpu")
    level = engine.space.levels[0]
    assert (level.kind, level.shape, level.stop) == ("spatial", (2, 4, 4), 32)
    assert level.explained == pytest.approx(1, abs=1e-4)
    codes = engine.encode(x).loc
    whole = opened.model.spatial.whole(torch.from_numpy(codes))
    np.testing.assert_allclose(whole, z.flatten(1), atol=1e-4)
    np.testing.assert_allclose(engine.decode(codes), expected, atol=1e-4)
    assert opened.config.model.range == (-1, 1)
    assert opened.config.prior.kind == "gaussian"


def test_a_model_of_diffusers_goes_in_whole(autoencoder_kl, tmp_path):
    data = 2 * torch.rand(80, 3, 8, 8) - 1
    opened = explorer.export_model(
        autoencoder_kl, data=data, name="own", folder=tmp_path, importance_samples=2
    )
    _is_it(opened, autoencoder_kl)


@pytest.mark.parametrize("where", ["", "vae"])
def test_a_folder_of_diffusers_is_imported_by_the_command(autoencoder_kl, where, tmp_path):
    source = tmp_path / "sd"
    autoencoder_kl.save_pretrained(source / where, safe_serialization=True)
    pictures_at = tmp_path / "pictures.npz"
    np.savez(pictures_at, x=(255 * np.random.default_rng(0).random((80, 8, 8, 3))).astype("u1"))
    command = [sys.executable, "-m", "explorer.cli", "import", source, "--pictures", pictures_at]
    command += ["--samples", "2", "--out", tmp_path / "shelf", "--name", "own"]
    subprocess.run(command, check=True, timeout=600)
    _is_it(explorer.load(tmp_path / "shelf" / "own"), autoencoder_kl)


def test_a_lightning_module_goes_in_whole(tmp_path):
    lightning = pytest.importorskip("lightning")

    class Own(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
            self.decoder = torch.nn.Sequential(torch.nn.Linear(2, 64), torch.nn.Sigmoid())

        def encode(self, x):
            return self.encoder(x).chunk(2, 1)

        def decode(self, z):
            return self.decoder(z).reshape(-1, 1, 8, 8)

        def training_step(self, batch, index):
            mean, log_variance = self.encode(batch)
            z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
            return (self.decode(z) - batch).pow(2).mean()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-2)

    torch.manual_seed(0)
    model, loader = Own(), torch.utils.data.DataLoader(torch.from_numpy(pictures()), 16)
    lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    ).fit(model, loader)  # fmt: skip
    # `encoder` alone returns mean and log variance in one row: what is meant is `encode`.
    opened = explorer.export_model(
        model.encode, model.decode, data=loader, name="own", folder=tmp_path,
        importance_samples=2,
    )  # fmt: skip
    x = torch.from_numpy(pictures(9))
    with torch.no_grad():
        mean, _ = model.encode(x)
        expected = model.decode(mean)
    engine = Engine(opened, "cpu")
    np.testing.assert_allclose(engine.encode(x).loc, mean, atol=1e-5)
    np.testing.assert_allclose(engine.decode(mean), expected, atol=1e-5)
    assert opened.config.model.spread == "log_variance"


KERAS = """
import os, sys
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy as np
import explorer

keras.utils.set_random_seed(0)
seen = keras.Input((8, 8, 1))
hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(seen))
encoder = keras.Model(seen, [keras.layers.Dense(2)(hidden), keras.layers.Dense(2)(hidden) - 2.0])
code = keras.Input((2,))
raw = keras.layers.Dense(64, activation="sigmoid")(keras.layers.Dense(16, activation="relu")(code))
decoder = keras.Model(code, keras.layers.Reshape((8, 8, 1))(raw))
x = np.load("x.npy")
opened = explorer.export_model(
    encoder, decoder, data=x, name="own", folder="shelf", spread="log_variance",
    likelihood="gaussian", importance_samples=2,
)
mean = encoder(x[:9])[0]
np.savez("expected.npz", mean=mean.detach(), decoded=decoder(mean).detach())
"""


def test_a_model_of_keras_on_torch_goes_in_whole(tmp_path):
    if importlib.util.find_spec("keras") is None:  # to import it would choose its backend
        pytest.skip("keras is not installed")
    x = np.moveaxis(pictures(), 1, 3)
    np.save(tmp_path / "x.npy", x)
    # In a process of its own: keras chooses its backend once, and then for all.
    subprocess.run([sys.executable, "-c", KERAS], cwd=tmp_path, check=True, timeout=300)
    opened, expected = (
        explorer.load(tmp_path / "shelf" / "own"),
        np.load(tmp_path / "expected.npz"),
    )
    engine = Engine(opened, "cpu")
    np.testing.assert_allclose(engine.encode(pictures()[:9]).loc, expected["mean"], atol=1e-4)
    decoded = np.moveaxis(expected["decoded"], 3, 1)
    np.testing.assert_allclose(engine.decode(expected["mean"]), decoded, atol=1e-4)
