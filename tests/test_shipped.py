"""What is shipped is small, whole and what it says."""

import json
import math
import os
import shutil
import subprocess

import pytest

from explorer import checkpoint, settings
from explorer.config import RunConfig
from explorer.data import Fingerprint
from explorer.errors import DataMissingError
from tests.support.repository import ROOT, SHIPPED, WHOLE, relative

MEGABYTE = 1_000_000

QUICK = ("digits", "frey", "caltech-silhouettes")
"""Data that are read in a moment."""


def test_the_tracked_tree_is_small():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    files = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    if listed.returncode or not files:
        pytest.skip("nothing is tracked")
    assert sum(path.stat().st_size for path in files if path.is_file()) < 60 * MEGABYTE


def shipped_files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and "training" not in path.parts]


def test_the_shipped_checkpoints_are_small():
    total = sum(path.stat().st_size for path in shipped_files(ROOT / "checkpoints"))
    assert total < 54 * MEGABYTE


def test_every_shipped_checkpoint_is_healthy():
    entries = checkpoint.catalogue(ROOT / "checkpoints")
    unopened = [entry for entry in entries if not entry.healthy]
    assert {entry.slug: entry.reason for entry in unopened if not entry.results_only} == {}
    assert {entry.slug for entry in entries} == {folder.name for folder in SHIPPED}
    assert {entry.slug for entry in entries if entry.healthy} == {folder.name for folder in WHOLE}


@pytest.mark.parametrize("folder", WHOLE, ids=relative)
def test_a_shipped_checkpoint_is_complete(folder):
    from explorer.projection import load_atlas

    opened = checkpoint.load(folder)
    for name in (checkpoint.CARD, checkpoint.PREVIEW, checkpoint.ATLAS, checkpoint.LIKELIHOOD):
        assert (folder / name).is_file(), name
    shipped = checkpoint.read_metrics(folder)
    assert shipped
    assert all(metric.n > 0 for metric in shipped.values())
    config = opened.config
    scored = config.prior is not None and config.prior.has_density and config.model.stochastic
    key = "log_likelihood" if scored else "reconstruction"
    assert shipped[key].se is not None
    card = (folder / checkpoint.CARD).read_text()
    assert opened.hash in card
    assert f"{shipped[key].value:.2f}" in card
    whole = opened.fingerprint is None or shipped[key].n == opened.fingerprint.test.n
    assert whole == (f"--limit {shipped[key].n}" not in card)
    assert (folder / checkpoint.PREVIEW).read_bytes().startswith(b"\x89PNG")
    atlas = load_atlas(opened)
    assert atlas is not None, "its atlas belongs to other weights"
    assert 0 < len(atlas.codes) <= 10_000
    each = opened.arrays(checkpoint.LIKELIHOOD)[key]
    assert len(each) == shipped[key].n
    assert each.mean() == pytest.approx(shipped[key].value, rel=1e-4)
    assert ("bits_per_dimension" in shipped) == (
        scored and config.model.likelihood != "gaussian" and config.sketch.kind == "pixels"
    )
    reference = folder / checkpoint.REFERENCE
    assert not reference.is_file() or reference.stat().st_size < 700_000
    snapshots = folder / checkpoint.SNAPSHOTS
    assert not snapshots.is_file() or snapshots.stat().st_size < 150_000


@pytest.mark.parametrize("folder", sorted(set(SHIPPED) - set(WHOLE)), ids=relative)
def test_results_without_weights_have_a_card_and_a_number_for_each_sample(folder):
    shipped = checkpoint.read_metrics(folder)
    each = checkpoint.read_arrays(folder / checkpoint.LIKELIHOOD)["log_likelihood"]
    assert len(each) == shipped["log_likelihood"].n
    assert each.mean() == pytest.approx(shipped["log_likelihood"].value, rel=1e-4)
    assert f"{shipped['log_likelihood'].value:.2f}" in (folder / checkpoint.CARD).read_text()


@pytest.mark.parametrize("folder", SHIPPED, ids=relative)
def test_a_shipped_config_equals_its_own_serialisation(folder):
    text = (folder / checkpoint.CONFIG).read_text()
    config = RunConfig.model_validate_json(text)
    assert text == config.model_dump_json(indent=1, exclude_none=True) + "\n"
    assert RunConfig.model_validate(json.loads(text)) == config


@pytest.mark.parametrize("folder", SHIPPED, ids=relative)
def test_a_source_that_is_shipped_is_the_one_named_by_its_hash(folder):
    config = RunConfig.model_validate_json((folder / checkpoint.CONFIG).read_text())
    source = getattr(config.prior, "source", None)
    # Of a model whose weights are not here, its source is not either.
    if source is not None and (folder / checkpoint.WEIGHTS).is_file():
        assert checkpoint.load(ROOT / "checkpoints" / source).hash == config.prior.source_hash


@pytest.mark.parametrize("folder", SHIPPED, ids=relative)
def test_a_shipped_checkpoint_records_its_data(folder):
    known = checkpoint.read_fingerprint(folder)
    assert known is not None
    if (folder / checkpoint.ATLAS).is_file():
        atlas = checkpoint.read_arrays(folder / checkpoint.ATLAS)
        assert Fingerprint.model_validate_json(str(atlas["fingerprint"])) == known
    if (folder / checkpoint.LIKELIHOOD).is_file():
        measured = checkpoint.read_arrays(folder / checkpoint.LIKELIHOOD)
        assert str(measured["test"]) == known.test.digest
    if (folder / checkpoint.REFERENCE).is_file():
        reference = checkpoint.read_arrays(folder / checkpoint.REFERENCE)
        assert str(reference["split"]) == known.train.digest
    config = RunConfig.model_validate_json((folder / checkpoint.CONFIG).read_bytes()).data
    try:
        data = config.load(settings.current().data) if config.kind in QUICK else None
    except DataMissingError:
        data = None
    if data is not None:
        assert config.fingerprint(data) == known


@pytest.mark.parametrize("folder", SHIPPED, ids=relative)
def test_bits_per_dimension_are_those_of_log_p_x(folder):
    shipped = checkpoint.read_metrics(folder)
    if "bits_per_dimension" not in shipped:
        pytest.skip("its data are not discrete, or it has no likelihood")
    config = RunConfig.model_validate_json((folder / checkpoint.CONFIG).read_text())
    values = math.prod(config.sketch.shape) * math.log(2)
    bits, nats = shipped["bits_per_dimension"], shipped["log_likelihood"]
    assert bits.value == pytest.approx(-nats.value / values)
    assert bits.se == pytest.approx(nats.se / values)
