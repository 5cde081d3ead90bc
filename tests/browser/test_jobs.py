"""A job started on a page ends there."""

import re
import time

from explorer import jobs, load
from tests.support.browsing import go
from tests.support.serving import serve


def test_a_job_is_stopped_gone_on_with_and_outlives_the_server(chromium, tmp_path, monkeypatch):
    import shutil

    from explorer import settings

    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path))
    shown = tmp_path / "shown"
    shutil.copytree(
        settings.beside("checkpoints") / "digits-vae-vamp-16",
        shown / "digits-vae-vamp-16",
        ignore=shutil.ignore_patterns("training", "tradeoff.npz"),
    )
    opened = load(shown / "digits-vae-vamp-16")
    order = jobs.Order(kind="evaluate", checkpoint=str(opened.folder), hash=opened.hash)
    curve = jobs.Order(kind="tradeoff", checkpoint=str(opened.folder), hash=opened.hash)
    link = "generate?model=digits-vae-vamp-16"
    with serve(tmp_path, LATENT_EXPLORER_CHECKPOINTS=str(shown)) as running:
        page = chromium.new_page()
        go(page, running, link)
        page.get_by_role("button", name=re.compile("Measure the curve")).click()
        page.get_by_role("button", name="Stop").first.click(timeout=20_000)
        page.get_by_text(re.compile("stopped|done")).first.wait_for(
            timeout=30_000, state="attached"
        )
        go(page, running, "latent_map?model=digits-vae-vamp-16", "point-map")
        page.get_by_text("Background jobs", exact=True).wait_for()
        state = jobs.find(curve).last.state
        assert state in ("stopped", "done")
        go(page, running, link)
        again = page.get_by_role("button", name=re.compile("Resume: measure the curve"))
        if state == "stopped":
            again.click()
        page.get_by_text("dot is the current scale").wait_for(timeout=60_000)
        page.close()
        jobs.start(order)
    # The server is gone; the work goes on, and a new server finds it done.
    deadline = time.time() + 60
    while jobs.find(order).active and time.time() < deadline:
        time.sleep(0.2)
    assert jobs.find(order).last.state == "done"
    with serve(tmp_path, LATENT_EXPLORER_CHECKPOINTS=str(shown)) as running:
        page = chromium.new_page()
        go(page, running, link)
        page.get_by_text("Background jobs", exact=True).wait_for()
        page.close()
