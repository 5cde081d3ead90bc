"""Data sets, one origin a file; `explorer.registry` adds those of other packages."""

from explorer.data.airfoils import AirfoilsConfig, NacaConfig
from explorer.data.dataset import AbstractDataConfig, DataSet, SplitData
from explorer.data.digits import DigitsConfig
from explorer.data.files import FilesConfig
from explorer.data.identity import Fingerprint
from explorer.data.mnist import MnistConfig, StaticMnistConfig
from explorer.data.pictures import CaltechConfig, FashionConfig, FreyConfig, OmniglotConfig
from explorer.data.rendered import EmojiConfig, GlyphsConfig

CONFIGS: tuple[type[AbstractDataConfig], ...] = (
    DigitsConfig,
    StaticMnistConfig,
    MnistConfig,
    FashionConfig,
    OmniglotConfig,
    CaltechConfig,
    FreyConfig,
    GlyphsConfig,
    EmojiConfig,
    AirfoilsConfig,
    NacaConfig,
    FilesConfig,
)
"""Data sets of this package, in display order."""

__all__ = [
    "CONFIGS",
    "AbstractDataConfig",
    "AirfoilsConfig",
    "CaltechConfig",
    "DataSet",
    "DigitsConfig",
    "EmojiConfig",
    "FashionConfig",
    "FilesConfig",
    "Fingerprint",
    "FreyConfig",
    "GlyphsConfig",
    "MnistConfig",
    "NacaConfig",
    "OmniglotConfig",
    "SplitData",
    "StaticMnistConfig",
]
