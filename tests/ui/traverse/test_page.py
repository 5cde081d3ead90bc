"""Traverse starts where the link says."""

import pytest

from tests.support.pages import address, open_page, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_traverse_starts_where_the_link_says():
    for centre, words in {
        "mean": "From prior mean",
        "data:12": "From data point 12",
        "prototypes:3": "From prototype 3",
        "box:-2,-2,2,2": "From mean of",
        "z:AAAAAA": "From custom code",
    }.items():
        app = open_page("traverse", model="digits-vae-vamp-2", centre=centre)
        assert not app.exception
        assert words in told(app), centre
        assert address(app).get("centre", "mean") == centre


def test_a_centre_that_is_not_in_the_model_gives_way_to_the_mean():
    for centre in ("data:999999", "prototypes:5000", "z:AAAA"):
        app = open_page("traverse", model="digits-vae-vamp-2", centre=centre)
        assert not app.exception
        assert "centre" not in address(app)
