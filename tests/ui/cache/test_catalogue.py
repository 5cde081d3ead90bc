"""A page reads a folder of checkpoints when it has changed, and waits for none that takes long."""

import json
import time

import pytest

from explorer import checkpoint
from explorer.checkpoint import results_folder
from explorer.ui.cache import catalogue
from tests.support.checkpoints import metric, recipe, write_checkpoint


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    folder = tmp_path / "shipped"
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(folder))
    monkeypatch.setattr(catalogue, "_FRESH_SECONDS", -1e9)
    return folder


@pytest.fixture
def read(monkeypatch):
    """The names of the folders that are read from disk."""
    names = []

    def inspect(folder, patience):
        names.append(folder.name)
        return checkpoint.inspect(folder, patience)

    monkeypatch.setattr(catalogue, "inspect", inspect)
    return names


def listed(known, seconds=3.0):
    reader = catalogue.Reader(known, seconds)
    return {item.slug: item for item in checkpoint.catalogue(patience=0.0, reader=reader)}, reader


def test_only_a_folder_whose_files_have_changed_is_read_again(shipped, read):
    for name in ("a", "b", "c"):
        write_checkpoint(shipped / name)
    known = catalogue.Known()
    first, _ = listed(known)
    again, _ = listed(known)
    assert (read, again) == (["a", "b", "c"], first)
    checkpoint.write_metrics(shipped / "b", {"elbo": metric(1)})
    assert listed(known)[0]["b"].metrics["elbo"].value == 1
    assert read == ["a", "b", "c", "b"]
    place = results_folder(first["a"].hash)
    place.mkdir(parents=True)
    checkpoint.write_metrics(place, {"elbo": metric(2)})
    assert listed(known)[0]["a"].metrics["elbo"].value == 2
    (shipped / "c" / "config.json").write_text("{")
    assert not listed(known)[0]["c"].healthy


def test_a_folder_that_changed_just_now_is_not_remembered(shipped, read, monkeypatch):
    monkeypatch.setattr(catalogue, "_FRESH_SECONDS", 2.0)
    write_checkpoint(shipped / "a")
    known = catalogue.Known()
    listed(known), listed(known)
    assert read == ["a", "a"]


def test_folders_that_take_long_are_put_off_and_read_in_the_background(shipped, monkeypatch):
    for number in range(10):
        write_checkpoint(shipped / f"slow-{number}")

    def slowly(folder, patience):
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        return checkpoint.inspect(folder, patience)

    monkeypatch.setattr(catalogue, "inspect", slowly)
    monkeypatch.setattr(catalogue, "_USUAL_SECONDS", 0.01)
    known = catalogue.Known()
    found, reader = listed(known, seconds=0.1)
    waiting = [item.slug for item in found.values() if item.reason == catalogue.WAITING]
    assert (reader.put_off, 5 <= len(waiting) <= 8) == (True, True)
    known.go_on().join(30)
    found, reader = listed(known, seconds=0.1)
    assert (reader.put_off, known.readings) == (False, 1)
    assert all(item.healthy for item in found.values())


@pytest.mark.parametrize("hidden", [[256] * 4, [248] * 4])
def test_a_flow_of_the_largest_sizes_is_refused_before_its_masks_are_made(
    shipped, tmp_path, hidden
):
    """Each of them took seven seconds, since a flow of sixteen layers was made to be counted."""
    write_checkpoint(shipped / "a", recipe(prior={"kind": "flow"}))
    whole = json.loads((shipped / "a" / "config.json").read_text())
    whole["prior"] |= {"transforms": 16, "hidden": hidden, "bins": 32}
    whole["model"]["latent"] = 512
    (shipped / "a" / "config.json").write_text(json.dumps(whole))
    start = time.thread_time()
    entry = checkpoint.inspect(shipped / "a")
    assert "200,000,000 parameters" in entry.reason
    assert time.thread_time() - start < 4
