"""A user folder whose jobs end with the test, and models to work on."""

import os
import shutil
import signal

import numpy as np
import pytest
import torch

from explorer import checkpoint, jobs
from explorer.config import RunConfig
from explorer.data import outside
from tests.support.jobs import SHIPPED, pid_of


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("DATA", "DEVICE", "CHECKPOINTS"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)
    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.set_num_threads(threads)
    for job in jobs.jobs():
        if job.last.state == "running":
            os.kill(pid_of(job.order), signal.SIGKILL)
    for child in jobs._CHILDREN:
        child.kill()
        child.wait()
    jobs._CHILDREN.clear()


@pytest.fixture
def digits(tmp_path):
    """The shipped model in the user's own folder, without what was measured on it."""
    shipped = checkpoint.load(SHIPPED).folder
    folder = tmp_path / "user" / "checkpoints" / "mine"
    folder.mkdir(parents=True)
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS):
        shutil.copy(shipped / name, folder / name)
    return checkpoint.load(folder)


@pytest.fixture
def slow(tmp_path):
    """A model with so much test data that its jobs take seconds."""
    pictures = np.random.default_rng(0).integers(0, 256, (4_000, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", pictures)
    outside.remember(tmp_path / "x.npy")  # as if it had been trained by a command
    config = RunConfig.model_validate(
        {
            "data": {"kind": "files", "path": str(tmp_path / "x.npy")},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]},
            "prior": {"kind": "mog", "components": 3},
            "training": {"epochs": 1},
            "sketch": {"kind": "pixels", "height": 4, "width": 4},
        }
    )
    torch.manual_seed(0)
    return checkpoint.load(checkpoint.save(*config.build(), config, tmp_path / "slow"))
