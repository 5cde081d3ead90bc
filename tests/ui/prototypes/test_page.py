"""Prototypes says what a model has not."""

import pytest

from tests.support.pages import open_page, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_single_gaussian_says_that_it_has_no_prototypes():
    app = open_page("prototypes", model="digits-vae-standard-16")
    assert "no prototypes" in app.info[0].value


def test_the_card_counts_the_data_of_the_component_in_hand_alone():
    app = open_page("prototypes", model="digits-vae-vamp-16", hand="prototypes:3", scale=0.5)
    assert "Samples of it at scale 0.5." in told(app)
    assert "data are assigned to it" in told(app)
    app = open_page("prototypes", model="digits-vae-vamp-16", hand="datum:test-3-00000000")
    assert "Samples of it" not in told(app)
