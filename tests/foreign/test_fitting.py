"""A prior is fitted to the codes of a trained model, which stays as it was."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch

import explorer
from explorer import checkpoint, fitting, jobs
from explorer.errors import LevelError, TrainingError
from explorer.fitting import learning, writing
from explorer.fitting.codes import Codes, codes_of
from explorer.inference import Engine
from explorer.interfaces import LatentSpace, Posterior
from explorer.jobs import Order
from explorer.priors import FlowConfig, FullGaussianPrior
from explorer.sketch import PixelSketch
from tests.support.models import small_checkpoint
from tests.support.pages import address, open_page, told

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


def as_codes(z):
    """Codes that are points."""
    return Codes(z, Posterior(torch.from_numpy(z), None), np.arange(len(z)))


def fit(codes, kind, opened):
    return writing.fitted(codes, kind, opened, 14, time.monotonic() + 60, lambda *_: None)


def height(kind, opened, monkeypatch):
    """Mean log-density of codes that were not fitted, or the bound on it."""
    monkeypatch.setattr(learning, "STEPS", 300)
    monkeypatch.setattr(writing, "MOST_COMPONENTS", 8)
    law = fit(as_codes(moons()), kind, opened)[1](lambda x: None)
    with torch.no_grad():
        z = torch.from_numpy(moons(seed=1))
        return float((law.log_bound(z) if law.bounded else law.log_prob(z)).mean())


def test_a_more_flexible_prior_makes_held_out_codes_more_probable(opened, monkeypatch):
    kinds = [kind for kind in fitting.KINDS if kind not in ("hypersphere", "vamp")]
    found = {kind: height(kind, opened, monkeypatch) for kind in kinds}
    assert found["standard"] < found["moments"] <= found["covariance"] + 0.01
    assert found["covariance"] + 0.2 < found["mixture"]
    assert found["covariance"] + 0.2 < found["flow"]
    assert found["covariance"] < found["second-stage"]


def test_a_hypersphere_has_the_mean_radius_of_the_codes_and_no_density(opened):
    config, prior, words = fit(as_codes(moons()), "hypersphere", opened)
    law = prior(lambda x: None)
    centre = moons().mean(0)
    expected = np.linalg.norm(moons() - centre, axis=1).mean()
    for scale in (0.3, 1.0):
        z = law.draw(50, seed=2, scale=scale).z.numpy()
        np.testing.assert_allclose(np.linalg.norm(z - centre, axis=1), expected, rtol=1e-4)
    np.testing.assert_allclose(config.radius, expected, rtol=1e-5)
    assert not law.has_density
    assert "no density" in words


def test_pseudo_inputs_are_learned_and_the_encoder_stays(monkeypatch):
    opened = checkpoint.load("digits-vae-standard-2")
    before = {name: value.clone() for name, value in opened.model.state_dict().items()}
    codes = codes_of(opened, opened.config.data.load(Path()), 14)
    monkeypatch.setattr(learning, "STEPS", 40)
    config, prior, words = fit(codes, "vamp", opened)
    law = opened.model.latent_prior(prior)
    plain = fit(codes, "moments", opened)[1](lambda x: None)
    z = torch.from_numpy(codes.z)
    assert float(law.log_prob(z).mean()) > float(plain.log_prob(z).mean())
    assert (config.kind, config.components) == ("vamp", 259)
    assert "encoder as it is" in words
    for name, value in opened.model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_graphs_are_given_the_posteriors_of_chosen_data(shelf, monkeypatch):
    opened = checkpoint.load("gaussian")
    codes = codes_of(opened, opened.config.data.load(shelf / "gaussian"), 14)
    config, prior, words = fit(codes, "vamp", opened)
    law = prior(lambda x: None)
    parts = law.components()
    rows = np.searchsorted(np.sort(codes.rows), prior.rows.numpy())
    where = np.argsort(codes.rows)[rows]
    torch.testing.assert_close(parts.loc, codes.q.loc[where])
    torch.testing.assert_close(parts.scale, codes.q.scale[where])
    assert (config.kind, config.weighted) == ("vamp-data", True)
    assert "weighted by expectation maximisation" in words
    # Weights make the codes of the other data more probable than equal ones.
    others = np.setdiff1d(np.arange(len(codes)), where)
    z = torch.from_numpy(codes.z[others])
    equal = parts.log_weights.new_full((len(parts),), -np.log(len(parts)))
    assert law.log_prob(z).mean() > type(law)(equal, parts.loc, parts.scale).log_prob(z).mean()


@pytest.mark.parametrize("kind", ["flow", "second-stage"])
def test_the_seed_determines_what_is_learned(opened, kind, monkeypatch):
    monkeypatch.setattr(learning, "STEPS", 3)
    first, again = (fit(as_codes(moons()), kind, opened)[1].state_dict() for _ in range(2))
    for name, value in first.items():
        torch.testing.assert_close(value, again[name], rtol=0, atol=0)


def test_what_is_learned_ends_with_its_time(opened):
    start = time.monotonic()
    for kind in ("flow", "second-stage"):
        found = writing.fitted(as_codes(moons()), kind, opened, 14, start, lambda *_: None)
        assert ": a " in found[2]
    assert time.monotonic() - start < 10


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
        explorer.fit_prior(AUTOENCODER, "laplace", folder=tmp_path)
    with pytest.raises(TrainingError, match="this encoder gives points"):
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
    app = open_page("generate", model=fitting.name_of(opened, "mixture"))
    assert not app.exception
    assert not app.error


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("page", ["generate", "catalogue"])
def test_every_kind_that_fits_is_offered_and_why_the_others_are_not(page):
    app = open_page(page, model=AUTOENCODER)
    offered = app.selectbox(key=f"{page}_fit_kind")
    titles = [fitting.TITLES[kind] for kind in fitting.KINDS if kind != "vamp"]
    assert (offered.options, offered.value) == (titles, fitting.DEFAULT)
    assert "VampPrior: it is a mixture of the encoder’s densities" in told(app)
    app = open_page(page, model="digits-vae-standard-2")
    titles = [fitting.TITLES[kind] for kind in fitting.KINDS if kind != "standard"]
    assert app.selectbox(key=f"{page}_fit_kind").options == titles
    assert "Standard normal: it is the prior of this model already" in told(app)


def test_a_job_fits_the_kind_that_was_chosen(opened, monkeypatch):
    asked = []
    monkeypatch.setattr(fitting, "fit_prior", lambda opened, kind, **_: asked.append(kind))
    orders = [
        Order(kind="fit", checkpoint="somewhere/digits-ae-2", hash="0", prior=prior)
        for prior in ("", "flow", "second-stage")
    ]
    data = opened.config.data.load(Path())
    for order in orders:
        jobs.WORK["fit"](opened, data, order, lambda *_: None)
    assert asked == ["mixture", "flow", "second-stage"]
    assert len({order.key for order in orders}) == 3
    # As it was before there was a choice, so that jobs of then are found.
    assert orders[0].key == "42ce7b1eaf541feb"
