"""`latent-explorer train` prints or runs a recipe."""

import json

import pytest

from explorer.config import RunConfig
from tests.support.cli import file, recipe

pytestmark = pytest.mark.usefixtures("bare_house")


def test_a_dry_run_prints_the_whole_recipe(run, tmp_path):
    small = {
        "data": {"kind": "digits"},
        "model": {"kind": "vae", "latent": 2},
        "prior": {"kind": "vamp"},
    }
    path = file(tmp_path / "r.json", json.dumps(small))
    code, out, err = run("train", path, "--dry-run")
    assert (code, err) == (0, "")
    printed = RunConfig.model_validate_json(out)
    assert printed == RunConfig.model_validate(small)
    assert json.loads(out)["training"]["epochs"] == printed.training.epochs
    assert not (tmp_path / "user" / "checkpoints").exists()


@pytest.mark.slow
def test_a_trained_model_is_listed(run, tmp_path):
    path = file(tmp_path / "digits-mine.json", recipe().model_dump_json())
    code, out, err = run("train", path, "--samples", 2, "--device", "cpu", "--threads", 1)
    assert code == 0, err
    assert str(tmp_path / "user" / "checkpoints" / "digits-mine") in out
    (entry,) = json.loads(run("list", "--json")[1])
    assert (entry["slug"], entry["healthy"]) == ("digits-mine", True)
    assert entry["metrics"]["log_likelihood"]["samples"] == 2
    assert "Traceback" not in err
