"""A prior is fitted to the codes of a trained model, which stays as it was."""

import numpy as np
import pytest
import torch

import explorer
from explorer import checkpoint, fitting, jobs
from explorer.errors import LevelError, TrainingError
from explorer.inference import Engine
from explorer.interfaces import LatentSpace
from explorer.jobs import Order
from explorer.priors import FlowConfig, FullGaussianPrior
from explorer.sketch import PixelSketch
from tests.support.models import small_checkpoint
from tests.support.pages import address, open_page

AUTOENCODER = "digits-ae-2"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("fitted")
        patch.setenv("LATENT_EXPLORER_USER", str(place / "user"))
        return explorer.fit_prior(
            AUTOENCODER, "covariance", folder=place / "shelf", importance_samples=2
        )


def test_a_plain_autoencoder_gets_a_prior_and_stays_as_it_was(fitted):
    before, after = Engine(checkpoint.load(AUTOENCODER), "cpu"), Engine(fitted, "cpu")
    z = after.draw(50)[0]
    assert np.array_equal(before.decode(z), after.decode(z))
    assert not before.has_prior
    assert after.has_density
    assert fitted.config.prior.kind == "gaussian"
    assert fitted.config.fitted.source_hash == before.checkpoint.hash
    card = (fitted.folder / "card.md").read_text("utf-8")
    assert f"fitted afterwards to 1,297 codes of `{AUTOENCODER}`" in card
    assert f"networks are those of `{AUTOENCODER}`" in card
    assert fitted.metrics["mmd"].n == 250
    assert "log_likelihood" not in fitted.metrics


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("page", ["generate", "evaluate", "latent_map", "reconstruct"])
def test_a_page_opens_on_it(fitted, monkeypatch, page):
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(fitted.folder.parent))
    app = open_page(page, model=fitted.slug)
    assert not app.exception
    assert not app.error
    assert address(app)["model"] == fitted.slug


def moons(n=1200, seed=0):
    draw = np.random.default_rng(seed)
    turn = draw.uniform(0, np.pi, n)
    up = draw.choice([-1.0, 1.0], n)
    ring = np.stack([10 * np.cos(turn) + 5 * up, up * (10 * np.sin(turn) - 3)], 1)
    return (ring + draw.normal(0, 0.7, ring.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def opened():
    return checkpoint.load(AUTOENCODER)


def log_density(kind, opened, monkeypatch):
    monkeypatch.setattr(fitting, "_FLOW_STEPS", 200)
    monkeypatch.setattr(fitting, "MOST_COMPONENTS", 8)
    _, prior, words = fitting.fitted(moons(), kind, opened, 14, 1.0, lambda *_: None)
    with torch.no_grad():
        return float(prior(lambda x: None).log_prob(torch.from_numpy(moons(seed=1))).mean()), words


def test_a_more_flexible_prior_makes_held_out_codes_more_probable(opened, monkeypatch):
    found = {kind: log_density(kind, opened, monkeypatch)[0] for kind in fitting.KINDS}
    assert found["standard"] < found["moments"] <= found["covariance"] + 0.01
    assert found["covariance"] + 0.2 < found["mixture"]
    assert found["covariance"] + 0.2 < found["flow"]


def test_a_covariance_is_that_of_the_codes():
    draw = np.random.default_rng(0)
    mix = np.array([[1.0, 0.0], [3.0, 0.1]])
    codes = (draw.normal(size=(5000, 2)) @ mix.T + [1, -2]).astype(np.float32)
    prior = FullGaussianPrior(2)
    shrinkage = prior.fit(codes)
    law = prior(lambda x: None)
    covariance = (law.factor @ law.factor.T).numpy()
    assert shrinkage < 0.05
    np.testing.assert_allclose(covariance, np.cov(codes.T), rtol=0.05, atol=0.05)
    drawn = law.draw(5000, seed=3).z.numpy()
    np.testing.assert_allclose(np.cov(drawn.T), covariance, rtol=0.1, atol=0.1)


def test_a_standardised_flow_starts_as_the_moments_of_the_codes():
    space, sketch = LatentSpace.single(2), PixelSketch(height=8, width=8)
    flow = FlowConfig(standardised=True).build(space, sketch)
    codes = moons()
    flow.standardise(codes)
    moments = torch.distributions.Normal(
        torch.from_numpy(codes.mean(0)), torch.from_numpy(codes.std(0))
    )
    z = torch.from_numpy(codes[:50])
    with torch.no_grad():
        torch.testing.assert_close(
            flow(lambda x: None).log_prob(z), moments.log_prob(z).sum(1), atol=1e-4, rtol=1e-4
        )
    assert set(FlowConfig().build(space, sketch).state_dict()).isdisjoint({"loc", "scale"})


def test_what_cannot_be_fitted_is_said(tmp_path):
    with pytest.raises(TrainingError, match="choose standard, moments"):
        explorer.fit_prior(AUTOENCODER, "vamp", folder=tmp_path)
    with pytest.raises(LevelError, match="two levels"):
        explorer.fit_prior(small_checkpoint("standard", model="hvae"), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_generate_offers_to_fit_a_prior_and_then_opens_it(monkeypatch):
    app = open_page("generate", model=AUTOENCODER)
    assert app.button(key=f"job_fit_{AUTOENCODER}").label == "Fit a prior to its codes"
    entry = next(entry for entry in explorer.catalogue() if entry.slug == AUTOENCODER)
    order = Order(kind="fit", checkpoint=str(entry.folder), hash=entry.hash)
    opened = entry.open()
    jobs.WORK["fit"](opened, opened.config.data.load(entry.folder), order, lambda *_: None)
    app = open_page("generate", model=AUTOENCODER)
    assert not [button for button in app.button if button.key == f"job_fit_{AUTOENCODER}"]
    app = open_page("generate", model=fitting.name_of(AUTOENCODER, "mixture"))
    assert not app.exception
    assert not app.error
