"""Where a model cannot do what a page is for, the page opens one of the same data that can."""

import pytest

from explorer import jobs
from explorer.ui import cache
from tests.support.pages import open_page, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ENDS = {
    "a wall without a prior": ("generate", {"model": "digits-ae-16"}, "generate", "digits-"),
    "the catalogue of one": ("catalogue", {"model": "digits-ae-2"}, "catalogue", "digits-"),
    "one component": ("prototypes", {"model": "mnist-static-vae-standard-40"}, "prototypes",
                      "mnist-static-vae-vamp-40"),
    "one component of sections": ("prototypes", {"model": "airfoils-vae-xvae-8"}, "prototypes",
                                  "airfoils-vae-vamp-8"),
    "no likelihood": ("reconstruct", {"model": "fashion-convae-32"}, "reconstruct",
                      "fashion-convvae-"),
}  # fmt: skip


def door(app):
    """Page and model of the link out of a dead end."""
    links = [
        item.proto for item in app.main.get("page_link") if "arrow_forward" in item.proto.icon
    ]
    assert len(links) == 1
    return links[0].page, links[0].query_string


@pytest.mark.parametrize("end", ENDS)
def test_a_dead_end_opens_a_model_of_the_same_data(end):
    page, link, there, slug = ENDS[end]
    app = open_page(page, **link)
    assert not app.exception
    leads, query = door(app)
    assert leads == there
    assert query.startswith(f"model={slug}")
    known = {entry.slug: entry for entry in cache.entries()}
    opened = query.removeprefix("model=").split("&")[0]
    assert known[opened].data == known[link["model"]].data
    assert not open_page(leads, model=opened).info


def test_without_a_map_one_of_the_same_data_is_offered_beside_the_job(monkeypatch):
    monkeypatch.setattr(cache, "atlas", lambda engine: None)
    for page in ("latent_map", "interpolate"):
        app = open_page(page, model="digits-vae-vamp-2")
        assert not app.exception
        leads, query = door(app)
        assert leads == page
        assert query.startswith("model=digits-")
    assert jobs.jobs() == []


def test_airfoil_files_lead_to_the_best_section_model(monkeypatch):
    app = open_page("candidates", model="digits-vae-vamp-2", find="mine")
    assert door(app) == ("candidates", "model=airfoils-vae-vamp-8&find=mine")


def test_the_only_model_of_its_data_offers_none(monkeypatch):
    own = [entry for entry in cache.entries() if entry.slug == "digits-ae-16"]
    monkeypatch.setattr(cache, "entries", lambda: own)
    app = open_page("generate", model="digits-ae-16")
    assert not app.exception
    assert "no prior" in app.info[0].value
    assert all("arrow_forward" not in item.proto.icon for item in app.main.get("page_link"))


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize(
    ("page", "link"),
    [("generate", {"hand": "sample:0,3,1"}), ("latent_map", {"hand": "prototypes:1"}),
     ("prototypes", {"component": 0}), ("reconstruct", {"index": 2})],
)  # fmt: skip
def test_headings_say_where_decoded_pictures_stand_for_data(page, link):
    app = open_page(page, model="mnist-static-vae-vamp-40", **link)
    assert not app.exception
    assert "(decoded from their codes)**" in told(app)
