"""Priors; `PriorConfig` is the registry, keyed on `kind`."""

from typing import Annotated

from pydantic import Field

from explorer.priors.gaussian import GaussianPrior, StandardConfig, XVAEConfig
from explorer.priors.mixture import (
    CodeMixtureConfig,
    CodeMixturePrior,
    LatentMixture,
    MixtureConfig,
    MixturePrior,
)
from explorer.priors.vamp import VampConfig, VampPrior

PriorConfig = Annotated[
    StandardConfig | XVAEConfig | CodeMixtureConfig | MixtureConfig | VampConfig,
    Field(discriminator="kind"),
]

__all__ = [
    "CodeMixtureConfig",
    "CodeMixturePrior",
    "GaussianPrior",
    "LatentMixture",
    "MixtureConfig",
    "MixturePrior",
    "PriorConfig",
    "StandardConfig",
    "VampConfig",
    "VampPrior",
    "XVAEConfig",
]
