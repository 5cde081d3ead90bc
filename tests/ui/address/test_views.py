"""A view is the address: short, read back equal, and what is wrong in it falls back."""

from types import SimpleNamespace

import pytest

from explorer import settings
from explorer.ui.address import fallbacks, views
from explorer.ui.address.views import PAGES, GenerateView, LatentMapView, View
from tests.support.pages import address, open_page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


BAD_LINKS = [
    ("generate", {"scale": "nan"}),
    ("generate", {"scale": "9"}),
    ("generate", {"seed": "-1"}),
    ("generate", {"seed": "99999999999999"}),
    ("generate", {"component": "x"}),
    ("generate", {"hand": "sample:0,64,1"}),
    ("traverse", {"hand": "datum:train"}),
    ("evaluate", {"hand": "box:0,0,1,1"}),
    ("prototypes", {"component": "-3"}),
    ("prototypes", {"sort": "<script>"}),
    ("latent_map", {"pick": "data:-1"}),
    ("latent_map", {"pick": "box:1,2,3"}),
    ("latent_map", {"pick": "box:nan,0,1,1"}),
    ("latent_map", {"colour": "../../etc"}),
    ("latent_map", {"layers": "data,nothing"}),
    ("latent_map", {"neighbours": "100000"}),
    ("catalogue", {"sort": "x" * 5000}),
    ("generate", {"compare": "a,b,c,d"}),
    ("generate", {"compare": "../x"}),
    ("latent_map", {"pick": "lasso:1,2,3,4"}),
    ("latent_map", {"pick": "box:0,0,1,1;add:" + ",".join(["1"] * 65)}),
    ("latent_map", {"path": "1,2"}),
    ("latent_map", {"path": ",".join(["1"] * 200)}),
    ("latent_map", {"metric": "manhattan"}),
    ("latent_map", {"only": "everything"}),
    ("traverse", {"centre": "z:!!!"}),
    ("traverse", {"at": "1:x"}),
    ("traverse", {"at": "1:1.5,"}),
    ("traverse", {"rows": "1000"}),
    ("interpolate", {"ends": "data:1|data:2|data:3|data:4|data:5"}),
    ("interpolate", {"ends": "data:-1"}),
    ("interpolate", {"kind": "geodesic2"}),
    ("interpolate", {"closeness": "nan"}),
    ("interpolate", {"frames": "4000"}),
    ("reconstruct", {"source": "file:///etc/passwd"}),
    ("reconstruct", {"index": "-1"}),
    ("priors_lab", {"lesson": "9"}),
    ("priors_lab", {"guess": "maybe"}),
    ("priors_lab", {"bench": "other"}),
]


@pytest.fixture
def link(monkeypatch):
    """An address bar without a page behind it."""
    bar = SimpleNamespace(query_params={}, session_state={})
    monkeypatch.setattr(views, "st", bar)
    monkeypatch.setattr(fallbacks, "st", bar)
    return bar


@pytest.mark.parametrize(("page", "parameters"), BAD_LINKS)
def test_bad_value_of_a_link_falls_back_with_a_notice(page, parameters, link):
    link.query_params = {"model": "digits-vae-vamp-2"} | parameters
    (name,) = parameters
    view = PAGES[page].from_address()
    assert view == PAGES[page](model="digits-vae-vamp-2")
    (field,) = link.session_state["frame_fallbacks"]
    assert field == name
    told = link.session_state["frame_fallbacks"][name]
    assert (told.why, told.instead) == ("is invalid", "using the default")


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("generate", {"scale": "nan"}),
        ("latent_map", {"pick": "box:nan,0,1,1"}),
        ("interpolate", {"ends": "data:-1"}),
    ],
)
def test_a_page_opens_by_a_bad_link_and_mends_it(page, parameters):
    app = open_page(page, model="digits-vae-vamp-2", **parameters)
    assert not app.exception
    assert "is invalid" in app.warning[0].value
    assert not address(app).items() & parameters.items()


def test_links_stay_short():
    view = LatentMapView(
        model="m" * 80,
        compare="c" * 80,
        pick="box:" + ",".join(["-123.456789"] * 4),
        layers=("data",) * 3,
    )
    assert sum(len(f"{name}={value}&") for name, value in view.model_dump().items()) < 2000


def test_a_written_view_reads_back_equal():
    app = open_page(
        "generate", model="digits-vae-vamp-16", seed=3, scale=0.35, component=2, tile=1
    )
    expected = GenerateView(model="digits-vae-vamp-16", seed=3, scale=0.35, component=2, tile=1)
    assert GenerateView.model_validate(address(app)) == expected


def test_every_page_has_a_view():
    files = {path.stem for path in settings.beside("pages").glob("*.py")}
    assert files == PAGES.keys()
    assert all(issubclass(kind, View) for kind in PAGES.values())


def test_the_longest_link_of_each_page_stays_under_two_thousand_characters():
    from explorer.ui.address.views import InterpolateView

    code = "z:" + "A" * 107
    view = InterpolateView(
        model="m" * 40, compare=("c" * 40,) * 3, ends=(code,) * 4, kind="following"
    )
    assert sum(len(f"{name}={value}&") for name, value in view.model_dump().items()) < 2000
