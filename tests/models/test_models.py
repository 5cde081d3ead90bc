"""Models have the right shapes, gradients and clamps; an engine is deterministic to the bit."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from explorer.errors import DeviceError, NoDensityError, RecipeError
from explorer.inference import Engine
from explorer.models import VAE
from explorer.models.networks import GatedConv, GatedDense
from explorer.objectives import elbo
from explorer.priors import CodeMixturePrior, GaussianPrior, LatentFullGaussian
from explorer.priors.mixture import LatentMixture
from explorer.sketch import PixelSketch
from explorer.strips import StripSpec, scale_strip
from explorer.testing import checkpoints
from explorer.testing import models as laws
from explorer.testing.training import check_every_parameter_receives_a_gradient
from tests.support.models import (
    AUTOENCODERS,
    CONVOLUTIONS,
    HIERARCHIES,
    MIXTURES,
    MODELS,
    PRIORS,
    SKETCHES,
    binary,
    every_kind,
    random_codes,
    small_checkpoint,
    small_model,
    small_pair,
)

LIKELIHOODS = ["bernoulli", "gaussian", "logistic", "logistic-reference"]

every_prior = pytest.mark.parametrize("kind", PRIORS)

with_components = pytest.mark.parametrize("kind", MIXTURES)

every_model = pytest.mark.parametrize("name", [*AUTOENCODERS, *MODELS])

every_sketch = pytest.mark.parametrize("sketch", SKETCHES.values(), ids=SKETCHES)

every_likelihood = pytest.mark.parametrize("likelihood", LIKELIHOODS)


def build(name, sketch=SKETCHES["pixels"], likelihood="bernoulli", latent=3):
    torch.manual_seed(1)
    return small_model(name, latent=latent, likelihood=likelihood).build(sketch)


@every_model
@every_sketch
@every_likelihood
def test_shapes_are_as_promised(name, sketch, likelihood):
    if (
        (name in CONVOLUTIONS and sketch.kind == "curve")
        or (likelihood.startswith("logistic") and sketch.kind == "curve")
    ) and not (name == "pixelhvae" and likelihood != "bernoulli"):
        with pytest.raises((RecipeError, ValidationError)):
            build(name, sketch, likelihood)
        return
    if name == "pixelhvae" and likelihood != "bernoulli":
        pytest.skip("refused by the recipe")
    model = build(name, sketch, likelihood).eval()
    assert (model.top.size, model.space.size) == (3, 7 if name in HIERARCHIES else 3)
    laws.check_shapes_are_consistent(model, sketch)
    if likelihood != "gaussian":
        mean = model.likelihood(torch.randn(5, model.space.size)).mean
        assert bool(((mean >= 0) & (mean <= 1)).all())


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 5), (1, 6), (9, 2)])
def test_convolutions_take_pictures_of_every_size(name, height, width):
    sketch = PixelSketch(height=height, width=width)
    model = build(name, sketch).eval()
    p = model.likelihood(model.posterior(binary(2, sketch.shape)).sample())
    assert p.mean.shape == (2, 1, height, width)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_an_autoencoder_has_a_point_for_a_posterior(name):
    model = build(name)
    assert model.posterior(binary(4)).scale is None
    laws.check_posterior_samples_follow_their_generator(model)


@pytest.mark.parametrize("name", MODELS)
def test_samples_of_a_posterior_follow_its_generator(name):
    laws.check_posterior_samples_follow_their_generator(build(name))


@every_prior
@every_likelihood
def test_every_parameter_receives_a_gradient(kind, likelihood):
    model, prior = small_pair(kind, latent=3, likelihood=likelihood)
    terms = elbo(model, prior(model.posterior), binary(32), generator=torch.manual_seed(0))
    terms.loss.backward()
    # A log scale that starts beyond its clamp waits there, and a flow's masks hide some rows.
    check_every_parameter_receives_a_gradient(model, by_row=not likelihood.startswith("logistic"))
    check_every_parameter_receives_a_gradient(prior, by_row=kind != "flow")


@pytest.mark.parametrize("kind", ["standard", "vamp-weighted", "flow"])
@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_of_every_model_receives_a_gradient(name, kind):
    model, prior = small_pair(kind, model=name, latent=3)
    model.train()
    terms = elbo(model, model.latent_prior(prior), binary(48), generator=torch.manual_seed(0))
    terms.loss.backward()
    for part in (model, prior):
        check_every_parameter_receives_a_gradient(part)


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_every_parameter_of_an_autoencoder_receives_a_gradient(name):
    model = build(name, likelihood="gaussian")
    elbo(model, None, binary(16)).loss.backward()
    check_every_parameter_receives_a_gradient(model)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["vamp", "vamp-data"])
def test_the_encoder_learns_through_the_prior_too(name, kind):
    model, prior = small_pair(kind, model=name)
    if kind == "vamp-data":
        prior.inputs = binary(6)
    z = torch.randn(5, model.space.size)
    model.latent_prior(prior).log_prob(z).sum().backward()
    check_every_parameter_receives_a_gradient(model.encoder)
    check_every_parameter_receives_a_gradient(prior)


@pytest.mark.parametrize("kind", ["vamp", "vamp-weighted"])
def test_pseudo_inputs_stay_within_the_bounds_of_the_data(kind):
    _, prior = small_pair(kind)
    with torch.no_grad():
        prior.inputs.mul_(10).sub_(2)
    inputs = prior.pseudo_inputs().detach()
    assert inputs.shape == (5, 1, 8, 8)
    assert (float(inputs.min()), float(inputs.max())) == (0, 1)


def test_gated_dense_follows_its_equation():
    torch.manual_seed(0)
    layer = GatedDense(6, 4).double()
    x = torch.randn(3, 5, 6, dtype=torch.float64)
    (w_h, w_g), (b_h, b_g) = layer.linear.weight.chunk(2), layer.linear.bias.chunk(2)
    expected = (x @ w_h.T + b_h) * torch.sigmoid(x @ w_g.T + b_g)
    torch.testing.assert_close(layer(x), expected, atol=1e-6, rtol=0)


def test_gated_convolutions_follow_their_equation():
    torch.manual_seed(0)
    layer = GatedConv(3, 4, 5, stride=2).double()
    x = torch.randn(2, 6, 3, 7, 9, dtype=torch.float64)
    weight, bias = layer.conv.weight, layer.conv.bias

    def convolved(rows, part):
        return functional.conv2d(rows, weight[part], bias[part], stride=2, padding=2)

    for lead in range(2):
        value, gate = (convolved(x[lead], part) for part in (slice(0, 4), slice(4, 8)))
        found = layer(x)[lead]
        assert found.shape == (6, 4, 4, 5)
        torch.testing.assert_close(found, value * torch.sigmoid(gate), atol=1e-6, rtol=0)


@pytest.mark.parametrize("reference", [1.0, 0.01, 50.0])
def test_log_variance_is_clamped_relative_to_the_reference(reference):
    model = build("vae")
    loc, scale = torch.tensor([1.0, -4.0, 0.0]), reference * torch.tensor([1.0, 2.0, 0.5])
    model.refer_to(loc, scale)
    with torch.no_grad():
        model.log_variance.weight.mul_(1000)
    relative = 2 * (model.posterior(binary(50)).scale / scale).log()
    bounds = torch.stack([relative.amin(0), relative.amax(0)])
    expected = torch.tensor([[-6.0], [2.0]]).expand(2, 3)
    torch.testing.assert_close(bounds, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["vae", "convvae"])
def test_a_gaussian_prior_is_the_standard_one_in_other_coordinates(name):
    """An affine map of the codes is absorbed by the encoder's head and the decoder's first layer.

    It leaves reconstruction and KL as they are.
    """
    plain, moved = build(name).double(), build(name).double()
    torch.manual_seed(2)
    loc, scale = 5 * torch.randn(3, dtype=torch.float64), torch.rand(3, dtype=torch.float64) + 0.1
    moved.refer_to(loc, scale)
    one = torch.zeros(1, dtype=torch.float64)
    standard = LatentMixture(one, torch.zeros_like(loc)[None], torch.ones_like(scale)[None])
    x = binary(20).double()
    before = elbo(plain, standard, x, generator=torch.Generator().manual_seed(5))
    after = elbo(
        moved,
        LatentMixture(one, loc[None], scale[None]),
        x,
        generator=torch.Generator().manual_seed(5),
    )
    torch.testing.assert_close(after.kl, before.kl)
    torch.testing.assert_close(after.reconstruction, before.reconstruction)


@every_sketch
@pytest.mark.parametrize("name", ["vae", "convvae"])
def test_bernoulli_is_the_binary_cross_entropy(name, sketch):
    if name in CONVOLUTIONS and sketch.kind == "curve":
        pytest.skip("refused by the recipe")
    model = build(name, sketch)
    z, x = torch.randn(6, 3), binary(6, sketch.shape)
    logits = model.likelihood(z).base_dist.logits
    cross = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    torch.testing.assert_close(model.likelihood(z).log_prob(x), -cross.flatten(1).sum(1))


@every_likelihood
def test_likelihood_stays_finite_where_the_decoder_is_sure(likelihood):
    model = build("vae", likelihood=likelihood)
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.mul_(1e6)
    z = torch.randn(6, 3, requires_grad=True)
    terms = model.likelihood(z).log_prob(binary(6))
    terms.sum().backward()
    assert bool(torch.isfinite(terms).all())
    assert bool(torch.isfinite(z.grad).all())


def test_an_xvae_prior_has_the_moments_of_its_codes():
    codes = random_codes(4)
    prior = GaussianPrior(4)
    assert prior.fit(codes, 0.05) == []
    torch.testing.assert_close(prior.loc.numpy(), codes.mean(0))
    torch.testing.assert_close(prior.scale.numpy(), codes.std(0, ddof=0))
    few = codes[:3]
    prior.fit(few, 0.0)
    torch.testing.assert_close(prior.scale.numpy(), few.std(0, ddof=0))


def test_dead_units_are_listed_and_raised_to_the_floor():
    codes = random_codes(5)
    codes[:, [1, 3]] = 0.25
    prior = GaussianPrior(5)
    assert prior.fit(codes, 0.2) == [1, 3]
    spread = codes.std(0)
    expected = np.where([0, 1, 0, 1, 0], 0.2 * np.median(spread), spread).astype(np.float32)
    torch.testing.assert_close(prior.scale.numpy(), expected)


@pytest.mark.parametrize("dead", [1, 3])
def test_a_fitted_spread_is_always_positive(dead):
    codes = random_codes(4)
    codes[:, :dead] = 0.25
    prior = GaussianPrior(4)
    prior.fit(codes, 0.05)
    assert bool((prior.scale > 0).all())


def test_spreads_of_many_far_off_codes_are_exact():
    codes = np.random.default_rng(0).normal(100, 0.1, (50_000, 2)).astype(np.float32)
    prior = GaussianPrior(2)
    prior.fit(codes, 0.0)
    expected = codes.astype(np.float64).std(0).astype(np.float32)
    torch.testing.assert_close(prior.scale.numpy(), expected, rtol=1e-3, atol=0)


def test_a_code_mixture_finds_the_clumps():
    codes = random_codes(2)
    prior = CodeMixturePrior(2, 3)
    prior.fit(codes, seed=0)
    single = GaussianPrior(2)
    single.fit(codes, 0.05)
    z = torch.from_numpy(codes)
    encode = build("vae").posterior
    gain = prior(encode).log_prob(z) - single(encode).log_prob(z)
    assert float(gain.mean()) > 0.1
    again = CodeMixturePrior(2, 3)
    again.fit(codes, seed=0)
    torch.testing.assert_close(again.state_dict(), prior.state_dict(), rtol=0, atol=0)


@every_kind
def test_batch_size_and_place_change_nothing(model, kind):
    wide = {"hidden": (50, 40)} if model in ("vae", "hvae") else {}
    checkpoints.check_batching_changes_nothing(
        small_checkpoint(kind, model=model, latent=16, **wide)
    )


@every_kind
def test_an_engine_agrees_with_its_model(model, kind):
    checkpoints.check_engine_agrees_with_model(small_checkpoint(kind, model=model))


@every_prior
@pytest.mark.parametrize("scale", [0.0, 0.7, 2.0])
def test_samples_are_codes_decoded_and_scored_as_trained(kind, scale):
    opened = small_checkpoint(kind)
    checkpoints.check_samples_are_decoded_codes(opened, (scale,))
    engine = Engine(opened, "cpu")
    sample = engine.sample(9, scale, seed=3)
    as_trained = direct_density(engine, torch.from_numpy(sample.z).double())
    torch.testing.assert_close(sample.log_density, as_trained, atol=1e-4, rtol=1e-4)


def direct_density(engine, z):
    """Evaluate log p(z) of each row in doubles, by the components or by the flow's Jacobian."""
    parts = engine.components()
    if parts is not None:
        law = torch.distributions.Normal(parts.loc.double(), parts.scale.double())
        each = law.log_prob(z[:, None]).sum(2) + parts.log_weights.double()
        return each.logsumexp(1).float().numpy()
    if isinstance(engine.prior, LatentFullGaussian):
        covariance = engine.prior.factor.double() @ engine.prior.factor.double().T
        law = torch.distributions.MultivariateNormal(engine.prior.loc.double(), covariance)
        return law.log_prob(z).float().numpy()
    transform = engine.prior.flow.transform
    rows = z.float()
    volumes = [torch.autograd.functional.jacobian(transform, row).det().log() for row in rows]
    base = torch.distributions.Normal(0.0, 1.0).log_prob(transform(rows)).sum(1)
    return (base + torch.stack(volumes)).numpy()


def test_an_engine_without_prior_says_so():
    engine = Engine(small_checkpoint(None), "cpu")
    assert engine.encode(binary(3).numpy()).scale is None
    assert engine.components() is engine.prototypes() is None
    for ask in (
        lambda: engine.sample(1),
        lambda: engine.log_prior(np.zeros((1, 2), np.float32)),
        lambda: engine.responsibilities(np.zeros((1, 2), np.float32)),
    ):
        with pytest.raises(NoDensityError):
            ask()


@with_components
def test_prototypes_are_decoded_component_means(kind):
    engine = Engine(small_checkpoint(kind), "cpu")
    shown, parts = engine.prototypes(), engine.components()
    assert np.array_equal(shown.decoded, engine.decode(parts.loc.numpy()))
    torch.testing.assert_close(float(shown.weights.sum()), 1.0, atol=1e-5, rtol=0)
    assert (shown.pseudo_inputs is None) == (kind not in ("vamp", "vamp-weighted"))
    if shown.pseudo_inputs is not None:
        torch.testing.assert_close(engine.encode(shown.pseudo_inputs).loc, shown.loc)


def test_a_flow_has_no_components_to_show():
    engine = Engine(small_checkpoint("flow"), "cpu")
    assert engine.components() is engine.prototypes() is None
    with pytest.raises(NoDensityError, match="has no components"):
        engine.responsibilities(np.zeros((1, 2), np.float32))


@with_components
def test_responsibilities_name_the_most_probable_component(kind):
    engine = Engine(small_checkpoint(kind), "cpu")
    z, parts = engine.draw(100, 2.0)[0], engine.components()
    each = torch.distributions.Normal(parts.loc, parts.scale).log_prob(
        torch.from_numpy(z)[:, None]
    )
    best = (each.sum(2) + parts.log_weights).argmax(1)
    assert engine.responsibilities(z).tolist() == best.tolist()


def test_a_full_device_is_met_with_smaller_blocks(monkeypatch):
    checkpoint = small_checkpoint("standard")
    z = np.random.default_rng(0).normal(size=(70, 2)).astype(np.float32)
    expected = Engine(checkpoint, "cpu").decode(z)
    whole, seen = checkpoint.model.likelihood, []

    def cramped(rows, most=8):
        seen.append(len(rows))
        if len(rows) > most:
            raise torch.OutOfMemoryError("full")
        return whole(rows)

    monkeypatch.setattr(checkpoint.model, "likelihood", cramped)
    torch.testing.assert_close(Engine(checkpoint, "cpu", block=64).decode(z), expected)
    assert seen[:4] == [64, 32, 16, 8]
    monkeypatch.setattr(checkpoint.model, "likelihood", lambda rows: cramped(rows, most=0))
    with pytest.raises(DeviceError):
        Engine(checkpoint, "cpu").decode(z)


def test_threads_get_what_one_caller_gets():
    engine = Engine(small_checkpoint("vamp", hidden=(50,)), "cpu")
    tasks = [
        np.random.default_rng(k).normal(size=(30 + k, 2)).astype(np.float32) for k in range(32)
    ]
    alone = [engine.decode(z) for z in tasks]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(engine.decode, tasks))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@every_prior
@pytest.mark.parametrize("tiles", [64, 9])
def test_a_frame_of_a_strip_is_the_sample_at_its_scale(kind, tiles):
    opened = small_checkpoint(kind, hidden=(50, 40))
    checkpoints.check_frames_match_samples(opened, tiles)


def test_a_strip_can_keep_to_one_component():
    engine = Engine(small_checkpoint("mog"), "cpu")
    strip = scale_strip(engine, StripSpec(tiles=8, component=2), (0.0, 1.0))
    assert set(strip.components.tolist()) == {2}
    assert np.ptp(strip.samples[0], axis=0).max() == 0


def test_a_vae_counts_its_clamp_from_one_by_default():
    model = build("vae")
    assert isinstance(model, VAE)
    assert torch.equal(model.reference_scale, torch.ones(3))
    scale = model.posterior(1e4 * binary(9)).scale.detach()
    assert math.exp(-3) * 0.999 <= float(scale.min()) <= float(scale.max()) <= math.e * 1.001
