"""Interpolate goes every way between its ends, and says what a way is worth."""

import re

import numpy as np
import pytest
import torch

from explorer import Engine
from explorer.ui import cache
from explorer.ui.interpolate import path as interpolated
from tests.support.models import small_checkpoint
from tests.support.pages import address, open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_interpolate_begins_between_two_classes_and_takes_up_to_four_ends():
    app = open_page("interpolate", model="digits-vae-vamp-16")
    assert not app.exception
    assert "ends" not in address(app)  # a page that was only opened writes nothing
    press(app, "interpolate_add")
    assert len(address(app)["ends"].split("|")) == 3
    press(app, "interpolate_add")
    assert len(address(app)["ends"].split("|")) == 4
    assert "interpolate_add" not in [item.key for item in app.button]


def test_slerp_under_a_mixture_says_that_it_means_little():
    app = open_page("interpolate", model="digits-vae-vamp-16", kind="spherical")
    assert "Slerp is not meaningful" in told(app)
    app = open_page("interpolate", model="digits-vae-standard-16", kind="spherical")
    assert "Slerp is not meaningful" not in told(app)


@pytest.mark.parametrize("kind", ["straight", "spherical", "following", "geodesic"])
def test_every_way_is_walked(kind):
    app = open_page("interpolate", model="digits-vae-standard-2", kind=kind, frames=9)
    assert not app.exception
    assert "lowest log p(z)" in told(app)
    assert ("Length in data space" in told(app)) == (kind == "geodesic")


SAVED = re.compile(
    r"Length in data space: ([\d.]+) \(straight line: ([\d.]+)\), ([\d.]+) % shorter\."
)


@pytest.mark.parametrize(
    ("slug", "ends"),
    [
        ("digits-vae-vamp-16", "data:5|prior:8|prototypes:2"),
        ("digits-ae-16", "data:5|data:900"),
        ("airfoils-vae-vamp-8", "data:5|data:90"),
    ],
)
def test_a_geodesic_says_how_much_shorter_it_is(slug, ends):
    app = open_page("interpolate", model=slug, kind="geodesic", ends=ends, frames=5)
    assert not app.exception
    assert (address(app)["kind"], address(app)["ends"]) == ("geodesic", ends)
    (found,) = SAVED.finditer(told(app))
    length, line, saved = map(float, found.groups())
    assert line >= length > 0
    assert abs(saved - 100 * (1 - length / line)) < 0.1 + 10 / line
    straight = open_page("interpolate", model=slug, ends=ends, frames=5)
    assert not SAVED.search(told(straight))
    assert "pullback metric" in told(app)
    assert "pullback metric" not in told(straight)


def test_a_drawn_line_is_no_geodesic():
    line = "0,0,3,3,5,1"
    app = open_page("interpolate", model="digits-vae-vamp-16", kind="geodesic", path=line)
    assert not app.exception
    assert not SAVED.search(told(app))


def test_a_geodesic_visits_the_ends_and_a_shortest_way_is_remembered():
    entry = next(entry for entry in cache.entries() if entry.slug == "digits-vae-vamp-16")
    opened = cache.engine(entry)
    ends = opened.draw(3)[0].astype("<f4")
    codes, legs = cache.shortest(opened, ends, 9)
    np.testing.assert_allclose(codes[[0, 4, 8]], ends, rtol=1e-5)
    assert len(legs) == 2
    assert all(leg.length <= leg.straight_length for leg in legs)
    assert cache.shortest(opened, ends, 9)[0] is codes
    # The engine's own weights stay as they are: single precision, on its device.
    assert {value.dtype for value in opened.checkpoint.model.state_dict().values()} == {
        torch.float32
    }


def test_a_model_that_draws_pixel_by_pixel_offers_no_geodesic():
    pixels = Engine(small_checkpoint("vamp", model="pixelhvae"), "cpu")
    plain = Engine(small_checkpoint("vamp"), "cpu")
    assert interpolated.kinds(plain) == list(interpolated.KINDS)
    assert interpolated.kinds(pixels) == [
        kind for kind in interpolated.KINDS if kind != "geodesic"
    ]
