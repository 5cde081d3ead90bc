"""Data sets, each read once for all tests of a process."""

from functools import cache
from pathlib import Path

import pytest

from explorer.data import (
    AirfoilsConfig,
    CaltechConfig,
    DigitsConfig,
    EmojiConfig,
    FashionConfig,
    FreyConfig,
    GlyphsConfig,
    MnistConfig,
    NacaConfig,
    OmniglotConfig,
    StaticMnistConfig,
)
from explorer.settings import current
from explorer.sketch import PixelSketch

SPLITS = ("train", "valid", "test")

SIZES = {
    "digits": (DigitsConfig(), (1297, 250, 250), ""),
    "mnist": (MnistConfig(), (50_000, 10_000, 10_000), "MNIST/raw/train-images-idx3-ubyte.gz"),
    "mnist-static": (
        StaticMnistConfig(),
        (50_000, 10_000, 10_000),
        "MNIST_static/binarized_mnist_train.amat.gz",
    ),
    "fashion": (
        FashionConfig(),
        (50_000, 10_000, 10_000),
        "FashionMNIST/raw/train-images-idx3-ubyte.gz",
    ),
    "omniglot28": (OmniglotConfig(), (23_000, 1345, 8115), "OMNIGLOT/omniglot_28_area.npz"),
    "caltech-silhouettes": (
        CaltechConfig(),
        (4100, 2264, 2307),
        "Caltech101Silhouettes/caltech101_silhouettes_28_split1.mat",
    ),
    "frey": (FreyConfig(), (1565, 200, 200), "Freyfaces/freyfaces.npz"),
    "glyphs": (GlyphsConfig(), (49_290, 6138, 6200), "Glyphs/glyphs_32.npz"),
    "emoji": (EmojiConfig(), (1496, 187, 187), "Emoji/emoji_32.npz"),
    "airfoils": (AirfoilsConfig(), (1237, 154, 154), "Airfoils/uiuc_dat.zip"),
    "naca": (NacaConfig(), (1200, 150, 150), ""),
}

ARCHIVES = {kind: file for kind, (_, _, file) in SIZES.items() if file}


@cache
def read(kind):
    config, _, file = SIZES[kind]
    root = current().data
    if file and not (root / file).is_file():
        pytest.skip(f"{file} is not below the data root; name one with LATENT_EXPLORER_DATA")
    return config.load(root)


def one_sentence(error):
    message = str(error.value)
    ours = "TypeCheck" in message  # a mistake of the reader, not of the file
    return not ours and "\n" not in message and message.endswith(".") and ". " not in message


def chord_heights(kind, split="train"):
    data = read(kind)
    return data.sketch.heights(data.split(split).x)


SMALL = PixelSketch(height=8, width=8)


@cache
def digits():
    return DigitsConfig().load(Path("nowhere"))
