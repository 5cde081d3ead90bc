"""Data sets; `DataConfig` is the registry, keyed on `kind`."""

from typing import Annotated

from pydantic import Field

from explorer.data.airfoils import AirfoilsConfig, NacaConfig
from explorer.data.dataset import AbstractDataConfig, DataSet, Split
from explorer.data.digits import DigitsConfig
from explorer.data.files import FilesConfig
from explorer.data.mnist import MnistConfig, StaticMnistConfig

DataConfig = Annotated[
    DigitsConfig | StaticMnistConfig | MnistConfig | AirfoilsConfig | NacaConfig | FilesConfig,
    Field(discriminator="kind"),
]

__all__ = [
    "AbstractDataConfig",
    "AirfoilsConfig",
    "DataConfig",
    "DataSet",
    "DigitsConfig",
    "FilesConfig",
    "MnistConfig",
    "NacaConfig",
    "Split",
    "StaticMnistConfig",
]
