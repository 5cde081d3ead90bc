"""A run ends when its recipe says."""

import pytest

from explorer import checkpoint, training
from tests.support.runs import EPOCHS, assert_same_run, digits, log, recipe


@pytest.mark.parametrize(
    ("warmup", "patience", "last"),
    [
        ({"kind": "linear", "epochs": 5}, 2, 7),
        ({"kind": "linear", "epochs": 1}, 3, 4),
        ({"kind": "constant"}, 2, 3),
    ],
    ids=["long warm-up", "short warm-up", "none"],
)
def test_early_stopping_counts_from_the_end_of_the_warm_up(tmp_path, warmup, patience, last):
    still = recipe(
        objective={"warmup": warmup},
        epochs=20,
        learning_rate=1e-30,
        patience=patience,
        average=0,
    )
    training.train(still, digits(), tmp_path)
    assert len(log(tmp_path)) == last


def test_minutes_end_the_run_and_it_can_go_on(tmp_path):
    training.train(recipe(), digits(), tmp_path, minutes=0.0)
    assert len(log(tmp_path)) == 1
    assert checkpoint.load(tmp_path).config.sketch == digits().sketch
    training.train(recipe(), digits(), tmp_path, resume=True)
    assert len(log(tmp_path)) == EPOCHS
    training.train(recipe(), digits(), tmp_path / "whole")
    assert_same_run(tmp_path / "whole", tmp_path)
