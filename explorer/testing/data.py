"""Laws of a loaded data set."""

import numpy as np

from explorer.data import DataSet
from explorer.testing.assertions import fail, require

_SPLITS = ("train", "valid", "test")


def check_samples_fit_their_sketch(data: DataSet) -> None:
    """Samples are finite, have the sketch's shape and bounds, and labels name a class."""
    for name in _SPLITS:
        split = data.split(name)
        require(len(split) > 0, f"the {name} split is empty")
        require(
            split.x.dtype == np.float32, f"the {name} split is in {split.x.dtype}, not in float32"
        )
        require(
            split.x.shape[1:] == data.sketch.shape,
            f"the {name} split has samples of the shape {split.x.shape[1:]}, not of the sketch's "
            f"{data.sketch.shape}",
        )
        require(
            bool(np.isfinite(split.x).all()), f"the {name} split has values that are not finite"
        )
        if data.sketch.bounds:
            low, high = data.sketch.bounds
            require(
                bool((split.x >= low).all() and (split.x <= high).all()),
                f"the {name} split has values outside {low:g} to {high:g}",
            )
        require(
            split.ids.shape == (len(split),),
            f"the {name} split does not have one row number per sample",
        )
        require(
            len(np.unique(split.ids)) == len(split),
            f"the {name} split contains a source row twice",
        )
        if data.classes:
            if split.labels is None or split.labels.shape != (len(split),):
                fail(f"the {name} split does not have one label per sample")
            require(
                bool((split.labels >= 0).all() and (split.labels < len(data.classes)).all()),
                f"the {name} split has a label outside its {len(data.classes)} classes",
            )


def check_loading_is_deterministic(data: DataSet, again: DataSet) -> None:
    """Loading twice gives the same splits and samples."""
    for name in _SPLITS:
        one, other = data.split(name), again.split(name)
        require(
            np.array_equal(one.x, other.x) and np.array_equal(one.ids, other.ids),
            f"loading the {name} split twice gives different samples",
        )


def check_dynamic_training_data_are_probabilities(data: DataSet) -> None:
    """Training images are probabilities; validation and test images are binarised once."""
    require(data.dynamic, "the data are not dynamic")
    require(
        bool(((data.train.x > 0) & (data.train.x < 1)).any()),
        "training images are already binary, so there is nothing to sample",
    )
    for name in _SPLITS[1:]:
        require(
            set(np.unique(data.split(name).x)) == {0.0, 1.0},
            f"the {name} split is not binary; binarise it once",
        )
