"""Every page opens on every kind of model, and says what it cannot show."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import catalogue, settings
from explorer.ui import resources
from explorer.ui.views import PAGES, GenerateView, LatentMapView, View

ENTRY = settings.PACKAGE / "ui" / "entry" / "app.py"
SHIPPED = settings.beside("checkpoints")
KINDS = {
    "vamp": "digits-vae-vamp-16",
    "standard": "digits-vae-standard-16",
    "mixture": "digits-vae-mog-2",
    "autoencoder": "digits-ae-16",
    "airfoils": "airfoils-vae-vamp-8",
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _own_user_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path))


def open_page(name, **parameters):
    app = AppTest.from_file(ENTRY, default_timeout=120)
    app.run()
    for key, value in parameters.items():
        app.query_params[key] = str(value)
    return app.switch_page(str(settings.beside("pages") / f"{name}.py")).run()


def address(app):
    values = dict(app.query_params.items())
    return {name: item if isinstance(item, str) else item[0] for name, item in values.items()}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("slug", KINDS.values(), ids=KINDS.keys())
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


def test_autoencoder_says_that_it_has_no_prior():
    app = open_page("generate", model="digits-ae-16")
    assert "no prior" in app.info[0].value


def test_single_gaussian_says_that_it_has_no_prototypes():
    app = open_page("prototypes", model="digits-vae-standard-16")
    assert "no prototypes" in app.info[0].value


def test_resample_goes_to_the_next_seed():
    app = open_page("generate", model="digits-vae-vamp-16", seed=4)
    next(button for button in app.button if button.label == "Resample").click().run()
    assert address(app)["seed"] == "5"


def test_link_opens_a_component_and_a_tile():
    app = open_page("generate", model="digits-vae-vamp-16", component=3, tile=7, scale=0.5)
    assert not app.exception
    assert "Sample 8" in app.markdown[0].value
    assert "scale 0.5" in app.markdown[0].value
    assert address(app) | {"component": "3", "tile": "7", "scale": "0.5"} == address(app)


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("generate", {"scale": "nan"}),
        ("generate", {"scale": "9"}),
        ("generate", {"seed": "-1"}),
        ("generate", {"seed": "99999999999999"}),
        ("generate", {"component": "x"}),
        ("generate", {"tile": "64"}),
        ("prototypes", {"component": "-3"}),
        ("prototypes", {"sort": "<script>"}),
        ("latent_map", {"pick": "data:-1"}),
        ("latent_map", {"pick": "box:1,2,3"}),
        ("latent_map", {"pick": "box:nan,0,1,1"}),
        ("latent_map", {"colour": "../../etc"}),
        ("latent_map", {"layers": "data,nothing"}),
        ("latent_map", {"neighbours": "100000"}),
        ("catalogue", {"sort": "x" * 5000}),
    ],
)
def test_bad_value_of_a_link_falls_back_with_a_notice(page, parameters):
    app = open_page(page, model="digits-vae-vamp-2", **parameters)
    assert not app.exception
    assert app.toast
    assert "could not be used" in app.toast[0].value
    assert not address(app).keys() & parameters.keys()


@pytest.mark.parametrize("slug", ["nowhere", "..%2f..%2fetc", "../digits-ae-2", "x" * 200, "<b>"])
def test_unknown_model_of_a_link_falls_back(slug):
    app = open_page("generate", model=slug)
    assert not app.exception
    assert address(app)["model"] != slug


def test_out_of_range_component_is_dropped():
    app = open_page("generate", model="digits-vae-vamp-16", component=5000)
    assert not app.exception
    assert "component" not in address(app)


def test_pick_of_each_kind_is_told():
    for pick, words in {
        "data:12": "Datum 13",
        "prior:5": "Prior sample 6",
        "prototypes:9": "Prototype 9",
        "box:-1,-1,1,1": "codes in the box",
    }.items():
        app = open_page("latent_map", model="digits-vae-vamp-2", pick=pick)
        assert not app.exception
        assert any(words in item.value for item in app.markdown), pick


def test_two_dimensional_latent_says_that_nothing_is_projected():
    app = open_page("latent_map", model="digits-vae-vamp-2")
    assert any("nothing is projected" in item.value for item in app.caption)


def test_umap_says_that_distances_are_not_kept():
    app = open_page("latent_map", model="digits-vae-vamp-16")
    assert any("not distances" in item.value for item in app.caption)


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


def test_model_of_the_sidebar_is_that_of_the_address():
    app = open_page("generate", model="digits-vae-vamp-16")
    app.selectbox(key="frame_picker").select("digits-vae-standard-16").run()
    assert address(app)["model"] == "digits-vae-standard-16"
    assert not app.exception


def test_partner_is_of_the_same_data_and_has_a_prior():
    app = open_page("generate", model="digits-vae-vamp-16")
    shown = app.multiselect(key="frame_partners").options
    healthy = {entry.slug: entry for entry in catalogue(SHIPPED)}
    fitting = [
        slug
        for slug, entry in healthy.items()
        if entry.data == "digits" and entry.prior != "none" and slug != "digits-vae-vamp-16"
    ]
    assert len(shown) == len(fitting)


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


def test_engines_are_shared_and_few():
    entry = next(entry for entry in resources.entries() if entry.slug == "digits-vae-vamp-16")
    assert resources.engine(entry) is resources.engine(entry)
