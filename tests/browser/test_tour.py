"""The tour moves the app by itself, and stops at once for whoever wants to."""

import re

from tests.support.browsing import facts, go
from tests.support.serving import settled

START = "generate?model=digits-vae-vamp-2&tour=1"


def clock(page):
    return page.locator("[data-testid=tour]")


def frame(page):
    return int(facts(page)["frame"])


def test_the_slider_moves_by_itself_until_a_hand_takes_it(page, address):
    go(page, address, START)
    page.locator("[data-testid=tour][data-state=running]").wait_for()
    page.wait_for_function(
        """() => [...document.querySelectorAll('*')].some(e =>
          Number(e.shadowRoot?.querySelector('[data-testid=filmstrip] input')?.value) > 22)""",
        timeout=20_000,
    )
    slider = page.locator("[data-testid=filmstrip] input[type=range]")
    slider.press("Home")
    page.locator("[data-testid=tour][data-state=paused]").wait_for()
    page.wait_for_timeout(600)
    assert frame(page) == 0
    page.get_by_role("button", name="Next").click()
    page.get_by_role("heading", name="Prototypes", exact=True, level=1).wait_for()
    page.locator("[data-testid=tour][data-step='2'][data-state=running]").wait_for()
    page.keyboard.press("Escape")
    clock(page).wait_for(state="detached")
    settled(page)
    assert re.search(r"/prototypes\?model=digits-vae-vamp-2$", page.url)
    page.go_back()  # each step is a page of the history, and a link
    page.get_by_role("heading", name="Prototypes", exact=True, level=1).wait_for()
    page.wait_for_url(re.compile("tour=2"))
    page.locator("[data-testid=tour][data-step='2']").wait_for()
    assert page.problems == []


def test_nothing_moves_for_who_prefers_reduced_motion(page, address):
    page.emulate_media(reduced_motion="reduce")
    try:
        go(page, address, "candidates", None)
        go(page, address, START)
        page.locator("[data-testid=tour][data-state=still]").wait_for(state="attached")
        page.wait_for_timeout(3500)
        assert frame(page) == 20
        assert page.get_by_role("button", name="Next").is_visible()
    finally:
        page.emulate_media(reduced_motion="no-preference")
