"""Every page opens on every kind of model, by any link."""

import json
import shutil

import pytest

from explorer import catalogue
from explorer.ui import cache
from explorer.ui.address.views import PAGES
from tests.support.pages import SHIPPED, address, open_page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KINDS = [
    pytest.param("digits-vae-vamp-16", id="vamp"),
    pytest.param("digits-vae-standard-16", id="standard", marks=pytest.mark.slow),
    pytest.param("digits-vae-mog-2", id="mixture", marks=pytest.mark.slow),
    pytest.param("digits-ae-16", id="autoencoder", marks=pytest.mark.slow),
    pytest.param("digits-dmvae-xvae-mixture-2", id="matched", marks=pytest.mark.slow),
    pytest.param("digits-dmvae-sphere-2", id="no density", marks=pytest.mark.slow),
    pytest.param("airfoils-vae-vamp-8", id="airfoils", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("slug", KINDS)
def test_page_opens_on_every_kind_of_model(page, slug):
    app = open_page(page, model=slug)
    assert not app.exception
    assert not app.error
    assert address(app)["model"] == slug


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page_opens_without_a_link(page):
    app = open_page(page)
    assert not app.exception
    assert app.title[0].value


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["nowhere", "..%2f..%2fetc", "../digits-ae-2", "x" * 200, "<b>"])
def test_unknown_model_of_a_link_falls_back(slug):
    app = open_page("generate", model=slug)
    assert not app.exception
    assert address(app)["model"] != slug


def test_model_of_the_sidebar_is_that_of_the_address():
    app = open_page("generate", model="digits-vae-vamp-16")
    app.selectbox(key="frame_picker").select("digits-vae-standard-16").run()
    assert address(app)["model"] == "digits-vae-standard-16"
    assert not app.exception


def test_partner_is_of_the_same_data_and_has_a_prior():
    app = open_page("generate", model="digits-vae-vamp-16")
    shown = app.multiselect(key="frame_partners").options
    healthy = {entry.slug: entry for entry in catalogue(SHIPPED) if entry.healthy}
    fitting = [
        slug
        for slug, entry in healthy.items()
        if entry.data == "digits" and entry.prior != "none" and slug != "digits-vae-vamp-16"
    ]
    assert len(shown) == len(fitting)


def test_engines_are_shared_and_few():
    entry = next(entry for entry in cache.entries() if entry.slug == "digits-vae-vamp-16")
    assert cache.engine(entry) is cache.engine(entry)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of checkpoints that holds nothing yet, and the way to copy a shipped model in."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(folder))

    def put(name, **training):
        shutil.copytree(SHIPPED / "digits-vae-vamp-2", folder / name)
        config = folder / name / "config.json"
        facts = json.loads(config.read_text())
        facts["training"] |= training
        config.write_text(json.dumps(facts))

    return put


def test_the_model_chosen_is_the_one_that_opens(shelf):
    shelf("one")
    shelf("two", seed=99)
    shelf("three", seed=99)
    app = open_page("catalogue")
    picker = app.selectbox(key="frame_picker")
    assert len(set(picker.options)) == 3
    for slug, words in zip(("one", "three", "two"), picker.options, strict=True):
        app.selectbox(key="frame_picker").set_value(slug).run()
        assert address(app)["model"] == slug
        assert app.selectbox(key="frame_picker").options[picker.options.index(words)] == words
    told = " ".join(item.value for item in app.markdown)
    assert all(f"({slug})" in told for slug in ("one", "two", "three"))


@pytest.mark.parametrize("name", ["my faces", "Größe", "[b]"])
def test_a_folder_that_no_link_can_name_breaks_no_page(shelf, name):
    shelf(name)
    app = open_page("generate")
    assert not app.exception
    assert not app.error
    assert any(name in item.value and "rename the folder" in item.value for item in app.text)
    shelf("zebra")
    for page in ("generate", "catalogue"):
        app = open_page(page, model=name)
        assert not app.exception
        assert address(app)["model"] == "zebra"
        assert "is invalid" in app.warning[0].value
    assert any("rename the folder" in item.value for item in app.text)


def test_partners_of_other_data_are_not_offered_and_none_are_added_at_once():
    app = open_page("generate", model="mnist-static-vae-vamp-40")
    partners = app.multiselect(key="frame_partners")
    assert not any("Fashion" in name or "silhouettes" in name for name in partners.options)
    assert len(set(partners.options)) == len(partners.options)
    assert partners.options[0] in ("Standard normal, 40 units", "X-VAE, 40 units")
    assert partners.proto.select_all == 0
