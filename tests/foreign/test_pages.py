"""Every page opens on foreign models, and says what they cannot give."""

import pytest

from explorer import checkpoint, sampler, settings
from explorer.ui.address.views import PAGES
from tests.support.pages import address, open_page, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("slug", ["gaussian", "points", "error"])
def test_page_opens_on_a_foreign_model(shelf, page, slug):
    app = open_page(page, model=slug)
    assert not app.exception
    assert not app.error
    assert address(app)["model"] == slug


def test_a_geodesic_is_not_offered_and_a_link_falls_back(shelf):
    app = open_page("interpolate", model="gaussian", kind="geodesic")
    assert not app.exception
    assert "no derivatives" in told(app)
    assert address(app).get("kind", "straight") == "straight"


def test_refining_says_why_it_is_missing(shelf):
    app = open_page("reconstruct", model="gaussian", source="test", refine="true")
    assert not app.exception
    assert "no derivatives" in told(app)


def test_a_model_without_likelihood_shows_none(shelf):
    app = open_page("reconstruct", model="error", source="test")
    assert "no p(x|z)" in told(app)
    app = open_page("latent_map", model="error", pick="data:3")
    assert "squared error" in told(app)


@pytest.mark.parametrize("slug", ["gaussian", "points"])
def test_a_flow_is_fitted_to_a_foreign_models_codes(shelf, slug):
    opened = checkpoint.load(slug)
    data = opened.config.data.load(settings.current().data)
    facts = sampler.fit(opened, data, steps=8, batch=16).facts
    assert facts.drawn == (slug == "gaussian")
    app = open_page(
        "generate", model=slug, sampler="flow", steps=3, at=1, hand="sample:0,2,1,f3@1"
    )
    assert not app.exception
    assert f"{facts.codes:,} training samples, in 8 steps of 16" in told(app)
    assert "step 1 of 3" in told(app)
