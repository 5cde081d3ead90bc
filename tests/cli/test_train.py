"""`latent-explorer train` prints or runs a recipe."""

import json

import pytest

from explorer.config import RunConfig
from tests.support.cli import assert_one_sentence, file, recipe

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


@pytest.mark.parametrize(
    ("out", "better"),
    [
        ("my faces", "my-faces"),
        ("out [best] run", "out-best-run"),
        ("[/b]", "b"),
        ("CON", "model-CON"),
    ],
)
def test_a_name_no_link_can_hold_is_refused_before_training(run, tmp_path, out, better):
    path = file(tmp_path / "r.json", recipe().model_dump_json())
    folder = tmp_path / "own" / out
    result = run("train", path, "--out", folder)
    assert_one_sentence(*result)
    assert f"“{folder.name}” cannot be the name" in result[2]
    assert str(folder.with_name(better)) in result[2]
    assert not (tmp_path / "own").exists()


def test_a_recipe_whose_name_no_link_can_hold_is_refused_too(run, tmp_path):
    result = run("train", file(tmp_path / "my faces.json", recipe().model_dump_json()))
    assert_one_sentence(*result)
    assert str(tmp_path / "user" / "checkpoints" / "my-faces") in result[2]


def test_a_model_that_a_shipped_one_would_hide_is_refused(run, tmp_path, shipped):
    path = file(tmp_path / f"{shipped.name}.json", recipe().model_dump_json())
    result = run("train", path)
    assert_one_sentence(*result)
    assert "digits-small-2" in result[2]


def test_brackets_in_a_path_are_shown_as_they_are(run, tmp_path):
    path = file(tmp_path / "r.json", recipe().model_dump_json())
    folder = tmp_path / "a [best] run :x: [/b]" / "digits-mine"
    code, out, err = run("train", path, "--out", folder, "--samples", 2, "--threads", 1)
    assert code == 0, err
    assert f"Wrote {folder}." in out
