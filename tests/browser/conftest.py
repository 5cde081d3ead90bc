"""One server and one browser for all tests in this folder."""

import pytest

from tests.support.browsing import go
from tests.support.engines import PIXELS
from tests.support.serving import CHROMIUM, FLAGS, serve, watch

AWAY = "candidates"
"""The page that costs the least, with nothing picked."""


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in str(item.path).replace("\\", "/"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("user")) as running:
        yield running


@pytest.fixture(scope="session")
def tabs():
    """The tab of the test before, if it passed."""
    return []


@pytest.fixture
def page(chromium, tabs, address, request):
    """A visitor, who notes errors of the console and messages to the server.

    To load the app costs five times as much as to go to another of its pages. So a tab is passed
    from test to test: what it has stored is forgotten, and the page that it shows is left.
    """
    visitor = tabs.pop() if tabs else _tab(chromium)
    if visitor.url.startswith(f"{address}/"):
        go(visitor, address, AWAY, None)
        visitor.evaluate("localStorage.clear(); sessionStorage.clear()")
    else:
        visitor.goto("about:blank")
    visitor.problems.clear()
    visitor.sent.clear()
    before = request.session.testsfailed
    yield visitor
    if request.session.testsfailed == before and not visitor.is_closed():
        tabs.append(visitor)
    else:
        visitor.context.close()


def _tab(chromium):
    visitor = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    visitor.problems, visitor.sent = [], []
    watch(visitor, visitor.problems)
    visitor.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda frame: visitor.sent.append(frame)),
    )
    return visitor


@pytest.fixture
def hands(page, address):
    """The map of a plane with data only, and its canvas."""
    go(page, address, f"latent_map?model={PIXELS}&layers=data", "point-map")
    page.wait_for_timeout(300)
    return page
