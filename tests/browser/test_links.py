"""A link opened by another visitor shows the same."""

import re

import pytest

from tests.support.browsing import facts, find_point, go
from tests.support.engines import PIXELS
from tests.support.serving import settled


@pytest.mark.parametrize(
    ("path", "component"),
    [
        ("catalogue?model=digits-vae-vamp-16&scale=0.4", "filmstrip"),
        ("generate?model=digits-vae-vamp-16&compare=digits-vae-mog-16,digits-vae-xvae-16"
         "&difference=1&scale=1.5", "filmstrip"),
        ("prototypes?model=digits-vae-vamp-16&component=4&scale=0.5", "filmstrip"),
        (f"latent_map?model={PIXELS}&layers=data,density,aggregated,holes&colour=typicality"
         "&pick=box:-2,-2,2,2;add:5;cut:7&path=0,0,1,1,2,0", "point-map"),
        ("traverse?model=digits-vae-vamp-16&centre=prototypes:3&at=2:1.5,5:-0.7", "traversal"),
        ("interpolate?model=digits-vae-vamp-16&ends=data:3|prototypes:5|data:90&kind=following"
         "&frames=9&at=4", "filmstrip"),
        ("reconstruct?model=digits-vae-vamp-16&index=5&seed=2&compare=digits-vae-standard-16",
         "filmstrip"),
        ("priors_lab?lesson=1&guess=1", "filmstrip"),
    ],
    ids=lambda value: value.split("?")[0],
)  # fmt: skip
def test_a_link_shows_the_same_in_a_fresh_browser(chromium, page, address, path, component):
    if component == "point-map":  # a tab keeps its zoom, which is no part of a link
        page.goto("about:blank")
    go(page, address, path, component)
    page.wait_for_timeout(600)
    link = page.url
    other = chromium.new_context(viewport={"width": 1440, "height": 1000})
    again = other.new_page()
    again.goto(link)
    settled(again, component)
    for _ in range(150):  # what is drawn when it arrives, such as contours, may come late
        again.wait_for_timeout(400)
        seen = facts(again, component)["digest"], facts(page, component)["digest"]
        if seen[0] == seen[1]:
            break
    assert seen[0] == seen[1]
    assert again.url == link
    for part in re.split(r"[?&]", path)[1:]:
        assert part.split("=")[0] in link
    assert again.get_by_role("button", name="Copy link").count() == 1
    other.close()
    assert page.problems == []


def test_back_and_forward_move_between_picks(hands):
    at = find_point(hands)
    hands.mouse.click(*at)
    hands.wait_for_url(re.compile("hand=datum"), timeout=10_000)
    settled(hands)
    hands.go_back()
    hands.get_by_text("Nothing is selected").wait_for()
    hands.go_forward()
    hands.get_by_text("Nearest data to it").wait_for()
