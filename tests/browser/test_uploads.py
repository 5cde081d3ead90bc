"""A picture drawn or uploaded is reconstructed."""

import io

import pytest
from PIL import Image

from tests.support.browsing import go


def test_a_drawing_is_reconstructed_and_undone(page, address):
    go(page, address, "reconstruct?model=mnist-static-vae-vamp-40&source=draw", "canvas")
    pad = page.locator("[data-testid=canvas] canvas").bounding_box()
    page.mouse.move(pad["x"] + 140, pad["y"] + 40)
    page.mouse.down()
    page.mouse.move(pad["x"] + 140, pad["y"] + 240, steps=10)
    page.mouse.up()
    page.get_by_text("Your drawing").first.wait_for(timeout=20_000)
    page.get_by_text("Anomaly percentile").first.wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Nothing to reconstruct yet").wait_for()
    assert page.problems == []


def test_a_finger_draws(chromium, address):
    context = chromium.new_context(has_touch=True, viewport={"width": 800, "height": 1000})
    page = context.new_page()
    go(page, address, "reconstruct?model=digits-vae-vamp-16&source=draw", "canvas")
    pad = page.locator("[data-testid=canvas] canvas").bounding_box()
    touch = context.new_cdp_session(page)
    for kind, share in (("touchStart", 0.2), ("touchMove", 0.4), ("touchMove", 0.8)):
        point = {"x": pad["x"] + pad["width"] / 2, "y": pad["y"] + pad["height"] * share}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.get_by_text("Your drawing").first.wait_for(timeout=20_000)
    context.close()


def test_a_photograph_is_drawn_in_greys_on_white_whatever_the_theme(chromium, address):
    context = chromium.new_context(color_scheme="dark", viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    go(page, address, "reconstruct?model=frey-hvae-vamp-80&source=draw", "canvas")
    page.get_by_role("button", name="Dark grey").click()
    page.get_by_role("button", name="Brush 3 of 3").click()
    canvas = page.locator("[data-testid=canvas] canvas")
    pad = canvas.bounding_box()
    canvas.click(position={"x": pad["width"] / 2, "y": pad["height"] / 2})
    page.get_by_text("Your drawing").first.wait_for(timeout=20_000)
    read = """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
        x * canvas.width, y * canvas.height, 1, 1).data]"""
    colours = [canvas.evaluate(read, [x, 0.5]) for x in (0.5, 0.6, 0.9)]
    assert colours == [[64, 64, 64, 255], [64, 64, 64, 255], [255, 255, 255, 255]]
    assert canvas.get_attribute("data-strokes") == "1"
    context.close()


def png(width, height, mode="L"):
    stream = io.BytesIO()
    Image.new(mode, (width, height), 255).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.png", b"these are words", "cannot be read"),
        ("empty.png", b"", "is empty"),
        ("bomb.png", png(10_000, 5_000, "1"), "million pixels"),
    ],
    ids=["wrong type", "0 bytes", "50 megapixels"],
)
def test_an_upload_that_cannot_be_used_says_why_in_one_sentence(
    page, address, name, content, words
):
    go(page, address, "reconstruct?model=digits-vae-vamp-16&source=upload", None)
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )
    alert = page.get_by_role("alert").filter(has_text=words)
    alert.wait_for(timeout=20_000)
    said = [line for line in alert.inner_text().splitlines() if line.strip() not in ("", "error")]
    assert len(said) == 1
    assert "Traceback" not in page.content()


def test_an_upload_is_reconstructed(page, address):
    picture = Image.new("L", (200, 200), 255)
    picture.paste(0, (90, 30, 110, 170))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    go(page, address, "reconstruct?model=digits-vae-vamp-16&source=upload", None)
    page.locator("input[type=file]").set_input_files(
        {"name": "one.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    )
    page.get_by_text("Your image").first.wait_for(timeout=20_000)
    page.get_by_text("Dark ink on a light ground, cropped and centred.").wait_for()
    page.get_by_role("radio", name="Light", exact=True).click()
    page.get_by_text("Light ink on a dark ground, cropped and centred.").wait_for()
    picture.paste(255, (0, 0, 200, 200))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    page.locator("input[type=file]").set_input_files(
        {"name": "blank.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    )
    page.get_by_text("In blank.png no ink was found").wait_for(timeout=20_000)
    page.get_by_text("Nothing to reconstruct yet").wait_for()
