"""What a wall says of its samples as a whole, while its scale is dragged."""

import re

import numpy as np

from explorer.metrics.novelty import COPIED, FAR
from tests.support.browsing import facts, go

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


def judged(page, address, model, wall=0):
    """Ask the server for the novelty of a wall as the page did."""
    asked = page.evaluate("() => performance.getEntriesByType('resource').map(item => item.name)")
    (found,) = {one for one in asked if f"/api/novelty/{model}/" in one}
    return np.array(page.request.get(found).json()["novelty"])


def expected(percentiles):
    parts = (percentiles < COPIED, percentiles > FAR)
    copied, far = (int(100 * part.mean() + 0.5) for part in parts)
    return copied, 100 - copied - far, far, len(percentiles)


def test_the_line_below_the_samples_moves_with_the_scale_and_not_the_server(page, address):
    go(page, address, f"generate?model={MODEL}")
    first = shares(page)
    novelty = judged(page, address, MODEL)
    assert first == expected(novelty[20])
    box = page.locator("[data-testid=filmstrip] input[type=range]").first.bounding_box()
    y, width = box["y"] + box["height"] / 2, box["width"] - 24
    page.mouse.move(box["x"] + 12 + width / 2, y)
    page.mouse.down()
    page.wait_for_timeout(300)
    sent = len(page.sent)
    seen = set()
    for step in range(1, 21):
        page.mouse.move(box["x"] + 12 + width * (0.5 + 0.025 * step), y)
        page.wait_for_timeout(30)
        frame = int(facts(page)["frame"])
        assert shares(page) == expected(novelty[frame])
        seen.add(shares(page))
    assert len(seen) > 2, "the line stood still"
    assert len(page.sent) == sent, "the server was told before the release"
    page.mouse.up()


def test_the_catalogue_says_of_each_prior_how_many_of_its_samples_are_new(page, address):
    go(page, address, f"catalogue?model={MODEL}&scale=2")
    walls = page.locator(LINES)
    assert walls.count() == 3
    for wall, model in enumerate((MODEL, "digits-vae-xvae-16", "digits-vae-standard-16")):
        assert shares(page, wall) == expected(judged(page, address, model)[40])
    assert page.problems == []
