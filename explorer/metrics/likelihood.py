"""How likely are data under the model? Importance-sampled log p(x), and the ELBO."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from explorer.devices import at_once
from explorer.errors import NoDensityError
from explorer.interfaces import AbstractModel, LatentPrior, joined

ROWS = {"cpu": 1024, "cuda": 65_536}
"""Codes decoded at a time; on a CPU their images stay in the cache."""

BLOCK = 64
"""Samples whose codes come from one random stream; results are saved after each such block."""


class Likelihood(NamedTuple):
    """Per sample, in nats; `effective` is the effective number of importance samples."""

    log_likelihood: Float[Tensor, " batch"]
    elbo: Float[Tensor, " batch"]
    reconstruction: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]
    effective: Float[Tensor, " batch"]

    def error(self, samples: int) -> Float[Tensor, " batch"]:
        """Return the standard error of log p(x) in nats, by the delta method.

        With an effective number below ten it is too small by up to a half.

        Args:
            samples: S, the codes drawn per sample.
        """
        return (1 / self.effective - 1 / samples).clamp(min=0).sqrt()


Keep = Callable[[Likelihood], None]


@torch.inference_mode()
def importance_sampling(
    model: AbstractModel,
    prior: LatentPrior,
    x: Float[Tensor, "batch *sample"],
    *,
    samples: int = 500,
    seed: int = 0,
    known: Likelihood | None = None,
    keep: Keep = lambda found: None,
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
        seed: Seed of the codes; each block of rows has its own, so that a run can be resumed.
        known: Results of an earlier run with the same arguments; its rows are not recomputed.
        keep: Called with all results so far after each block of rows.
        report: Called with the number of samples done.

    Returns:
        log p(x), the ELBO (the mean over the same codes), its two terms, and the effective number
        of codes (sum w)^2 / sum w^2.

    Raises:
        NoDensityError: If the model has no posterior density, such as a plain autoencoder.

    References:
        Importance weighted autoencoders (Burda et al., 2016), section 3 and appendix B.
        https://arxiv.org/abs/1509.00519
    """
    most = at_once(model, ROWS[x.device.type])
    # One array for all: small results kept between large temporaries would fragment the memory,
    # and every image's temporaries would land at a new address, out of the cache.
    found = torch.empty(len(Likelihood._fields), len(x), dtype=torch.float64, device=x.device)
    start = 0
    if known is not None:
        # Whole blocks only: a block's codes come from one random stream.
        start = len(known.elbo) // BLOCK * BLOCK
        found[:, :start] = torch.stack([column[:start].double() for column in known])
        report(start)
    for first in range(start, len(x), BLOCK):
        block = x[first : first + BLOCK]
        generator = torch.Generator(x.device).manual_seed(seed * 1_000_003 + first)
        done = first
        for rows in block.split(max(1, most // samples)):
            after = done + len(rows)
            found[:, done:after] = _weigh(model, prior, rows, samples, most, generator)
            done = after
        report(len(block))
        keep(Likelihood(*found[:, :done]))
    return Likelihood(*found)


@torch.inference_mode()
def reconstructed(
    model: AbstractModel, x: Float[Tensor, "batch *sample"], seed: int = 0
) -> Float[Tensor, " batch"]:
    """Evaluate log p(x|z) in nats at one code of each posterior, which may be a point."""
    generator = torch.Generator(x.device).manual_seed(seed)
    return torch.cat(
        [
            model.likelihood(model.posterior(rows).sample(generator)).log_prob(rows)
            for rows in x.split(at_once(model, 1000))
        ]
    )


def _weigh(
    model: AbstractModel,
    prior: LatentPrior,
    rows: Float[Tensor, "batch *sample"],
    samples: int,
    most: int,
    generator: torch.Generator,
) -> Float[Tensor, "fields batch"]:
    """Draw and weight all codes of a few samples; return the fields of `Likelihood`."""
    q = model.posterior(rows)
    if q.scale is None:
        raise NoDensityError("A plain autoencoder has no likelihood; choose a model with a prior.")
    log_weights, terms = [], []
    for chunk in _chunks(samples, max(1, most // len(rows))):
        eps = torch.randn(
            chunk, len(rows), model.space.size, generator=generator, device=rows.device
        )
        draws = q.walk(eps)
        z = joined(draws)
        reconstruction = model.likelihood(z).log_prob(rows)
        log_q = torch.stack([drawn.log_prob() for drawn in draws]).sum(0)
        kl = log_q - prior.log_prob(z)
        log_weights.append(reconstruction - kl)
        terms.append(torch.stack([reconstruction, kl]))
    weights = torch.cat(log_weights).double()
    means = torch.cat(terms, 1).mean(1)
    total = weights.logsumexp(0)
    effective = (2 * total - (2 * weights).logsumexp(0)).exp()
    mean = weights.mean(0)
    return torch.stack([total - math.log(samples), mean, means[0], means[1], effective])


def _chunks(total: int, most: int) -> list[int]:
    whole, rest = divmod(total, most)
    return [most] * whole + ([rest] if rest else [])
