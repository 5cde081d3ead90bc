"""The bridge to the browser: what begins with a component ends with it, wherever the app lies."""

import json
import re
from pathlib import Path

import pytest

from explorer.ui.components import bridge
from tests.support.browsing import go
from tests.support.serving import settled

DIGITS = "digits-vae-vamp-16"
AIRFOILS = "airfoils-vae-xvae-8"
STRIP = "[data-testid=filmstrip] canvas"
SHELF = "[data-testid=shelf]"

JAVASCRIPT = Path(__file__).parents[1] / "javascript"

COUNT_WAITING = """
() => {
  window.waiting = 0
  const set = Storage.prototype.setItem
  Storage.prototype.setItem = function (name, text) {
    if (name.startsWith("latent-explorer-pick:")) window.waiting += 1
    return set.call(this, name, text)
  }
}
"""
"""Counts how often something begins to wait in the browser until it is saved."""


@pytest.fixture
def visitor(chromium, address):
    """A visitor who counts listeners and notes what is sent to the store."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.add_init_script(JAVASCRIPT.joinpath("count_listeners.js").read_text())
    page.posted = []
    page.on("request", lambda it: page.posted.append(it.url) if it.method == "POST" else None)
    yield page
    context.close()


def picks(page):
    return int(page.locator(SHELF).first.get_attribute("data-count"))


def wait_for_picks(page, n):
    page.locator(f'{SHELF}[data-count="{n}"][data-waiting="0"]').first.wait_for(timeout=20_000)


def resample(page):
    """Draw other samples: a redraw of the same mount."""
    canvas = page.locator(STRIP).first
    before = canvas.get_attribute("data-digest")
    page.get_by_role("button", name="Resample").click()
    page.wait_for_function(
        "([canvas, old]) => canvas.dataset.digest && canvas.dataset.digest !== old",
        arg=[canvas.element_handle(), before],
    )
    settled(page, "filmstrip")


def rest_on_a_tile(page):
    canvas = page.locator(STRIP).first
    canvas.scroll_into_view_if_needed()
    canvas.hover(position={"x": 30, "y": 40})


def listeners(page):
    return {kind: n for kind, n in page.evaluate("listenersByKind").items() if n}


def leave(page, link):
    page.get_by_role("link", name=link, exact=True).click()
    page.get_by_role("heading", name=link, exact=True).wait_for()
    settled(page)


def back_to(page, name):
    """Go back to a page, over what each page on the way has written into the address bar."""
    while f"/{name.lower()}" not in page.url:
        page.go_back()
    page.get_by_role("heading", name=name, exact=True).wait_for()
    settled(page)


def test_redraws_and_leaving_leave_no_listener(visitor, address):
    visitor.goto(f"{address}/evaluate?model={DIGITS}")
    settled(visitor)
    visitor.locator(f"{SHELF}[data-count]").first.wait_for()
    before = listeners(visitor)
    leave(visitor, "Generate")
    settled(visitor, "filmstrip")
    drawn = listeners(visitor)
    assert drawn["keydown"] == before.get("keydown", 0) + 1
    resample(visitor)
    resample(visitor)
    assert listeners(visitor) == drawn
    leave(visitor, "Evaluate")
    visitor.wait_for_timeout(500)
    assert {k: n for k, n in listeners(visitor).items() if n} == {
        k: n for k, n in before.items() if n
    }


def test_k_keeps_nothing_that_nobody_sees(visitor, address):
    visitor.goto(f"{address}/evaluate?model={DIGITS}")
    settled(visitor)
    leave(visitor, "Generate")
    settled(visitor, "filmstrip")
    resample(visitor)
    rest_on_a_tile(visitor)
    back_to(visitor, "Evaluate")
    visitor.locator(f"{SHELF}[data-count]").first.wait_for()
    before = picks(visitor)
    visitor.keyboard.press("k")
    visitor.wait_for_timeout(1500)
    assert picks(visitor) == before
    assert not [url for url in visitor.posted if "/api/picks" in url]


def test_k_sends_one_request_after_any_number_of_redraws(visitor, address):
    visitor.goto(f"{address}/generate?model={AIRFOILS}")
    settled(visitor, "filmstrip")
    visitor.locator(f"{SHELF}[data-count]").first.wait_for()
    before = picks(visitor)
    for _ in range(3):
        resample(visitor)
    rest_on_a_tile(visitor)
    visitor.evaluate(COUNT_WAITING)
    visitor.keyboard.press("k")
    wait_for_picks(visitor, before + 1)
    visitor.wait_for_timeout(800)
    assert [url for url in visitor.posted if "/api/picks" in url] == [f"{address}/api/picks"]
    assert visitor.evaluate("waiting") == 1
    visitor.keyboard.press("k")
    wait_for_picks(visitor, before)


def test_what_was_released_is_shown_again_after_another_page(page, address):
    go(page, address, f"generate?model={DIGITS}&scale=0.5")
    slider = page.locator("[data-testid=filmstrip] input").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"scale=0\.55"))
    settled(page, "filmstrip")
    facts = page.locator(STRIP).first.evaluate("canvas => canvas.dataset.frame")
    leave(page, "Evaluate")
    back_to(page, "Generate")
    settled(page, "filmstrip")
    assert "scale=0.55" in page.url
    assert page.locator(STRIP).first.evaluate("canvas => canvas.dataset.frame") == facts


def test_the_copy_button_copies_the_address(chromium, address):
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    page.goto(f"{address}/evaluate?model={DIGITS}")
    settled(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy link").wait_for()
    context.close()


# The modules


def test_the_modules_speak_as_python_does(page, address):
    cases = json.loads((JAVASCRIPT / "cases.json").read_text())
    page.goto(f"{address}/_stcore/health")
    run = (JAVASCRIPT / "run_cases.js").read_text()
    assert page.evaluate(run, [f"{address}{bridge.ADDRESS}", cases]) == []
