"""Priors; `PriorConfig` is the registry, keyed on `kind`."""

from typing import Annotated

from pydantic import Field

from explorer.priors.flow import FlowConfig, FlowPrior, LatentFlow
from explorer.priors.gaussian import GaussianPrior, StandardConfig, XVAEConfig
from explorer.priors.hierarchy import HierarchicalPrior
from explorer.priors.mixture import (
    CodeMixtureConfig,
    CodeMixturePrior,
    LatentMixture,
    MixtureConfig,
    MixturePrior,
)
from explorer.priors.vamp import (
    VampConfig,
    VampDataConfig,
    VampDataPrior,
    VampPrior,
    WeightedVampConfig,
)

PriorConfig = Annotated[
    StandardConfig
    | XVAEConfig
    | CodeMixtureConfig
    | MixtureConfig
    | VampConfig
    | VampDataConfig
    | WeightedVampConfig
    | FlowConfig,
    Field(discriminator="kind"),
]

__all__ = [
    "CodeMixtureConfig",
    "CodeMixturePrior",
    "FlowConfig",
    "FlowPrior",
    "GaussianPrior",
    "HierarchicalPrior",
    "LatentFlow",
    "LatentMixture",
    "MixtureConfig",
    "MixturePrior",
    "PriorConfig",
    "StandardConfig",
    "VampConfig",
    "VampDataConfig",
    "VampDataPrior",
    "VampPrior",
    "WeightedVampConfig",
    "XVAEConfig",
]
