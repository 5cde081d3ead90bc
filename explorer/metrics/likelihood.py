"""How probable does the model hold data to be? Importance-sampled log p(x), and the bound."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel, LatentPrior, joined

ROWS = {"cpu": 1024, "cuda": 65_536}
"""Codes decoded at a time; on a CPU their pictures stay in the cache."""


class Likelihood(NamedTuple):
    """For each sample, in nats; `effective` is the effective number of importance samples."""

    log_likelihood: Float[Tensor, " batch"]
    elbo: Float[Tensor, " batch"]
    reconstruction: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]
    effective: Float[Tensor, " batch"]


@torch.inference_mode()
def importance_sampling(
    model: AbstractModel,
    prior: LatentPrior,
    x: Float[Tensor, "batch *sample"],
    *,
    samples: int = 500,
    seed: int = 0,
    report: Callable[[int], None] = lambda done: None,
) -> Likelihood:
    """Estimate log p(x) by importance sampling from the posterior.

    The estimate is a lower bound in expectation that tightens as `samples` grows; below 100 it
    ranks models poorly. The posterior and the prior's components are evaluated once.

    Args:
        model: A model in evaluation mode.
        prior: Its prior over whole codes.
        x: Samples in data units.
        samples: S, the codes drawn per sample.
        seed: Seed of the codes.
        report: Called with the number of samples done.

    Returns:
        log p(x), the bound (the mean over the same codes), its two terms, and the effective number
        of codes (sum w)^2 / sum w^2.

    Raises:
        NoDensityError: If the model has no posterior density, as a plain autoencoder.

    References:
        Importance weighted autoencoders (Burda et al., 2016), section 3 and appendix B.
        https://arxiv.org/abs/1509.00519
    """
    generator = torch.Generator(x.device).manual_seed(seed)
    most = ROWS[x.device.type]
    at_once = max(1, most // samples)
    parts: list[tuple[Tensor, ...]] = []
    for rows in x.split(at_once):
        q = model.posterior(rows)
        if q.scale is None:
            raise NoDensityError(
                "A plain autoencoder has no likelihood; choose a model with a prior."
            )
        log_weights, terms = [], []
        for chunk in _chunks(samples, max(1, most // len(rows))):
            eps = torch.randn(
                chunk, len(rows), model.space.size, generator=generator, device=x.device
            )
            rungs = q.walk(eps)
            z = joined(rungs)
            reconstruction = model.likelihood(z).log_prob(rows)
            log_q = torch.stack([rung.log_prob() for rung in rungs]).sum(0)
            kl = log_q - prior.log_prob(z)
            log_weights.append(reconstruction - kl)
            terms.append(torch.stack([reconstruction, kl]))
        weights = torch.cat(log_weights).double()
        means = torch.cat(terms, 1).mean(1)
        total = weights.logsumexp(0)
        effective = (2 * total - (2 * weights).logsumexp(0)).exp()
        parts.append((total - math.log(samples), weights.mean(0), means[0], means[1], effective))
        report(len(rows))
    return Likelihood(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _chunks(total: int, most: int) -> list[int]:
    whole, rest = divmod(total, most)
    return [most] * whole + ([rest] if rest else [])
