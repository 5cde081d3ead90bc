"""What the menu exports is what is on screen."""

import json

from PIL import Image

from tests.support.browsing import go


def test_a_downloaded_json_rebuilds_the_samples_on_the_page(page, address, tmp_path):
    from explorer import exports

    go(page, address, "generate?model=digits-vae-vamp-16&seed=4&scale=0.5")
    page.get_by_role("button", name="Export").first.click()
    for words, end in (("Recipe to reproduce", "json"), ("Animation (GIF)", "gif")):
        with page.expect_download(timeout=30_000) as waiting:
            page.get_by_role("button", name=words).click()
        waiting.value.save_as(tmp_path / f"taken.{end}")
    found = exports.rebuild_strip(exports.read_manifest(tmp_path / "taken.json"))
    assert found.same
    assert json.loads((tmp_path / "taken.json").read_text())["drawn"]["seed"] == 4
    with Image.open(tmp_path / "taken.gif") as moving:
        assert moving.n_frames == 80
