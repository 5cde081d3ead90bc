"""One thing in hand through five pages, no choice repeated; a sheet at the foot of a phone."""

import re

from tests.support.browsing import facts, go
from tests.support.serving import settled

MODEL = "digits-vae-vamp-16"
SAMPLE = "sample:0,0,1"


def heading(page, name):
    page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
    settled(page)


def card(page):
    return page.locator(".st-key-hand_card")


def tile(page, number):
    """Click a tile of the first filmstrip, below its corner."""
    box = page.locator("[data-testid=filmstrip] canvas").first.bounding_box()
    wide = box["width"] / int(facts(page)["columns"])
    page.mouse.click(box["x"] + wide * (number + 0.7), box["y"] + wide * 0.7)


def test_a_sample_goes_along_through_five_pages(page, address):
    go(page, address, f"generate?model={MODEL}")
    tile(page, 0)
    card(page).get_by_text("Sample 1 at scale 1").wait_for()
    settled(page)
    held = re.search(r"hand=([^&]*)", page.url)[1]

    page.keyboard.press("t")
    heading(page, "Traverse")
    page.get_by_text("From sample 1 at scale 1").wait_for()
    assert f"hand={held}" in page.url

    page.keyboard.press("m")
    heading(page, "Latent map")
    card(page).get_by_text("Sample 1 at scale 1").wait_for()
    assert f"hand={held}" in page.url

    page.keyboard.press("i")
    page.get_by_text("on any page, is the other end").wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Prototypes", exact=True).click()
    heading(page, "Prototypes")
    assert f"hand={held}" in page.url
    tile(page, 0)
    heading(page, "Interpolate")
    assert re.search(r"ends=[^&]*sample[^&]*prototypes", page.url)
    card(page).get_by_text("Prototype").wait_for()

    page.keyboard.press("b")
    page.get_by_text(re.compile(r"Kept as pick \d+")).wait_for()
    page.go_back()
    heading(page, "Prototypes")
    assert page.problems == []


def test_the_card_stays_in_sight_and_its_picture_is_what_was_chosen(page, address):
    go(page, address, f"generate?model={MODEL}&hand={SAMPLE}")
    card(page).wait_for()
    before = card(page).bounding_box()
    page.mouse.move(700, 600)
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(300)
    assert card(page).bounding_box() == before
    assert before["y"] >= 0
    assert before["y"] + before["height"] <= page.viewport_size["height"]


def test_on_a_phone_it_is_a_sheet_at_the_foot(chromium, address):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    go(page, address, f"generate?model={MODEL}&hand={SAMPLE}")
    card(page).wait_for()
    box = card(page).bounding_box()
    assert box["x"] == 0
    assert box["width"] == 390
    assert box["y"] + box["height"] == 844
    assert box["height"] < 844 / 4
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    context.close()
