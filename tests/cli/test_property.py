"""Networks are installed, listed and removed by the command line; README's lines do so."""

import json
import re

import numpy as np
import pytest
import torch

from explorer import settings
from explorer.designs import measuring
from explorer.designs.asked import Description
from explorer.metrics.features import load_features
from tests.support.asked import described, write_judge
from tests.support.cli import assert_one_sentence
from tests.support.engines import PIXELS, engine_of

README = (settings.PACKAGE.parent / "README.md").read_text()
LINES = re.findall(r"^latent-explorer (property [^#\n]*)", README, re.MULTILINE)


@pytest.mark.slow
def test_the_lines_of_the_readme_install_a_shipped_classifier_as_it_is(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [line.split()[1] for line in LINES] == ["example", "add", "list"]
    for line in LINES:
        code, out, err = run(*line.split())
        assert code == 0, err
    assert out.startswith("on  digit: Digit, classifier of 1 x 8 x 8")
    x = engine_of(PIXELS).sample(64).x
    known = load_features("digits", (1, 8, 8), 10)
    expected = known.network.answer(known.network(torch.from_numpy(x))).softmax(1).numpy()
    (family,) = measuring.asked(engine_of(PIXELS).sketch)
    np.testing.assert_allclose(family.judge(x).probabilities, expected, atol=1e-4)


def test_descriptions_of_the_readme_are_some():
    section = README.split("## Ask a model")[1].split("## What is included")[0]
    (block,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    for text in re.findall(r"^\{.*?\]\}$", block, re.DOTALL | re.MULTILINE):
        Description.model_validate_json(text)
    assert block.count('"kind"') == 2


def test_what_is_on_and_what_is_off_is_listed(run, tmp_path):
    assert "None yet" in run("property", "list")[1]
    code, out, _ = run("property", "add", write_judge(tmp_path / "side"))
    assert code == 0
    assert "Installed side: side, side_margin, side_left" in out
    assert "Pages offer it for digits-" in out
    folder = tmp_path / "user" / "properties" / "side"
    assert {path.name for path in folder.iterdir()} == {"network.onnx", "property.json"}
    (row,) = json.loads(run("property", "list", "--json")[1])
    assert (row["key"], row["on"], row["reason"]) == ("side", True, "")
    (folder / "property.json").write_text("{}")
    (row,) = json.loads(run("property", "list", "--json")[1])
    assert not row["on"]
    assert row["reason"].endswith(".")
    assert run("property", "list")[1].startswith("off side: property.json: ")
    assert run("property", "remove", "side")[0] == 0
    assert not folder.exists()


def test_two_files_are_as_good_as_a_folder(run, tmp_path):
    folder = write_judge(tmp_path / "side", None, described(shape=[8, 8]))
    files = [folder / "property.json", folder / "network.onnx"]
    assert run("property", "add", *files)[0] == 0
    assert_one_sentence(*run("property", "add", *files))
    assert run("property", "add", *files, "--replace")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("add", "nowhere"),
        ("add", "."),
        ("remove", "nothing"),
        ("example", "nothing"),
        ("example", "../../etc"),
        ("example", "airfoils"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert_one_sentence(*run("property", *words))
