"""Browser interactions: drag, scrub, hover, box selection, zoom, links."""

import re
import shutil

import pytest

from explorer import settings
from tests.support.browsing import digest_after, facts, find_point, go
from tests.support.serving import serve, settled, watch

MODEL = "digits-vae-vamp-16"
PAGES = {
    "catalogue": "filmstrip",
    "generate": "filmstrip",
    "prototypes": "filmstrip",
    "latent_map": "point-map",
    "traverse": "traversal",
    "interpolate": "point-map",
    "reconstruct": "filmstrip",
    "priors_lab": None,
}
STRIP = "[data-testid=filmstrip]"


def shows(page, frame):
    """Wait until the first strip has painted a frame."""
    page.locator(f'{STRIP} canvas[data-frame="{frame}"]').first.wait_for(timeout=15_000)


def test_every_page_opens_by_its_link_on_a_fresh_server(chromium, tmp_path):
    with serve(tmp_path) as fresh:
        context = chromium.new_context()
        for name, component in PAGES.items():
            page = context.new_page()
            problems = []
            watch(page, problems)
            go(page, fresh, f"{name}?model={MODEL}", component)
            assert page.get_by_role("heading", level=1).count() == 1
            assert page.get_by_role("link", name="Latent map").count() == 1, "the frame is missing"
            assert problems == []
            page.close()
        context.close()


def test_the_root_leads_to_the_catalogue_and_keeps_the_link(page, address):
    page.goto(f"{address}/?model={MODEL}")
    page.wait_for_url(re.compile(r"/catalogue\?model=digits-vae-vamp-16"), timeout=30_000)
    settled(page, "filmstrip")
    assert page.problems == []


def test_a_drag_paints_without_the_server_and_tells_it_once_released(page, address):
    go(page, address, f"generate?model={MODEL}")
    slider = page.locator(f"{STRIP} input[type=range]").first
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    at = lambda share: box["x"] + 12 + (box["width"] - 24) * share  # noqa: E731
    assert facts(page)["frame"] == "20"
    assert facts(page)["frames"] == "41"
    assert facts(page)["tiles"] == "64"
    page.mouse.move(at(0.5), y)
    page.mouse.down()
    page.wait_for_timeout(300)
    sent = len(page.sent)
    painted, seen = int(facts(page)["painted"]), []
    for step in range(1, 11):
        page.mouse.move(at(0.5 + 0.04 * step), y)
        page.wait_for_timeout(60)
        now = facts(page)
        if int(now["painted"]) > painted:
            seen.append(now["frame"])
        painted = int(now["painted"])
    assert len(set(seen)) >= 9, seen
    assert len(page.sent) == sent, "the server was told before the release"
    page.mouse.up()
    page.wait_for_url(re.compile(r"scale=1\.8"), timeout=10_000)
    assert len(page.sent) > sent
    settled(page)
    assert facts(page)["frame"] == "36"


def test_the_pictures_change_with_the_scale(page, address):
    go(page, address, f"generate?model={MODEL}")
    slider = page.locator(f"{STRIP} input[type=range]").first
    slider.focus()
    assert digest_after(page, lambda: page.keyboard.press("Home"))
    assert facts(page)["frame"] == "0"


def test_a_drag_across_the_pictures_scrubs_too(page, address):
    go(page, address, f"generate?model={MODEL}")
    box = page.locator(f"{STRIP} canvas").first.bounding_box()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60, steps=8)
    assert int(facts(page)["frame"]) < 12
    page.mouse.up()
    page.wait_for_url(re.compile(r"scale=0\."), timeout=10_000)


def test_the_keyboard_scrubs_and_zero_returns_to_the_prior_as_trained(page, address):
    go(page, address, f"generate?model={MODEL}")
    page.locator(f"{STRIP} input[type=range]").first.focus()
    for key, frame in (
        ("ArrowRight", 21),
        ("ArrowLeft", 20),
        ("PageUp", 24),
        ("End", 40),
        ("Home", 0),
        ("0", 20),
    ):
        page.keyboard.press(key)
        shows(page, frame)
    page.locator(f"{STRIP} input[type=range]").first.dblclick(position={"x": 30, "y": 17})
    page.wait_for_timeout(200)
    assert facts(page)["frame"] == "20"


def test_a_finger_drags_the_scale(chromium, address):
    context = chromium.new_context(has_touch=True, viewport={"width": 800, "height": 1000})
    page = context.new_page()
    go(page, address, f"generate?model={MODEL}")
    box = page.locator(f"{STRIP} input[type=range]").first.bounding_box()
    touch = context.new_cdp_session(page)
    point = lambda share: [{"x": box["x"] + 12 + (box["width"] - 24) * share, "y": box["y"] + 17}]  # noqa: E731
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": point(0.5)})
    for step in range(1, 9):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": "touchMove", "touchPoints": point(0.5 - 0.05 * step)},
        )
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_url(re.compile(r"scale=0\.2"), timeout=10_000)
    assert facts(page)["frame"] == "4"
    context.close()


def test_a_tile_is_chosen_by_click_and_by_keyboard(page, address):
    go(page, address, f"generate?model={MODEL}")
    canvas = page.locator(f"{STRIP} canvas").first
    canvas.click(position={"x": 34, "y": 40})  # beside the bookmark in its corner
    page.wait_for_url(re.compile(r"hand=sample%3A0%2C0%2C"), timeout=10_000)
    page.get_by_text(re.compile("Sample 1 at scale|Sample 1")).first.wait_for()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"hand=sample%3A0%2C1%2C"), timeout=10_000)
    assert facts(page)["tile"] == "1"


def test_a_link_restores_the_view_in_a_fresh_browser(chromium, page, address):
    go(page, address, f"generate?model={MODEL}&seed=3&scale=0.6&component=5&tile=9")
    link, first = page.url, facts(page)["digest"]
    other = chromium.new_context(viewport={"width": 1440, "height": 1000})
    again = other.new_page()
    again.goto(link)
    settled(again, "filmstrip")
    assert facts(again)["digest"] == first
    assert again.url == link
    other.close()


def test_back_and_forward_move_between_released_scales(page, address):
    go(page, address, f"generate?model={MODEL}")
    page.locator(f"{STRIP} input[type=range]").first.focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile(r"scale=2"), timeout=10_000)
    settled(page)
    page.go_back()
    shows(page, 20)
    page.go_forward()
    shows(page, 40)
    assert "scale=2" in page.url


def test_the_map_keeps_its_zoom_when_colours_layers_and_model_change(page, address):
    go(page, address, "latent_map?model=digits-vae-vamp-2", "point-map")
    canvas = page.locator("[data-testid=point-map] canvas.over")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 250)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(250)
    zoom, centre = facts(page, "point-map")["zoom"], facts(page, "point-map")["centre"]
    assert float(zoom) > 1.5
    for path in ("&colour=kl", "&colour=log_prior&layers=data"):
        page.evaluate(
            "path => history.pushState({}, '', path)", f"/latent_map?model=digits-vae-vamp-2{path}"
        )
    page.get_by_role("button", name="Prior samples").click()
    settled(page)
    page.wait_for_timeout(400)
    assert (facts(page, "point-map")["zoom"], facts(page, "point-map")["centre"]) == (zoom, centre)
    page.get_by_role("combobox", name="Colour data by").click()
    page.get_by_role("option", name="Reconstruction error").click()
    page.wait_for_url(re.compile("colour=reconstruction"), timeout=10_000)
    settled(page)
    page.wait_for_timeout(400)
    assert facts(page, "point-map")["zoom"] == zoom
    page.get_by_label("Model", exact=True).click()
    page.keyboard.type("standard normal, 2")  # the list shows a few models at a time
    page.get_by_role("option", name="Digits, 8 × 8 — Standard normal, 2 units").click()
    page.wait_for_url(re.compile("digits-vae-standard-2"), timeout=30_000)
    settled(page)
    page.wait_for_timeout(400)
    assert facts(page, "point-map")["zoom"] == zoom
    page.locator("[data-testid=point-map] .whole").click()
    page.wait_for_timeout(200)
    assert facts(page, "point-map")["zoom"] == "1.000"
    assert page.problems == []


def test_a_hovered_point_shows_what_the_model_decodes_there(page, address):
    go(page, address, "latent_map?model=digits-vae-vamp-2&layers=data", "point-map")
    find_point(page)
    card = page.locator("[data-testid=point-map] .card")
    card.wait_for(state="visible", timeout=5_000)
    assert "log p(z)" in card.inner_text()
    page.wait_for_function(
        """() => [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
             .some(r => r.querySelector('.point-map .card img')?.naturalWidth > 40)""",
        timeout=5_000,
    )


def test_a_click_selects_and_a_shift_drag_boxes(page, address):
    go(page, address, "latent_map?model=digits-vae-vamp-2&layers=data", "point-map")
    at = find_point(page)
    page.mouse.click(*at)
    page.wait_for_url(re.compile(r"hand=datum"), timeout=10_000)
    page.get_by_text("Nearest data to it").wait_for()
    box = page.locator("[data-testid=point-map] canvas.over").bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 420, box["y"] + 380, steps=6)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_url(re.compile(r"pick=box"), timeout=10_000)
    page.get_by_text(re.compile("codes in the box")).wait_for()
    assert int(facts(page, "point-map")["selected"]) > 5
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("Nearest data to it").wait_for()  # what is in hand stays
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text("Nothing is selected").wait_for()
    settled(page)
    page.wait_for_timeout(300)
    assert facts(page, "point-map")["selected"] == "0"


def test_the_model_is_switched_in_the_sidebar(page, address):
    go(page, address, f"generate?model={MODEL}")

    def switch():
        page.get_by_label("Model", exact=True).click()
        page.keyboard.type("standard normal, 16")
        page.get_by_role("option", name="Digits, 8 × 8 — Standard normal, 16 units").click()

    digest_after(page, switch)
    assert "digits-vae-standard-16" in page.url
    assert page.problems == []


def test_two_models_move_together_under_one_slider(page, address):
    go(page, address, f"generate?model={MODEL}&compare=digits-vae-standard-16")
    canvases = page.locator(f"{STRIP}").first.locator(".stage canvas")
    assert canvases.count() == 2
    page.locator(f"{STRIP} input[type=range]").first.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    assert {canvases.nth(k).get_attribute("data-frame") for k in (0, 1)} == {"40"}


def test_a_broken_checkpoint_is_shown_as_broken(chromium, tmp_path):
    shown = tmp_path / "checkpoints"
    shutil.copytree(
        settings.beside("checkpoints") / MODEL,
        shown / MODEL,
        ignore=shutil.ignore_patterns("training"),
    )
    (shown / "half").mkdir()
    (shown / "half" / "config.json").write_text("{")
    with serve(tmp_path, LATENT_EXPLORER_CHECKPOINTS=str(shown)) as running:
        page = chromium.new_page()
        go(page, running, "catalogue")
        page.get_by_text("Broken checkpoints").wait_for()
        assert page.get_by_text("has no model.safetensors").count() == 1
        page.close()


@pytest.mark.parametrize(
    "path",
    [
        "digits-vae-vamp-16/0000/data/0",
        "digits-vae-vamp-16/HASH/data/99999999999",
        "digits-vae-vamp-16/HASH/data/-1",
        "digits-vae-vamp-16/HASH/elsewhere/0",
        "..%2f..%2fetc/HASH/data/0",
        "nowhere/HASH/prior/0",
    ],
)
def test_a_wrong_thumbnail_is_refused(page, address, path):
    from explorer import load

    found = page.request.get(f"{address}/api/thumbnail/{path.replace('HASH', load(MODEL).hash)}")
    assert found.status == 404 or "image" not in found.headers.get("content-type", "")
