"""A store of picks."""

import pytest

from explorer.designs.candidates import FILE, Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shelf" / FILE


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()
