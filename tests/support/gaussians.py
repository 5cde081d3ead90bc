"""Models whose every density is known, and plain versions of measures."""

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch.distributions import Independent, MultivariateNormal, Normal

from explorer.interfaces import AbstractModel, LatentSpace, Posterior
from explorer.priors.mixture import LatentMixture

DIMENSIONS, LATENT, SPREAD = 5, 2, 0.7


class LinearGaussian(AbstractModel):
    """x = W z + b + spread * noise, the columns of W orthogonal, so that p(z|x) is diagonal.

    Args:
        wrong: Shifts and widens q away from the exact posterior; 0 is exact.
    """

    def __init__(self, wrong=0.0):
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        raw = torch.randn(DIMENSIONS, LATENT, generator=generator, dtype=torch.float64)
        self.gain = torch.tensor([1.5, 0.4], dtype=torch.float64)
        self.weight = torch.linalg.qr(raw).Q * self.gain
        self.bias = torch.randn(DIMENSIONS, generator=generator, dtype=torch.float64)
        self.space = LatentSpace.single(LATENT)
        self.wrong = wrong

    def posterior(self, x, labels=None):
        variance = 1 / (1 + self.gain.square() / SPREAD**2)
        loc = variance * ((x - self.bias) @ self.weight) / SPREAD**2
        scale = variance.sqrt().expand_as(loc)
        return Posterior(loc + 0.3 * self.wrong, scale * (1 + self.wrong))

    def likelihood(self, z, labels=None):
        return Independent(Normal(z @ self.weight.T + self.bias, SPREAD), 1)

    def marginal(self):
        noise = SPREAD**2 * torch.eye(DIMENSIONS, dtype=torch.float64)
        return MultivariateNormal(self.bias, self.weight @ self.weight.T + noise)


def standard(latent=LATENT):
    one = torch.ones(1, latent, dtype=torch.float64)
    return LatentMixture(torch.zeros(1, dtype=torch.float64), 0 * one, one)


def observations(n=40):
    torch.manual_seed(0)
    return LinearGaussian().marginal().sample((n,))


def brute_prdc(real, fake, k):
    """Follow the definitions with full matrices."""
    real_radius = np.sort(cdist(real, real), axis=1)[:, k]
    fake_radius = np.sort(cdist(fake, fake), axis=1)[:, k]
    distance = cdist(real, fake)
    inside = distance < real_radius[:, None]
    return (
        (distance <= real_radius[:, None]).any(0).mean(),
        (distance <= fake_radius).any(1).mean(),
        inside.sum() / (k * len(fake)),
        inside.any(1).mean(),
    )


def normal(n, latent, seed=0):
    return np.random.default_rng(seed).normal(size=(n, latent)).astype(np.float32)
