"""The one-level models: a plain autoencoder, and a VAE with gated dense networks."""

import math
from typing import Annotated, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Distribution

from explorer.interfaces import AbstractModel, LatentSpace, Posterior, Recipe
from explorer.models.networks import HEADS, GatedDense, LikelihoodName, dense, gated_stack
from explorer.sketch import CurveSketch, PixelSketch

LOG_VARIANCE_BOUNDS = (-6.0, 2.0)
"""Clamp of log q-variance, relative to the prior's reference variance."""

_Hidden = Annotated[
    tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1, max_length=6)
]


class Autoencoder(AbstractModel):
    """A deterministic autoencoder: a point for a posterior, and no prior.

    Args:
        shape: Shape of one sample.
        latent: Length of a code.
        hidden: Widths of the encoder's layers; the decoder's are the same, reversed.
        likelihood: Family of p(x|z), whose negative log is the reconstruction loss.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        latent: int,
        hidden: tuple[int, ...],
        likelihood: LikelihoodName,
    ) -> None:
        super().__init__()
        self.space = LatentSpace.single(latent)
        self.shape = shape
        self.encoder = gated_stack(math.prod(shape), hidden)
        self.loc = dense(hidden[-1], latent)
        self.decoder = gated_stack(latent, hidden[::-1])
        self.head = HEADS[likelihood](hidden[0], shape)

    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples to points."""
        return Posterior(self.loc(self.encoder(x.flatten(1))), None)

    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z)."""
        return self.head(self.decoder(z))


class VAE(AbstractModel):
    """A variational autoencoder with gated dense layers and a diagonal Gaussian posterior.

    The log variance of q is clamped relative to a reference (the prior's variance for X-VAE, one
    otherwise), so that the same clamp means the same in every scale of the latent space.

    Args:
        shape: Shape of one sample.
        latent: Length of a code.
        hidden: Widths of the encoder's layers; the decoder's are the same, reversed.
        likelihood: Family of p(x|z).

    References:
        Auto-encoding variational Bayes (Kingma and Welling, 2014). https://arxiv.org/abs/1312.6114
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5.1. https://arxiv.org/abs/1705.07120
    """

    reference_scale: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        latent: int,
        hidden: tuple[int, ...],
        likelihood: LikelihoodName,
    ) -> None:
        super().__init__()
        self.space = LatentSpace.single(latent)
        self.shape = shape
        self.encoder = gated_stack(math.prod(shape), hidden)
        self.loc = dense(hidden[-1], latent)
        self.log_variance = dense(hidden[-1], latent)
        self.decoder = gated_stack(latent, hidden[::-1])
        self.head = HEADS[likelihood](hidden[0], shape)
        self.register_buffer("reference_scale", torch.ones(latent))

    @torch.no_grad()
    def refer_to(self, loc: Float[Tensor, " latent"], scale: Float[Tensor, " latent"]) -> None:
        """Start q at the prior's own place and spread, and clamp its variance relative to it."""
        self.reference_scale.copy_(scale)
        self.loc.weight.mul_(scale[:, None])
        self.loc.bias.mul_(scale).add_(loc)
        first = cast("GatedDense", self.decoder[0]).linear
        first.bias.sub_(first.weight @ (loc / scale))
        first.weight.div_(scale)

    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples to diagonal Gaussians."""
        hidden = self.encoder(x.flatten(1))
        log_variance = nn.functional.hardtanh(self.log_variance(hidden), *LOG_VARIANCE_BOUNDS)
        return Posterior(self.loc(hidden), self.reference_scale * (0.5 * log_variance).exp())

    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z)."""
        return self.head(self.decoder(z))


class _DenseConfig(Recipe):
    latent: int = Field(40, ge=1, le=512)
    hidden: _Hidden = (300, 300)
    likelihood: LikelihoodName = "bernoulli"


class AutoencoderConfig(_DenseConfig):
    """A deterministic autoencoder."""

    kind: Literal["ae"] = "ae"

    def build(self, sketch: PixelSketch | CurveSketch) -> Autoencoder:
        """Make the untrained model."""
        return Autoencoder(sketch.shape, self.latent, self.hidden, self.likelihood)


class VAEConfig(_DenseConfig):
    """A variational autoencoder of one level."""

    kind: Literal["vae"] = "vae"

    def build(self, sketch: PixelSketch | CurveSketch) -> VAE:
        """Make the untrained model."""
        return VAE(sketch.shape, self.latent, self.hidden, self.likelihood)
