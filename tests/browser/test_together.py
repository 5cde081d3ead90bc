"""A wall and its samples as a whole: their shares, and where they lie on the map."""

import re

import numpy as np

from explorer.metrics.novelty import COPIED, FAR
from tests.support.browsing import facts, go
from tests.support.serving import settled

MODEL = "digits-vae-vamp-16"
SHARES = re.compile(
    r"(\d+) % nearly copies\s*(\d+) % as new as data\s*(\d+) % far from all\s*of (\d+) samples"
)
LINES = "[data-testid=filmstrip] .shares"


def shares(page, wall=0):
    """Read the line below a wall: copies, new and far in per cent, and the number of samples."""
    line = page.locator(LINES).nth(wall)
    line.get_by_text("as new as data").wait_for(timeout=20_000)
    return tuple(int(value) for value in SHARES.search(line.inner_text()).groups())


def judged(page, model):
    """Ask the server for the novelty of a wall as the page did."""
    asked = page.evaluate("() => performance.getEntriesByType('resource').map(item => item.name)")
    found = [one for one in asked if f"/api/novelty/{model}/" in one]
    return np.array(page.request.get(found[-1]).json()["novelty"])


def expected(percentiles):
    parts = (percentiles < COPIED, percentiles > FAR)
    copied, far = (int(100 * part.mean() + 0.5) for part in parts)
    return copied, 100 - copied - far, far, len(percentiles)


def test_the_line_below_the_samples_moves_with_the_scale_and_not_the_server(page, address):
    go(page, address, f"generate?model={MODEL}")
    first = shares(page)
    novelty = judged(page, MODEL)
    assert first == expected(novelty[20])
    box = page.locator("[data-testid=filmstrip] input[type=range]").first.bounding_box()
    y, width = box["y"] + box["height"] / 2, box["width"] - 24
    page.mouse.move(box["x"] + 12 + width / 2, y)
    page.mouse.down()
    page.wait_for_timeout(300)
    sent = len(page.sent)
    seen = set()
    for step in range(1, 11):
        page.mouse.move(box["x"] + 12 + width * (0.5 + 0.05 * step), y)
        page.wait_for_timeout(30)
        frame = int(facts(page)["frame"])
        assert shares(page) == expected(novelty[frame])
        seen.add(shares(page))
    assert len(seen) > 2, "the line stood still"
    assert len(page.sent) == sent, "the server was told before the release"
    page.mouse.up()
    page.wait_for_url(re.compile("scale=2"))
    settled(page)


def test_the_catalogue_says_of_each_prior_how_many_of_its_samples_are_new(page, address):
    go(page, address, f"catalogue?model={MODEL}&scale=2")
    walls = page.locator(LINES)
    assert walls.count() == 3
    for wall, model in enumerate((MODEL, "digits-vae-xvae-16", "digits-vae-standard-16")):
        assert shares(page, wall) == expected(judged(page, model)[40])
    assert page.problems == []


MAP = ".st-key-generate_strip [data-testid=filmstrip] .map canvas"


def spots(page):
    """Read where the samples are on the screen, relative to their map, by frame."""
    page.locator(f"{MAP}[data-spots]").wait_for(timeout=20_000)
    page.wait_for_timeout(250)
    text = page.locator(MAP).get_attribute("data-spots")
    return np.array([[int(value) for value in spot.split(",")] for spot in text.split()])


def test_the_samples_move_on_a_map_beside_them_and_mark_each_other(page, address):
    go(page, address, f"generate?model={MODEL}")
    before = spots(page)
    assert before.shape == (64, 2)
    page.locator("[data-testid=filmstrip] input[type=range]").first.focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("scale=2"))
    settled(page, "filmstrip")
    after = spots(page)
    assert (np.abs(after - before).max(1) > 2).mean() > 0.5, "the samples stood still"

    alone = [k for k in range(64) if np.sort(np.abs(after - after[k]).max(1))[1] > 12]
    box = page.locator(MAP).bounding_box()
    x, y = (float(value) for value in after[alone[0]])
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.get_by_text(re.compile(f"^sample {alone[0] + 1} ·")).wait_for(timeout=5_000)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(re.compile(rf"hand=sample%3A0%2C{alone[0]}%2C"))

    wall = page.locator("[data-testid=filmstrip] .stage canvas").first
    wall.hover(position={"x": 20, "y": 20})
    page.locator(f"{MAP}[data-over='0']").wait_for(timeout=5_000)
    settled(page)
    assert page.problems == []


def test_a_narrow_window_has_no_map_and_asks_for_none(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 1024, "height": 1000})
    go(page, address, f"generate?model={MODEL}&seed=2")
    assert not page.locator(MAP).is_visible()
    assert not [url for url in asked if "/api/positions/" in url]
    page.set_viewport_size({"width": 1440, "height": 1000})
    assert len(spots(page)) == 64


def test_a_map_that_cannot_be_fetched_leaves_its_room_to_the_samples(page, address):
    if not page.url.startswith(address):
        go(page, address, "candidates", None)
    page.evaluate(
        """() => {
          const known = window.known = window.fetch
          window.asked = 0
          window.fetch = (from, ...rest) => String(from).includes("/api/positions/")
            ? (window.asked += 1, Promise.reject(new Error("away"))) : known(from, ...rest)
        }"""
    )
    try:
        go(page, address, f"generate?model={MODEL}&seed=9")
        page.wait_for_timeout(500)
        assert not page.locator(MAP).is_visible()
        wall = page.locator("[data-testid=filmstrip] .stage canvas").bounding_box()
        assert wall["width"] > 600
        assert page.evaluate("window.asked") == 1
    finally:
        page.evaluate("window.fetch = window.known")


PREVIEW = "[data-testid=map-preview]"


def preview_at(page, x, y):
    """Move over the map, and wait for what is decoded there."""
    box = page.locator("[data-testid=point-map] canvas.over").bounding_box()
    before = page.locator(PREVIEW).get_attribute("data-painted") or "0"
    page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    page.wait_for_function(
        """before => [...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)
          .some(r => Number(r.querySelector(".preview")?.dataset.painted) > Number(before))""",
        arg=before,
        timeout=10_000,
    )
    page.wait_for_timeout(150)
    return page.locator(PREVIEW)


def test_the_map_decodes_under_the_pointer_and_shows_the_newest_place(page, address):
    go(page, address, "latent_map?model=digits-vae-vamp-2&layers=data", "point-map")
    shown = preview_at(page, 60, 480)
    assert shown.is_visible()
    first = shown.get_attribute("data-place")
    assert first.startswith("spot:")
    assert "exactly here" in shown.inner_text()
    box = page.locator("[data-testid=point-map] canvas.over").bounding_box()
    for step in range(30):
        page.mouse.move(box["x"] + 60 + step, box["y"] + 480)
    page.wait_for_timeout(400)
    last = [float(value) for value in shown.get_attribute("data-place")[5:].split(",")]
    assert last[0] > float(first[5:].split(",")[0]), "an older place is on display"
    moved = int(shown.get_attribute("data-painted"))
    page.mouse.move(box["x"] + 90, box["y"] - 60, steps=3)
    assert not shown.is_visible()
    page.wait_for_timeout(200)
    assert int(shown.get_attribute("data-painted")) <= moved + 2
    assert page.problems == []


def test_a_place_far_from_every_code_is_not_decoded(page, address):
    go(page, address, f"latent_map?model={MODEL}&layers=data", "point-map")
    shown = preview_at(page, 8, 520)
    assert shown.inner_text().strip() == "no code here"
    assert not shown.locator("canvas").is_visible()
