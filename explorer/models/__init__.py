"""Models; `ModelConfig` is the registry, keyed on `kind`."""

from typing import Annotated

from pydantic import Field

from explorer.models.hierarchical import HVAE, ConvHVAEConfig, HVAEConfig, PixelHVAEConfig
from explorer.models.pixelcnn import PixelCNN, Sequential
from explorer.models.vae import (
    VAE,
    Autoencoder,
    AutoencoderConfig,
    ConvAutoencoderConfig,
    ConvVAEConfig,
    VAEConfig,
)

ModelConfig = Annotated[
    AutoencoderConfig
    | VAEConfig
    | ConvAutoencoderConfig
    | ConvVAEConfig
    | HVAEConfig
    | ConvHVAEConfig
    | PixelHVAEConfig,
    Field(discriminator="kind"),
]

__all__ = [
    "HVAE",
    "VAE",
    "Autoencoder",
    "AutoencoderConfig",
    "ConvAutoencoderConfig",
    "ConvHVAEConfig",
    "ConvVAEConfig",
    "HVAEConfig",
    "ModelConfig",
    "PixelCNN",
    "PixelHVAEConfig",
    "Sequential",
    "VAEConfig",
]
