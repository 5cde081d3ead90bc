"""Scores: differences of denoised means are known for Gaussians, and lead samples to a law."""

import math

import pytest
import torch

from explorer.interfaces import noise
from explorer.metrics.alignment import sliced_distance
from explorer.objectives import MatchingConfig
from explorer.objectives.companion import Companion, NetworkConfig
from explorer.priors import LatentKernel, LatentMixture, LatentSphere
from explorer.testing.checks import SKETCH, generator, random_samples
from explorer.velocity import VelocityNet, flow_matching_loss, integrate, noised
from tests.support.models import small_pair


def gaussian(loc, scale):
    loc = torch.as_tensor(loc, dtype=torch.float32)
    return LatentMixture(torch.zeros(1), loc[None], torch.full((1, len(loc)), float(scale)))


def three_clumps():
    loc = torch.tensor([[0.0, 2.0], [1.8, -1.0], [-1.8, -1.0]])
    return LatentMixture(torch.tensor([0.5, 0.3, 0.2]).log(), loc, torch.full((3, 2), 0.4))


def exactly(prior):
    """Make a companion that knows no codes yet, referred to a prior."""
    companion = Companion(2, NetworkConfig(width=16, depth=1))
    companion.refer_to(prior)
    return companion


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_difference_of_two_gaussians_is_their_shift_shrunk(t):
    s, shift = 0.7, torch.tensor([1.5, -0.5])
    at, x = torch.full((9, 1), t), noise(9, 2, 3)
    own, wanted = gaussian(shift, s).denoised(x, at), gaussian([0.0, 0.0], s).denoised(x, at)
    expected = (1 - t) ** 2 / (t**2 * s**2 + (1 - t) ** 2) * shift
    torch.testing.assert_close(own - wanted, expected.expand(9, 2))


@pytest.mark.parametrize(
    "prior", [three_clumps(), LatentSphere(torch.eye(2)[0])], ids=["clumps", "ring"]
)
def test_particles_come_to_have_the_law_when_both_scores_are_known(prior):
    n = 600
    z = 0.3 * noise(n, 2, 1)
    for step in range(250):
        x, t, _ = noised(z, generator(step), 0.05, 0.95)
        weights, width = torch.full((n,), -math.log(n)), 0.25 * z.std(0)
        own = LatentKernel(weights, z, width.expand(n, 2)).denoised(x, t)
        z = z - 0.3 * (own - prior.denoised(x, t))
    null = sliced_distance(prior.draw(n, seed=2).z, prior.draw(n, seed=3).z)
    before = sliced_distance(0.3 * noise(n, 2, 1), prior.draw(n, seed=2).z)
    assert sliced_distance(z, prior.draw(n, seed=2).z) < max(4 * null, 0.05 * before)


@pytest.mark.slow
def test_a_network_learns_the_denoised_mean_and_samples_the_law():
    torch.manual_seed(0)
    prior, net = three_clumps(), VelocityNet(2, width=128)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for step in range(1500):
        optimiser.param_groups[0]["lr"] = 2e-3 * (1 - step / 1500)
        optimiser.zero_grad()
        flow_matching_loss(net, prior.draw(256, seed=step).z, generator(step)).backward()
        optimiser.step()
    x, t, _ = noised(prior.draw(2000, seed=9).z, generator(9), 0.05, 0.95)
    with torch.no_grad():
        apart = net.denoised(x, t) - prior.denoised(x, t)
    assert float(apart.pow(2).mean()) < 0.01
    places = integrate(net, noise(1000, 2, 5), 50)
    assert places.shape == (51, 1000, 2)
    null = sliced_distance(prior.draw(1000, seed=2).z, prior.draw(1000, seed=3).z)
    assert sliced_distance(places[-1], prior.draw(1000, seed=2).z) < 4 * null + 0.01


def test_the_gradient_of_the_pull_leads_codes_to_the_prior():
    prior = gaussian([3.0, 0.0], 0.5)
    companion = exactly(prior)
    # The network's codes are those of N(0, I) in standardised coordinates of the prior.
    companion.codes.denoised = lambda x, t: gaussian([0.0, 0.0], 1.0).denoised(x, t) - 6.0
    z = (prior.draw(200, seed=1).z - 3.0).requires_grad_(True)
    companion.pull(z, prior, generator(1)).backward()
    assert float(z.grad.mean()) < 0, "descent would move codes away from the prior"


def test_a_queue_keeps_the_latest_codes():
    companion = Companion(2, None, queue=5)
    assert len(companion.remembered()) == 0
    companion.remember(torch.ones(3, 2))
    companion.remember(2 * torch.ones(3, 2))
    assert companion.remembered()[:, 0].tolist() == [2, 2, 2, 1, 1]


def test_a_queue_leaves_the_gradient_of_a_code_as_large_as_it_is():
    model, prior = small_pair("standard", model="dmvae")
    latent, x = model.latent_prior(prior), random_samples(64, SKETCH)
    sizes = []
    for queue in (0, 256):
        config = MatchingConfig(weight=100, queue=queue, projections=500)
        companion = config.companion(2, latent)
        if companion is not None:
            many = random_samples(256, SKETCH)
            companion.remember(model.posterior(many).sample(generator(2)))
        model.zero_grad()
        config.terms(
            model, latent, x, beta=0.0, generator=generator(1), companion=companion
        ).loss.backward()
        sizes.append(float(model.loc.weight.grad.norm()))
    assert sizes[1] == pytest.approx(sizes[0], rel=0.5)


def test_a_reference_without_a_closed_form_is_learned():
    class Silent(LatentSphere):
        def denoised(self, x, t):
            return None

    silent = Silent(torch.eye(2)[0])
    config = MatchingConfig(distance="score", network=NetworkConfig(width=16))
    assert config.companion(2, three_clumps()).prior is None, "what is known is not learned"
    learned = config.companion(2, silent)
    learned.refer_to(silent)
    loss = learned.learning_loss(noise(64, 2, 1), silent, generator(1))
    loss.backward()
    assert learned.prior.head.bias.grad is not None


@pytest.mark.parametrize("distance", ["sliced", "mmd", "score"])
def test_every_objective_says_what_it_matches(distance):
    words = MatchingConfig(distance=distance, queue=0).words
    assert "matched to the prior" in words
    assert "of each batch, " in words


def test_what_the_best_epoch_is_chosen_by_is_a_distance():
    model, prior = small_pair("standard", model="dmvae")
    latent, x = model.latent_prior(prior), random_samples(64, SKETCH)
    score = MatchingConfig(distance="score").terms(model, latent, x, generator=generator(1))
    sliced = MatchingConfig(weight=100).terms(model, latent, x, generator=generator(1))
    assert torch.equal(score.kl, sliced.kl)
