"""Every page opens on every kind of model, by any link."""

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
    pytest.param("airfoils-vae-vamp-8", id="airfoils", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("slug", KINDS)
def test_page_opens_on_every_kind_of_model(page, slug):
    app = open_page(page, model=slug)
    assert not app.exception
    assert not app.error
    assert address(app)["model"] == slug


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
