"""Every page opens on every kind of model, and says what it cannot show."""

import dataclasses
import re

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import Engine, catalogue, settings
from explorer.ui import cache
from explorer.ui.address.views import PAGES, GenerateView, LatentMapView, View
from explorer.ui.interpolate import path as interpolated
from tests.support.models import small_checkpoint
from tests.support.pages import address, open_page, told

SHIPPED = settings.beside("checkpoints")
KINDS = {
    "vamp": "digits-vae-vamp-16",
    "standard": "digits-vae-standard-16",
    "mixture": "digits-vae-mog-2",
    "autoencoder": "digits-ae-16",
    "airfoils": "airfoils-vae-vamp-8",
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


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
    ],
)
def test_bad_value_of_a_link_falls_back_with_a_notice(page, parameters):
    app = open_page(page, model="digits-vae-vamp-2", **parameters)
    assert not app.exception
    assert app.toast
    assert "is invalid" in app.toast[0].value
    assert not address(app).items() & parameters.items()


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
    healthy = {entry.slug: entry for entry in catalogue(SHIPPED) if entry.healthy}
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
    entry = next(entry for entry in cache.entries() if entry.slug == "digits-vae-vamp-16")
    assert cache.engine(entry) is cache.engine(entry)


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
    app.text_input[0].input("slant")
    next(item for item in app.button if item.label == "Save direction").click().run()
    assert "Saved" in told(app)
    app = open_page("traverse", model="digits-vae-vamp-2")
    assert "slant" in told(app)
    next(item for item in app.button if item.label == "Remove").click().run()
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
    assert "Build the map" in [item.label for item in app.button]


def test_traverse_starts_where_the_link_says():
    for centre, words in {
        "mean": "From prior mean",
        "data:12": "From data point 12",
        "prototypes:3": "From prototype 3",
        "box:-2,-2,2,2": "From mean of",
        "z:AAAAAA": "From custom code",
    }.items():
        app = open_page("traverse", model="digits-vae-vamp-2", centre=centre)
        assert not app.exception
        assert words in told(app), centre
        assert address(app).get("centre", "mean") == centre


def test_a_centre_that_is_not_in_the_model_gives_way_to_the_mean():
    for centre in ("data:999999", "prototypes:5000", "z:AAAA"):
        app = open_page("traverse", model="digits-vae-vamp-2", centre=centre)
        assert not app.exception
        assert "centre" not in address(app)


def test_interpolate_begins_between_two_classes_and_takes_up_to_four_ends():
    app = open_page("interpolate", model="digits-vae-vamp-16")
    assert not app.exception
    assert len(address(app)["ends"].split("|")) == 2
    next(item for item in app.button if item.label == "Add endpoint").click().run()
    next(item for item in app.button if item.label == "Add endpoint").click().run()
    assert len(address(app)["ends"].split("|")) == 4
    assert "Add endpoint" not in [item.label for item in app.button]


def test_slerp_under_a_mixture_says_that_it_means_little():
    app = open_page("interpolate", model="digits-vae-vamp-16", kind="spherical")
    assert "Slerp is not meaningful" in told(app)
    app = open_page("interpolate", model="digits-vae-standard-16", kind="spherical")
    assert "Slerp is not meaningful" not in told(app)


@pytest.mark.parametrize("kind", ["straight", "spherical", "following", "geodesic"])
def test_every_way_is_walked(kind):
    app = open_page("interpolate", model="digits-vae-standard-2", kind=kind, frames=9)
    assert not app.exception
    assert "lowest log p(z)" in told(app)
    assert ("Length in data space" in told(app)) == (kind == "geodesic")


SAVED = re.compile(
    r"Length in data space: ([\d.]+) \(straight line: ([\d.]+)\), ([\d.]+) % shorter\."
)


@pytest.mark.parametrize(
    ("slug", "ends"),
    [
        ("digits-vae-vamp-16", "data:5|prior:8|prototypes:2"),
        ("digits-ae-16", "data:5|data:900"),
        ("airfoils-vae-vamp-8", "data:5|data:90"),
    ],
)
def test_a_geodesic_says_how_much_shorter_it_is(slug, ends):
    app = open_page("interpolate", model=slug, kind="geodesic", ends=ends, frames=5)
    assert not app.exception
    assert (address(app)["kind"], address(app)["ends"]) == ("geodesic", ends)
    (found,) = SAVED.finditer(told(app))
    length, line, saved = map(float, found.groups())
    assert line >= length > 0
    assert abs(saved - 100 * (1 - length / line)) < 0.1 + 10 / line
    straight = open_page("interpolate", model=slug, ends=ends, frames=5)
    assert not SAVED.search(told(straight))
    assert "pullback metric" in told(app)
    assert "pullback metric" not in told(straight)


def test_a_drawn_line_is_no_geodesic():
    line = "0,0,3,3,5,1"
    app = open_page("interpolate", model="digits-vae-vamp-16", kind="geodesic", path=line)
    assert not app.exception
    assert not SAVED.search(told(app))


def test_a_geodesic_visits_the_ends_and_a_shortest_way_is_remembered():
    entry = next(entry for entry in cache.entries() if entry.slug == "digits-vae-vamp-16")
    opened = cache.engine(entry)
    ends = opened.draw(3)[0].astype("<f4")
    codes, legs = cache.shortest(opened, ends, 9)
    np.testing.assert_allclose(codes[[0, 4, 8]], ends, rtol=1e-5)
    assert len(legs) == 2
    assert all(leg.length <= leg.straight_length for leg in legs)
    assert cache.shortest(opened, ends, 9)[0] is codes
    # The engine's own weights stay as they are: single precision, on its device.
    assert {value.dtype for value in opened.checkpoint.model.state_dict().values()} == {
        torch.float32
    }


def test_a_model_that_draws_pixel_by_pixel_offers_no_geodesic():
    pixels = Engine(small_checkpoint("vamp", model="pixelhvae"), "cpu")
    plain = Engine(small_checkpoint("vamp"), "cpu")
    assert interpolated.kinds(plain) == list(interpolated.KINDS)
    assert interpolated.kinds(pixels) == [
        kind for kind in interpolated.KINDS if kind != "geodesic"
    ]


def test_reconstruct_tells_the_terms_of_every_model():
    app = open_page(
        "reconstruct",
        model="digits-vae-vamp-16",
        compare="digits-vae-standard-16,digits-vae-mog-16",
        refine=1,
    )
    assert not app.exception
    table = next(item.value for item in app.markdown if "Anomaly percentile" in item.value)
    assert table.count("\n") == 4
    assert "Gain in the ELBO" in told(app)


def test_reconstruct_says_when_the_data_are_not_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path))
    app = open_page("reconstruct", model="mnist-static-vae-vamp-40")
    assert not app.exception
    assert "The data set is not installed" in told(app)
    app = open_page("generate", model="mnist-static-vae-vamp-40")
    assert not app.exception


def test_generate_compares_four_models_and_shows_differences():
    others = "digits-vae-standard-16,digits-vae-mog-16,digits-vae-xvae-16"
    app = open_page("generate", model="digits-vae-vamp-16", compare=others, difference=1, tile=2)
    assert not app.exception
    assert address(app)["compare"] == others
    assert told(app).count("training codes searched") >= 4


def test_presets_set_the_scale():
    app = open_page("generate", model="digits-vae-vamp-16")
    next(item for item in app.button if item.label == "Safer").click().run()
    assert address(app)["scale"] == "0.7"


def test_the_curve_is_shown_where_it_was_measured_and_offered_elsewhere(tmp_path, monkeypatch):
    import shutil

    app = open_page("generate", model="digits-vae-vamp-16")
    assert "dot is the current scale" in told(app)
    shown = tmp_path / "shown"
    shutil.copytree(
        SHIPPED / "digits-vae-vamp-16",
        shown / "digits-vae-vamp-16",
        ignore=shutil.ignore_patterns("tradeoff.npz", "training"),
    )
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(shown))
    app = open_page("generate", model="digits-vae-vamp-16")
    assert any("Measure the curve" in item.label for item in app.button)


@pytest.mark.parametrize("bench", ["planes", "bound", "training", "scale"])
def test_every_bench_of_the_lab_opens(bench):
    app = open_page("priors_lab", bench=bench, large=1)
    assert not app.exception
    assert "two latent units" in told(app)


def test_every_step_of_every_lesson_asks_and_reveals():
    from explorer.ui.priors_lab.lessons import LESSONS

    for number, lesson in enumerate(LESSONS, 1):
        for step, content in enumerate(lesson.steps, 1):
            app = open_page("priors_lab", lesson=number, step=step)
            assert not app.exception
            assert content.options[content.answer] not in told(app)
            app = open_page("priors_lab", lesson=number, step=step, guess=content.answer)
            assert not app.exception
            assert "Correct:" in told(app)


def test_a_guess_goes_into_the_link():
    app = open_page("priors_lab", lesson=1, step=2)
    app.radio[0].set_value(app.radio[0].options[2]).run()
    assert address(app)["guess"] == "2"
    assert "Correct:" in told(app)
    next(item for item in app.button if item.label == "Next").click().run()
    assert address(app)["step"] == "3"
    assert "guess" not in address(app)


def test_the_longest_link_of_each_page_stays_under_two_thousand_characters():
    from explorer.ui.address.views import InterpolateView

    code = "z:" + "A" * 107
    view = InterpolateView(
        model="m" * 40, compare=("c" * 40,) * 3, ends=(code,) * 4, kind="following"
    )
    assert sum(len(f"{name}={value}&") for name, value in view.model_dump().items()) < 2000


def test_what_the_lessons_claim_holds_of_the_shipped_models():
    from explorer.ui.priors_lab import benches

    def entry(slug):
        return next(item for item in cache.entries() if item.slug == slug)

    engines = {slug: cache.engine(entry(f"digits-vae-{slug}-2")) for slug in
               ("standard", "xvae", "mog", "vamp", "vamp-k1", "vamp-k4", "vamp-k16")}  # fmt: skip
    holes = {slug: cache.plane(engine).hole_mass for slug, engine in engines.items()}
    assert holes["xvae"] > holes["standard"]
    cut = {slug: cache.surgery(engine) for slug, engine in engines.items()}
    assert cut["vamp"].marginal < cut["standard"].marginal
    assert cut["mog"].marginal < cut["standard"].marginal
    between = cut["vamp-k16"].marginal - cut["vamp"].marginal
    assert abs(between) < 2 * cut["vamp"].marginal_error
    assert cut["vamp-k1"].marginal - cut["vamp-k16"].marginal > abs(between)
    likelihoods = [
        entry(f"digits-vae-{slug}-2").metrics["log_likelihood"].value
        for slug in ("standard", "xvae", "mog", "vamp")
    ]
    assert max(likelihoods) - min(likelihoods) < 1
    assert {benches.named(engines["vamp-k1"]), benches.named(engines["vamp"])} == {
        "VampPrior (K = 1)",
        "VampPrior (K = 100)",
    }


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
