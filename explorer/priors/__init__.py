"""Priors, one concept a file; `explorer.registry` adds those of other packages."""

from explorer.interfaces import AbstractPriorConfig
from explorer.priors.flow import FlowConfig, FlowPrior, LatentFlow
from explorer.priors.full import FullGaussianConfig, FullGaussianPrior, LatentFullGaussian
from explorer.priors.gaussian import GaussianPrior, StandardConfig, XVAEConfig
from explorer.priors.hierarchy import HierarchicalPrior
from explorer.priors.kernel import (
    BottleneckConfig,
    FeaturesConfig,
    FileReferenceConfig,
    KernelPrior,
    LatentKernel,
    MovingConfig,
    whitened,
)
from explorer.priors.mixture import (
    CodeMixtureConfig,
    CodeMixturePrior,
    FeatureMixtureConfig,
    LatentMixture,
    MixtureConfig,
    MixturePrior,
)
from explorer.priors.noised import LatentNoised, NoisedConfig, NoisedPrior
from explorer.priors.second import LatentSecondStage, SecondStageConfig, SecondStagePrior
from explorer.priors.sphere import LatentSphere, SphereConfig, SpherePrior
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
    FullGaussianConfig,
    CodeMixtureConfig,
    MixtureConfig,
    VampConfig,
    VampDataConfig,
    WeightedVampConfig,
    FlowConfig,
    SphereConfig,
    NoisedConfig,
    FeatureMixtureConfig,
    FeaturesConfig,
    BottleneckConfig,
    FileReferenceConfig,
    MovingConfig,
    SecondStageConfig,
)
"""Priors of this package, in display order."""

__all__ = [
    "CONFIGS",
    "BottleneckConfig",
    "CodeMixtureConfig",
    "CodeMixturePrior",
    "FeatureMixtureConfig",
    "FeaturesConfig",
    "FileReferenceConfig",
    "FlowConfig",
    "FlowPrior",
    "FullGaussianConfig",
    "FullGaussianPrior",
    "GaussianPrior",
    "HierarchicalPrior",
    "KernelPrior",
    "LatentFlow",
    "LatentFullGaussian",
    "LatentKernel",
    "LatentMixture",
    "LatentNoised",
    "LatentSecondStage",
    "LatentSphere",
    "MixtureConfig",
    "MixturePrior",
    "MovingConfig",
    "NoisedConfig",
    "NoisedPrior",
    "SecondStageConfig",
    "SecondStagePrior",
    "SphereConfig",
    "SpherePrior",
    "StandardConfig",
    "VampConfig",
    "VampDataConfig",
    "VampDataPrior",
    "VampPrior",
    "WeightedVampConfig",
    "XVAEConfig",
    "whitened",
]
