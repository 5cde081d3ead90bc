"""The store that pages write to."""

import pytest

from explorer.designs.candidates import FILE, Store


@pytest.fixture
def store(user):
    opened = Store(user / FILE)
    yield opened
    opened.close()
