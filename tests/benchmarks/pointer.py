"""Milliseconds from a move over the latent map until what is decoded there is painted.

Run `python -m tests.benchmarks.pointer`; the aim is a median of 50 and a 95th percentile of 120.
"""

import argparse
import math
import tempfile
from pathlib import Path

import numpy as np

from tests.support.serving import CHROMIUM, FLAGS, serve, settled

MODELS = (
    "digits-vae-vamp-2", "mnist-static-vae-vamp-40", "mnist-static-hvae-vamp-80",
    "airfoils-vae-vamp-8", "fashion-convvae-vamp-32", "mnist-static-pixelhvae-vamp-80",
)  # fmt: skip
MOVES, PAUSE = 150, 30

WATCH = """
() => {
  const root = [...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)
    .find(r => r.querySelector(".point-map"))
  const box = root.querySelector(".preview")
  window.moved = []
  window.painted = []
  root.querySelector("canvas.over").addEventListener("pointermove", e => moved.push(e.timeStamp))
  new MutationObserver(() => {
    const now = performance.now()
    painted.push([now, now - Number(box.dataset.milliseconds), box.classList.contains("empty")])
  }).observe(box, {attributes: true, attributeFilter: ["data-painted"]})
}
"""
"""Notes when the pointer moved, and when the picture of which move was painted."""


def latencies(page, address: str, model: str) -> tuple[np.ndarray, float]:
    """Move over a cluster of the map; return milliseconds per move, and the share decoded.

    A move whose picture was never painted counts until that of a later one was: what one waits
    for is a picture that is no older than the pointer.
    """
    page.goto(f"{address}/latent_map?model={model}&layers=data")
    settled(page, "point-map")
    canvas = page.locator("[data-testid=point-map] canvas.over")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -700)  # so that there is room between the dots
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    for k in range(MOVES):
        x = box["width"] * (0.5 + 0.28 * math.cos(k * 0.11))
        y = box["height"] * (0.5 + 0.22 * math.sin(k * 0.17))
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.wait_for_timeout(PAUSE)
    page.wait_for_timeout(1500)
    moved, painted = page.evaluate("[moved, painted]")
    waits = []
    for at in moved:
        later = [now for now, since, _ in painted if since >= at - 0.5]
        if later:
            waits.append(min(later) - at)
    return np.array(waits), 1 - float(np.mean([empty for *_, empty in painted]))


if __name__ == "__main__":
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    with (
        tempfile.TemporaryDirectory() as user,
        serve(Path(user)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for model in parser.parse_args().models:
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            found, decoded = latencies(page, address, model)
            median, high = np.percentile(found, [50, 95])
            print(
                f"{model}: median {median:.0f} ms, p95 {high:.0f} ms over {len(found)} moves "
                f"({100 * decoded:.0f} % with a code)"
            )
            page.context.close()
        browser.close()
