"""Moves of a visitor, and what a page tells of itself."""

from urllib.parse import urlsplit

from playwright.sync_api import Error

from tests.support.serving import READY, settled

MOVE = """
path => new Promise((done, failed) => {
  const app = document.querySelector("[data-testid=stApp]")
  const running = new MutationObserver(() => {
    if (app.dataset.testScriptState === "running") { running.disconnect(); done() }
  })
  running.observe(app, {attributes: true, attributeFilter: ["data-test-script-state"]})
  setTimeout(() => failed(new Error("no run of the script")), 20_000)
  history.pushState({}, "", path)
  dispatchEvent(new PopStateEvent("popstate"))
})
"""
"""Goes to an address within the app as Back does, and waits until the server runs it."""


def name_of(address):
    """Which page of the app an address is of."""
    return urlsplit(address).path.strip("/")


def go(page, address, path, component="filmstrip"):
    """Open a page by its link; from another page of the same app, without loading the app anew.

    The same page is loaded anew: what it shows then was stored.
    """
    here = page.url.startswith(f"{address}/") and page.locator(READY).count() == 1
    if here and name_of(page.url) != name_of(f"/{path}"):
        try:
            page.evaluate(MOVE, f"/{path}")
        except Error:  # a run that was under way took the place of the one awaited
            page.goto(f"{address}/{path}")
    else:
        page.goto(f"{address}/{path}")
    settled(page, component)


def facts(page, component="filmstrip"):
    return page.locator(f"[data-testid={component}] canvas").first.evaluate(
        "c => ({...c.dataset})"
    )


def digest_after(page, act, component="filmstrip"):
    """Do something, and wait until the picture has another digest."""
    before = facts(page, component)["digest"]
    act()
    page.wait_for_function(
        """([component, before]) => {
          const found = [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
            .map(r => r.querySelector(`[data-testid=${component}] canvas`)).find(Boolean)
          return found && found.dataset.digest && found.dataset.digest !== before
        }""",
        arg=[component, before],
        timeout=15_000,
    )
    return facts(page, component)["digest"]


def find_point(page):
    """Move the pointer over the map until a point is under it."""
    box = page.locator("[data-testid=point-map] canvas.over").bounding_box()
    for dy in range(-60, 61, 12):
        for dx in range(-120, 121, 12):
            at = (box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy)
            page.mouse.move(*at)
            page.wait_for_timeout(15)
            if facts(page, "point-map")["hovered"].startswith("data:"):
                return at
    raise AssertionError("no point near the middle of the map")
