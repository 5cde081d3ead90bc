"""A file that is absent, cut or changed is named."""

import shutil

import numpy as np
import pytest

from explorer.data import StaticMnistConfig
from explorer.errors import DataError, DataMissingError
from explorer.settings import current
from tests.support.data import ARCHIVES, SIZES, SPLITS, one_sentence, read


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_absent_file_is_named_with_its_folder(kind, tmp_path):
    with pytest.raises(DataMissingError) as error:
        SIZES[kind][0].load(tmp_path)
    file = tmp_path / ARCHIVES[kind]
    assert file.name in str(error.value)
    assert str(file.parent) in str(error.value)
    assert one_sentence(error)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_truncated_file_is_named(kind, tmp_path):
    source, file = current().data / ARCHIVES[kind], tmp_path / ARCHIVES[kind]
    if not source.is_file():
        pytest.skip(f"{ARCHIVES[kind]} is not below the data root")
    file.parent.mkdir(parents=True)
    file.write_bytes(source.read_bytes()[:100_000])
    with pytest.raises(DataError, match=file.name) as error:
        SIZES[kind][0].load(tmp_path)
    assert one_sentence(error)


@pytest.mark.parametrize(
    "kind", ["fashion", "omniglot28", "caltech-silhouettes", "frey", "glyphs", "emoji"]
)
@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x1f\x8b\x08", b"PK\x03\x04", b"MATLAB 5.0 MAT-file", b"\x80\x04N."],
    ids=["empty", "text", "gzip", "zip", "matlab", "pickle"],
)
def test_a_file_of_nonsense_is_named_in_one_sentence(kind, content, tmp_path):
    file = tmp_path / ARCHIVES[kind]
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(DataError, match=file.name) as error:
        SIZES[kind][0].load(tmp_path)
    assert one_sentence(error)


@pytest.mark.parametrize(
    "kind", ["fashion", "omniglot28", "caltech-silhouettes", "frey", "glyphs", "emoji"]
)
def test_one_changed_byte_is_noticed(kind, tmp_path):
    source, file = current().data / ARCHIVES[kind], tmp_path / ARCHIVES[kind]
    if not source.is_file():
        pytest.skip(f"{ARCHIVES[kind]} is not below the data root")
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(DataError, match="is not the expected file") as error:
        SIZES[kind][0].load(tmp_path)
    assert one_sentence(error)


def test_a_file_of_another_content_is_named_with_its_checksum(tmp_path):
    source = current().data / "MNIST_static"
    if not source.is_dir():
        pytest.skip("MNIST_static is not below the data root")
    folder = tmp_path / "MNIST_static"
    folder.mkdir()
    name = "binarized_mnist_train.amat.gz"
    shutil.copy(source / "binarized_mnist_valid.amat.gz", folder / name)
    with pytest.raises(DataError, match=f"{name} is not the expected file .sha1"):
        StaticMnistConfig().load(tmp_path)


def test_static_mnist_is_larochelles():
    data = read("mnist-static")
    assert not data.dynamic
    means = [float(data.split(name).x.mean()) for name in SPLITS]
    assert means == pytest.approx([0.1306, 0.1311, 0.1325], abs=5e-5)
    assert set(np.unique(data.test.x)) == {0.0, 1.0}
    if (current().data / "MNIST_static" / "labels_recovered.npz").is_file():
        assert data.classes == tuple("0123456789")
        assert np.bincount(data.test.labels, minlength=10).min() > 800
