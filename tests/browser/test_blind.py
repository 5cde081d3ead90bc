"""The blind test by keyboard: an arrow for each pair, and nothing is sent elsewhere."""

from tests.support.browsing import go
from tests.support.engines import PIXELS
from tests.support.serving import settled


def test_arrow_keys_answer_pair_by_pair(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, address, f"generate?model={PIXELS}", "filmstrip")
    page.locator(".st-key-generate_blind_start button").click()
    for pair, key in ((1, "ArrowLeft"), (2, "ArrowRight"), (3, "ArrowLeft")):
        page.get_by_text(f"Pair {pair} of 20").wait_for()
        settled(page)  # the words come before the buttons whose keys these are
        page.keyboard.press(key)
    page.get_by_text("Pair 4 of 20").wait_for()
    assert page.get_by_text("recognised").count() == 0
    assert (
        page.locator(".st-key-generate_strip input").input_value() == "20"
    )  # the scale stayed at 1
    assert all(url.startswith((address, "blob:", "data:")) for url in asked)
