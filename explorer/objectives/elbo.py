"""The evidence lower bound, with the KL in closed form if there is one, else by Monte Carlo."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from explorer.errors import NoDensityError
from explorer.interfaces import (
    AbstractModel,
    Components,
    Frozen,
    LatentPrior,
    LevelDraw,
    Posterior,
    joined,
)
from explorer.objectives.companion import Companion
from explorer.objectives.schedules import LinearConfig, ScheduleConfig

DivergenceName = Literal["exact", "variational", "jensen"]


class AbstractObjectiveConfig(Frozen, ABC):
    """What is maximised in training: the reconstruction less a penalty."""

    @abstractmethod
    def terms(
        self,
        model: AbstractModel,
        prior: LatentPrior | None,
        x: Float[Tensor, "batch *sample"],
        *,
        beta: float | None = None,
        generator: torch.Generator | None = None,
        inputs: Float[Tensor, "batch *sample"] | None = None,
        companion: Companion | None = None,
    ) -> "Terms":
        """Evaluate a batch.

        Args:
            model: The model.
            prior: p(z), or None for a plain autoencoder.
            x: Samples in data units.
            beta: Weight of the KL in this epoch; None evaluates what the best epoch is chosen by.
            generator: Source of all noise.
            inputs: What the encoder sees instead of `x`.
            companion: What is trained or remembered beside the model.
        """

    @property
    def every(self) -> int:
        """Steps of the companion for each of the model."""
        return 1

    def companion(self, latent: int, prior: LatentPrior | None) -> Companion | None:
        """Build what is trained or remembered beside the model, if anything.

        Args:
            latent: Length of a code.
            prior: The prior to match.
        """
        return None


class ElboConfig(AbstractObjectiveConfig):
    """E log p(x|z) - beta KL(q(z|x) || p(z)), with free bits.

    `divergence` selects the KL under a mixture: `exact` (Monte Carlo with the
    mixture's density), or one of two upper bounds, to compare them.
    """

    kind: Literal["elbo"] = "elbo"
    warmup: ScheduleConfig = LinearConfig()
    free_bits: float = Field(
        0.0, ge=0, le=100, description="Floor of each unit's mean KL, in nats."
    )
    divergence: DivergenceName = "exact"

    def terms(
        self,
        model: AbstractModel,
        prior: LatentPrior | None,
        x: Float[Tensor, "batch *sample"],
        *,
        beta: float | None = None,
        generator: torch.Generator | None = None,
        inputs: Float[Tensor, "batch *sample"] | None = None,
        companion: Companion | None = None,
    ) -> "Terms":
        """Evaluate the ELBO of a batch; without a weight, that with beta 1 and no free bits."""
        if beta is None:
            return elbo(model, prior, x, generator=generator)
        return elbo(
            model,
            prior,
            x,
            beta=beta,
            free_bits=self.free_bits,
            divergence=self.divergence,
            generator=generator,
            inputs=inputs,
        )


class Terms(NamedTuple):
    """The two terms of the ELBO per sample, in nats, and the loss to minimise.

    Under another objective `kl` is what it subtracts from the reconstruction instead.
    """

    reconstruction: Float[Tensor, " batch"]
    kl: Float[Tensor, " batch"]
    loss: Float[Tensor, ""]


def elbo(
    model: AbstractModel,
    prior: LatentPrior | None,
    x: Float[Tensor, "batch *sample"],
    *,
    beta: float = 1.0,
    free_bits: float = 0.0,
    divergence: DivergenceName = "exact",
    generator: torch.Generator | None = None,
    inputs: Float[Tensor, "batch *sample"] | None = None,
) -> Terms:
    """Evaluate the ELBO with one code per sample, level by level in a hierarchy.

    Args:
        model: A model; a plain autoencoder has a reconstruction term only.
        prior: p(z), or None for a plain autoencoder.
        x: Samples in data units.
        beta: Weight of the KL in the loss.
        free_bits: Floor of each unit's batch-mean KL in nats, below which it has no gradient.
            Where the KL does not decompose over units, the floor applies to the total.
        divergence: The KL under a mixture, as in `ElboConfig`.
        generator: Source of the noise of the codes.
        inputs: What the encoder sees instead of `x`, if training corrupts it.

    References:
        Auto-encoding variational Bayes (Kingma and Welling, 2014), equation 3. https://arxiv.org/abs/1312.6114
        Improving variational inference with inverse autoregressive flow (Kingma et al., 2016),
        appendix C.8, for free bits. https://arxiv.org/abs/1606.04934
    """
    draws = model.posterior(x if inputs is None else inputs).walk(generator=generator)
    return bound(model, prior, x, draws, beta, free_bits, divergence)


def bound(
    model: AbstractModel,
    prior: LatentPrior | None,
    x: Float[Tensor, "batch *sample"],
    draws: tuple[LevelDraw, ...],
    beta: float = 1.0,
    free_bits: float = 0.0,
    divergence: DivergenceName = "exact",
) -> Terms:
    """Evaluate the ELBO as `elbo` does, for codes that are drawn already."""
    z = joined(draws)
    reconstruction = model.likelihood(z).log_prob(x)
    if prior is None:
        return Terms(reconstruction, torch.zeros_like(reconstruction), -reconstruction.mean())
    kl, penalty = torch.zeros_like(reconstruction), reconstruction.new_zeros(())
    for drawn, p in zip(draws, prior.levels(z), strict=True):
        units = unit_kl(drawn.q, p)
        if units is not None:
            kl = kl + units.sum(1)
            penalty = penalty + units.mean(0).clamp(min=free_bits).sum()
        else:
            assert isinstance(p, LatentPrior)
            level = DIVERGENCES[divergence](drawn.q, p, drawn.z)
            floor = free_bits * drawn.z.shape[1]
            kl = kl + level
            penalty = penalty + (level.mean().clamp(min=floor) if free_bits else level.mean())
    return Terms(reconstruction, kl, -reconstruction.mean() + beta * penalty)


def unit_kl(q: Posterior, p: LatentPrior | Posterior) -> Float[Tensor, "*batch level"] | None:
    """Evaluate KL(q_j || p_j) of every unit of a level in closed form; None if there is none."""
    if q.scale is None:
        return None
    if isinstance(p, Posterior):
        assert p.scale is not None
        loc, scale = p.loc, p.scale
    else:
        components = p.components()
        if components is None or len(components) > 1:
            return None
        loc, scale = components.loc[0], components.scale[0]
    return kl_divergence(
        Normal(q.loc, q.scale, validate_args=False), Normal(loc, scale, validate_args=False)
    )


def exact_divergence(
    q: Posterior, prior: LatentPrior, z: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """Estimate KL(q || p) of a level without bias from one code: log q(z|x) - log p(z)."""
    return q.level_log_prob(z) - prior.log_prob(z)


def jensen_bound(
    q: Posterior, prior: LatentPrior, z: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """Evaluate sum_k w_k KL(q || p_k) >= KL(q || p).

    Its gradient is that of the KL to a single Gaussian, the normalised product of p_k^{w_k}:
    training on it loses every mode of the mixture.
    """
    components = _mixture(prior)
    return _component_kl(q, components) @ components.log_weights.exp()


def variational_bound(
    q: Posterior, prior: LatentPrior, z: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """Evaluate -log sum_k w_k exp(-KL(q || p_k)), between KL(q || p) and Jensen's bound.

    References:
        Approximating the Kullback Leibler divergence between Gaussian mixture models
        (Hershey and Olsen, 2007), section 7.
    """
    components = _mixture(prior)
    return -(components.log_weights - _component_kl(q, components)).logsumexp(-1)


Divergence = Callable[[Posterior, LatentPrior, Tensor], Tensor]
DIVERGENCES: dict[str, Divergence] = {
    "exact": exact_divergence,
    "variational": variational_bound,
    "jensen": jensen_bound,
}


def _mixture(prior: LatentPrior) -> Components:
    components = prior.components()
    if components is None:
        raise NoDensityError(
            "The bounds on the KL need a mixture prior; use the exact divergence."
        )
    return components


def _component_kl(q: Posterior, p: Components) -> Float[Tensor, "batch components"]:
    if q.scale is None:
        raise NoDensityError("A plain autoencoder has no KL; choose a model with a prior.")
    return kl_divergence(
        Normal(q.loc[:, None], q.scale[:, None], validate_args=False),
        Normal(p.loc, p.scale, validate_args=False),
    ).sum(-1)
