"""Runs in folders of their own."""

import pytest

from explorer import training_loop
from tests.support.runs import recipe, trained


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("user", "shipped"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))


@pytest.fixture
def save_always(monkeypatch):
    monkeypatch.setattr(training_loop, "SAVE_EVERY_SECONDS", -1)


@pytest.fixture
def autoencoder(tmp_path):
    folder = tmp_path / "user" / "checkpoints" / "digits-ae"
    return trained(folder, recipe({"kind": "ae"}, epochs=3))
