"""Generate draws what the link says, compares, and says what a model has not."""

import pytest

from explorer.checkpoint import FLOW, results_folder
from tests.support.engines import engine_of
from tests.support.flows import fitted
from tests.support.pages import SHIPPED, address, open_page, press, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_an_autoencoder_is_sampled_by_a_flow_that_is_offered_until_it_is_fitted():
    app = open_page("generate", model="digits-ae-16", seed=3)
    assert not app.exception
    assert "no prior" in app.info[0].value
    assert "job_flow_digits-ae-16" in [item.key for item in app.button]
    assert "sampler" not in address(app), "a page that is only opened writes nothing"
    fitted("digits-ae-16")
    hand = "sample:3,5,0.7,f8@6"
    app = open_page("generate", model="digits-ae-16", seed=3, steps=8, scale=0.7, at=6, hand=hand)
    assert not app.exception
    assert "job_flow_digits-ae-16" not in [item.key for item in app.button]
    assert address(app) | {"seed": "3", "steps": "8", "at": "6", "hand": hand} == address(app)
    facts = [item.value for item in app.markdown if item.value.startswith("**Sample 6**")]
    assert len(facts) == 1
    assert "step 6 of 8" in facts[0]
    assert "1,297 training samples, in 24 steps of 32" in told(app)
    assert "nats" not in facts[0]
    app.slider(key="generate_scale").set_value(1.3).run()
    assert address(app)["scale"] == "1.3"


def test_a_damaged_flow_is_offered_again():
    fitted("digits-ae-16")
    (results_folder(engine_of("digits-ae-16").checkpoint.hash) / FLOW).write_text("{")
    app = open_page("generate", model="digits-ae-16")
    assert not app.exception
    assert "job_flow_digits-ae-16" in [item.key for item in app.button]
    assert "is damaged" in told(app)


def test_a_prior_and_a_flow_take_turns():
    fitted("digits-vae-vamp-16")
    app = open_page("generate", model="digits-vae-vamp-16", component=3)
    app.segmented_control(key="generate_sampler").set_value("flow").run()
    assert not app.exception
    assert address(app) | {"sampler": "flow", "component": "3"} == address(app)
    assert "generate_component" not in [item.key for item in app.selectbox]
    assert "codes drawn for 1,297 training samples" in told(app)
    app.slider(key="generate_steps").set_value(5).run()
    assert address(app)["steps"] == "5"
    app.segmented_control(key="generate_sampler").set_value("prior").run()
    assert not app.exception
    assert app.selectbox(key="generate_component").value == 3


def test_flows_are_compared_where_they_are_fitted():
    fitted("digits-vae-vamp-16")
    others = "digits-vae-standard-16,digits-vae-xvae-16"
    fitted("digits-vae-xvae-16")
    app = open_page(
        "generate", model="digits-vae-vamp-16", compare=others, sampler="flow", steps=3, tile=2
    )
    assert not app.exception
    offered = {item.key for item in app.button if item.key.startswith("job_flow")}
    assert offered == {"job_flow_digits-vae-standard-16"}
    assert told(app).count("fitted afterwards to codes drawn") == 2


def test_the_time_of_a_noised_prior_is_a_second_dial():
    noised, other = "digits-dmvae-noised-2", "digits-dmvae-sphere-2"
    app = open_page("generate", model=noised, t=0.32, hand="sample:0,3,1,t0.3")
    assert not app.exception
    assert address(app)["t"] == "0.3", "the nearest time that can be chosen"
    facts = [item.value for item in app.markdown if item.value.startswith("**Sample 4**")]
    assert any("scale 1, time 0.3" in words for words in facts)
    assert "each sample keeps both" in told(app)
    app.select_slider(key="generate_t").set_value("").run()
    assert not app.exception
    assert "t" not in address(app)
    app = open_page("generate", model=other, t=0.3)
    assert not app.exception
    assert "t" not in address(app), "a sphere has no time"
    assert "generate_t" not in [item.key for item in app.select_slider]


@pytest.mark.parametrize(
    "wrong", [{"steps": 51}, {"sampler": "gan"}, {"at": -1}, {"steps": "x"}, {"t": 1.1}]
)
def test_what_is_no_sampler_is_said(wrong):
    app = open_page("generate", model="digits-vae-vamp-16", **wrong)
    assert not app.exception
    assert next(iter(wrong)) not in address(app)


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
