"""Generate draws what the link says, compares, and says what a model has not."""

import pytest

from tests.support.pages import SHIPPED, address, open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_autoencoder_says_that_it_has_no_prior():
    app = open_page("generate", model="digits-ae-16")
    assert "no prior" in app.info[0].value


def test_resample_goes_to_the_next_seed():
    app = open_page("generate", model="digits-vae-vamp-16", seed=4)
    press(app, "generate_resample")
    assert address(app)["seed"] == "5"


def test_link_opens_a_component_and_a_tile():
    app = open_page("generate", model="digits-vae-vamp-16", component=3, tile=7, scale=0.5)
    assert not app.exception
    said = [item.value for item in app.markdown if "Sample 8" in item.value]
    assert len(said) == 2, "once in hand, once below the samples"
    assert all("scale 0.5" in words for words in said)
    assert address(app) | {"component": "3", "tile": "7", "scale": "0.5"} == address(app)
    app.number_input(key="generate_seed").set_value(1).run()
    assert address(app)["hand"] == "sample:0,7,0.5,k3", "what an old link says is written anew"
    assert "tile" not in address(app)


def test_out_of_range_component_is_dropped():
    app = open_page("generate", model="digits-vae-vamp-16", component=5000)
    assert not app.exception
    assert "component" not in address(app)


def test_generate_compares_four_models_and_shows_differences():
    others = "digits-vae-standard-16,digits-vae-mog-16,digits-vae-xvae-16"
    app = open_page("generate", model="digits-vae-vamp-16", compare=others, difference=1, tile=2)
    assert not app.exception
    assert address(app)["compare"] == others
    assert told(app).count("training samples searched") >= 4


def test_presets_set_the_scale():
    app = open_page("generate", model="digits-vae-vamp-16")
    press(app, "generate_preset_0.7")
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
    assert "job_tradeoff_digits-vae-vamp-16" in [item.key for item in app.button]


def test_without_a_density_none_is_told():
    app = open_page("generate", model="digits-dmvae-sphere-2", hand="sample:0,3,1")
    assert not app.exception
    facts = [item.value for item in app.markdown if item.value.startswith("**Sample 4**")]
    assert len(facts) == 1
    assert "nats" not in facts[0]
    assert "Typicality: percentile" not in told(app)
    assert app.button(key="generate_preset_1.3").disabled, "there is nothing beyond a sphere"
