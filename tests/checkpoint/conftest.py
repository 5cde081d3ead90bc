"""Empty folders in the place of the user's and the shipped ones."""

import pytest


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("user", "shipped"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)


@pytest.fixture
def shipped(tmp_path):
    return tmp_path / "shipped"
