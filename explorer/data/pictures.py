"""Other image data sets: Fashion-MNIST, OMNIGLOT, Caltech 101 silhouettes, Frey faces."""

import io
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

from explorer import papers
from explorer.data.dataset import (
    BINARISATION_SEED,
    AbstractDataConfig,
    DataSet,
    SplitData,
    Values,
    binarise,
    require,
    verify,
)
from explorer.data.mnist import File, read_idx
from explorer.papers import Paper
from explorer.sketch import PixelSketch

_SIDE, _VALID = 28, 10_000
_SPLIT_SEED = 0
_SKETCH = PixelSketch(height=_SIDE, width=_SIDE)

_FASHION = {  # md5 of the compressed file, as listed by torchvision
    "train_images": File("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 60_000),
    "train_labels": File("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 60_000),
    "test_images": File("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 10_000),
    "test_labels": File("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 10_000),
}
_CLOTHES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_OMNIGLOT = (
    "omniglot_28_area.npz",
    "de1eccd820d94c30a28c3e1622472dc1c45ed9735fded757884e201ec61c0a44",
)
_CALTECH = (
    "caltech101_silhouettes_28_split1.mat",
    "eb6735e8d84b1850fabc5590124aab1755e90c9fd28123585324398405e1e42a",
)
_FREY = ("freyfaces.npz", "3c70375e0a9c4751ad49ad5f1f692bd094c46f133cf4aa8ea77d1cb14e1efcd1")


class FashionConfig(AbstractDataConfig):
    """8-bit Fashion-MNIST; 50,000 / 10,000 / 10,000.

    Validation is the last 10,000 of training. A pixel is its bin's midpoint, (v + 0.5) / 256.

    References:
        Fashion-MNIST (Xiao et al., 2017). https://arxiv.org/abs/1708.07747
    """

    title: ClassVar[str] = "Fashion-MNIST"
    references: ClassVar[tuple[Paper, ...]] = (papers.FASHION,)
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "grey"
    kind: Literal["fashion"] = "fashion"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the four compressed files in `FashionMNIST/raw`."""
        folder = root / "FashionMNIST" / "raw"
        splits = {}
        for name in ("train", "test"):
            pixels = read_idx(folder, _FASHION[f"{name}_images"], "Fashion-MNIST")
            labels = read_idx(folder, _FASHION[f"{name}_labels"], "Fashion-MNIST")
            x = middles(pixels.reshape(-1, 1, _SIDE, _SIDE))
            splits[name] = SplitData(x, labels.astype(np.int64), np.arange(len(x)))
        train = splits["train"]
        cut = len(train) - _VALID
        return DataSet(
            train=train.take(np.arange(cut)),
            valid=train.take(np.arange(cut, len(train))),
            test=splits["test"],
            sketch=_SKETCH,
            classes=_CLOTHES,
        )


class OmniglotConfig(AbstractDataConfig):
    """OMNIGLOT at 28 x 28 by area averaging, dynamic binarisation; 23,000 / 1,345 / 8,115.

    Drawings 1 to 15 of each character are for training, 16 to 20 for test. This is not the
    28 x 28 version of the papers, which differs in scaling and split: log-likelihoods on the
    two must not be compared.

    References:
        Human-level concept learning through probabilistic program induction (Lake et al., 2015).
    """

    title: ClassVar[str] = "OMNIGLOT, 28 × 28"
    references: ClassVar[tuple[Paper, ...]] = (papers.OMNIGLOT,)
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "binary"
    kind: Literal["omniglot28"] = "omniglot28"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read one archive in `OMNIGLOT`; classes are the fifty alphabets."""
        path = require(root / "OMNIGLOT" / _OMNIGLOT[0], "OMNIGLOT")
        content = verify(path.read_bytes(), _OMNIGLOT[1], path, "sha256")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            grey = stored["images"].astype(np.float32)[:, None] / 255
            alphabet = stored["alphabet"].astype(np.int64)
            training = stored["train"]
            names = tuple(str(name).replace("_", " ") for name in stored["alphabet_names"])
        everything = SplitData(grey, alphabet, np.arange(len(grey)))
        order = np.random.default_rng(_SPLIT_SEED).permutation(np.flatnonzero(training))
        cut = len(order) - 1345
        valid = everything.take(np.sort(order[cut:]))
        test = everything.take(np.flatnonzero(~training))
        return DataSet(
            train=everything.take(np.sort(order[:cut])),
            valid=SplitData(binarise(valid.x, BINARISATION_SEED), valid.labels, valid.ids),
            test=SplitData(binarise(test.x, BINARISATION_SEED + 1), test.labels, test.ids),
            sketch=_SKETCH,
            classes=names,
            dynamic=True,
        )


class CaltechConfig(AbstractDataConfig):
    """Caltech 101 silhouettes, 28 x 28; 4,100 / 2,264 / 2,307, as published.

    46 images occur twice, and 11 test images also in training, as in the original files.

    References:
        Inductive principles for restricted Boltzmann machine learning (Marlin et al., 2010).
    """

    title: ClassVar[str] = "Caltech 101 silhouettes"
    references: ClassVar[tuple[Paper, ...]] = (papers.SILHOUETTES,)
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "binary"
    kind: Literal["caltech-silhouettes"] = "caltech-silhouettes"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read one file in `Caltech101Silhouettes`."""
        from scipy.io import loadmat

        path = require(root / "Caltech101Silhouettes" / _CALTECH[0], "Caltech 101 silhouettes")
        found = loadmat(io.BytesIO(verify(path.read_bytes(), _CALTECH[1], path, "sha256")))
        first = 0
        splits = {}
        for name in ("train", "val", "test"):
            columns = found[f"{name}_data"].reshape(-1, 1, _SIDE, _SIDE)
            x = (1 - columns.transpose(0, 1, 3, 2)).astype(np.float32)
            labels = found[f"{name}_labels"].ravel().astype(np.int64) - 1
            splits[name] = SplitData(x, labels, np.arange(first, first + len(x)))
            first += len(x)
        return DataSet(
            train=splits["train"],
            valid=splits["val"],
            test=splits["test"],
            sketch=_SKETCH,
            classes=tuple(str(cell[0]) for cell in found["classnames"][0]),
        )


class FreyConfig(AbstractDataConfig):
    """8-bit Frey faces, 28 x 20; 1,565 / 200 / 200 after one seeded shuffle.

    A pixel is its bin's midpoint, (v + 0.5) / 256. Neighbouring frames of the film are
    similar, and fall into different splits.

    References:
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5. https://arxiv.org/abs/1705.07120
    """

    title: ClassVar[str] = "Frey faces"
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "grey"
    kind: Literal["frey"] = "frey"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read one archive in `Freyfaces`."""
        path = require(root / "Freyfaces" / _FREY[0], "Frey faces")
        content = verify(path.read_bytes(), _FREY[1], path, "sha256")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            x = middles(stored["images"][:, None])
        order: Int[np.ndarray, " pictures"] = np.random.default_rng(_SPLIT_SEED).permutation(
            len(x)
        )
        everything = SplitData(x, None, np.arange(len(x)))
        return DataSet(
            train=everything.take(order[:1565]),
            valid=everything.take(order[1565:1765]),
            test=everything.take(order[1765:]),
            sketch=PixelSketch(height=28, width=20, light=True),
        )


def middles(pixels: UInt8[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Map each of 256 levels to the midpoint of its bin, so that 255 stays within the last bin."""
    return (pixels.astype(np.float32) + 0.5) / 256
