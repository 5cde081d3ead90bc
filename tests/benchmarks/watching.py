"""What it costs a run to be watched, and how soon the page hears of it.

Run `python -m tests.benchmarks.watching`: a run of training beside the page that watches it, and
beside none, in turn. The aims: the trainer loses under 10 %, answers take under 100 ms.
"""

import os
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np

PAIRS, SECONDS, WARM = 3, 20.0, 4.0
RUN = "watched"


def main() -> None:
    """Print the ratio of both rates, and the time of an answer."""
    from playwright.sync_api import sync_playwright

    from tests.support.serving import CHROMIUM, FLAGS, serve

    with tempfile.TemporaryDirectory() as folder:
        os.environ["LATENT_EXPLORER_USER"] = folder
        os.environ["OMP_NUM_THREADS"] = "1"
        from explorer import jobs, recording, runs
        from tests.support.runs import recipe

        config = recipe(epochs=100_000, patience=100_000, average=0.99, batch=100)
        place = runs.begin(config, RUN)
        order = jobs.order_of(RUN)
        with serve(Path(folder)) as address, sync_playwright() as playwright:
            jobs.start(order)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page()
            while not recording.curves(place)[0]:
                time.sleep(0.1)
            rates: dict[bool, list[float]] = {True: [], False: []}
            answers: list[float] = []
            for turn in range(2 * PAIRS):
                watched = turn % 2 == 0
                page.goto(f"{address}/train?run={RUN}" if watched else "about:blank")
                page.wait_for_timeout(1000 * WARM)
                before, start = _batches(place), time.perf_counter()
                while time.perf_counter() - start < SECONDS:
                    page.wait_for_timeout(250)
                    if watched:
                        asked = time.perf_counter()
                        urllib.request.urlopen(f"{address}/api/runs/{RUN}").read()
                        answers.append(1000 * (time.perf_counter() - asked))
                rates[watched].append((_batches(place) - before) / (time.perf_counter() - start))
            browser.close()
            jobs.stop(order)
    ratios = [a / b for a, b in zip(rates[True], rates[False], strict=True)]
    print(f"Rate while watched over rate while not: {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} to {max(ratios):.2f}, {PAIRS} pairs)")  # fmt: skip
    low, high = np.quantile(answers, [0.5, 0.95])
    print(f"Answers: median {low:.0f} ms, 95 % within {high:.0f} ms (n = {len(answers)})")


def _batches(place: Path) -> int:
    from explorer import recording

    return recording.curves(place)[0][-1].step


if __name__ == "__main__":
    main()
