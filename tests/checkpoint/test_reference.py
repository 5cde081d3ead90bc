"""What samples are compared with comes back equal, or is refused in one sentence."""

import io
import zipfile

import numpy as np
import pytest

from explorer import checkpoint
from explorer.checkpoint import load
from explorer.errors import CheckpointError
from explorer.reference import load_reference, save_reference
from tests.support.checkpoints import npz, write_checkpoint
from tests.support.references import ROWS, reference_of


@pytest.fixture
def opened(shipped):
    write_checkpoint(shipped / "one")
    return load("one")


def test_a_reference_comes_back_equal(opened):
    given = reference_of()
    assert load_reference(opened) is None
    checkpoint.write(opened.folder / checkpoint.REFERENCE, save_reference(given, opened.hash))
    found = load_reference(opened)
    assert found._replace(axes=None, codes=None, ids=None, usual=None) == given._replace(
        axes=None, codes=None, ids=None, usual=None
    )
    for name in ("codes", "ids", "usual"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))
    np.testing.assert_array_equal(
        np.concatenate([part.ravel() for part in found.axes]),
        np.concatenate([part.ravel() for part in given.axes]),
    )
    expected = given.codes * np.float32(0.25)
    np.testing.assert_allclose(found.measure().codes(np.arange(ROWS)), expected)


def test_the_reference_of_other_weights_is_ignored(opened, shipped):
    content = save_reference(reference_of(), opened.hash)
    checkpoint.write(opened.folder / checkpoint.REFERENCE, content)
    write_checkpoint(shipped / "one", seed=1)
    assert load_reference(load("one")) is None


def test_the_users_reference_hides_the_shipped_one(opened):
    own = checkpoint.results_folder(opened.hash)
    own.mkdir(parents=True)
    for folder, rows in ((opened.folder, ROWS), (own, ROWS + 1)):
        content = save_reference(reference_of(rows), opened.hash)
        checkpoint.write(folder / checkpoint.REFERENCE, content)
    assert load_reference(opened).total == ROWS + 1


DAMAGE = {
    "no codes": {"codes": np.empty((2, 0), np.int8)},
    "codes of a cube": {"codes": np.zeros((2, 2, 2), np.int8)},
    "codes that are fractions": {"codes": np.zeros((2, ROWS), np.float32)},
    "more parts than units": {"codes": np.zeros((3, ROWS), np.int8)},
    "axes of another latent space": {"directions": np.eye(3, 2, dtype=np.float32)},
    "a centre that is no number": {"centre": np.array([np.nan, 0], np.float32)},
    "a scale of nought": {"scale": np.array([0, 1], np.float32)},
    "a step of nought": {"step": np.float32(0)},
    "many steps": {"step": np.ones(2, np.float32)},
    "fewer samples than codes": {"total": np.array(ROWS - 1)},
    "more samples than codes": {"total": np.array(ROWS + 1)},
    "too few numbers": {"ids": np.arange(3)},
    "no distances": {"usual": np.empty(0, np.float16)},
    "distances that are not sorted": {"usual": np.array([2, 1], np.float16)},
    "a negative distance": {"usual": np.array([-1, 1], np.float16)},
    "rates that are none": {"rates": np.array("[]")},
    "rates in bytes": {"rates": np.array(b"{}")},
    "a version to come": {"version": np.array(2)},
    "no version": {"version": None},
    "no split": {"split": None},
}


@pytest.mark.parametrize("changed", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_reference_is_refused_in_one_sentence(opened, changed):
    content = io.BytesIO(save_reference(reference_of(), opened.hash))
    arrays = dict(np.load(content)) | changed
    path = opened.folder / checkpoint.REFERENCE
    path.write_bytes(npz(**{name: value for name, value in arrays.items() if value is not None}))
    with pytest.raises(CheckpointError, match=r"^reference.npz [^.]*latent-explorer project one"):
        load_reference(opened)


def test_a_reference_cut_short_is_refused(opened):
    content = save_reference(reference_of(), opened.hash)
    path = opened.folder / checkpoint.REFERENCE
    path.write_bytes(content[:-40])
    with pytest.raises(CheckpointError):
        load_reference(opened)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at = archive.getinfo("codes.npy").header_offset + 60
    path.write_bytes(content[:at] + bytes(20) + content[at + 20 :])
    with pytest.raises(CheckpointError):
        load_reference(opened)
