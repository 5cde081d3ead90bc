"""Every data set has the splits and the samples that it promises."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from explorer.registry import DataConfig
from explorer.settings import current
from explorer.testing import data as laws
from tests.support.data import SIZES, SPLITS, read


@pytest.mark.slow
@pytest.mark.parametrize("kind", SIZES)
def test_splits_have_the_promised_sizes_and_share_no_row(kind):
    data, sizes = read(kind), SIZES[kind][1]
    assert tuple(len(data.split(name)) for name in SPLITS) == sizes
    if kind in ("mnist", "fashion"):  # their test splits have sources of their own
        assert not set(data.train.ids) & set(data.valid.ids)
    elif kind != "mnist-static":  # as are all three of the static files
        rows = np.concatenate([data.split(name).ids for name in SPLITS])
        assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize("kind", SIZES)
def test_samples_fit_their_sketch(kind):
    laws.check_samples_fit_their_sketch(read(kind))


@pytest.mark.parametrize("kind", ["digits", "naca", "omniglot28", "frey"])
def test_reading_twice_gives_the_same_numbers(kind, tmp_path):
    config, _, file = SIZES[kind]
    again = config.load(current().data if file else tmp_path)
    laws.check_loading_is_deterministic(read(kind), again)


@pytest.mark.parametrize("kind", ["digits", "mnist", "omniglot28"])
def test_dynamic_pictures_are_grey_to_train_on_and_binary_to_test_on(kind):
    laws.check_dynamic_training_data_are_probabilities(read(kind))


@pytest.mark.parametrize("kind", [*SIZES, "files"])
def test_recipes_name_data_by_kind(kind):
    fields = {"kind": kind} | ({"path": "mine"} if kind == "files" else {})
    config = TypeAdapter(DataConfig).validate_python(fields)
    assert config.kind == kind
    with pytest.raises(ValidationError):
        TypeAdapter(DataConfig).validate_python(fields | {"unknown": 1})
