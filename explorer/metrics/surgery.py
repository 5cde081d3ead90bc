"""Decomposition of the KL: index-code information, and the marginal KL to the prior."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.distributions import DiagonalMixture
from explorer.interfaces import LatentPrior, Posterior, noise

SATURATED = 0.95
"""Above this fraction of its ceiling log N, the information only shows that N is small."""


class Surgery(NamedTuple):
    """The two parts of the mean KL, in nats, with standard errors over the n samples.

    `information` is at most log n; near it every code identifies its sample, and
    the estimates are limited by n.
    """

    information: float
    information_error: float
    marginal: float
    marginal_error: float
    n: int

    @property
    def saturated(self) -> bool:
        """Whether the information is near its ceiling log n."""
        return self.information > SATURATED * math.log(self.n)


@torch.inference_mode()
def elbo_surgery(q: Posterior, prior: LatentPrior, draws: int = 16, seed: int = 0) -> Surgery:
    """Split E KL(q(z|x) || p) into I(n; z) + KL(q(z) || p), q(z) the mean of the given posteriors.

    Args:
        q: Posteriors of n samples; q(z) includes each one's own component.
        prior: p(z).
        draws: Codes per posterior.
        seed: Seed of the codes.

    References:
        ELBO surgery: yet another way to carve up the variational evidence lower bound (Hoffman and
        Johnson, 2016), equations 5-7.
    """
    assert q.scale is not None
    n, latent = q.loc.shape
    aggregated = DiagonalMixture(q.loc.new_full((n,), -math.log(n)), q.loc, q.scale)
    eps = noise(n * draws, latent, seed).reshape(draws, n, latent).to(q.loc)
    information = torch.zeros(n, dtype=torch.float64, device=q.loc.device)
    marginal = torch.zeros(n, dtype=torch.float64, device=q.loc.device)
    for each in eps:
        z = q.loc + q.scale * each
        log_q, log_aggregated = q.log_prob(z), _chunked(aggregated, z)
        information += (log_q - log_aggregated).double() / draws
        marginal += (log_aggregated - prior.log_prob(z)).double() / draws
    return Surgery(
        float(information.mean()),
        float(information.std() / math.sqrt(n)),
        float(marginal.mean()),
        float(marginal.std() / math.sqrt(n)),
        n,
    )


def _chunked(
    mixture: DiagonalMixture, z: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    return torch.cat([mixture.log_prob(rows) for rows in z.split(512)])
