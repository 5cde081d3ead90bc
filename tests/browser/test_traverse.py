"""Sliders of Traverse, dragged and typed."""

import re

from tests.support.browsing import digest_after, facts, go
from tests.support.serving import settled


def test_a_dial_moves_the_picture_without_a_run_and_is_told_on_release(page, address):
    go(page, address, "traverse?model=digits-vae-vamp-16", "traversal")
    dial = page.locator("[data-testid=traversal] .dial input").first
    box = dial.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.wait_for_timeout(200)
    sent, painted = len(page.sent), int(facts(page, "traversal")["painted"])
    for step in range(1, 7):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.06 * step), y)
        page.wait_for_timeout(80)
    page.wait_for_timeout(300)
    assert int(facts(page, "traversal")["painted"]) >= painted + 4
    assert len(page.sent) == sent, "the server was told before the release"
    page.mouse.up()
    page.wait_for_url(re.compile("at="), timeout=10_000)
    assert page.problems == []


def test_a_tile_of_a_row_sets_its_dial_and_reset_returns(page, address):
    go(page, address, "traverse?model=digits-vae-vamp-16", "traversal")
    start = facts(page, "traversal")["digest"]
    row = page.locator("[data-testid=traversal] .row canvas").first
    digest_after(page, lambda: row.click(position={"x": 8, "y": 8}), "traversal")
    page.wait_for_url(re.compile("at="), timeout=10_000)
    settled(page)
    back = digest_after(
        page, lambda: page.get_by_role("button", name="Reset").click(), "traversal"
    )
    assert back == start


def test_the_live_picture_is_what_the_link_restores(chromium, page, address):
    go(page, address, "traverse?model=digits-vae-vamp-16", "traversal")
    row = page.locator("[data-testid=traversal] .row canvas").first
    live = digest_after(page, lambda: row.click(position={"x": 8, "y": 8}), "traversal")
    page.wait_for_url(re.compile("at="), timeout=10_000)
    other = chromium.new_context(viewport={"width": 1440, "height": 1000})
    again = other.new_page()
    go(again, address, page.url.removeprefix(f"{address}/"), "traversal")
    assert facts(again, "traversal")["digest"] == live
    other.close()
