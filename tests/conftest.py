"""One thread of torch in every process, and for every test a user folder of its own."""

import gc

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.support import checking

collect_ignore_glob = ["benchmarks/*", "support/*", "load.py"]

checking.check("explorer")
gc.disable()  # until all is imported: nothing of that is ever garbage
torch.set_num_threads(1)
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")  # a busy machine is no fault of the code


def pytest_collection_finish():
    """Freeze what was imported, as the server does."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def user(tmp_path, monkeypatch):
    """A user folder that is not there yet; the shipped checkpoints, on the CPU."""
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("LATENT_EXPLORER_CHECKPOINTS", raising=False)
    return tmp_path / "user"


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """An empty folder in the place of the shipped checkpoints."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(folder))
    return folder


@pytest.fixture
def no_data(monkeypatch):
    """Nothing but what is installed: no data root is named."""
    monkeypatch.delenv("LATENT_EXPLORER_DATA", raising=False)
