"""The catalogue lists what is there, the broken with its reason."""

import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from explorer import catalogue, settings, training
from explorer.ui import cache
from tests.support.api import ask
from tests.support.own_files import draw, recipe
from tests.support.pages import SHIPPED, address, open_page, press, told

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


def cards(app):
    prefix = "catalogue_open_"
    return [item.key.removeprefix(prefix) for item in app.button if item.key.startswith(prefix)]


def pictures(app):
    page = " ".join(item.proto.body for item in app.get("html"))
    return re.findall(r'src="(api/preview/[^"]*)"', page)


def test_only_the_group_of_the_open_model_has_cards_and_pictures():
    app = open_page("catalogue", model="airfoils-vae-vamp-8")
    assert {slug.split("-")[0] for slug in cards(app)} == {"airfoils"}
    assert len(pictures(app)) == len(cards(app)) == 4
    groups = [item.label for item in app.expander if "model" in item.label]
    assert groups[0] == "**Airfoils** · 4 models"
    healthy = [entry for entry in catalogue(SHIPPED) if entry.healthy]
    assert sum(int(label.split(" · ")[1].split()[0]) for label in groups) == len(healthy)


def test_a_large_group_shows_a_few_cards_among_them_the_open_model():
    app = open_page("catalogue", model="digits-vae-standard-2")
    first = cards(app)
    assert len(first) == 8
    assert "digits-vae-standard-2" in first
    app = press(app, "catalogue_more_digits")
    digits = [entry for entry in catalogue(SHIPPED) if entry.healthy and entry.data == "digits"]
    assert len(cards(app)) == len([entry for entry in digits if entry.model != "hvae"])
    assert address(app)["more"] == "1"


def test_a_search_finds_models_of_all_data_by_every_word():
    app = open_page("catalogue", search="vampprior airfoils")
    assert cards(app) == ["airfoils-vae-vamp-8"]
    app = open_page("catalogue", search="flow")
    assert cards(app) == ["digits-vae-flow-2"]
    app.text_input(key="catalogue_search").set_value("").run()
    assert "search" not in address(app)
    app = open_page("catalogue", search="no such model")
    assert cards(app) == []
    assert "No model matches" in told(app)


def test_a_group_of_a_link_is_open_and_models_are_sorted_in_it():
    app = open_page("catalogue", data="fashion", sort="fidelity")
    known = {entry.slug: entry.metrics.get("density") for entry in catalogue(SHIPPED)}
    assert cards(app)[-1] == "fashion-convae-32"  # it has no prior, and so no score
    scores = [known[slug].value for slug in cards(app)[:-1]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert cards(open_page("catalogue", data="none")) == []


def test_pictures_of_cards_are_served_by_name_and_content(monkeypatch):
    app = open_page("catalogue", model="airfoils-vae-vamp-8")
    answer = ask("/" + pictures(app)[0])
    assert (answer.status, answer.kind) == (200, "image/png")
    monkeypatch.setattr(cache, "engine", None)  # no model is opened for it
    slug, digest = pictures(app)[0].split("?")[0].split("/")[2:]
    assert ask(f"/api/preview/{slug}/{digest}").status == 200
    assert ask(f"/api/preview/{slug}/0123").status == 404
    assert ask(f"/api/preview/nowhere/{digest}").status == 404


def test_doors_lead_to_the_open_model_and_to_the_best_section_model():
    app = open_page("catalogue", model="digits-ae-16")
    doors = {item.proto.label: item.proto for item in app.main.get("page_link")}
    assert doors["Explore it"].query_string == "model=digits-ae-16"
    assert doors["Explore it"].page == "latent_map"  # it has no prior to sample
    assert doors["Find sections"].query_string == "model=airfoils-vae-vamp-8"
    assert doors["Find sections"].page == "design"


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
