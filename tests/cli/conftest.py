"""The command line run in this process, with an empty user folder."""

import sys

import pytest
import torch

from explorer import checkpoint
from explorer.checkpoint import Metric
from tests.support.cli import cli, recipe
from tests.support.engines import PIXELS, engine_of


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    """Wide enough for whole sentences; threads are as many after a command as before."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("NO_COLOR", "1")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; return exit code, stdout and stderr."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["latent-explorer", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


@pytest.fixture
def bare_house(tmp_path, monkeypatch):
    """Empty folders in the place of the user's and the shipped ones, and nothing set."""
    for name in ("user", "shipped", "data"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))
    for name in ("DATA", "DEVICE"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)


@pytest.fixture
def shipped(bare_house, tmp_path):
    """The folder of a small checkpoint, the only one that is shipped."""
    config = recipe()
    folder = checkpoint.save(*config.build(), config, tmp_path / "shipped" / "digits-small")
    checkpoint.write_metrics(
        folder, {"log_likelihood": Metric(value=-20, se=0.1, n=250, samples=500, unit="nats")}
    )
    return folder


@pytest.fixture
def pixels():
    return engine_of(PIXELS)
