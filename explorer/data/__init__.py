"""Data sets; `DataConfig` is the registry, keyed on `kind`."""

from typing import Annotated

from pydantic import Field

from explorer.data.airfoils import AirfoilsConfig, NacaConfig
from explorer.data.dataset import AbstractDataConfig, DataSet, Split
from explorer.data.digits import DigitsConfig
from explorer.data.files import FilesConfig
from explorer.data.mnist import MnistConfig, StaticMnistConfig
from explorer.data.pictures import CaltechConfig, FashionConfig, FreyConfig, OmniglotConfig

DataConfig = Annotated[
    DigitsConfig
    | StaticMnistConfig
    | MnistConfig
    | FashionConfig
    | OmniglotConfig
    | CaltechConfig
    | FreyConfig
    | AirfoilsConfig
    | NacaConfig
    | FilesConfig,
    Field(discriminator="kind"),
]

__all__ = [
    "AbstractDataConfig",
    "AirfoilsConfig",
    "CaltechConfig",
    "DataConfig",
    "DataSet",
    "DigitsConfig",
    "FashionConfig",
    "FilesConfig",
    "FreyConfig",
    "MnistConfig",
    "NacaConfig",
    "OmniglotConfig",
    "Split",
    "StaticMnistConfig",
]
