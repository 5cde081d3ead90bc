"""A design under the finger: it follows, settles, is undone, and goes along in the link."""

import re

from tests.browser.test_picking import drag_up
from tests.support.browsing import go
from tests.support.serving import settled

CURVES = "airfoils-vae-vamp-8"
OUTLINE = "[data-testid=outline] canvas"


def painted(page):
    return int(page.locator(OUTLINE).get_attribute("data-painted"))


def test_a_design_follows_the_finger_without_a_run_and_is_undone(page, address):
    go(page, address, f"design?model={CURVES}")
    page.locator(f"{OUTLINE}[data-code]").wait_for()
    settled(page)
    sent, frames = len(page.sent), painted(page)
    before, after = drag_up(page)
    assert after != before
    assert painted(page) >= frames + 4
    assert len(page.sent) <= sent + 2, "the server ran the page while it was dragged"
    page.wait_for_url(re.compile("hand=z"))
    settled(page)
    page.locator(".outline .fact .change:not(:empty)").first.wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    page.locator(f"{OUTLINE}[data-code='{before}']").wait_for()
    settled(page)
    assert page.problems == []


def test_the_keyboard_moves_it_too_and_a_link_restores_it(chromium, page, address):
    go(page, address, f"design?model={CURVES}&seed=3")
    canvas = page.locator(OUTLINE)
    page.locator(f"{OUTLINE}[data-code]").wait_for()
    before = canvas.get_attribute("data-code")
    canvas.focus()
    for key in ("3", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert "thickness at" in page.locator("[data-testid=outline] .said").inner_text()
    page.locator(f"{OUTLINE}[data-past='1'][data-busy=false]").wait_for()
    after = canvas.get_attribute("data-code")
    assert after != before
    page.wait_for_url(re.compile("hand=z"))
    settled(page)
    other = chromium.new_context(viewport={"width": 390, "height": 844})
    again = other.new_page()
    go(again, address, page.url.removeprefix(f"{address}/"))
    again.locator(f"{OUTLINE}[data-code='{after}']").wait_for()
    other.close()
