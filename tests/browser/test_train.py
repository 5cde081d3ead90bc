"""From a ZIP file of pictures to a dragged slider, as README says; a run watched and turned."""

import io
import re
import zipfile

import numpy as np
from PIL import Image, ImageDraw

from tests.support.browsing import digest_after, go
from tests.support.serving import settled


def pictures(n=80):
    """Discs and squares in colours, as a ZIP file."""
    generator = np.random.default_rng(0)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for k in range(n):
            image = Image.new("RGB", (16, 16), "white")
            pen = ImageDraw.Draw(image)
            x, y, r = generator.integers([4, 4, 2], [12, 12, 5])
            colour = tuple(int(c) for c in generator.integers(0, 200, 3))
            (pen.ellipse if k % 2 else pen.rectangle)((x - r, y - r, x + r, y + r), fill=colour)
            held = io.BytesIO()
            image.save(held, "PNG")
            archive.writestr(f"{'discs' if k % 2 else 'squares'}/{k}.png", held.getvalue())
    return stream.getvalue()


def frames(live):
    return int(live.get_attribute("data-frames") or 0)


def waits(page, ready, seconds=120):
    for _ in range(4 * seconds):
        if ready():
            return
        page.wait_for_timeout(250)
    raise AssertionError("waited in vain")


def test_own_pictures_become_a_model_whose_scale_is_dragged(page, address):
    go(page, address, "pictures", None)
    given = {"name": "shapes.zip", "mimeType": "application/zip", "buffer": pictures()}
    page.locator("input[type=file]").first.set_input_files(given)
    page.get_by_text("80 pictures of 16 × 16").wait_for(timeout=60_000)
    page.get_by_role("button", name="Train on these").click()
    page.get_by_role("button", name="Start", exact=True).click(timeout=60_000)
    live = page.locator("[data-testid=live-run]")
    waits(page, lambda: live.count() and frames(live) >= 3)

    beta = page.get_by_label("β, the weight of the KL")
    beta.fill("3")
    beta.press("Enter")
    asked = address + "/api/runs/" + re.search(r"run=([\w.-]+)", page.url)[1]
    waits(page, lambda: any(t["words"] == "β 3" for t in page.request.get(asked).json()["turns"]))

    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=30_000)
    live.locator("input[type=range]").focus()
    page.keyboard.press("Home")
    waits(page, lambda: live.get_attribute("data-step") == "0")
    page.wait_for_url(re.compile("at=0"))
    live.get_by_role("button", name="Live").click()
    waits(page, lambda: live.get_attribute("data-step") != "0")

    go(page, address, "candidates", None)  # a run goes on while nobody looks
    go(page, address, "train?run=" + asked.rsplit("/", 1)[1], None)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Pause").wait_for(timeout=30_000)
    page.get_by_role("button", name="Finish").click()
    page.get_by_role("link", name="Open this model").click(timeout=120_000)
    settled(page, "filmstrip")
    slider = page.locator("[data-testid=filmstrip] input[type=range]").first
    slider.focus()
    digest_after(page, lambda: page.keyboard.press("Home"))
    assert page.problems == []
