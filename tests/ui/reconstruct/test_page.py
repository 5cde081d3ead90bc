"""Reconstruct tells the terms of every model."""

import re

import pytest

from tests.support.pages import open_page, told

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
