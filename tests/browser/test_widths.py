"""No page scrolls sideways, and no pane beside another gets too narrow, at any width."""

import pytest

from tests.support.browsing import go

WIDTHS = (390, 768, 1024, 1180, 1280, 1440, 1920)
LEAST = 320
"""Least width of a pane, in CSS pixels."""

PAGES = {
    "latent_map?model=digits-vae-vamp-2": ".st-key-latent_map_plane",
    "reconstruct?model=digits-vae-vamp-2": ".st-key-reconstruct_models",
}
SCROLL = "all => all.scrollWidth - all.clientWidth"


@pytest.mark.parametrize("path", PAGES)
def test_panes_keep_their_width_at_any_width_of_window(chromium, address, path):
    context = chromium.new_context(viewport={"width": WIDTHS[-1], "height": 900})
    page = context.new_page()
    go(page, address, path, None)
    for width in WIDTHS[::-1]:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(600)
        assert page.get_by_test_id("stMain").evaluate(SCROLL) <= 0, width
        assert page.locator(PAGES[path]).bounding_box()["width"] >= LEAST, width
    context.close()
