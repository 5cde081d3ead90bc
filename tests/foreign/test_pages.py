"""Every page opens on foreign models, and says what they cannot give."""

from dataclasses import replace

import pytest

from explorer import checkpoint, sampler, settings
from explorer.config import FittedConfig
from explorer.ui import cache
from explorer.ui.address.views import PAGES
from explorer.ui.wording.naming import labels
from tests.support.pages import address, open_page, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


OTHERWISE = ("generate", "latent_map", "interpolate", "reconstruct", "evaluate")
"""Pages on which models without a spread or a likelihood show something else."""


@pytest.mark.parametrize(
    ("slug", "page"),
    [("gaussian", page) for page in PAGES]
    + [(slug, page) for slug in ("points", "error") for page in OTHERWISE],
)
def test_page_opens_on_a_foreign_model(shelf, slug, page):
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


def test_a_fitted_prior_is_told_from_a_trained_one(shelf):
    entries = [entry for entry in cache.entries() if entry.slug == "gaussian"]
    fitted = entries[0].config.model_copy(update={"fitted": FittedConfig(source="gaussian")})
    other = replace(entries[0], slug="fitted", config=fitted)
    names = labels([*entries, other])
    assert "as trained" in names["gaussian"]
    assert "fitted afterwards" in names["fitted"]


def test_nothing_is_lacking_where_something_stands_instead(shelf):
    for slug in ("gaussian", "error"):
        app = open_page("evaluate", model=slug)
        assert not [item for item in app.expander if "lack" in item.label]


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
