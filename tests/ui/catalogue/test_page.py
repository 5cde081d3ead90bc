"""The catalogue lists what is there, the broken with its reason."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from explorer import settings, training
from explorer.ui import cache
from tests.support.own_files import draw, recipe
from tests.support.pages import SHIPPED, address, open_page

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_broken_checkpoint_is_listed_with_its_reason(tmp_path, monkeypatch):
    import shutil

    folder = tmp_path / "shown"
    shutil.copytree(SHIPPED / "digits-vae-vamp-2", folder / "digits-vae-vamp-2")
    shutil.copytree(SHIPPED / "digits-vae-vamp-2", folder / "cut-short")
    weights = folder / "cut-short" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(folder))
    app = open_page("catalogue", model="cut-short")
    assert not app.exception
    assert "is broken" in app.warning[0].value
    assert any("cut-short" in item.value for item in app.markdown)
    assert any("cannot be read" in item.value for item in app.text)


def test_no_checkpoint_at_all_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "empty"))
    app = open_page("catalogue")
    assert not app.exception
    assert "latent-explorer train" in app.info[0].value


def test_opening_a_card_sets_the_model_everywhere():
    app = open_page("catalogue", model="digits-vae-vamp-16")
    app.button(key="catalogue_open_digits-vae-mog-16").click().run()
    assert address(app)["model"] == "digits-vae-mog-16"
    app.switch_page(str(settings.beside("pages") / "prototypes.py")).run()
    assert address(app)["model"] == "digits-vae-mog-16"


@pytest.mark.parametrize("light", [None, True])
def test_a_card_shows_a_photograph_alike_in_both_themes(light, tmp_path):
    entry = next(entry for entry in cache.entries() if entry.slug == "digits-vae-vamp-16")
    sketch = entry.config.sketch.model_copy(update={"light": light})
    config = entry.config.model_copy(update={"sketch": sketch})
    ramp = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(ramp).convert("RGB").save(tmp_path / "preview.png")
    entry = dataclasses.replace(entry, config=config, folder=tmp_path)
    shown = [cache.preview(entry, dark) for dark in (False, True)]
    assert (shown[0] == shown[1]) is bool(light)


def test_a_card_tells_how_own_files_were_read(tmp_path, monkeypatch):
    draw(tmp_path / "pictures", 40)
    config = recipe("pictures")
    training.train(config, config.data.load(tmp_path), tmp_path / "shelf" / "mine")
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shelf"))
    app = open_page("catalogue", model="mine")
    assert not app.exception
    page = " ".join(item.proto.body for item in app.get("html"))
    assert "Values from 0 (black) to 255 (white); grey is light." in page
