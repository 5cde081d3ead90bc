"""A small model on the disk."""

import numpy as np
import pytest
import torch

from explorer import checkpoint
from explorer.checkpoint import LIKELIHOOD, Metric
from tests.support.evaluations import small_config


@pytest.fixture
def opened(tmp_path):
    """A small checkpoint in a folder of its own, with numbers of other parts and other work."""
    torch.manual_seed(5)
    config = small_config()
    folder = checkpoint.save(*config.build(), config, tmp_path / "digits-small")
    known = {
        "log_likelihood": Metric(value=-9, n=250, unit="nats", samples=7),
        "coverage": Metric(value=0.5, n=250, unit="share", null=0.75),
        "active_units": Metric(value=99, n=250, unit="of 2 units"),
    }
    checkpoint.write_metrics(folder, known)
    arrays = {"rows": np.arange(250, dtype=np.int32), "kl_per_unit": np.ones(2, np.float32)}
    np.savez(folder / LIKELIHOOD, **arrays, log_likelihood=np.zeros(250, np.float32))
    return checkpoint.load(folder)
