"""Codes of channels x height x width are explored by their principal components."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import explorer
from explorer.errors import ExportError
from explorer.foreign import import_folder
from explorer.inference import Engine
from explorer.models.spatial import SpatialCodes, components_of

pytestmark = pytest.mark.slow


class Spatial(nn.Module):
    """Two channels of 4 x 4, with a spread."""

    def __init__(self):
        super().__init__()
        self.encode_it = nn.Conv2d(1, 4, 2, stride=2)
        self.decode_it = nn.ConvTranspose2d(2, 1, 2, stride=2)

    def encode(self, x):
        mean, raw = self.encode_it(x).chunk(2, 1)
        return mean, 0.1 * raw - 4

    def decode(self, z):
        return self.decode_it(z).sigmoid()


def pictures(n=300, seed=0):
    draw = np.random.default_rng(seed)
    return (draw.random((n, 1, 1, 8)) * draw.random((n, 1, 8, 1))).astype(np.float32)


class Flat:
    """In place of UMAP, which takes half a minute to compile."""

    def __init__(self, **_):
        pass

    def fit_transform(self, codes):
        return codes[:, :2]


@pytest.fixture(autouse=True)
def _flat(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Flat))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(4)
    return Spatial().eval()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    place = tmp_path_factory.mktemp("spatial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENT_EXPLORER_USER", str(place / "user"))
        patch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Flat))
        yield {
            count: explorer.export_model(
                model, data=pictures(), name=f"own-{count}", likelihood="gaussian",
                components=count, folder=place / "shelf", importance_samples=2,
            )
            for count in (128, 5)
        }  # fmt: skip


def test_the_units_are_components_and_say_what_they_explain(exported):
    engine = Engine(exported[5], "cpu")
    level = engine.space.levels[0]
    assert (level.kind, level.shape, level.stop) == ("spatial", (2, 4, 4), 5)
    codes = engine.encode(pictures()).loc
    spread = codes.std(0)
    assert (np.diff(spread) < 1e-3).all()
    assert 0.5 < level.explained < 1
    assert f"first 5 principal components ({100 * level.explained:.1f} % of variance)" in (
        engine.components_words
    )
    assert "2 x 4 x 4 by 5 principal components" in exported[5].config.model.words


def test_with_all_components_nothing_is_lost(exported, model):
    engine = Engine(exported[128], "cpu")
    assert engine.space.size == 32
    assert engine.space.levels[0].explained == pytest.approx(1)
    x = torch.from_numpy(pictures(9, seed=3))
    with torch.no_grad():
        expected = model.decode(model.encode(x)[0])
    np.testing.assert_allclose(engine.decode(engine.encode(x).loc), expected, atol=1e-5)
    assert exported[128].config.model.difference < 1 / 255


def test_the_prior_is_the_covariance_of_the_components(exported):
    opened = exported[5]
    assert opened.config.prior.kind == "gaussian"
    assert "on 5 principal components" in opened.config.fitted.words
    assert "Ledoit and Wolf" in opened.config.fitted.words
    engine = Engine(opened, "cpu")
    assert engine.fitted
    assert engine.scored
    drawn, q = engine.draw(4000, seed=1)[0], engine.encode(pictures())
    spread = np.sqrt(q.loc.var(0) + np.square(q.scale).mean(0))
    np.testing.assert_allclose(drawn.std(0), spread, rtol=0.15)
    assert np.isfinite(opened.metrics["log_likelihood"].value)


def test_a_standard_normal_of_the_codes_is_one_of_their_components(model, tmp_path):
    opened = explorer.export_model(
        model, data=pictures(), name="own", likelihood="gaussian", components=5,
        prior="standard", folder=tmp_path, importance_samples=2,
    )  # fmt: skip
    law, spatial = opened.prior(lambda x: None), opened.model.spatial
    components = law.components()
    torch.testing.assert_close(components.scale, torch.ones(1, 5))
    at_zero = spatial.parts(torch.zeros(1, 32))
    torch.testing.assert_close(components.loc, at_zero, atol=1e-5, rtol=1e-5)


def test_a_spread_keeps_its_variance_along_each_component():
    torch.manual_seed(0)
    codes = SpatialCodes(6, 3)
    codes.fit(torch.randn(200, 6) * torch.arange(1, 7))
    scale = torch.rand(2, 6) + 0.1
    drawn = codes.parts(scale[0] * torch.randn(200_000, 6))
    torch.testing.assert_close(drawn.std(0), codes.spread(scale)[0], rtol=0.02, atol=0)
    parts = torch.randn(4, 3)
    torch.testing.assert_close(codes.parts(codes.whole(parts)), parts, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("values", "samples", "wanted", "kept"),
    [(4096, 5000, 128, 128), (4096, 50, 128, 49), (16, 5000, 128, 16), (4096, 5000, 9, 9)],
)
def test_there_are_no_more_components_than_can_be_found(values, samples, wanted, kept):
    assert components_of(values, samples, wanted) == kept


def test_a_pair_of_graphs_may_say_that_its_codes_are_spatial(exported, tmp_path):
    source = tmp_path / "pair"
    source.mkdir()
    for name in ("encoder.onnx", "decoder.onnx"):
        (source / name).write_bytes((exported[5].folder / name).read_bytes())
    np.savez(source / "x.npz", x=(255 * pictures()).astype(np.uint8))
    described = {
        "data": {"kind": "files", "path": "x.npz", "light": True},
        "code": [2, 4, 4], "spread": "log_variance", "likelihood": "gaussian",
    }  # fmt: skip
    (source / "model.json").write_text(json.dumps(described))
    opened = import_folder(source, folder=tmp_path / "shelf", importance_samples=2)
    assert opened.config.model.latent == 32
    assert opened.config.prior.kind == "gaussian"
    assert json.loads((opened.folder / "config.json").read_text())["data"]["path"] == "samples.npz"
    (source / "model.json").write_text(json.dumps({"data": described["data"]}))
    with pytest.raises(ExportError, match="neither `latent` nor `code`"):
        import_folder(source, name="other", folder=tmp_path / "shelf")


def test_a_folder_of_diffusers_is_told_by_its_config(tmp_path):
    place = tmp_path / "pipeline" / "vae"
    place.mkdir(parents=True)
    (place / "config.json").write_text(json.dumps({"_class_name": "VQModel"}))
    with pytest.raises(ExportError, match="a VQModel of diffusers"):
        import_folder(tmp_path / "pipeline")
    (place / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    (place / "diffusion_pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ExportError, match="Nothing is unpickled"):
        import_folder(tmp_path / "pipeline")
    (place / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    with pytest.raises(ExportError, match="--pictures"):
        import_folder(tmp_path / "pipeline")
