"""The latent map says what is selected and what it cannot show."""

import pytest

from explorer.ui import cache
from explorer.ui.address.views import PAGES
from tests.support.engines import engine_of
from tests.support.pages import SHIPPED, address, open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_pick_of_each_kind_is_told():
    for pick, words in {
        "data:12": "Data point 12",
        "prior:5": "Prior sample 5",
        "prototypes:9": "Prototype 9",
        "box:-1,-1,1,1": "codes in the box",
    }.items():
        app = open_page("latent_map", model="digits-vae-vamp-2", pick=pick)
        assert not app.exception
        assert any(words in item.value for item in app.markdown), pick


def test_two_dimensional_latent_says_that_nothing_is_projected():
    app = open_page("latent_map", model="digits-vae-vamp-2")
    assert any("no projection" in item.value for item in app.caption)


def test_umap_says_that_distances_are_not_kept():
    app = open_page("latent_map", model="digits-vae-vamp-16")
    assert any("not distances" in item.value for item in app.caption)


def test_pick_with_additions_and_cuts_is_counted():
    app = open_page("latent_map", model="digits-vae-vamp-2", pick="data:3;add:4,5;cut:4")
    assert not app.exception
    assert "2 codes selected" in told(app)


def test_drawn_path_is_told_and_handed_on():
    app = open_page("latent_map", model="digits-vae-vamp-16", path="0,0,3,3,5,1")
    assert not app.exception
    assert "Along your line" in told(app)
    assert "Estimated" in told(app)
    app = open_page("interpolate", model="digits-vae-vamp-16", path="0,0,3,3,5,1")
    assert not app.exception
    assert "Along the line you drew" in told(app)


@pytest.mark.parametrize("slug", ["digits-dmvae-gmm-2", "digits-vae-vamp-16"])
def test_the_transport_to_the_prior_is_told_beside_what_it_costs_by_chance(slug):
    app = open_page("latent_map", model=slug, layers="data,transport")
    assert not app.exception
    found = cache.transported(engine_of(slug))
    assert (found.places.shape, found.n) == ((200, 4), 250)
    assert found.null > 0
    words = f"is {found.distance:.2f}; between samples of the prior itself it is {found.null:.2f}"
    assert words in told(app)
    assert "exact optimal assignment" in told(app)
    assert ("their lengths on the map tell nothing" in told(app)) == slug.endswith("-16")
    app = open_page("latent_map", model=slug)
    assert "optimal assignment" not in told(app)


def test_without_a_prior_there_is_nothing_to_transport_to():
    app = open_page("latent_map", model="digits-ae-2", layers="data,transport")
    assert not app.exception
    assert address(app)["layers"] == "data"


def test_hole_is_told_with_what_it_means():
    app = open_page("latent_map", model="digits-vae-xvae-2", layers="data,holes", pick="holes:0")
    assert not app.exception
    assert "Hole 0" in told(app)
    assert "never trained on it" in told(app)


def test_spot_outside_every_hole_is_not_called_one():
    app = open_page("latent_map", model="digits-vae-vamp-2", pick="spot:-1,0.5")
    assert not app.exception
    assert "A point on the map" in told(app)
    assert "never trained" not in told(app)


def test_a_direction_is_saved_and_walked_and_removed():
    app = open_page("latent_map", model="digits-vae-vamp-2", a="data:3", b="data:90")
    assert "halfway between the two means" in told(app)
    app.text_input[0].input("slant")
    press(app, "latent_map_save")
    assert "Saved" in told(app)
    app = open_page("traverse", model="digits-vae-vamp-2")
    assert "slant" in told(app)
    press(app, "traverse_remove_slant")
    assert "slant" not in told(app)


def test_no_map_offers_to_build_one(tmp_path, monkeypatch):
    import shutil

    shown = tmp_path / "shown"
    shutil.copytree(
        SHIPPED / "digits-vae-vamp-2",
        shown / "digits-vae-vamp-2",
        ignore=shutil.ignore_patterns("atlas.npz", "training"),
    )
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(shown))
    for page in PAGES:
        app = open_page(page, model="digits-vae-vamp-2")
        assert not app.exception, page
    app = open_page("latent_map", model="digits-vae-vamp-2")
    assert "job_atlas_digits-vae-vamp-2" in [item.key for item in app.button]


@pytest.mark.slow
def test_where_codes_and_prior_differ_is_told_with_what_it_is_worth():
    app = open_page("latent_map", model="digits-vae-xvae-2", colour="differs")
    assert not app.exception
    assert "% of 250 it has not seen" in told(app) or "it has not seen (50 % is chance" in told(
        app
    )


@pytest.mark.slow
def test_a_matched_model_has_its_replay_below_the_map():
    app = open_page("latent_map", model="digits-dmvae-sphere-2")
    assert any("Matching, replayed" in item.label for item in app.expander)
