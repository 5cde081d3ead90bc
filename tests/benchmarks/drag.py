"""Steps painted in a two-second drag of the scale, with and without the small map beside the wall.

Run `python -m tests.benchmarks.drag`; where it takes turns, other work on the machine slows both.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.support.browsing import facts
from tests.support.serving import CHROMIUM, FLAGS, serve, settled

MODEL = "mnist-static-vae-vamp-40"
SECONDS = 2.0
MAP = "[data-testid=filmstrip] .map canvas"

WITHOUT = """
const known = window.fetch
window.fetch = (from, ...rest) => {
  if (String(from).includes("/api/positions/")) return Promise.reject(new Error("left out"))
  return known(from, ...rest)
}
"""


def steps(page) -> int:
    """Drag from end to end and back for two seconds; count what was painted."""
    box = page.locator("[data-testid=filmstrip] input[type=range]").first.bounding_box()
    y, left, width = box["y"] + box["height"] / 2, box["x"] + 12, box["width"] - 24
    page.mouse.move(left + width / 2, y)
    page.mouse.down()
    page.wait_for_timeout(300)
    before, start = int(facts(page)["painted"]), time.perf_counter()
    while (now := time.perf_counter() - start) < SECONDS:
        page.mouse.move(left + width * abs((now + 0.5) % 2 - 1), y)
    painted = int(facts(page)["painted"]) - before
    page.mouse.move(left + width / 2, y)
    page.mouse.up()
    page.wait_for_timeout(300)
    return painted


def opened(browser, address: str, model: str, mapped: bool):
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    if not mapped:
        page.add_init_script(WITHOUT)
    page.goto(f"{address}/generate?model={model}")
    settled(page, "filmstrip")
    if mapped:
        page.locator(f"{MAP}[data-spots]").wait_for(timeout=30_000)
    page.wait_for_timeout(1000)
    return page


def run(browser, address: str, model: str = MODEL, pairs: int = 6) -> tuple[list[int], list[int]]:
    """Count painted steps with and without the map, in turn."""
    pages = [opened(browser, address, model, mapped) for mapped in (True, False)]
    found: tuple[list[int], list[int]] = ([], [])
    for _ in range(pairs):
        for page, counts in zip(pages, found, strict=True):
            page.bring_to_front()
            counts.append(steps(page))
    for page in pages:
        page.context.close()
    return found


if __name__ == "__main__":
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=[MODEL])
    with (
        tempfile.TemporaryDirectory() as user,
        serve(Path(user)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for model in parser.parse_args().models:
            mapped, bare = run(browser, address, model)
            ratios = [a / b for a, b in zip(mapped, bare, strict=True)]
            print(
                f"{model}: {statistics.median(mapped):g} steps with the map, "
                f"{statistics.median(bare):g} without; ratio {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} pairs)"
            )
        browser.close()
