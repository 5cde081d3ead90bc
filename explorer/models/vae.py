"""One-level models: plain autoencoder and VAE, with gated dense or convolutional layers."""

from typing import Annotated, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Distribution

from explorer import papers
from explorer.errors import RecipeError
from explorer.interfaces import AbstractModel, AbstractModelConfig, LatentSpace, Posterior
from explorer.models.networks import (
    HEADS,
    LOG_VARIANCE_BOUNDS,
    WIDE,
    DenseEncoder,
    GatedDense,
    LikelihoodName,
    dense,
    gated_encoder,
    gated_pictures,
    gated_stack,
)
from explorer.papers import Paper
from explorer.sketch import CurveSketch, PixelSketch

Width = Annotated[int, Field(ge=1, le=4096)]
Hidden = Annotated[tuple[Width, ...], Field(min_length=1, max_length=6)]
Channels = Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(max_length=8)]


class Autoencoder(AbstractModel):
    """A deterministic autoencoder: a point posterior, and no prior.

    Args:
        latent: Length of a code.
        encoder: Maps samples to rows of features.
        encoded: Number of these features.
        decoder: Maps codes to the inputs of `head`.
        head: The likelihood, whose negative log is the reconstruction loss.
    """

    def __init__(
        self,
        latent: int,
        encoder: nn.Module,
        encoded: int,
        decoder: nn.Module,
        head: nn.Module,
    ) -> None:
        super().__init__()
        self.space = LatentSpace.single(latent)
        self.encoder = encoder
        self.loc = dense(encoded, latent)
        self.decoder = decoder
        self.head = head

    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples to points."""
        return Posterior(self.loc(self.encoder(x)), None)

    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z)."""
        return cast("Distribution", self.head(self.decoder(z)))


class VAE(AbstractModel):
    """A variational autoencoder with a diagonal Gaussian posterior.

    The log variance of q is clamped relative to a reference (the prior's variance for X-VAE, one
    otherwise), so that the clamp does not depend on the scale of the latent space.

    Args:
        latent: Length of a code.
        encoder: Maps samples to rows of features.
        encoded: Number of these features.
        decoder: Maps codes to the inputs of `head`; its first layer is a gated dense one.
        head: The likelihood.
        noise: Scale of q, the same for every sample, relative to the same reference; 0 makes it a
            point. By default it is learned for each.

    References:
        Auto-encoding variational Bayes (Kingma and Welling, 2014). https://arxiv.org/abs/1312.6114
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5.1. https://arxiv.org/abs/1705.07120
    """

    reference_scale: Tensor

    def __init__(
        self,
        latent: int,
        encoder: nn.Module,
        encoded: int,
        decoder: nn.Sequential,
        head: nn.Module,
        noise: float | None = None,
    ) -> None:
        super().__init__()
        self.space = LatentSpace.single(latent)
        self.encoder = encoder
        self.loc = dense(encoded, latent)
        self.noise = noise
        self.log_variance = dense(encoded, latent) if noise is None else None
        self.decoder = decoder
        self.head = head
        self.register_buffer("reference_scale", torch.ones(latent))

    @torch.no_grad()
    def refer_to(self, loc: Float[Tensor, " latent"], scale: Float[Tensor, " latent"]) -> None:
        """Initialise q at the prior's mean and scale, and clamp its variance relative to it."""
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
        hidden = self.encoder(x)
        if self.log_variance is None:
            loc = self.loc(hidden)
            if not self.noise:
                return Posterior(loc, None)
            return Posterior(loc, (self.noise * self.reference_scale).expand_as(loc))
        log_variance = nn.functional.hardtanh(self.log_variance(hidden), *LOG_VARIANCE_BOUNDS)
        return Posterior(self.loc(hidden), self.reference_scale * (0.5 * log_variance).exp())

    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z)."""
        return cast("Distribution", self.head(self.decoder(z)))


class _DenseConfig(AbstractModelConfig):
    latent: int = Field(40, ge=1, le=512)
    hidden: Hidden = (300, 300)
    likelihood: LikelihoodName = "bernoulli"

    @property
    def words(self) -> str:
        """A description of the architecture."""
        return f"gated dense layers {' - '.join(map(str, self.hidden))}"

    def parts(
        self, sketch: PixelSketch | CurveSketch
    ) -> tuple[int, nn.Module, int, nn.Sequential, nn.Module]:
        """Build dense networks, the decoder's widths mirroring the encoder's."""
        fitting(self.likelihood, sketch)
        return (
            self.latent,
            DenseEncoder(sketch.shape, self.hidden),
            self.hidden[-1],
            gated_stack(self.latent, self.hidden[::-1]),
            HEADS[self.likelihood](self.hidden[0], sketch.shape),
        )


class _ConvConfig(AbstractModelConfig):
    latent: int = Field(40, ge=1, le=512)
    channels: Channels = Field((32, 32, 64, 64, 6), min_length=5, max_length=5)
    decoder_channels: Channels = Field((64, 64, 64, 64), min_length=1)
    width: Width = 300
    likelihood: LikelihoodName = "bernoulli"

    @property
    def words(self) -> str:
        """A description of the architecture."""
        down, up = (" - ".join(map(str, row)) for row in (self.channels, self.decoder_channels))
        return f"gated convolutions {down} down and {up} up"

    def parts(
        self, sketch: PixelSketch | CurveSketch
    ) -> tuple[int, nn.Module, int, nn.Sequential, nn.Module]:
        """Build five gated convolutions down, and gated convolutions at full resolution up."""
        shape = pictures_only(sketch).shape
        encoder, encoded = gated_encoder(shape, self.channels, WIDE)
        decoder = nn.Sequential(
            GatedDense(self.latent, self.width),
            *gated_pictures(self.width, shape, self.decoder_channels),
        )
        head = HEADS[self.likelihood](self.decoder_channels[-1], shape, pictures=True)
        return self.latent, encoder, encoded, decoder, head


def pictures_only(sketch: PixelSketch | CurveSketch) -> PixelSketch:
    """Return the sketch if it is of images.

    Raises:
        RecipeError: If the data are curves.
    """
    if not isinstance(sketch, PixelSketch):
        raise RecipeError("Convolutions need images; choose the kind ae, vae or hvae for curves.")
    return sketch


def fitting(likelihood: LikelihoodName, sketch: PixelSketch | CurveSketch) -> None:
    """Check that a likelihood fits the data.

    Raises:
        RecipeError: If it does not: a logistic likelihood for curves.
    """
    if likelihood.startswith("logistic") and not isinstance(sketch, PixelSketch):
        raise RecipeError("A logistic likelihood is for pixels; choose gaussian for curves.")


class AutoencoderConfig(_DenseConfig):
    """A deterministic autoencoder."""

    deterministic: ClassVar[bool] = True
    title: ClassVar[str] = "autoencoder"
    kind: Literal["ae"] = "ae"

    def build(self, sketch: PixelSketch | CurveSketch) -> Autoencoder:
        """Build the untrained model."""
        return Autoencoder(*self.parts(sketch))


class VAEConfig(_DenseConfig):
    """A one-level variational autoencoder."""

    title: ClassVar[str] = "VAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAE,)
    kind: Literal["vae"] = "vae"

    def build(self, sketch: PixelSketch | CurveSketch) -> VAE:
        """Build the untrained model."""
        return VAE(*self.parts(sketch))


class MatchedVAEConfig(_DenseConfig):
    """A VAE whose posteriors have one fixed scale, to be trained by matching their aggregate.

    A learned scale collapses to 0 where nothing pulls each posterior towards the prior.
    """

    title: ClassVar[str] = "DMVAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.WAE, papers.SWAE, papers.INFOVAE)
    kind: Literal["dmvae"] = "dmvae"
    noise: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Scale of every posterior, in standard deviations of the prior; 0 is a point.",
    )

    @property
    def stochastic(self) -> bool:
        """Whether posteriors have noise."""
        return self.noise > 0

    @property
    def words(self) -> str:
        """A description of the architecture."""
        noise = (
            f"every posterior of {self.noise:g} prior standard deviations"
            if self.noise
            else "every posterior a point"
        )
        return f"{super().words}; {noise}"

    def build(self, sketch: PixelSketch | CurveSketch) -> VAE:
        """Build the untrained model."""
        return VAE(*self.parts(sketch), noise=self.noise)


class ConvAutoencoderConfig(_ConvConfig):
    """A deterministic autoencoder with gated convolutions."""

    deterministic: ClassVar[bool] = True
    title: ClassVar[str] = "conv autoencoder"
    kind: Literal["convae"] = "convae"

    def build(self, sketch: PixelSketch | CurveSketch) -> Autoencoder:
        """Build the untrained model."""
        return Autoencoder(*self.parts(sketch))


class ConvVAEConfig(_ConvConfig):
    """A one-level variational autoencoder with gated convolutions."""

    title: ClassVar[str] = "convVAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAE,)
    kind: Literal["convvae"] = "convvae"

    def build(self, sketch: PixelSketch | CurveSketch) -> VAE:
        """Build the untrained model."""
        return VAE(*self.parts(sketch))
