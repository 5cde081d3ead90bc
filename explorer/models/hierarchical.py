"""Two-level models: HVAE, dense or convolutional, and PixelHVAE, with a PixelCNN decoder."""

from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Distribution

from explorer import papers
from explorer.errors import RecipeError
from explorer.interfaces import (
    AbstractModel,
    AbstractModelConfig,
    LatentPrior,
    LatentSpace,
    Level,
    Posterior,
)
from explorer.models.networks import (
    HEADS,
    NARROW,
    WIDE,
    DenseEncoder,
    DiagonalGaussian,
    GatedDense,
    LikelihoodName,
    gated_encoder,
    gated_pictures,
    gated_stack,
)
from explorer.models.pixelcnn import PixelCNN
from explorer.models.vae import Channels, Hidden, Width, fitting, pictures_only
from explorer.papers import Paper
from explorer.priors.hierarchy import HierarchicalPrior
from explorer.sketch import CurveSketch, PixelSketch


class HVAE(AbstractModel):
    """q(z2|x) q(z1|x,z2) against p(z2) p(z1|z2) p(x|z1,z2); a code is z2 followed by z1.

    Args:
        top: Length of z2.
        bottom: Length of z1.
        encoder: Maps samples to the features of q(z2|x).
        encoded: Number of these features.
        features: Maps samples to the features of x in q(z1|x,z2).
        featured: Number of these features; z2 contributes as many.
        conditional: Maps z2 to the features of p(z1|z2).
        width: Number of these features, and width of the layer that joins x and z2.
        decoder: Maps z1 and z2 to p(x|z1,z2).

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), section 4.1 and equations 11-14.
        https://arxiv.org/abs/1705.07120
    """

    def __init__(
        self,
        top: int,
        bottom: int,
        encoder: nn.Module,
        encoded: int,
        features: nn.Module,
        featured: int,
        conditional: nn.Module,
        width: int,
        decoder: nn.Module,
    ) -> None:
        super().__init__()
        self.space = LatentSpace((Level("z2", 0, top), Level("z1", top, top + bottom)))
        self.encoder = encoder
        self.q_top = DiagonalGaussian(encoded, top)
        self.features = features
        self.features_top = GatedDense(top, featured)
        self.join = GatedDense(2 * featured, width)
        self.q_bottom = DiagonalGaussian(width, bottom)
        self.conditional = conditional
        self.p_bottom = DiagonalGaussian(width, bottom)
        self.decoder = decoder

    @property
    def top(self) -> LatentSpace:
        """The space of z2, on which the prior is learned."""
        return LatentSpace(self.space.levels[:1])

    def top_posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples to q(z2|x)."""
        return cast("Posterior", self.q_top(self.encoder(x)))

    def posterior(
        self, x: Float[Tensor, "batch *sample"], labels: Tensor | None = None
    ) -> Posterior:
        """Encode samples to q(z2|x), and below it q(z1|x,z2); x is encoded only once."""
        q = self.top_posterior(x, labels)
        features = self.features(x)
        joint, width = self.join.linear, features.shape[-1]
        # The contribution of x to the joint layer is the same for every code of the top.
        seen = nn.functional.linear(features, joint.weight[:, :width], joint.bias)

        def below(z: Float[Tensor, "*batch top"]) -> Posterior:
            above = nn.functional.linear(self.features_top(z), joint.weight[:, width:])
            return cast("Posterior", self.q_bottom(nn.functional.glu(seen + above, dim=-1)))

        return Posterior(q.loc, q.scale, below)

    def likelihood(
        self, z: Float[Tensor, "*batch latent"], labels: Tensor | None = None
    ) -> Distribution:
        """Return p(x|z1,z2)."""
        size = self.top.size
        return cast("Distribution", self.decoder(z[..., size:], z[..., :size]))

    def joint(self, prior: LatentPrior) -> LatentPrior:
        """Return p(z2) p(z1|z2)."""
        return HierarchicalPrior(
            prior, self.top.size, lambda z: cast("Posterior", self.p_bottom(self.conditional(z)))
        )


class TwoLevelDecoder(nn.Module):
    """z1 and z2, each through a gated layer, concatenated, then through the output network."""

    def __init__(
        self, bottom: int, top: int, width: int, pictures: nn.Module, head: nn.Module
    ) -> None:
        super().__init__()
        self.from_bottom = GatedDense(bottom, width)
        self.from_top = GatedDense(top, width)
        self.pictures = pictures
        self.head = head

    def forward(
        self, bottom: Float[Tensor, "*batch bottom"], top: Float[Tensor, "*batch top"]
    ) -> Distribution:
        """Return p(x|z1,z2)."""
        both = torch.cat([self.from_bottom(bottom), self.from_top(top)], -1)
        return cast("Distribution", self.head(self.pictures(both)))


class PixelDecoder(nn.Module):
    """z1 and z2, each mapped to feature maps that condition a PixelCNN.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5.1, "PixelHVAE".
        https://arxiv.org/abs/1705.07120
    """

    def __init__(
        self, bottom: int, top: int, shape: tuple[int, ...], channels: int, layers: int
    ) -> None:
        super().__init__()
        pixels = shape[1] * shape[2]
        self.from_bottom = GatedDense(bottom, pixels)
        self.from_top = GatedDense(top, pixels)
        self.network = PixelCNN(shape, 2, channels, layers)

    def forward(
        self, bottom: Float[Tensor, "*batch bottom"], top: Float[Tensor, "*batch top"]
    ) -> Distribution:
        """Return p(x|z1,z2)."""
        maps = torch.stack([self.from_bottom(bottom), self.from_top(top)], -2)
        return self.network(maps.unflatten(-1, self.network.shape[1:]))


class _TwoLevelConfig(AbstractModelConfig):
    top: int = Field(40, ge=1, le=512, description="Length of z2.")
    bottom: int = Field(40, ge=1, le=512, description="Length of z1.")

    @property
    def latent(self) -> int:
        """Length of a whole code."""
        return self.top + self.bottom


class HVAEConfig(_TwoLevelConfig):
    """Two levels of gated dense layers."""

    title: ClassVar[str] = "HVAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAE, papers.VAMP)
    kind: Literal["hvae"] = "hvae"
    hidden: Hidden = (300, 300)
    likelihood: LikelihoodName = "bernoulli"

    @property
    def words(self) -> str:
        """A description of the architecture."""
        return f"two levels of gated dense layers {' - '.join(map(str, self.hidden))}"

    def build(self, sketch: PixelSketch | CurveSketch) -> HVAE:
        """Build the untrained model."""
        fitting(self.likelihood, sketch)
        shape, width = sketch.shape, self.hidden[-1]
        return HVAE(
            self.top,
            self.bottom,
            encoder=DenseEncoder(shape, self.hidden),
            encoded=width,
            features=DenseEncoder(shape, self.hidden[:1]),
            featured=self.hidden[0],
            conditional=gated_stack(self.top, self.hidden),
            width=width,
            decoder=TwoLevelDecoder(
                self.bottom,
                self.top,
                width,
                GatedDense(2 * width, width),
                HEADS[self.likelihood](width, shape),
            ),
        )


class _PictureConfig(_TwoLevelConfig):
    channels: Channels = Field((32, 32, 64, 64, 6), min_length=5, max_length=5)
    width: Width = 300

    def inference(self, sketch: PixelSketch | CurveSketch) -> dict[str, object]:
        """Build the two convolutional encoders, and the dense layers of p(z1|z2)."""
        shape = pictures_only(sketch).shape
        encoder, encoded = gated_encoder(shape, self.channels, WIDE)
        features, featured = gated_encoder(shape, self.channels, NARROW)
        return {
            "top": self.top,
            "bottom": self.bottom,
            "encoder": encoder,
            "encoded": encoded,
            "features": features,
            "featured": featured,
            "conditional": gated_stack(self.top, (self.width, self.width)),
            "width": self.width,
        }


class ConvHVAEConfig(_PictureConfig):
    """Two levels, with gated convolutions in encoders and decoder."""

    title: ClassVar[str] = "convHVAE"
    references: ClassVar[tuple[Paper, ...]] = (papers.VAE, papers.VAMP)
    kind: Literal["convhvae"] = "convhvae"
    decoder_channels: Channels = Field((64, 64, 64, 64), min_length=1)
    likelihood: LikelihoodName = "bernoulli"

    @property
    def words(self) -> str:
        """A description of the architecture."""
        down, up = (" - ".join(map(str, row)) for row in (self.channels, self.decoder_channels))
        return f"two levels, gated convolutions {down} down and {up} up"

    def build(self, sketch: PixelSketch | CurveSketch) -> HVAE:
        """Build the untrained model."""
        shape = pictures_only(sketch).shape
        decoder = TwoLevelDecoder(
            self.bottom,
            self.top,
            self.width,
            gated_pictures(2 * self.width, shape, self.decoder_channels),
            HEADS[self.likelihood](self.decoder_channels[-1], shape, pictures=True),
        )
        return HVAE(**self.inference(sketch), decoder=decoder)  # type: ignore[arg-type]


class PixelHVAEConfig(_PictureConfig):
    """Two levels, with a PixelCNN decoder; for binary images."""

    title: ClassVar[str] = "PixelHVAE"
    references: ClassVar[tuple[Paper, ...]] = (
        papers.VAE,
        papers.VAMP,
        papers.PIXELS,
        papers.GATED_PIXELS,
    )
    kind: Literal["pixelhvae"] = "pixelhvae"
    decoder_channels: int = Field(64, ge=1, le=256)
    decoder_layers: int = Field(8, ge=1, le=16)
    likelihood: Literal["bernoulli"] = "bernoulli"

    @property
    def words(self) -> str:
        """A description of the architecture."""
        down = " - ".join(map(str, self.channels))
        return (
            f"two levels, gated convolutions {down} down and a PixelCNN of "
            f"{self.decoder_layers} layers of {self.decoder_channels} channels up"
        )

    def build(self, sketch: PixelSketch | CurveSketch) -> HVAE:
        """Build the untrained model."""
        if pictures_only(sketch).channels > 1:
            raise RecipeError("This PixelCNN models a single channel; choose the kind convhvae.")
        decoder = PixelDecoder(
            self.bottom,
            self.top,
            pictures_only(sketch).shape,
            self.decoder_channels,
            self.decoder_layers,
        )
        return HVAE(**self.inference(sketch), decoder=decoder)  # type: ignore[arg-type]
