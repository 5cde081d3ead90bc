"""Prototypes says what a model has not."""

import pytest

from tests.support.pages import open_page

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_single_gaussian_says_that_it_has_no_prototypes():
    app = open_page("prototypes", model="digits-vae-standard-16")
    assert "no prototypes" in app.info[0].value
