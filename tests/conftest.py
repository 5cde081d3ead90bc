"""One thread of torch in every process, and for every test a user folder of its own."""

import gc
import os
from itertools import count

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.support import checking

TESTS = count()

collect_ignore_glob = ["benchmarks/*", "support/*", "load.py"]

checking.check("explorer")
gc.disable()  # until all is imported: nothing of that is ever garbage
torch.set_num_threads(1)
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")  # a busy machine is no fault of the code


def pytest_xdist_auto_num_workers(config):
    """One worker for each core, and half as many again where some wait for a browser."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    waiting = "not browser" not in config.option.markexpr
    return cores + cores // 2 if waiting else cores


def pytest_collection_finish():
    """Freeze what was imported, as the server does."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def user(request, tmp_path_factory, monkeypatch):
    """A user folder that is not there yet; the shipped checkpoints, on the CPU."""
    if "tmp_path" in request.fixturenames:
        folder = request.getfixturevalue("tmp_path") / "user"
    else:  # most tests store nothing
        folder = tmp_path_factory.getbasetemp() / f"user-of-{next(TESTS)}"
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(folder))
    monkeypatch.setenv("LATENT_EXPLORER_DEVICE", "cpu")
    monkeypatch.setenv("LATENT_EXPLORER_ALLOW_WORK", "1")  # AppTest listens nowhere
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("LATENT_EXPLORER_CHECKPOINTS", raising=False)
    return folder


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
