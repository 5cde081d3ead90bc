"""`latent-explorer doctor` reports what is wrong and always finishes."""

import json

import pytest

from explorer.designs import xfoil

pytestmark = pytest.mark.usefixtures("bare_house")


@pytest.mark.usefixtures("shipped")
def test_the_doctor_finds_a_healthy_house(run):
    code, out, _ = run("doctor")
    assert code == 0
    assert "1 healthy" in out
    code, out, _ = run("doctor", "--json")
    assert code == 0
    findings = json.loads(out)
    assert all(set(finding) == {"what", "state", "message"} for finding in findings)
    assert {finding["state"] for finding in findings} <= {"ok", "note"}
    assert {"device", "pages", "checkpoints", "user folder", "data"} <= {
        finding["what"] for finding in findings
    }


@pytest.mark.parametrize("broken", [0, 1], ids=["none", "one that is broken"])
def test_without_a_healthy_checkpoint_the_doctor_says_the_app_could_not_run(run, tmp_path, broken):
    for number in range(broken):
        (tmp_path / "shipped" / f"broken-{number}").mkdir()
    code, out, _ = run("doctor", "--json")
    assert code == 1
    bad = [finding for finding in json.loads(out) if finding["state"] == "bad"]
    assert [finding["what"] for finding in bad] == ["checkpoints"]
    assert "train one" in bad[0]["message"]


def test_a_broken_checkpoint_among_healthy_ones_is_a_note(run, shipped):
    (shipped.parent / "broken").mkdir()
    code, out, _ = run("doctor", "--json")
    assert code == 0
    states = {finding["what"]: finding for finding in json.loads(out)}
    assert states["checkpoints"]["state"] == "note"
    assert "broken" in states["checkpoints"]["message"]


@pytest.mark.usefixtures("shipped")
def test_the_doctor_names_an_unknown_device(run, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_DEVICE", "abacus")
    code, out, _ = run("doctor")
    assert code == 1
    assert "abacus" in out


@pytest.mark.parametrize("name", ["CHECKPOINTS", "DATA"])
def test_the_doctor_survives_a_variable_that_names_no_folder(run, monkeypatch, name):
    monkeypatch.setenv(f"LATENT_EXPLORER_{name}", "/nowhere")
    code, out, _ = run("doctor", "--json")
    assert code == 1
    assert any("/nowhere" in finding["message"] for finding in json.loads(out))


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(("found", "said"), [("6.99", "6.99"), (None, "does not start")])
def test_the_doctor_names_xfoil_and_how_to_get_it(run, monkeypatch, found, said):
    monkeypatch.setattr(xfoil, "available", lambda: True)
    monkeypatch.setattr(xfoil, "version", lambda: found)
    _, out, _ = run("doctor", "--json")
    (finding,) = (item for item in json.loads(out) if item["what"] == "xfoil")
    assert said in finding["message"]
    monkeypatch.setattr(xfoil, "available", lambda: False)
    code, out, _ = run("doctor")
    assert code == 0
    assert "apt install xfoil" in out
