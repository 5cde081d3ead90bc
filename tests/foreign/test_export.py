"""One call at the end of a script makes a checkpoint that behaves as every other."""

import json
import shutil
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

import explorer
from explorer import checkpoint
from explorer.errors import CheckpointError, ExportError
from explorer.foreign import graphs, import_folder, writing
from explorer.foreign.given import prior_of
from explorer.inference import Engine
from explorer.models import OnnxConfig
from explorer.models.onnx import OnnxModel
from explorer.sketch import PixelSketch
from explorer.testing import checkpoints
from tests.support.graphs import encoder as linear_encoder
from tests.support.graphs import write_pair


class Encoder(nn.Module):
    """As in a tutorial."""

    def __init__(self, latent=2):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.mean, self.log_var = nn.Linear(16, latent), nn.Linear(16, latent)

    def forward(self, x):
        hidden = self.body(x)
        return self.mean(hidden), self.log_var(hidden) - 2


def decoder(latent=2, last=None):
    parts = [nn.Linear(latent, 16), nn.ReLU(), nn.Linear(16, 64)]
    return nn.Sequential(*parts, *([] if last is None else [last]))


def pictures(n=80, seed=0):
    draw = np.random.default_rng(seed)
    wide = draw.random((n, 1, 1, 8)) * np.ones((1, 1, 8, 1))
    return (wide > draw.random((n, 1, 1, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(0)
    networks = Encoder().train(), decoder()
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("exported")
        patch.setenv("LATENT_EXPLORER_USER", str(place / "user"))
        found = explorer.export_model(
            *networks,
            data=pictures(),
            labels=np.arange(80) % 3,
            likelihood="bernoulli",
            name="own",
            folder=place / "shelf",
            importance_samples=4,
        )
        return found, networks, place


def test_the_folder_is_whole(exported):
    found, _, _ = exported
    names = {path.name for path in found.folder.iterdir()}
    assert names >= {
        "config.json", "model.safetensors", "encoder.onnx", "decoder.onnx", "metrics.json",
        "atlas.npz", "preview.png", "card.md", "data.json", "likelihood.npz", "samples.npz",
    }  # fmt: skip
    assert found.metrics["log_likelihood"].n > 0
    assert not [path for path in found.folder.parent.iterdir() if path.name.startswith(".")]
    assert "Trained elsewhere (Encoder, exported from PyTorch" in (
        found.folder / "card.md"
    ).read_text("utf-8")


def test_the_networks_are_as_they_were_and_stay_so(exported):
    found, (encoder, own), _ = exported
    assert encoder.training
    assert encoder.body[2].training
    engine = Engine(found, "cpu")
    x = torch.from_numpy(pictures(30, 1))
    encoder.eval()
    with torch.no_grad():
        loc, log_var = encoder(x)
        seen = engine.encode(x)
        np.testing.assert_allclose(seen.loc, loc, atol=1e-5)
        np.testing.assert_allclose(seen.scale, (log_var / 2).exp(), atol=1e-5)
        mean = own(loc).sigmoid().reshape(-1, 1, 8, 8)
    np.testing.assert_allclose(engine.decode(loc), mean, atol=1e-5)
    encoder.train()
    assert found.config.model.difference < 1e-5
    assert found.config.model.logits


def test_the_laws_of_a_checkpoint_hold(exported):
    opened = exported[0]
    checkpoints.check_batching_changes_nothing(opened)
    checkpoints.check_engine_agrees_with_model(opened)
    checkpoints.check_samples_are_decoded_codes(opened)
    checkpoints.check_frames_match_samples(opened)


def test_data_and_classes_are_found_again(exported):
    opened = exported[0]
    data = opened.config.data.load(opened.folder)
    assert data.classes == ("0", "1", "2")
    assert opened.changes(data) == ""
    assert set(np.unique(data.train.x)) == {0.0, 1.0}


def test_a_folder_that_is_moved_takes_its_samples_along(exported, tmp_path):
    shutil.copytree(exported[0].folder, tmp_path / "moved")
    moved = checkpoint.load(tmp_path / "moved")
    assert json.loads((moved.folder / "config.json").read_text())["data"]["path"] == "samples.npz"
    assert moved.config.data.path == str((tmp_path / "moved").resolve() / "samples.npz")
    assert moved.hash == exported[0].hash
    assert moved.changes(moved.config.data.load(tmp_path)) == ""


def test_saving_a_foreign_model_keeps_its_graphs(exported, tmp_path):
    opened = exported[0]
    explorer.save(opened.model, opened.prior, opened.config, tmp_path / "again")
    again = Engine(checkpoint.load(tmp_path / "again"), "cpu")
    assert np.array_equal(again.sample(5).x, Engine(opened, "cpu").sample(5).x)


def test_a_name_that_is_taken_is_not_overwritten(exported):
    _, networks, place = exported
    with pytest.raises(ExportError, match="exists; choose another name"):
        explorer.export_model(*networks, data=pictures(), name="own", folder=place / "shelf")


def test_a_failed_export_leaves_nothing_in_the_catalogue(tmp_path):
    with pytest.raises(ExportError, match="decoder gives the shape"):
        explorer.export_model(
            Encoder(), nn.Linear(2, 5), data=pictures(), name="wrong", folder=tmp_path
        )
    assert explorer.catalogue(tmp_path) == []


def test_closures_and_a_plain_autoencoder_in_other_values(tmp_path):
    first, second = nn.Linear(64, 2), nn.Linear(2, 64)
    opened = explorer.export_model(
        lambda x: first(x.flatten(1)),
        lambda z: second(z).tanh().reshape(-1, 1, 8, 8),
        data=2 * pictures() - 1,
        name="plain",
        folder=tmp_path,
    )
    config = opened.config.model
    assert (config.range, config.spread, config.likelihood) == ((-1, 1), None, "mse")
    assert opened.prior is None
    assert "squared_error" in opened.metrics
    assert "reconstruction" not in opened.metrics
    engine = Engine(opened, "cpu")
    x = torch.from_numpy(pictures(20, 2))
    with torch.no_grad():
        z = first((2 * x - 1).flatten(1))
        expected = (second(z).tanh().reshape(-1, 1, 8, 8) + 1) / 2
    np.testing.assert_allclose(engine.encode(x).loc, z, atol=1e-5)
    np.testing.assert_allclose(engine.decode(z), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"mean": [0, 0], "scale": [1, -1]}, "scale has to be positive"),
        ({"mean": [0, 0, 0], "scale": [1, 1, 1]}, "do not fit 2 units"),
        ({"mean": [0, 0], "covariance": [[1, 2], [2, 1]]}, "positive definite"),
        ({"mean": [0, np.nan], "scale": [1, 1]}, "not all are finite"),
        ({"what": 1}, "no prior of what"),
        ("vamp", "is no prior"),
    ],
)
def test_parameters_that_are_no_prior_are_refused(given, match):
    with pytest.raises(ExportError, match=match):
        prior_of(given, "own", 2, PixelSketch(height=8, width=8))


@pytest.mark.parametrize(
    ("given", "kind", "density"),
    [
        ("standard", "standard", torch.distributions.Normal(0.0, 1.0)),
        ({"mean": [1, 1], "scale": [2, 2]}, "xvae", torch.distributions.Normal(1.0, 2.0)),
        (
            {"mean": [1, 1], "covariance": [[4, 0], [0, 4]]},
            "gaussian",
            torch.distributions.Normal(1.0, 2.0),
        ),
        (
            {"weights": [2, 2], "means": [[1, 1], [1, 1]], "scales": [[2, 2], [2, 2]]},
            "xvae-mixture",
            torch.distributions.Normal(1.0, 2.0),
        ),
    ],
)
def test_parameters_of_a_prior_are_its_density(given, kind, density):
    config, prior = prior_of(given, "own", 2, PixelSketch(height=8, width=8))
    z = torch.randn(9, 2)
    assert config.kind == kind
    found = prior(lambda x: None).log_prob(z)
    torch.testing.assert_close(found, density.log_prob(z).sum(1), atol=1e-5, rtol=1e-5)


def test_an_encoder_that_draws_is_refused():
    with pytest.raises(ExportError, match="draws random numbers"):
        graphs.export(
            lambda x: x.flatten(1)[:, :2] + torch.rand(len(x), 2),
            nn.Linear(2, 64),
            torch.rand(40, 1, 8, 8),
            likelihood="mse",
            spread=None,
            logits=None,
        )


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (np.zeros((5, 8, 8), np.float32), "are 5 samples"),
        (np.zeros((50, 10), np.float32), "no square pictures"),
        (np.full((50, 8, 8), np.nan, np.float32), "not finite"),
        (np.zeros((50, 2, 8, 8), np.float32), "channels"),
        (np.array(["a"] * 50), "the type"),
        ([], "no batches"),
    ],
)
def test_data_that_are_no_samples_are_refused(tmp_path, data, match):
    with pytest.raises(ExportError, match=match):
        explorer.export_model(Encoder(), decoder(), data=data, name="own", folder=tmp_path)


def test_a_likelihood_that_is_none_is_refused(tmp_path):
    with pytest.raises(ExportError, match="choose one of bernoulli"):
        explorer.export_model(
            Encoder(), decoder(), data=pictures(), likelihood="bce", name="own", folder=tmp_path
        )


def test_a_difference_is_measured_in_data_units():
    config = OnnxConfig(latent=2, range=(-1, 1))

    model = mock.create_autospec(OnnxModel, instance=True)
    model.config, model.spatial = config, None
    model.likelihood.return_value = SimpleNamespace(mean=torch.full((3, 4), 0.5))
    away = writing.difference(model, lambda z: torch.full((len(z), 4), 0.5), torch.zeros(3, 2))
    assert away == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["model.pt", "weights.ckpt", "net.pkl", "model.keras"])
def test_weights_without_a_graph_are_refused_with_the_remedy(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ExportError, match="export_model"):
        import_folder(tmp_path)


def test_a_description_that_lacks_or_lies_is_told(tmp_path):
    folder = write_pair(tmp_path / "pair")
    (folder / "model.json").unlink()
    with pytest.raises(ExportError, match=r"has no model\.json; it needs"):
        import_folder(folder)
    (folder / "model.json").write_text(json.dumps({"data": {"kind": "digits"}, "latent": 0}))
    with pytest.raises(ExportError, match="latent"):
        import_folder(folder)
    write_pair(folder, description={"latent": 3})
    with pytest.raises(CheckpointError, match=r"encoder\.onnx gives 2 and 2 values"):
        import_folder(folder, folder=tmp_path / "shelf")
    write_pair(folder, linear_encoder(spread=False))
    with pytest.raises(CheckpointError, match="2 and 2 are expected"):
        import_folder(folder, folder=tmp_path / "shelf")


def test_channels_last_and_a_prior_of_its_own(tmp_path):
    folder = write_pair(tmp_path / "pair", description={"channels_last": True, "prior": "file"})
    np.savez(folder / "prior.npz", mean=np.ones(2), scale=np.full(2, 0.5))
    opened = import_folder(folder, folder=tmp_path / "shelf", importance_samples=2)
    assert opened.config.fitted.words == "Given with the model."
    drawn = Engine(opened, "cpu").draw(2000)[0]
    np.testing.assert_allclose(drawn.mean(0), 1, atol=0.05)


def test_what_is_kept_opens_by_itself(exported):
    opened = exported[0]
    again = checkpoint.load(opened.folder)
    z = np.random.default_rng(0).normal(size=(70, 2)).astype(np.float32)
    assert again.hash == opened.hash
    assert np.array_equal(Engine(again, "cpu").decode(z), Engine(opened, "cpu").decode(z))
