"""How a design follows the finger: updates painted in a drag of two seconds, and how near.

Run `python -m tests.benchmarks.grab`. The aims: 20 updates, a 95th percentile of 120 ms between
them, 1 s until it has settled; a median gap of 0.3 % of the chord over 50 seeded targets in reach.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from explorer.designs import grab
from explorer.designs.grab import Bounds
from tests.designs.test_grab import engine, floor, targets
from tests.support.serving import CHROMIUM, FLAGS, serve, settled

MODELS = ("airfoils-vae-vamp-8", "airfoils-vae-xvae-8", "airfoils-vae-standard-8")
SECONDS, WAY, DRAGS = 2.0, 30, 3

WATCH = """
() => {
  const root = [...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)
    .find(r => r.querySelector(".outline"))
  const canvas = root.querySelector("canvas")
  let last = canvas.dataset.code
  window.updated = []
  new MutationObserver(() => {
    if (canvas.dataset.code !== last) updated.push(performance.now())
    last = canvas.dataset.code
  }).observe(canvas, {attributes: true, attributeFilter: ["data-code"]})
}
"""


def dragged(page, address: str, query: str, direction: int) -> tuple[np.ndarray, float]:
    """Drag the upper surface; return when it was updated, and seconds until it has settled."""
    page.goto(f"{address}/design?{query}")
    settled(page)
    canvas = page.locator("[data-testid=outline] canvas")
    page.locator("[data-testid=outline] canvas[data-digest]").wait_for()
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    box = canvas.bounding_box()
    x, told = box["x"] + 0.42 * box["width"], page.locator("[data-testid=outline] .said")
    y = next(
        y
        for y in np.arange(box["y"] + 4, box["y"] + box["height"], 3)
        if page.mouse.move(x, float(y)) is None and "upper surface" in told.inner_text()
    )
    page.evaluate(WATCH)
    page.mouse.down()
    start = time.monotonic()
    while (passed := time.monotonic() - start) < SECONDS:
        page.mouse.move(x, float(y) - direction * WAY * passed / SECONDS)
    times = np.array(page.evaluate("updated"))
    page.mouse.up()
    start = time.monotonic()
    page.locator("[data-testid=outline] canvas[data-busy=false]").wait_for()
    return times, time.monotonic() - start


def main() -> None:
    """Print updates, milliseconds between them, seconds to settle, and gaps, for each model."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as user,
        serve(Path(user)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for model in MODELS:
            for wishes in ("", "&limits=thickness%3E%3D6,cl%3E%3D0.2"):
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                found = [
                    dragged(page, address, f"model={model}&seed={k}{wishes}", 1 - 2 * (k % 2))
                    for k in range(DRAGS)
                ]
                between = np.concatenate([np.diff(times) for times, _ in found])
                median, high = np.percentile(between, [50, 95])
                least = min(len(times) for times, _ in found)
                slowest = max(seconds for _, seconds in found)
                print(
                    f"{model}{' with wishes' if wishes else ''}: at least {least} updates in "
                    f"{SECONDS:g} s, median {median:.0f} ms, p95 {high:.0f} ms between them; "
                    f"settled in at most {slowest:.2f} s"
                )
                page.context.close()
        browser.close()
    for model in MODELS:
        bounds = Bounds(floor(model))
        gaps = [
            grab.follow(engine(model), z, handle, target, bounds).gap
            for z, handle, target in targets(model)
        ]
        print(
            f"{model}: gap over {len(gaps)} reachable targets: median "
            f"{statistics.median(gaps):.4f} % of the chord, 90 % below "
            f"{np.percentile(gaps, 90):.4f}"
        )


if __name__ == "__main__":
    main()
