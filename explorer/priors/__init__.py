"""Priors, one concept a file; `explorer.registry` adds those of other packages."""

from explorer.interfaces import AbstractPriorConfig
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

CONFIGS: tuple[type[AbstractPriorConfig], ...] = (
    StandardConfig,
    XVAEConfig,
    CodeMixtureConfig,
    MixtureConfig,
    VampConfig,
    VampDataConfig,
    WeightedVampConfig,
    FlowConfig,
)
"""Priors of this package, in display order."""

__all__ = [
    "CONFIGS",
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
    "StandardConfig",
    "VampConfig",
    "VampDataConfig",
    "VampDataPrior",
    "VampPrior",
    "WeightedVampConfig",
    "XVAEConfig",
]
