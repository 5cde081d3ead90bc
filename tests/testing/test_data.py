"""Built-in data sets pass the check for plug-ins; each law fails on data that break it."""

from typing import Literal

import numpy as np
import pytest

from explorer import testing
from explorer.data import DataSet, DigitsConfig, NacaConfig, SplitData


@pytest.mark.parametrize("config", [DigitsConfig(), NacaConfig()])
def test_our_data_pass_the_check_for_plug_ins(config, tmp_path):
    assert isinstance(testing.check_data(config, tmp_path), DataSet)


def changed(**fields):
    """Digits whose training split has some fields replaced."""

    class Config(DigitsConfig):
        kind: Literal["changed"] = "changed"

        def load(self, root, download=False):
            data = DigitsConfig().load(root)
            known = {"x": data.train.x, "labels": data.train.labels, "ids": data.train.ids}
            new = {name: change(known[name]) for name, change in fields.items()}
            return DataSet(
                SplitData(**known | new), data.valid, data.test, data.sketch, data.classes, True
            )

    return Config()


BROKEN_DATA = {
    "empty": (
        changed(**dict.fromkeys(("x", "labels", "ids"), lambda rows: rows[:0])),
        "The train split is empty",
    ),
    "double": (changed(x=lambda x: x.astype(np.float64)), "The train split is in float64"),
    "flat": (changed(x=lambda x: x[:, 0]), "The train split has samples of the shape"),
    "bright": (changed(x=lambda x: 2 * x), "The train split has values outside 0 to 1"),
    "holes": (changed(x=lambda x: np.where(x > 0.9, np.nan, x)), "not finite"),
    "binary": (changed(x=lambda x: (x > 0.5).astype(np.float32)), "nothing to sample"),
    "no classes": (changed(labels=lambda labels: None), "one label per sample"),
    "beyond": (changed(labels=lambda labels: labels + 1), "a label outside its 10 classes"),
    "twice": (changed(ids=lambda ids: ids * 0), "a source row twice"),
    "unseeded": (
        changed(x=lambda x: np.random.default_rng().permutation(x)),
        "Loading the train split twice gives different samples",
    ),
}


@pytest.mark.parametrize(("config", "law"), BROKEN_DATA.values(), ids=BROKEN_DATA.keys())
def test_data_that_break_a_law_are_told_which(config, law, tmp_path):
    with pytest.raises(AssertionError, match=law):
        testing.check_data(config, tmp_path)
