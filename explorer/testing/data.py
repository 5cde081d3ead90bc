"""Laws of a data set that was read."""

import numpy as np

from explorer.data import DataSet
from explorer.testing.claims import fail, hold

_SPLITS = ("train", "valid", "test")


def samples_fit_their_sketch(data: DataSet) -> None:
    """Samples are finite, of their sketch's shape and within its bounds; classes are named."""
    for name in _SPLITS:
        split = data.split(name)
        hold(len(split) > 0, f"the {name} split is empty")
        hold(
            split.x.dtype == np.float32, f"the {name} split is in {split.x.dtype}, not in float32"
        )
        hold(
            split.x.shape[1:] == data.sketch.shape,
            f"the {name} split has samples of the shape {split.x.shape[1:]}, not of the sketch's "
            f"{data.sketch.shape}",
        )
        hold(bool(np.isfinite(split.x).all()), f"the {name} split has values that are not finite")
        if data.sketch.bounds:
            low, high = data.sketch.bounds
            hold(
                bool((split.x >= low).all() and (split.x <= high).all()),
                f"the {name} split has values outside {low:g} to {high:g}",
            )
        hold(
            split.ids.shape == (len(split),),
            f"the {name} split has not one row number for each sample",
        )
        hold(
            len(np.unique(split.ids)) == len(split),
            f"the {name} split holds a row of its source twice",
        )
        if data.classes:
            if split.labels is None or split.labels.shape != (len(split),):
                fail(f"the {name} split has not one class for each sample")
            hold(
                bool((split.labels >= 0).all() and (split.labels < len(data.classes)).all()),
                f"the {name} split has a class beyond the {len(data.classes)} that are named",
            )


def reading_twice_gives_the_same_numbers(data: DataSet, again: DataSet) -> None:
    """Splits and samples are decided by the recipe, not by the run."""
    for name in _SPLITS:
        one, other = data.split(name), again.split(name)
        hold(
            np.array_equal(one.x, other.x) and np.array_equal(one.ids, other.ids),
            f"reading the {name} split twice gives other samples",
        )


def dynamic_pictures_are_grey_to_train_on_and_binary_to_test_on(data: DataSet) -> None:
    """Training pictures are probabilities of ink; the others were drawn from theirs, once."""
    hold(data.dynamic, "the data are not dynamic")
    hold(
        bool(((data.train.x > 0) & (data.train.x < 1)).any()),
        "training pictures are binary, so that there is nothing to draw",
    )
    for name in _SPLITS[1:]:
        hold(
            set(np.unique(data.split(name).x)) == {0.0, 1.0},
            f"the {name} split is not binary: draw it once",
        )
