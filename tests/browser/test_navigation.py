"""The sidebar's links go to a page in one step, and Back takes that step back."""

import io
import re

from PIL import Image

from tests.support.browsing import go
from tests.support.serving import settled

WALK = ("Prototypes", "Latent map", "Traverse", "Interpolate", "Reconstruct", "Candidates",
        "Priors lab", "Evaluate", "Catalogue")  # fmt: skip


def follow(page, name):
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
    settled(page)


def entries(page):
    return page.evaluate("history.length")


def test_back_goes_back_by_one_page(page, address):
    go(page, address, "generate?model=digits-vae-vamp-16&scale=0.7")
    visited = [(page.url, "Generate")]
    for name in WALK:
        before = entries(page)
        follow(page, name)
        assert entries(page) == min(before + 1, 50), name
        visited.append((page.url, name))
    assert all("model=digits-vae-vamp-16" in url for url, _ in visited)
    for url, name in visited[-2::-1]:
        page.go_back()
        page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
        page.wait_for_function("url => location.href === url", arg=url, timeout=15_000)
        settled(page)
    assert page.problems == []


def test_a_page_comes_back_with_its_last_view(page, address):
    go(page, address, "generate?model=digits-vae-vamp-16&scale=0.7&tile=5")
    follow(page, "Traverse")
    follow(page, "Generate")
    assert re.search(r"scale=0\.7.*hand=sample%3A0%2C5%2C0\.7", page.url)


def test_a_drawing_and_an_upload_are_still_there_after_another_page(page, address):
    go(page, address, "reconstruct?model=digits-vae-vamp-16&source=draw", "canvas")
    pad = page.locator("[data-testid=canvas] canvas").bounding_box()
    page.mouse.move(pad["x"] + 140, pad["y"] + 40)
    page.mouse.down()
    page.mouse.move(pad["x"] + 140, pad["y"] + 240, steps=5)
    page.mouse.up()
    page.get_by_text("Your drawing").first.wait_for()
    follow(page, "Traverse")
    follow(page, "Reconstruct")
    page.get_by_text("Your drawing").first.wait_for()
    page.get_by_text("Upload", exact=True).click()
    picture = Image.new("L", (60, 60), 255)
    picture.paste(0, (25, 10, 32, 50))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    page.locator("input[type=file]").set_input_files(
        {"name": "one.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    )
    page.get_by_text("Your image").first.wait_for()
    follow(page, "Generate")
    follow(page, "Reconstruct")
    page.get_by_text("Your image").first.wait_for()
    page.get_by_role("button", name="Remove one.png").click()
    page.get_by_text("Nothing to reconstruct yet").wait_for()
    settled(page)
    assert page.problems == []


def test_on_a_phone_the_sidebar_gives_way_to_the_page_chosen(chromium, address):
    context = chromium.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    go(page, address, "latent_map?model=digits-vae-vamp-2", "point-map")
    page.get_by_test_id("stExpandSidebarButton").click()
    follow(page, "Traverse")
    expand = page.get_by_test_id("stExpandSidebarButton")
    expand.wait_for()
    assert expand.is_visible()  # the sidebar no longer covers the page
    context.close()
