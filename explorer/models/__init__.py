"""Models, one concept a file; `explorer.registry` adds those of other packages."""

from explorer.interfaces import AbstractModelConfig
from explorer.models.hierarchical import HVAE, ConvHVAEConfig, HVAEConfig, PixelHVAEConfig
from explorer.models.onnx import OnnxConfig, OnnxModel
from explorer.models.pixelcnn import PixelCNN, Sequential
from explorer.models.vae import (
    VAE,
    Autoencoder,
    AutoencoderConfig,
    ConvAutoencoderConfig,
    ConvVAEConfig,
    MatchedVAEConfig,
    VAEConfig,
)

CONFIGS: tuple[type[AbstractModelConfig], ...] = (
    AutoencoderConfig,
    VAEConfig,
    MatchedVAEConfig,
    ConvAutoencoderConfig,
    ConvVAEConfig,
    HVAEConfig,
    ConvHVAEConfig,
    PixelHVAEConfig,
    OnnxConfig,
)
"""Models of this package, in display order."""

__all__ = [
    "CONFIGS",
    "HVAE",
    "VAE",
    "Autoencoder",
    "AutoencoderConfig",
    "ConvAutoencoderConfig",
    "ConvHVAEConfig",
    "ConvVAEConfig",
    "HVAEConfig",
    "MatchedVAEConfig",
    "OnnxConfig",
    "OnnxModel",
    "PixelCNN",
    "PixelHVAEConfig",
    "Sequential",
    "VAEConfig",
]
