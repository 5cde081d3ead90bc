"""The map shown by pages."""

import pytest

from explorer.ui import cache
from tests.support.engines import PIXELS, engine_of


@pytest.fixture
def plane():
    return engine_of(PIXELS)


@pytest.fixture
def atlas(plane):
    return cache.atlas(plane)
