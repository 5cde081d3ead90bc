"""Reconstruct tells the terms of every model."""

import re

import pytest

from tests.support.pages import address, open_page, told

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_reconstruct_tells_the_terms_of_every_model():
    app = open_page(
        "reconstruct",
        model="digits-vae-vamp-16",
        compare="digits-vae-standard-16,digits-vae-mog-16",
        refine=1,
    )
    assert not app.exception
    bodies = [item.proto.body for item in app.get("html")]
    table = next(body for body in bodies if "Anomaly percentile" in body)
    assert table.count("<span") == 4 * 6
    assert "Gain in the ELBO" in told(app)


def test_reconstruct_says_when_the_data_are_not_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path))
    app = open_page("reconstruct", model="mnist-static-vae-vamp-40")
    assert not app.exception
    assert "The data set is not installed" in told(app)
    assert "binary sample" in told(app)
    bodies = [item.proto.body for item in app.get("html")]
    table = next(body for body in bodies if "Anomaly percentile" in body)
    assert re.search(r"\d ± \d+ %", table)
    app = open_page("generate", model="mnist-static-vae-vamp-40")
    assert not app.exception


def test_another_model_of_the_same_data_keeps_the_sample():
    app = open_page("reconstruct", model="digits-vae-vamp-2", index=17, refine=1)
    app.selectbox(key="frame_picker").select("digits-vae-xvae-2").run()
    assert not app.exception
    assert address(app) == {"model": "digits-vae-xvae-2", "index": "17", "refine": "1"}
    app.selectbox(key="frame_picker").select("airfoils-vae-xvae-8").run()
    assert not app.exception
    assert "index" not in address(app)  # another data set has other samples


def test_another_model_keeps_data_as_ends_but_no_code_of_its_own():
    app = open_page("interpolate", model="digits-vae-vamp-2", ends="data:3|data:40")
    app.selectbox(key="frame_picker").select("digits-vae-xvae-2").run()
    assert address(app)["ends"] == "data:3|data:40"
    app = open_page("traverse", model="digits-vae-vamp-2", centre="prototypes:3")
    app.selectbox(key="frame_picker").select("digits-vae-xvae-2").run()
    assert "centre" not in address(app)
