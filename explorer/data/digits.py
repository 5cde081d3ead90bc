"""The 1,797 handwritten digits of 8 x 8 pixels included in scikit-learn: no files, no download."""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from explorer.data.dataset import (
    BINARISATION_SEED,
    AbstractDataConfig,
    DataSet,
    SplitData,
    Values,
    binarise,
)
from explorer.sketch import PixelSketch

_LEVELS = 16
_TRAIN, _VALID = 1297, 250
_SPLIT_SEED = 0


class DigitsConfig(AbstractDataConfig):
    """Digits of 8 x 8 pixels, dynamic binarisation of value / 16; 1,297 / 250 / 250.

    References:
        Combining multiple classifiers and their applications to handwritten digit recognition
        (Alimoglu and Alpaydin, 1997); UCI optical recognition of handwritten digits.
    """

    title: ClassVar[str] = "Digits, 8 × 8"
    fixed: ClassVar[bool] = True
    values: ClassVar[Values] = "binary"
    kind: Literal["digits"] = "digits"

    def load(self, root: Path, download: bool = False) -> DataSet:
        """Read scikit-learn's digits; root and download are ignored."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        grey = (bunch.images / _LEVELS).astype(np.float32)[:, None]
        order = np.random.default_rng(_SPLIT_SEED).permutation(len(grey))
        everything = SplitData(grey, bunch.target.astype(np.int64), np.arange(len(grey)))
        train = everything.take(order[:_TRAIN])
        valid = everything.take(order[_TRAIN : _TRAIN + _VALID])
        test = everything.take(order[_TRAIN + _VALID :])
        return DataSet(
            train=train,
            valid=SplitData(binarise(valid.x, BINARISATION_SEED), valid.labels, valid.ids),
            test=SplitData(binarise(test.x, BINARISATION_SEED + 1), test.labels, test.ids),
            sketch=PixelSketch(height=8, width=8),
            classes=tuple(str(digit) for digit in range(10)),
            dynamic=True,
        )
