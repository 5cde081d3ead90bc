"""Gestures on the map: pointing, selecting, drawing, zooming."""

import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.support.browsing import digest_after, facts, find_point, go
from tests.support.engines import PIXELS
from tests.support.serving import CHROMIUM, FLAGS, settled

MAP = "[data-testid=point-map]"

SOFTWARE_GL = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


def box_of(page):
    return page.locator(f"{MAP} canvas.over").bounding_box()


def drag(page, start, *stops, keys=(), steps=6):
    box = box_of(page)
    for key in keys:
        page.keyboard.down(key)
    page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.mouse.down()
    for stop in stops:
        page.mouse.move(box["x"] + stop[0], box["y"] + stop[1], steps=steps)
    page.mouse.up()
    for key in reversed(keys):
        page.keyboard.up(key)


def map_facts(page):
    return facts(page, "point-map")


def wait_for_selected(page, test):
    deadline = time.time() + 15
    while time.time() < deadline:
        if test(int(map_facts(page)["selected"])):
            return int(map_facts(page)["selected"])
        page.wait_for_timeout(100)
    raise AssertionError(map_facts(page))


def middle(page):
    box = box_of(page)
    return box["width"] / 2, box["height"] / 2


def test_a_lasso_selects_what_it_surrounds(hands):
    x, y = middle(hands)
    drag(
        hands,
        (x - 90, y - 90),
        (x + 90, y - 90),
        (x + 90, y + 60),
        (x - 90, y + 60),
        (x - 90, y - 85),
        keys=("Shift", "Control"),
    )
    hands.wait_for_url(re.compile("pick=lasso"), timeout=10_000)
    chosen = wait_for_selected(hands, lambda n: n > 20)
    hands.get_by_text(f"{chosen:,} codes in the lasso").wait_for()
    assert hands.problems == []


def test_the_lasso_has_a_button_for_fingers_without_keys(hands):
    hands.get_by_role("button", name="Lasso", exact=True).click()
    x, y = middle(hands)
    drag(hands, (x - 60, y - 60), (x + 60, y - 60), (x, y + 80), (x - 60, y - 55))
    hands.wait_for_url(re.compile("pick=lasso"), timeout=10_000)


def test_shift_click_adds_and_alt_click_takes_out(hands):
    drag_box = lambda: drag(hands, (150, 150), (300, 300), keys=("Shift",))  # noqa: E731
    drag_box()
    hands.wait_for_url(re.compile("pick=box"), timeout=10_000)
    settled(hands)
    hands.wait_for_timeout(400)
    before = int(map_facts(hands)["selected"])
    at = find_outside(hands)
    hands.keyboard.down("Shift")
    hands.mouse.click(*at)
    hands.keyboard.up("Shift")
    hands.wait_for_url(re.compile("add"), timeout=10_000)
    assert wait_for_selected(hands, lambda n: n == before + 1)
    hands.get_by_text(f"{before + 1:,} codes in the box").wait_for()
    hands.keyboard.down("Alt")
    hands.mouse.click(*at)
    hands.keyboard.up("Alt")
    assert wait_for_selected(hands, lambda n: n == before)
    assert "add" not in hands.url or hands.wait_for_url(re.compile(r"^((?!add).)*$")) is None


def find_outside(page):
    """Find a point of data right of the middle, outside the box of this test."""
    box = box_of(page)
    for dy in range(-40, 120, 8):
        for dx in range(0, 160, 8):
            at = (box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy)
            page.mouse.move(*at)
            page.wait_for_timeout(12)
            if map_facts(page)["hovered"].startswith("data:") and at[0] > box["x"] + 305:
                return at
    raise AssertionError("no point there")


def test_a_double_click_on_nothing_clears(hands):
    drag(hands, (150, 150), (400, 400), keys=("Shift",))
    wait_for_selected(hands, lambda n: n > 0)
    box = box_of(hands)
    hands.mouse.dblclick(box["x"] + 20, box["y"] + box["height"] - 20)
    wait_for_selected(hands, lambda n: n == 0)
    hands.get_by_text("Nothing is selected").wait_for()


def test_arrows_go_from_point_to_point_and_enter_selects(hands):
    hands.locator(f"{MAP} canvas.over").focus()
    hands.keyboard.press("ArrowRight")
    hands.wait_for_timeout(100)
    first = map_facts(hands)["hovered"]
    hands.keyboard.press("ArrowRight")
    hands.wait_for_timeout(100)
    second = map_facts(hands)["hovered"]
    assert first.startswith("data:")
    assert second.startswith("data:")
    assert first != second
    hands.locator(f"{MAP} .card").wait_for(state="visible", timeout=5_000)
    hands.keyboard.press("Enter")
    hands.wait_for_url(re.compile("hand=datum"), timeout=10_000)
    assert map_facts(hands)["pick"] == second
    hands.keyboard.press("Escape")
    wait_for_selected(hands, lambda n: n == 0)


def test_the_wheel_zooms_and_a_drag_moves(hands):
    box = box_of(hands)
    hands.mouse.move(box["x"] + 200, box["y"] + 200)
    hands.mouse.wheel(0, -300)
    hands.wait_for_timeout(200)
    zoomed = map_facts(hands)
    assert float(zoomed["zoom"]) > 1.3
    drag(hands, (200, 200), (260, 240))
    assert map_facts(hands)["centre"] != zoomed["centre"]


def test_two_fingers_pinch_and_one_taps(chromium, address):
    context = chromium.new_context(has_touch=True, viewport={"width": 900, "height": 1000})
    page = context.new_page()
    go(page, address, f"latent_map?model={PIXELS}&layers=data", "point-map")
    page.wait_for_timeout(300)
    box = box_of(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = context.new_cdp_session(page)

    def send(kind, *points):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": a, "y": b, "id": k} for k, (a, b) in points]},
        )

    send("touchStart", (0, (x - 40, y)), (1, (x + 40, y)))
    for step in range(1, 9):
        send("touchMove", (0, (x - 40 - 10 * step, y)), (1, (x + 40 + 10 * step, y)))
    send("touchEnd")
    page.wait_for_timeout(300)
    assert float(map_facts(page)["zoom"]) > 2
    page.locator(f"{MAP} .whole").click()
    at = find_point(page)
    send("touchStart", (0, at))
    send("touchEnd")
    page.wait_for_url(re.compile("hand=datum"), timeout=10_000)
    page.locator(f"{MAP} .whole").click()
    for mode, kind in (("Lasso", "lasso"), ("Box", "box"), ("Draw a path", "path")):
        page.get_by_role("button", name=mode, exact=True).click()
        box = box_of(page)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        send("touchStart", (0, (x - 70, y - 70)))
        for a, b in ((40, -60), (70, 40), (-30, 80)):
            send("touchMove", (0, (x + a, y + b)))
        send("touchEnd")
        page.wait_for_url(
            re.compile("path=" if kind == "path" else f"pick={kind}"), timeout=10_000
        )
        settled(page)
    context.close()


def test_a_drawn_path_is_decoded_and_walked_in_interpolate(hands):
    hands.get_by_role("button", name="Draw a path").click()
    x, y = middle(hands)
    drag(hands, (x - 120, y), (x - 20, y - 60), (x + 100, y + 30))
    hands.wait_for_url(re.compile("path="), timeout=10_000)
    hands.get_by_text("Along your line").wait_for()
    move = hands.get_by_role("button", name="Move", exact=True)
    assert move.get_attribute("aria-pressed") == "true"  # the next drag keeps the path
    assert len(map_facts(hands)["path"].split(",")) >= 6
    hands.get_by_role("link", name="Open in Interpolate").click()
    hands.wait_for_url(re.compile(r"interpolate\?.*path="), timeout=20_000)
    settled(hands, "filmstrip")
    hands.get_by_text("Along the line you drew").wait_for()
    assert hands.problems == []


def test_a_click_into_a_hole_decodes_that_very_spot(page, address):
    go(page, address, f"latent_map?model={PIXELS}&layers=holes", "point-map")
    page.wait_for_timeout(300)
    assert int(map_facts(page)["holes"]) > 0
    box = box_of(page)
    for dx in range(60, int(box["width"]) - 60, 24):
        page.mouse.click(box["x"] + dx, box["y"] + box["height"] / 2 + 90)
        page.wait_for_timeout(60)
        if map_facts(page)["pick"]:
            break
    page.wait_for_url(re.compile("hand=(spot|holes)"), timeout=10_000)
    page.get_by_text("Almost no data are encoded here").wait_for()


def test_isolate_hides_the_others_and_show_all_brings_them_back(hands):
    drag(hands, (150, 150), (380, 380), keys=("Shift",))
    wait_for_selected(hands, lambda n: n > 1)
    hands.get_by_role("button", name="Isolate").wait_for()
    hands.mouse.move(5, 5)
    hands.wait_for_timeout(700)
    before = digest_after(
        hands, lambda: hands.get_by_role("button", name="Isolate").click(), "point-map"
    )
    hands.wait_for_url(re.compile("only="), timeout=10_000)
    settled(hands)
    hands.wait_for_timeout(700)
    after = digest_after(
        hands, lambda: hands.get_by_role("button", name="Show all").click(), "point-map"
    )
    assert before != after


def test_a_direction_is_made_named_and_becomes_a_dial(page, address):
    go(page, address, f"latent_map?model={PIXELS}&pick=data:3&a=data:3&b=data:90", "point-map")
    page.get_by_text("Attribute direction").wait_for()
    page.get_by_label("Name").fill("thin to thick")
    page.get_by_role("button", name="Save direction").click()
    page.get_by_text("it is now a row on Traverse").wait_for()
    go(page, address, f"traverse?model={PIXELS}", "traversal")
    assert page.locator("[data-testid=traversal]").get_by_text("thin to thick").count() == 1
    assert page.problems == []


def test_70_000_points_are_drawn_recoloured_and_hovered(chromium, tmp_path):
    folder = Path(__file__).parent / "apps"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(folder / "many_points_server.py"),
         f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true",
         "--server.fileWatcherType=none", "--browser.gatherUsageStats=false"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
        for renderer, flags in (("webgl", SOFTWARE_GL), ("canvas", ["--disable-gpu"])):
            browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=FLAGS + flags)
            page = browser.new_page(viewport={"width": 1000, "height": 900})
            if renderer == "canvas":
                page.add_init_script(
                    "const get = HTMLCanvasElement.prototype.getContext;"
                    "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
                    " return kind.includes('webgl') ? null : get.call(this, kind, ...rest) }"
                )
            page.goto(f"http://127.0.0.1:{port}")
            settled(page, "point-map")
            page.wait_for_timeout(500)
            first = map_facts(page)
            assert first["points"] == "70000"
            assert first["renderer"] == renderer
            box = box_of(page)
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.mouse.wheel(0, -500)
            page.wait_for_timeout(400)
            assert map_facts(page)["hovered"].startswith("data:")
            zoom = map_facts(page)["zoom"]
            page.mouse.move(box["x"] + 5, box["y"] + box["height"] - 5)
            page.wait_for_timeout(400)
            recolour = page.get_by_role("button", name="Recolour")
            digest_after(page, recolour.click, "point-map")
            assert map_facts(page)["zoom"] == zoom
            browser.close()
    finally:
        process.terminate()
        process.wait(20)


def test_webgl_and_canvas_show_the_same_selection(chromium, address):
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=FLAGS + SOFTWARE_GL)
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/latent_map?model={PIXELS}&pick=box:-2,-2,2,2")
    settled(page, "point-map")
    page.wait_for_timeout(400)
    known = map_facts(page)
    assert known["renderer"] == "webgl"
    assert int(known["selected"]) > 100
    page.get_by_text(f"{int(known['selected']):,} codes in the box").wait_for()
    browser.close()
