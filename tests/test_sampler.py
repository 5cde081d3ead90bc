"""A flow on a model's codes is fitted once, kept for the user, and sampled step by step."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load as unpacked
from safetensors.torch import save as packed

from explorer import checkpoint, exports, manifests, sampler
from explorer.checkpoint import FLOW, FLOW_WEIGHTS, results_folder
from explorer.errors import CheckpointError
from explorer.figures import captions
from explorer.metrics import downstream
from explorer.strips import SCALES, StripSpec, flow_strip, scale_strip
from explorer.velocity import VelocityNet
from tests.support.engines import PIXELS, PLAIN, engine_of
from tests.support.flows import fitted


def folder_of(slug):
    return results_folder(engine_of(slug).checkpoint.hash)


def straight(shift):
    """A flow whose velocity is the same everywhere."""
    net = VelocityNet(2, 8)
    torch.nn.init.constant_(net.head.bias, shift)
    mean, scale = torch.tensor([5.0, -1.0]), torch.tensor([2.0, 0.5])
    return sampler.CodeFlow(net, downstream.Standard(mean, scale), fitted(PLAIN, steps=5).facts)


# The trajectory


def test_it_goes_from_noise_of_the_codes_moments_in_equal_steps():
    flow = straight(3.0)
    places = flow.trajectory(4000, 6, seed=2)
    assert places.shape == (7, 4000, 2)
    torch.testing.assert_close(places[0].mean(0), flow.standard.mean, atol=0.1, rtol=0)
    torch.testing.assert_close(places[0].std(0), flow.standard.scale, atol=0.05, rtol=0)
    step = 3.0 / 6 * flow.standard.scale
    torch.testing.assert_close(places.diff(dim=0), step.expand(6, 4000, 2), atol=1e-5, rtol=1e-5)


def test_the_scale_multiplies_the_noise_it_starts_from():
    flow = straight(0.0)
    whole, half, none = (flow.trajectory(8, 3, scale)[0] for scale in (1.0, 0.5, 0.0))
    mean = flow.standard.mean
    torch.testing.assert_close(half - mean, 0.5 * (whole - mean))
    torch.testing.assert_close(none, mean.expand(8, 2))


def test_the_same_seed_gives_the_same_codes_and_fewer_are_the_first_of_more():
    flow = fitted(PIXELS)
    more, fewer, again = (flow.trajectory(n, 7, seed=3) for n in (100, 5, 100))
    assert torch.equal(more, again)
    assert torch.equal(more[:, :5], fewer)
    assert not torch.equal(fewer, flow.trajectory(5, 7, seed=4))


# What is kept


@pytest.mark.parametrize(("slug", "drawn"), [(PIXELS, True), (PLAIN, False)])
def test_what_is_kept_is_what_was_fitted_and_says_to_what(slug, drawn):
    assert sampler.load(engine_of(slug).checkpoint) is None
    flow = fitted(slug)
    found = sampler.load(engine_of(slug).checkpoint)
    assert found.facts == flow.facts
    assert torch.equal(found.trajectory(9, 4), flow.trajectory(9, 4))
    facts = found.facts
    assert (facts.codes, facts.steps, facts.batch, facts.drawn) == (1297, 24, 32, drawn)
    assert facts.model == engine_of(slug).checkpoint.hash
    assert 0.5 < facts.loss < 4
    assert {path.name for path in folder_of(slug).iterdir()} == {FLOW, FLOW_WEIGHTS}


def test_the_same_seed_fits_the_same_flow():
    one, again, other = fitted(PLAIN), fitted(PLAIN), fitted(PLAIN, seed=1)
    assert one.facts == again.facts
    assert one.facts.weights != other.facts.weights


def changed(slug, **facts):
    path = folder_of(slug) / FLOW
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def reweighed(slug, **tensors):
    """Replace tensors of the weights, with a digest that agrees."""
    path = folder_of(slug) / FLOW_WEIGHTS
    content = packed(unpacked(path.read_bytes()) | tensors)
    path.write_bytes(content)
    changed(slug, weights=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: (folder_of(PLAIN) / FLOW).write_text("{"),
        lambda: (folder_of(PLAIN) / FLOW_WEIGHTS).unlink(),
        lambda: (folder_of(PLAIN) / FLOW_WEIGHTS).write_bytes(b"\x00" * 99),
        lambda: changed(PLAIN, model="ab12"),
        lambda: changed(PLAIN, weights="0" * 64),
        lambda: changed(PLAIN, latent=3),
        lambda: changed(PLAIN, width=9),
        lambda: changed(PLAIN, loss=-1),
        lambda: changed(PLAIN, more=1),
        lambda: reweighed(PLAIN, mean=torch.tensor([0.0, torch.nan])),
        lambda: reweighed(PLAIN, scale=torch.tensor([1.0, 0.0])),
        lambda: reweighed(PLAIN, mean=torch.zeros(3)),
        lambda: reweighed(PLAIN, other=torch.zeros(3)),
    ],
)
def test_what_is_damaged_or_anothers_is_refused(spoil):
    fitted(PLAIN)
    spoil()
    with pytest.raises(CheckpointError):
        sampler.load(engine_of(PLAIN).checkpoint)


# Strips


def test_the_frames_of_a_strip_are_the_steps():
    engine, flow = engine_of(PIXELS), fitted(PIXELS)
    spec = StripSpec(tiles=6, seed=4, flow=3, spread=0.5, component=2)
    strip = flow_strip(engine, flow, spec)
    assert strip.values == (0.0, 1.0, 2.0, 3.0)
    assert spec.frames == len(strip.frames) == 4
    assert StripSpec().frames == len(SCALES)
    np.testing.assert_array_equal(strip.z, flow.trajectory(6, 3, 0.5, 4).numpy())
    np.testing.assert_array_equal(strip.frames[2], engine.decode(strip.z[2]))
    np.testing.assert_allclose(strip.log_density[1], engine.log_prior(strip.z[1]), atol=1e-4)
    assert strip.spec == spec.model_copy(update={"component": None}), "a flow has no components"
    assert StripSpec.of(strip.spec.query()) == strip.spec
    assert StripSpec(seed=3).query() == {"tiles": "64", "seed": "3"}
    for wrong in ({"euler": "0"}, {"euler": "51"}, {"euler": "3.0"}, {"spread": "nan"}):
        with pytest.raises(ValueError, match=r"flow|spread"):
            StripSpec.of(wrong)


def test_a_strip_of_a_flow_is_exported_as_codes_and_rebuilt_without_it():
    engine = engine_of(PIXELS)
    strip = flow_strip(engine, fitted(PIXELS), StripSpec(tiles=4, flow=2))
    written = exports.manifest(engine, strip, "0")
    facts = manifests.read(written, "a.json")
    assert facts.drawn is None
    (folder_of(PIXELS) / FLOW).unlink()
    rebuilt = exports.rebuild_strip(facts)
    np.testing.assert_array_equal(rebuilt.strip.samples, strip.samples)
    caption = captions.of_strip(engine.checkpoint, strip, 1, "", 4)
    assert "of a flow fitted to the codes of training data after 1 of 2 steps" in caption
    assert "of the prior" not in caption


def test_what_a_prior_draws_is_written_as_before():
    engine = engine_of(PIXELS)
    written = json.loads(exports.manifest(engine, scale_strip(engine, StripSpec(tiles=2)), "0"))
    assert written["drawn"].keys() == {"tiles", "seed", "levels", "scales"}
    assert checkpoint.FLOW not in {path.name for path in engine.checkpoint.folder.iterdir()}
