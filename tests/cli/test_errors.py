"""User errors end in one sentence and exit code 2."""

import json
import socket

import pytest

from explorer import checkpoint
from explorer.config import RunConfig
from tests.support.cli import apart, assert_one_sentence, file, recipe

pytestmark = pytest.mark.usefixtures("bare_house")


def other_kind(tmp_path):
    return file(tmp_path / "r.json", recipe().model_dump_json().replace("mog", "mug"))


def of_two_lines(tmp_path):
    return file(tmp_path / "r.json", recipe().model_dump_json().replace("mog", "m\\nog"))


def without_source(tmp_path):
    whole = recipe().model_dump(mode="json") | {"prior": {"kind": "xvae", "source": "absent"}}
    return file(tmp_path / "r.json", json.dumps(whole))


def airfoils(tmp_path):
    whole = recipe(likelihood="gaussian").model_dump(mode="json") | {"data": {"kind": "airfoils"}}
    config = RunConfig.model_validate(whole)
    return checkpoint.save(*config.build(), config, tmp_path / "shipped" / "wings").name


def good(tmp_path):
    return file(tmp_path / "r.json", recipe().model_dump_json())


MENDABLE = {
    "an unknown slug": (lambda p: ["evaluate", "absent"], "absent"),
    "a slug that is a trick": (lambda p: ["evaluate", "../../nowhere"], "no checkpoint"),
    "an endless slug": (lambda p: ["evaluate", "x" * 5000], "no checkpoint"),
    "an unknown slug to project": (lambda p: ["project", "absent"], "absent"),
    "an unknown start": (lambda p: ["train", good(p), "--init", "absent"], "absent"),
    "an unknown source": (lambda p: ["train", without_source(p)], "absent"),
    "a missing folder to list": (
        lambda p: ["list", "--checkpoints", p / "nowhere"],
        "--checkpoints is set to",
    ),
    "a missing folder to open": (
        lambda p: ["app", "--checkpoints", p / "nowhere"],
        "--checkpoints is set to",
    ),
    "a missing data root": (
        lambda p: ["train", good(p), "--data", p / "nowhere"],
        "--data is set to",
    ),
    "an unknown device": (lambda p: ["train", good(p), "--device", "abacus"], "abacus"),
    "an unknown device for the app": (lambda p: ["app", "--device", "abacus"], "abacus"),
    "a device of another kind": (lambda p: ["app", "--device", "mps"], "mps"),
    "a host that is none": (lambda p: ["app", "--host", "256.0.0.1"], "--host"),
    "a name that is none": (lambda p: ["app", "--allow-host", "http://a.example"], "--allow-host"),
    "a name among others": (
        lambda p: ["app", "--allow-host", "a.example", "--allow-host", "*"],
        "--allow-host",
    ),
    "a base path that leads out": (lambda p: ["app", "--base-path", "/a/../b"], "--base-path"),
    "a base path that is an address": (
        lambda p: ["app", "--base-path", "http://a.example/b"],
        "--base-path",
    ),
    "a base path of our routes": (lambda p: ["app", "--base-path", "api"], "base path"),
    "a base path of Streamlit's": (lambda p: ["app", "--base-path", "/_stcore/x/"], "base path"),
    "a missing recipe": (lambda p: ["train", p / "absent.json"], "absent.json does not exist"),
    "a folder for a recipe": (lambda p: ["train", p], "does not exist"),
    "an empty recipe": (lambda p: ["train", file(p / "r.json", "")], "r.json"),
    "a recipe without a model": (lambda p: ["train", file(p / "r.json")], "data: Field required"),
    "a recipe with a typo": (
        lambda p: ["train", file(p / "r.json", '{"date": {"kind": "digits"}}')],
        "data: Field required",
    ),
    "a prior with a typo": (lambda p: ["train", other_kind(p), "--dry-run"], "prior"),
    "a prior of two lines": (lambda p: ["train", of_two_lines(p), "--dry-run"], "prior"),
    "nothing to resume": (
        lambda p: ["train", good(p), "--resume", "--out", p / "new"],
        "nothing to resume",
    ),
    "absent airfoils": (
        lambda p: ["evaluate", airfoils(p), "--data", p / "data"],
        "uiuc_dat.zip, which goes into",
    ),
    "absent airfoils to project": (
        lambda p: ["project", airfoils(p)],
        "uiuc_dat.zip, which goes into",
    ),
}


@pytest.mark.parametrize(("words", "said"), MENDABLE.values(), ids=MENDABLE.keys())
def test_what_a_user_can_mend_ends_in_one_sentence(run, tmp_path, words, said):
    code, out, err = run(*words(tmp_path))
    assert_one_sentence(code, out, err)
    assert said in err


@pytest.mark.parametrize("name", ["CHECKPOINTS", "DATA"])
def test_a_variable_that_names_no_folder_ends_in_one_sentence(run, monkeypatch, tmp_path, name):
    variable = f"LATENT_EXPLORER_{name}"
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    result = run("list")
    assert_one_sentence(*result)
    assert f"{variable} is set to" in result[2]


def test_a_taken_port_is_named(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("app", "--host", "127.0.0.1", "--port", port, "--no-browser")
    assert_one_sentence(*result)
    assert f"Port {port}" in result[2]
    assert "--port" in result[2]


@pytest.mark.slow
def test_an_error_in_a_process_of_its_own_leaves_no_traceback():
    ended = apart("evaluate", "absent")
    assert_one_sentence(ended.returncode, ended.stdout, ended.stderr)
    assert ended.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["train"],
        ["app", "--port", "0"],
        ["app", "--port", "http"],
        ["train", "r.json", "--minutes", "-1"],
        ["evaluate", "x", "--samples", "0"],
        ["list", "--colour"],
    ],
    ids=" ".join,
)
def test_a_wrong_use_ends_with_code_2(run, words):
    code, out, err = run(*words)
    assert code == 2
    assert "Traceback" not in out + err
    assert "Usage" in err


@pytest.mark.parametrize(
    "words", [["[red]x[/b]"], ["train", "r.json", "--[/b]"], ["list", "--checkpoints", "[/b]"]]
)
def test_brackets_in_a_wrong_word_are_shown_as_they_are(run, words):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert words[-1] in err
