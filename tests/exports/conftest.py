"""The model that most exports are of."""

import pytest

from tests.support.engines import PIXELS, engine_of


@pytest.fixture
def pixels():
    return engine_of(PIXELS)
