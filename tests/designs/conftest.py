"""A store of picks, and one process that probes networks for all tests of a file."""

import pytest

from explorer.designs.candidates import FILE, Store
from explorer.runtime import verdicts


@pytest.fixture(scope="module")
def prober():
    with verdicts.Prober() as process:
        yield process


@pytest.fixture
def one_prober(prober, monkeypatch):
    """Probe in a process that is there already: to start one takes a second."""
    monkeypatch.setattr(
        verdicts, "verdict", lambda graphs: verdicts.known(graphs) or prober.ask(graphs)
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shelf" / FILE


@pytest.fixture
def store(path):
    opened = Store(path)
    yield opened
    opened.close()
