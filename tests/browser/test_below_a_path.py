"""The app works below any path, and where the browser stores nothing."""

import http.server
import re
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.load import FACTOR
from tests.support.proxies import behind, nginx
from tests.support.serving import CHROMIUM, FLAGS, serve, settled, watch

DIGITS = "digits-vae-vamp-16"
STRIP = "[data-testid=filmstrip] canvas"
SHELF = "[data-testid=shelf]"
MAP = "[data-testid=point-map]"


@contextmanager
def kept(folder):
    """A real nginx, which shows the server its own path."""
    prefix = "/latent"
    with (
        serve(folder, "--base-path", prefix) as server,
        nginx(folder / "nginx", server, prefix) as outside,
    ):
        yield server, outside


@contextmanager
def stripped(folder):
    """A proxy as JupyterHub's, which hides it."""
    with serve(folder) as server, behind(server, "/user/me/proxy/8501", strip=True) as proxy:
        yield server, proxy.address


def wait_for_picks(page, n):
    page.locator(f'{SHELF}[data-count="{n}"][data-waiting="0"]').first.wait_for(timeout=20_000)


def rest_on_a_tile(page):
    canvas = page.locator(STRIP).first
    canvas.scroll_into_view_if_needed()
    canvas.hover(position={"x": 30, "y": 40})


def leave(page, link):
    page.get_by_role("link", name=link, exact=True).click()
    page.get_by_role("heading", name=link, exact=True).wait_for()
    settled(page)


PROXIES = {"path stripped": stripped} | ({"path kept": kept} if FACTOR > 1 else {})
"""The way that passes the path on is tried by `python -m tests.load`."""


@pytest.mark.parametrize("proxied", PROXIES.values(), ids=PROXIES)
def test_everything_works_below_a_path(chromium, tmp_path, proxied):
    with proxied(tmp_path) as (_, outside):
        context = chromium.new_context(viewport={"width": 1440, "height": 1000})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page, problems, asked = context.new_page(), [], []
        watch(page, problems)
        page.on("request", lambda request: asked.append(request.url))

        page.goto(f"{outside}/")
        page.get_by_role("heading", name="Catalogue", exact=True).wait_for(timeout=60_000)
        settled(page, "filmstrip")

        page.goto(f"{outside}/latent_map?model={DIGITS}")
        settled(page, "point-map")
        page.locator(f"{MAP} canvas.over").focus()
        page.keyboard.press("ArrowRight")
        picture = page.locator(f"{MAP} .card img").first
        picture.wait_for()
        page.wait_for_function(
            "image => image.complete && image.naturalWidth > 0", arg=picture.element_handle()
        )
        page.keyboard.press("k")
        wait_for_picks(page, 1)

        leave(page, "Generate")
        settled(page, "filmstrip")
        rest_on_a_tile(page)
        page.get_by_text(re.compile("typicality")).wait_for()  # its glyphs have come
        page.keyboard.press("k")
        wait_for_picks(page, 2)
        page.get_by_role("button", name="Copy link").click()
        page.get_by_role("button", name="Copied").wait_for()
        link = page.evaluate("navigator.clipboard.readText()")
        assert link.startswith(f"{outside}/generate?model={DIGITS}")
        page.get_by_role("button", name="Export").first.click()
        with page.expect_download(timeout=30_000) as waiting:
            page.get_by_role("button", name="Recipe to reproduce").click()
        assert DIGITS in Path(waiting.value.path()).read_text()

        leave(page, "Traverse")
        settled(page, "traversal")
        dial = page.locator("[data-testid=traversal] input").first
        picture = page.locator("[data-testid=traversal] canvas.picture")
        before = picture.get_attribute("data-painted")
        dial.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "([canvas, n]) => canvas.dataset.painted > n", arg=[picture.element_handle(), before]
        )

        with page.expect_response(re.compile("/api/properties/"), timeout=30_000) as answer:
            page.goto(f"{outside}/generate?model={DIGITS}&limits=ink%3E=20")
        assert answer.value.ok
        page.goto(f"{outside}/candidates?model={DIGITS}&chosen=1,2&tab=tradeoffs")
        settled(page)
        page.locator("[data-testid=shortlist] canvas[data-digest]").first.wait_for()
        page.locator("[data-testid=parallel][data-lines]").wait_for(timeout=30_000)

        kinds = {"components", "points", "card", "thumbnail", "picks", "novelty", "properties"}
        below = [urlsplit(url).path for url in asked if "/api/" in url]
        prefix = urlsplit(outside).path
        assert all(path.startswith(f"{prefix}/api/") for path in below)
        found = {path.removeprefix(f"{prefix}/api/").partition("/")[0] for path in below}
        assert kinds | {"decode"} <= found
        assert problems == []
        context.close()


# Without storage

BREAK_STORAGE = """
for (const name of ["getItem", "setItem", "removeItem", "key", "length"]) {
  const fail = () => { throw new DOMException("The storage is damaged.", "UnknownError") }
  const how = name === "length" ? { get: fail } : { value: fail }
  Object.defineProperty(Storage.prototype, name, how)
}
"""


@pytest.fixture
def forgetful(chromium):
    """A visitor whose browser stores nothing, in a tab that no other test is given."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    context.add_init_script(BREAK_STORAGE)
    yield context.new_page()
    context.close()


def test_picks_go_to_the_server_where_the_browser_stores_nothing(forgetful, address):
    page = forgetful
    page.goto(f"{address}/generate?model={DIGITS}&seed=9")
    settled(page, "filmstrip")
    page.locator(f"{SHELF}[data-count]").first.wait_for()
    before = int(page.locator(SHELF).first.get_attribute("data-count"))
    page.route("**/api/picks", lambda route: route.abort())
    rest_on_a_tile(page)
    page.keyboard.press("k")
    page.get_by_text("waits in this tab until saved").wait_for()
    page.unroute("**/api/picks")
    wait_for_picks(page, before + 1)
    page.keyboard.press("k")
    wait_for_picks(page, before)
    assert not page.get_by_text("BidiComponent Error").count()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@contextmanager
def framed(folder, address):
    """A page of another site that shows the app in a frame."""
    link = f"{address}/generate?model={DIGITS}&seed=9&embed=true"
    frame = f'<iframe style="width:1300px;height:800px" src="{link}"></iframe>'
    (folder / "frame.html").write_text(frame)
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}/frame.html"
        site.shutdown()


def test_picks_go_to_the_server_from_a_frame_of_another_site(chromium, tmp_path, address):
    """Where third-party cookies are blocked, a frame of another site has no storage."""
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text('{"profile": {"cookie_controls_mode": 1}}')
    context = chromium.browser_type.launch_persistent_context(
        str(profile.parent), executable_path=CHROMIUM, args=FLAGS
    )
    with framed(tmp_path, address.replace("127.0.0.1", "localhost")) as outside:
        page = context.new_page()
        page.goto(outside)
        frame = page.frames[1]
        frame.locator(f"{STRIP}[data-digest]").first.wait_for(timeout=60_000)
        assert "Access is denied" in frame.evaluate(
            "() => { try { return String(localStorage) } catch (error) { return String(error) } }"
        )
        shelf = frame.locator(f"{SHELF}[data-count]").first
        shelf.wait_for(state="attached")
        before = int(shelf.get_attribute("data-count"))
        frame.locator(STRIP).first.hover(position={"x": 30, "y": 40})
        frame.locator("[data-testid=filmstrip] input").first.press("k")
        frame.locator(f'{SHELF}[data-count="{before + 1}"][data-waiting="0"]').first.wait_for(
            state="attached", timeout=20_000
        )
        assert not frame.get_by_text("BidiComponent Error").count()
    context.close()
