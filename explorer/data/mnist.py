"""MNIST as used in the literature: with static and with dynamic binarisation."""

import gzip
import zlib
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

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
from explorer.errors import DataError
from explorer.papers import Paper
from explorer.sketch import PixelSketch

_SIDE = 28
_PIXELS = _SIDE * _SIDE
_VALID = 10_000
_SKETCH = PixelSketch(height=_SIDE, width=_SIDE)
_CLASSES = tuple(str(digit) for digit in range(10))


class File(NamedTuple):
    """A file of a data set: its name, checksum and number of samples."""

    name: str
    digest: str
    rows: int


_GREY = {  # md5 of the compressed file, as listed by torchvision
    "train_images": File("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 60_000),
    "train_labels": File("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 60_000),
    "test_images": File("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 10_000),
    "test_labels": File("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 10_000),
}
_STATIC = {  # sha1 of the uncompressed text
    "train": File(
        "binarized_mnist_train.amat.gz", "cf70514ec5f481e54ad3eb0e6c03c83326ff96f8", 50_000
    ),
    "valid": File(
        "binarized_mnist_valid.amat.gz", "13418487742e6ea6d48db7b5187353a20b1b1f8c", 10_000
    ),
    "test": File(
        "binarized_mnist_test.amat.gz", "ca70bd7775e182596dec148d4dc1bc6bd6c4c5f4", 10_000
    ),
}
_STATIC_LABELS = (
    "labels_recovered.npz",
    "7e049d0a4b3f05433864bee356b468813d612ab2ad0980f92c479262f87c5254",
)


class StaticMnistConfig(AbstractDataConfig):
    """MNIST in Larochelle's static binarisation; 50,000 / 10,000 / 10,000, as published.

    The files are ordered by class: subsets are seeded random draws, never the first rows.
    Classes come from `labels_recovered.npz` if it lies beside the files, and are missing
    without it.

    References:
        On the quantitative analysis of deep belief networks (Salakhutdinov and Murray, 2008);
        The neural autoregressive distribution estimator (Larochelle and Murray, 2011).
    """

    title: ClassVar[str] = "MNIST, static"
    references: ClassVar[tuple[Paper, ...]] = (papers.MNIST, papers.STATIC_MNIST, papers.NADE)
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "binary"
    kind: Literal["mnist-static"] = "mnist-static"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the three files in `MNIST_static`."""
        folder = root / "MNIST_static"
        labels = _recovered_labels(folder / _STATIC_LABELS[0])
        splits = {
            name: SplitData(
                _read_text(folder, file), labels.get(f"{name}_label"), np.arange(file.rows)
            )
            for name, file in _STATIC.items()
        }
        return DataSet(
            train=splits["train"],
            valid=splits["valid"],
            test=splits["test"],
            sketch=_SKETCH,
            classes=_CLASSES if labels else (),
        )


class MnistConfig(AbstractDataConfig):
    """MNIST with dynamic binarisation; 50,000 / 10,000 / 10,000.

    Training images are sampled from Bernoulli(grey level) in every batch; validation (the last
    10,000 training images) and test are sampled once.

    References:
        Gradient-based learning applied to document recognition (LeCun et al., 1998);
        VAE with a VampPrior (Tomczak and Welling, 2018), section 5.
    """

    title: ClassVar[str] = "MNIST, dynamic"
    references: ClassVar[tuple[Paper, ...]] = (papers.MNIST,)
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "binary"
    kind: Literal["mnist"] = "mnist"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read the four compressed files in `MNIST/raw`."""
        folder = root / "MNIST" / "raw"
        if download:
            _download(folder)
        pixels = read_idx(folder, _GREY["train_images"]).reshape(-1, 1, _SIDE, _SIDE)
        train = SplitData(
            pixels.astype(np.float32) / 255,
            read_idx(folder, _GREY["train_labels"]).astype(np.int64),
            np.arange(len(pixels)),
        )
        test_pixels = read_idx(folder, _GREY["test_images"]).reshape(-1, 1, _SIDE, _SIDE)
        test_labels = read_idx(folder, _GREY["test_labels"]).astype(np.int64)
        valid = train.take(np.arange(len(train) - _VALID, len(train)))
        return DataSet(
            train=train.take(np.arange(len(train) - _VALID)),
            valid=SplitData(binarise(valid.x, BINARISATION_SEED), valid.labels, valid.ids),
            test=SplitData(
                binarise(test_pixels.astype(np.float32) / 255, BINARISATION_SEED + 1),
                test_labels,
                np.arange(len(test_pixels)),
            ),
            sketch=_SKETCH,
            classes=_CLASSES,
            dynamic=True,
        )


def read_idx(folder: Path, file: File, what: str = "MNIST") -> UInt8[np.ndarray, " bytes"]:
    """Read the values of a compressed idx file of images or labels.

    Raises:
        DataError: If it is missing or its checksum does not match.
    """
    path = require(folder / file.name, what)
    content = verify(path.read_bytes(), file.digest, path, "md5")
    header = 16 if "images" in file.name else 8
    return np.frombuffer(gzip.decompress(content), np.uint8, offset=header)


def _read_text(folder: Path, file: File) -> Float[np.ndarray, "samples 1 28 28"]:
    path = require(folder / file.name, "Static MNIST")
    try:
        with gzip.open(path) as stream:
            text = stream.read(file.rows * 2 * _PIXELS + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}); download it again.") from error
    verify(text, file.digest, path, "sha1")
    bits = np.frombuffer(text, np.uint8).reshape(file.rows, 2 * _PIXELS)[:, ::2] - ord("0")
    return bits.reshape(-1, 1, _SIDE, _SIDE).astype(np.float32)


def _recovered_labels(path: Path) -> dict[str, Int[np.ndarray, " samples"]]:
    if not path.is_file():
        return {}
    verify(path.read_bytes(), _STATIC_LABELS[1], path, "sha256")
    with np.load(path, allow_pickle=False) as stored:
        return {
            name: stored[name].astype(np.int64) for name in stored.files if name.endswith("_label")
        }


def _download(folder: Path) -> None:
    from torchvision.datasets import MNIST
    from torchvision.datasets.utils import download_url

    folder.mkdir(parents=True, exist_ok=True)
    for name, digest in MNIST.resources:
        if (folder / name).is_file():
            continue
        for mirror in MNIST.mirrors:
            try:
                download_url(f"{mirror}{name}", str(folder), name, digest)
                break
            except (OSError, RuntimeError):
                continue
        else:
            raise DataError(
                f"{name} could not be downloaded; "
                f"check the connection, or put the file into {folder}."
            )
