"""Models; `ModelConfig` is the registry, keyed on `kind`."""

from typing import Annotated

from pydantic import Field

from explorer.models.vae import VAE, Autoencoder, AutoencoderConfig, VAEConfig

ModelConfig = Annotated[AutoencoderConfig | VAEConfig, Field(discriminator="kind")]

__all__ = ["VAE", "Autoencoder", "AutoencoderConfig", "ModelConfig", "VAEConfig"]
