"""Which units of the code are used, and how much?"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from explorer.interfaces import AbstractModel, LatentPrior, Posterior
from explorer.objectives import unit_kl

ACTIVE_VARIANCE = 0.01


@torch.inference_mode()
def encode(model: AbstractModel, x: Float[Tensor, "batch *sample"]) -> Posterior:
    """Encode many samples in bounded memory."""
    parts = [model.posterior(rows) for rows in x.split(2000)]
    scales = [part.scale for part in parts if part.scale is not None]
    return Posterior(
        torch.cat([part.loc for part in parts]), torch.cat(scales) if scales else None
    )


def active_units(
    loc: Float[Tensor, "batch latent"], variance: Float[Tensor, " latent"] | float = 1.0
) -> Bool[Tensor, " latent"]:
    """Mark units whose posterior mean moves: Var_x(E[z_j|x]) > 0.01 of a reference variance.

    Args:
        loc: Posterior means of many samples.
        variance: The prior's variance per unit, so that the answer does not hang on the units'
        scale.

    References:
        Importance weighted autoencoders (Burda et al., 2016), section 5.2. https://arxiv.org/abs/1509.00519
    """
    return loc.var(0, correction=0) > ACTIVE_VARIANCE * torch.as_tensor(variance)


def kl_per_unit(
    q: Posterior, prior: LatentPrior, z: Float[Tensor, "batch latent"]
) -> Float[Tensor, " latent"]:
    """Return each unit's mean KL in nats.

    Under a mixture the KL does not split into units; then this is E[log q_j(z_j) - log p_j(z_j)]
    with p_j the prior's marginal of unit j, whose sum is not the KL.
    """
    exact = unit_kl(q, prior)
    if exact is not None:
        return exact.mean(0)
    components = prior.components()
    assert components is not None
    assert q.scale is not None
    own = torch.distributions.Normal(q.loc, q.scale).log_prob(z)
    each = [
        (
            torch.distributions.Normal(components.loc, components.scale).log_prob(rows[:, None])
            + components.log_weights[:, None]
        ).logsumexp(1)
        for rows in z.split(200)
    ]
    return (own - torch.cat(each)).mean(0)


def prior_variance(prior: LatentPrior) -> Float[Tensor, " latent"]:
    """Return the prior's variance per unit."""
    components = prior.components()
    if components is None:
        return prior.draw(4096).z.var(0)
    weights = components.log_weights.exp()
    mean = weights @ components.loc
    return weights @ (components.scale.pow(2) + (components.loc - mean).pow(2))
