"""Which latent units are used, and how much?"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from explorer.devices import at_once
from explorer.distributions import DiagonalMixture
from explorer.interfaces import AbstractModel, LatentPrior, LevelDraw, Posterior, joined
from explorer.objectives import unit_kl

ACTIVE_VARIANCE = 0.01


@torch.inference_mode()
def encode(model: AbstractModel, x: Float[Tensor, "batch *sample"]) -> Posterior:
    """Encode many samples in bounded memory; in a hierarchy each level given the means above."""
    parts = [model.posterior(rows).flat() for rows in x.split(at_once(model, 2000))]
    scales = [part.scale for part in parts if part.scale is not None]
    return Posterior(
        torch.cat([part.loc for part in parts]), torch.cat(scales) if scales else None
    )


@torch.inference_mode()
def posterior_means(
    model: AbstractModel,
    x: Float[Tensor, "batch *sample"],
    *,
    draws: int = 16,
    seed: int = 0,
) -> Float[Tensor, "batch latent"]:
    """Estimate E[z_j|x] of every unit; below the top, averaged over codes drawn above.

    Args:
        model: A model in evaluation mode.
        x: Samples in data units.
        draws: Codes of the levels above per sample.
        seed: Seed of these codes.
    """
    if len(model.space.levels) == 1:
        return encode(model, x).loc
    generator = torch.Generator(x.device).manual_seed(seed)
    parts = []
    for rows in x.split(500):
        q = model.posterior(rows)
        walks = [q.walk(generator=generator) for _ in range(draws)]
        lower = [
            torch.stack([walk[level].q.loc for walk in walks]).mean(0)
            for level in range(1, len(model.space.levels))
        ]
        parts.append(torch.cat([q.loc, *lower], 1))
    return torch.cat(parts)


def active_units(
    loc: Float[Tensor, "batch latent"], variance: Float[Tensor, " latent"] | float = 1.0
) -> Bool[Tensor, " latent"]:
    """Mark the active units: Var_x(E[z_j|x]) > 0.01 of a reference variance.

    Args:
        loc: Posterior means of many samples.
        variance: The prior's variance per unit, so that the result does not depend on the units'
            scale.

    References:
        Importance weighted autoencoders (Burda et al., 2016), section 5.2. https://arxiv.org/abs/1509.00519
    """
    return loc.var(0, correction=0) > ACTIVE_VARIANCE * torch.as_tensor(variance)


@torch.inference_mode()
def kl_per_unit(
    model: AbstractModel,
    prior: LatentPrior,
    x: Float[Tensor, "batch *sample"],
    seed: int = 0,
) -> Float[Tensor, " latent"]:
    """Return each unit's mean KL in nats.

    In closed form where p is one Gaussian, as p(z1|z2) below the top always is. Under a mixture
    the KL does not decompose over units; then this is E[log q_j(z_j) - log p_j(z_j)] with p_j the
    prior's marginal of unit j, which does not sum to the KL. Under a flow the marginals have no
    closed form, and posteriors without noise have no KL: then the result is NaN.

    Args:
        model: A model in evaluation mode.
        prior: Its prior over whole codes.
        x: Samples in data units.
        seed: Seed of the one code per sample.
    """
    generator = torch.Generator(x.device).manual_seed(seed)
    sums: list[Tensor] = []
    for rows in x.split(at_once(model, 1000)):
        draws = model.posterior(rows).walk(generator=generator)
        levels = zip(draws, prior.levels(joined(draws)), strict=True)
        sums.append(torch.cat([_level_kl(drawn, p).sum(0) for drawn, p in levels]))
    return torch.stack(sums).sum(0) / len(x)


@torch.inference_mode()
def drawn_density(
    model: AbstractModel,
    prior: LatentPrior,
    x: Float[Tensor, "batch *sample"],
    seed: int = 0,
) -> Float[Tensor, " batch"]:
    """Return log p(z) in nats of one code drawn from each sample's posterior."""
    generator = torch.Generator(x.device).manual_seed(seed)
    return torch.cat(
        [
            prior.log_prob(model.posterior(rows).sample(generator))
            for rows in x.split(at_once(model, 1000))
        ]
    )


def _level_kl(drawn: LevelDraw, p: LatentPrior | Posterior) -> Float[Tensor, "batch level"]:
    exact = unit_kl(drawn.q, p)
    if exact is not None:
        return exact
    assert isinstance(p, LatentPrior)
    components = p.components()
    if components is None or drawn.q.scale is None:
        return torch.full_like(drawn.z, torch.nan)
    own = torch.distributions.Normal(drawn.q.loc, drawn.q.scale).log_prob(drawn.z)
    marginals = torch.distributions.Normal(components.loc, components.scale)
    each = [
        (marginals.log_prob(rows[:, None]) + components.log_weights[:, None]).logsumexp(1)
        for rows in drawn.z.split(200)
    ]
    return own - torch.cat(each)


@torch.inference_mode()
def prior_variance(prior: LatentPrior) -> Float[Tensor, " latent"]:
    """Return the prior's variance per unit, by sampling where it has no closed form."""
    components = prior.components()
    if components is None or len(prior.levels(components.loc[:1])) > 1:
        return prior.draw(16_384).z.var(0)
    mixture = DiagonalMixture(components.log_weights, components.loc, components.scale)
    return mixture.variance
