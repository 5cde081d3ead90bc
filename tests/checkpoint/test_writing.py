"""Nobody ever sees half a file."""

import threading

import pytest

from explorer import checkpoint
from explorer.checkpoint import CONFIG, WEIGHTS
from tests.support.checkpoints import write_checkpoint


def test_writing_leaves_nothing_beside(tmp_path):
    write_checkpoint(tmp_path / "one")
    assert {path.name for path in (tmp_path / "one").iterdir()} == {CONFIG, WEIGHTS}


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "file"
    whole = [bytes([letter]) * 2_000_000 for letter in b"ab"]
    checkpoint.write(path, whole[0])
    ended = threading.Event()

    def keep_writing():
        for turn in range(60):
            checkpoint.write(path, whole[turn % 2])
        ended.set()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    while not ended.is_set():
        assert path.read_bytes() in whole
    writer.join()
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["file"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    checkpoint.write(path, b"old")
    with pytest.raises(TypeError):
        checkpoint.write(path, [])  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
