"""Whatever lies in one folder of checkpoints breaks that model alone."""

import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from explorer import settings
from explorer.ui import cache
from tests.support.pages import open_page

SLUG = "digits-vae-vamp-2"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of checkpoints with two models, whose files may be damaged."""
    for slug in (SLUG, "digits-ae-2"):
        shutil.copytree(settings.beside("checkpoints") / slug, tmp_path / "models" / slug)
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "models"))
    return tmp_path / "models" / SLUG


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge():
    """A picture of 169 megapixels that would take its memory when it is decoded."""
    head = struct.pack(">IIBBBBB", 13_000, 13_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 13_001)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def broken(content):
    """A picture whose second chunk names no kind."""
    at = 33
    return content[:at] + struct.pack(">I", 10**9) + b"\x01\x02\x03\x04" + content[at + 8 :]


@pytest.mark.parametrize("name", ["notes.json", "preview.jpg.js"])
def test_a_dangling_link_is_passed_over(folder, name):
    (folder / name).symlink_to(folder / "nowhere")
    assert {entry.slug for entry in cache.entries() if entry.healthy} >= {SLUG}
    assert not open_page("catalogue", model=SLUG).exception


def test_a_picture_that_cannot_be_decoded_or_is_too_large_is_none(folder):
    (entry,) = (item for item in cache.entries() if item.slug == SLUG)
    whole = (folder / "preview.png").read_bytes()
    assert cache.preview(entry, False) is not None
    for content in (huge(), broken(whole), whole[:40], whole[:200], b"", b"GIF89a" + b"\0" * 20):
        (folder / "preview.png").write_bytes(content)
        assert cache.preview(entry, False) is None
        assert cache.preview(entry, True) is None
    assert not open_page("catalogue", model=SLUG).exception


def test_a_large_preview_that_is_a_picture_is_not_decoded(folder, monkeypatch):
    Image.fromarray(np.zeros((2100, 2100), np.uint8)).save(folder / "preview.png")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    (entry,) = (item for item in cache.entries() if item.slug == SLUG)
    assert cache.preview(entry, False) is None
