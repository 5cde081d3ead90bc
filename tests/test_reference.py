"""What samples are compared with is the whole training split, and finds a copy in it."""

import dataclasses

import numpy as np
import pytest

from explorer import checkpoint, publishing
from explorer.reference import build_reference, save_reference
from tests.support.data import read
from tests.support.engines import PIXELS, PLAIN, WIDE, engine_of
from tests.support.references import reference_of


@pytest.fixture(scope="module")
def digits():
    return read("digits")


@pytest.fixture(scope="module", params=[WIDE, pytest.param(PIXELS, marks=pytest.mark.slow)])
def built(request, digits):
    opened = engine_of(request.param).checkpoint
    return opened, build_reference(opened, digits)


def test_the_whole_training_split_is_compared_with(built, digits):
    _, found = built
    assert found.measure().whole
    assert found.measure().training == len(digits.train) == found.total
    assert len(found.ids) == 0


def test_a_training_sample_decoded_from_its_own_code_is_found_as_a_copy(built):
    _, found = built
    assert found.rates["training_copied"].value >= 0.95
    assert found.rates["held_out_copied"].value < 0.12


def test_codes_are_whole_multiples_of_the_step(built, digits):
    _, found = built
    measure = found.measure()
    rows = np.arange(len(digits.train))
    assert np.abs(found.axes.project(measure.codes(rows)) - found.codes * found.step).max() < 1e-2


def test_the_same_seed_builds_the_same_file(digits):
    opened = engine_of(WIDE).checkpoint
    one, two = (save_reference(build_reference(opened, digits), opened.hash) for _ in range(2))
    assert one == two


def test_a_model_without_a_prior_has_none(digits):
    assert build_reference(engine_of(PLAIN).checkpoint, digits) is None


def test_a_reference_is_small(built):
    opened, found = built
    bits = 8 * len(save_reference(found, opened.hash)) / found.codes.size
    assert bits < 32


# Its samples


def test_originals_are_those_of_the_same_split_only(digits):
    found = reference_of()._replace(total=len(digits.train))
    rows = np.array([3, 1, 7])
    same = found.originals(digits, found.split, rows)
    np.testing.assert_array_equal(np.stack(same), digits.train.x[rows])
    assert found.originals(digits, "1" * 32, rows) == [None] * 3


def test_originals_numbered_by_content_are_found_singly_in_a_folder_that_grew(digits):
    numbers = digits.train.ids + 10**6
    data = dataclasses.replace(
        digits, train=dataclasses.replace(digits.train, ids=numbers), numbered_by_content=True
    )
    found = reference_of()._replace(ids=np.array([numbers[5], 1, numbers[2]]), total=3)
    one, missing, other = found.originals(data, "of a folder that grew", np.arange(3))
    assert missing is None
    np.testing.assert_array_equal([one, other], digits.train.x[[5, 2]])


@pytest.mark.slow
def test_projecting_a_model_builds_its_reference(tmp_path):
    pytest.importorskip("umap")
    opened = engine_of(PIXELS).checkpoint
    publishing.project(opened, read("digits"), tmp_path)
    assert (tmp_path / checkpoint.REFERENCE).is_file()
