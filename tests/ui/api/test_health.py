"""Whoever watches over a server is told whether it is well."""

from explorer import settings
from explorer.designs.candidates import FILE
from tests.support.api import ask, assert_absent
from tests.support.sentences import assert_one_sentence


def test_a_server_that_opens_models_and_keeps_picks_is_well():
    found = ask("/api/health")
    assert found.status == 200
    assert found.json["well"]
    assert found.json["models"] > 50


def test_a_server_that_can_keep_nothing_is_not_well():
    path = settings.current().user / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database" * 999)
    found = ask("/api/health")
    assert found.status == 503
    assert not found.json["well"]
    assert_one_sentence(found.json["why"])


def test_a_server_without_a_model_is_not_well(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path))
    found = ask("/api/health")
    assert (found.status, found.json["why"]) == (503, "There is no model that opens.")


def test_numbers_are_told_only_if_asked_for(monkeypatch):
    assert_absent(ask("/api/numbers"))
    monkeypatch.setenv("LATENT_EXPLORER_NUMBERS", "1")
    found = ask("/api/numbers")
    assert (found.status, found.kind) == (200, "text/plain")
    lines = found.body.decode().splitlines()
    assert all(line.startswith(("# TYPE latent_explorer_", "latent_explorer_")) for line in lines)
    values = [float(line.split()[1]) for line in lines if not line.startswith("#")]
    assert len(values) == 6
    assert min(values) >= 0
