"""Every kind of data set, model and prior that a recipe can name, including plug-ins.

A plug-in's module may import any module below this one (`explorer.interfaces`,
`explorer.distributions`, `explorer.priors`, ...); those above (`explorer.config`,
`explorer.checkpoint`, ...) import it in turn, so it may import them only inside functions.
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from explorer import data, models, plugins, priors
from explorer.data import AbstractDataConfig
from explorer.interfaces import AbstractModelConfig, AbstractPriorConfig

DATA = plugins.kinds("latent_explorer.data", AbstractDataConfig, data.CONFIGS)
MODELS = plugins.kinds("latent_explorer.models", AbstractModelConfig, models.CONFIGS)
PRIORS = plugins.kinds("latent_explorer.priors", AbstractPriorConfig, priors.CONFIGS)
"""The configs of each registry, plug-ins last."""

if TYPE_CHECKING:
    DataConfig = AbstractDataConfig
    ModelConfig = AbstractModelConfig
    PriorConfig = AbstractPriorConfig
else:
    DataConfig = Annotated[reduce(or_, DATA), Field(discriminator="kind")]
    ModelConfig = Annotated[reduce(or_, MODELS), Field(discriminator="kind")]
    PriorConfig = Annotated[reduce(or_, PRIORS), Field(discriminator="kind")]
