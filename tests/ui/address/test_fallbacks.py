"""What a link asks for and cannot have is told in one place, whatever the page and the field."""

import pytest

from explorer.ui.address import fallbacks
from explorer.ui.address.views import PAGES
from tests.support.pages import address, open_page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ABSENT = {
    "catalogue": {"model": "nowhere", "compare": "nowhere", "data": "omniglot28", "scale": "0.37"},
    "generate": {
        "compare": "airfoils-vae-vamp-8", "component": "9999", "level": "z2", "held": "0.5",
        "lower": "3", "limits": "thickness>=12",
    },
    "prototypes": {"component": "9999", "epoch": "99999", "sort": "beauty"},
    "latent_map": {
        "layers": "data,prototypes", "hand": "data:999999", "only": "prototypes:999999",
        "a": "data:999999", "b": "holes:999", "colour": "claimed", "neighbours": "3",
    },
    "traverse": {"hand": "data:999999", "at": "0:1,777:2", "level": "z1"},
    "interpolate": {"ends": "data:999999|data:1", "at": "40"},
    "reconstruct": {"index": "999999"},
    "candidates": {"project": "77", "at": "77", "chosen": "77,78", "tag": "none", "sort": "mass"},
    "priors_lab": {"step": "9", "guess": "8"},
    "evaluate": {"of": "omniglot28", "one": "nowhere", "other": "airfoils-vae-vamp-8"},
}  # fmt: skip
"""Per page, values of a link that are invalid, or that the model does not have."""
FURTHER = {"priors_lab": {"lesson": "1"}}
MODELS = {"latent_map": "digits-vae-standard-16"}
QUICK = "generate"


def told_of(app):
    """What is told of a link."""
    return [item.value for item in app.warning]


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page != QUICK else ()) for page in ABSENT],
)
def test_all_that_a_link_asks_for_in_vain_is_told_in_one_place(page):
    asked = ABSENT[page]
    given = {"model": MODELS.get(page, "digits-vae-vamp-16")} | FURTHER.get(page, {}) | asked
    app = open_page(page, **given)
    assert not app.exception
    (words,) = told_of(app)
    assert len(words.splitlines()) == words.count("The link’s") == len(asked), words
    for field in asked:
        assert f"The link’s {fallbacks.name_of(field)} “" in words, field
    assert not app.toast
    assert not address(app).items() & asked.items()
    app.run()
    assert told_of(app) == [words], "it stays while the values do"


def test_a_notice_goes_with_its_value_and_with_its_page():
    app = open_page("generate", model="digits-vae-vamp-16", component=9999, seed=-3)
    app.selectbox(key="generate_component").set_value(2).run()
    (words,) = told_of(app)
    assert "seed" in words
    assert "component" not in words
    app.selectbox(key="frame_picker").select("digits-vae-standard-16").run()
    assert not told_of(app)


@pytest.mark.slow
def test_what_a_link_says_is_never_markup():
    app = open_page("generate", model="digits-vae-vamp-16", component="[x](http://evil) **b**")
    (words,) = told_of(app)
    assert r"\[x\]\(http\:" in words


@pytest.mark.slow
def test_a_page_without_a_link_tells_nothing():
    app = open_page("generate")
    assert not told_of(app)
    app.selectbox(key="frame_picker").select("digits-ae-16").run()
    assert not told_of(app)


def test_every_field_has_a_name_of_words():
    for view in PAGES.values():
        for field in view.model_fields:
            assert len(fallbacks.name_of(field)) > 1, field


@pytest.mark.slow
def test_another_model_on_the_same_page_is_not_a_link():
    app = open_page("latent_map", model="digits-vae-vamp-16", layers="data,prototypes")
    assert not told_of(app)
    app.selectbox(key="frame_picker").select("digits-vae-standard-16").run()
    assert not told_of(app)
