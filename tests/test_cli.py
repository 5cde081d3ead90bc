"""Each verb does what it says, and what a user can mend ends in one sentence and exit code 2."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
import torch
from typer.main import get_command

from explorer import checkpoint, settings
from explorer.checkpoint import Metric
from explorer.config import RunConfig

FIELDS = {
    "slug", "healthy", "reason", "data", "model", "prior", "latent", "hash", "metrics",
    "results_only",
}  # fmt: skip
CARD_MODEL = "digits-vae-vamp-16"


def _command_line():
    """Load the module past the type checker: typer hands out another Context than it declares."""
    spec = importlib.util.spec_from_file_location("command_line", settings.PACKAGE / "cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cli = _command_line()
COMMAND = get_command(cli.app)
VERBS = list(COMMAND.commands)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    for name in ("user", "shipped", "data"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "shipped"))
    for name in ("DATA", "DEVICE"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
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


def apart(*words, code=None):
    """Run it in a process of its own."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "explorer.cli"]
    return subprocess.run(
        [*command, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ,
    )


def recipe(**model):
    return RunConfig.model_validate(
        {
            "data": {"kind": "digits"},
            "model": {"kind": "vae", "latent": 2, "hidden": [8]} | model,
            "prior": {"kind": "mog", "components": 3},
            "training": {"epochs": 1},
            "sketch": {"kind": "pixels", "height": 8, "width": 8},
        }
    )


@pytest.fixture
def shipped(tmp_path):
    config = recipe()
    folder = checkpoint.save(*config.build(), config, tmp_path / "shipped" / "digits-small")
    checkpoint.write_metrics(
        folder, {"log_likelihood": Metric(value=-20, se=0.1, n=250, samples=500, unit="nats")}
    )
    return folder


def assert_one_sentence(code, out, err):
    assert code == 2
    assert len(err.splitlines()) == 1, err
    assert err.startswith("latent-explorer: ")
    assert err.rstrip().endswith(".")
    assert "Traceback" not in out + err


# Help


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_option_of_every_verb_is_explained(run, verb):
    code, out, err = run(*([verb] if verb else []), "--help")
    assert (code, err) == (0, "")
    command = COMMAND.commands[verb] if verb else COMMAND
    words = " ".join(out.split())
    assert command.help.split(".")[0].split("\n")[0] in words
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name
            assert max(parameter.opts, key=len) in words


def test_the_verbs_are_those_of_the_public_surface():
    assert {"app", "list", "train", "evaluate", "project", "doctor"} <= set(VERBS)
    for verb in VERBS:
        assert COMMAND.commands[verb].help, verb


QUICK = """
import sys
from explorer import cli
for verb in sys.argv[1:]:
    sys.argv = ["latent-explorer", *([verb] if verb != "-" else []), "--help"]
    try:
        cli.main()
    except SystemExit as ended:
        assert not ended.code, verb
heavy = {"torch", "streamlit", "numpy", "sklearn", "umap"} & sys.modules.keys()
assert not heavy, heavy
"""


def test_help_imports_nothing_heavy():
    ended = apart("-", *VERBS, code=QUICK)
    assert ended.returncode == 0, ended.stderr


def test_the_version_is_printed(run):
    from explorer import __version__

    assert run("--version") == (0, f"{__version__}\n", "")


def test_the_module_runs_as_the_command_does():
    ended = apart("list", "--checkpoints", "/nowhere")
    assert_one_sentence(ended.returncode, ended.stdout, ended.stderr)


# list


def test_the_list_in_json_has_the_fields_of_the_public_surface(run, shipped):
    (shipped.parent / "broken").mkdir()
    code, out, _ = run("list", "--json")
    assert code == 0
    broken, healthy = json.loads(out)
    assert set(broken) == set(healthy) == FIELDS
    assert (broken["healthy"], healthy["healthy"]) == (False, True)
    assert "config.json" in broken["reason"]
    assert healthy | {"hash": "", "metrics": {}} == {
        "slug": "digits-small",
        "healthy": True,
        "reason": "",
        "data": "digits",
        "model": "vae",
        "prior": "mog",
        "latent": 2,
        "hash": "",
        "metrics": {},
        "results_only": False,
    }
    assert healthy["hash"] == checkpoint.load(shipped).hash
    metric = {"value": -20.0, "se": 0.1, "n": 250, "unit": "nats", "samples": 500}
    assert healthy["metrics"] == {"log_likelihood": metric}


@pytest.mark.usefixtures("shipped")
def test_the_list_names_numbers(run):
    code, out, _ = run("list")
    assert code == 0
    assert "digits-small" in out
    assert "-20.00 ± 0.10" in out


def test_numbers_without_weights_are_listed_and_not_called_broken(run, shipped):
    shutil.copytree(shipped, shipped.parent / "a-numbers")
    (shipped.parent / "a-numbers" / checkpoint.WEIGHTS).unlink()
    code, out, _ = run("list")
    assert code == 0
    assert "broken" not in out
    assert out.count("-20.00 ± 0.10") == 2
    numbers, healthy = json.loads(run("list", "--json")[1])
    assert (numbers["slug"], numbers["healthy"], numbers["results_only"]) == (
        "a-numbers",
        False,
        True,
    )
    assert (healthy["healthy"], healthy["results_only"]) == (True, False)
    assert numbers["metrics"] == healthy["metrics"]
    (shipped.parent / "a-numbers" / checkpoint.METRICS).unlink()
    assert "broken" in run("list")[1]
    result = run("evaluate", "a-numbers")
    assert_one_sentence(*result)


def test_another_folder_can_be_listed(run, shipped, tmp_path):
    shutil.copytree(shipped, tmp_path / "others" / "mine")
    code, out, _ = run("list", "--json", "--checkpoints", tmp_path / "others")
    assert code == 0
    assert [entry["slug"] for entry in json.loads(out)] == ["mine"]


def test_an_empty_list_says_what_to_do(run):
    code, out, _ = run("list")
    assert code == 0
    assert "latent-explorer train" in out


@pytest.mark.parametrize("verb", ["list", "doctor"])
def test_a_reason_that_looks_like_markup_is_shown_as_it_is(run, shipped, verb):
    shutil.copytree(shipped, shipped.parent / "a-broken")
    config = json.loads((shipped / "config.json").read_text())
    config["prior"] = {"kind": "[/bold]"}
    (shipped.parent / "a-broken" / "config.json").write_text(json.dumps(config))
    code, out, err = run(verb)
    assert code == 0, err
    assert "[/bold]" in out


def test_a_slug_that_looks_like_markup_is_shown_as_it_is(run, shipped):
    shipped.rename(shipped.parent / "[red]one")
    assert "[red]one" in run("list")[1]


# One sentence


def file(path, content="{}"):
    path.write_text(content)
    return path


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
        "--data names",
    ),
    "an unknown device": (lambda p: ["train", good(p), "--device", "abacus"], "abacus"),
    "an unknown device for the app": (lambda p: ["app", "--device", "abacus"], "abacus"),
    "a device of another kind": (lambda p: ["app", "--device", "mps"], "mps"),
    "a host that is none": (lambda p: ["app", "--host", "256.0.0.1"], "--host"),
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
    assert f"{variable} names" in result[2]


def test_a_taken_port_is_named(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("app", "--host", "127.0.0.1", "--port", port, "--no-browser")
    assert_one_sentence(*result)
    assert f"Port {port}" in result[2]
    assert "--port" in result[2]


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


# train


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


def test_a_trained_model_is_listed(run, tmp_path):
    path = file(tmp_path / "digits-mine.json", recipe().model_dump_json())
    code, out, err = run("train", path, "--samples", 2, "--device", "cpu", "--threads", 1)
    assert code == 0, err
    assert str(tmp_path / "user" / "checkpoints" / "digits-mine") in out
    (entry,) = json.loads(run("list", "--json")[1])
    assert (entry["slug"], entry["healthy"]) == ("digits-mine", True)
    assert entry["metrics"]["log_likelihood"]["samples"] == 2
    assert "Traceback" not in err


# evaluate and project


def test_an_evaluation_in_json_is_one_object(run, shipped):
    code, out, _ = run("evaluate", "digits-small", "--limit", 20, "--samples", 3, "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["slug"], found["hash"]) == ("digits-small", checkpoint.load(shipped).hash)
    measures = {"log_likelihood", "elbo", "reconstruction", "kl", "active_units"}
    measures |= {"precision", "recall", "density", "coverage", "vendi"}
    measures |= {"active_units_absolute", "information", "marginal_kl", "mmd", "smoothness"}
    assert measures <= set(found["metrics"])
    assert found["metrics"]["elbo"]["n"] == 20
    for metric in found["metrics"].values():
        Metric.model_validate(metric)


def test_results_go_to_the_user_and_leave_the_shipped_folder(run, shipped):
    before = {path.name: path.read_bytes() for path in shipped.iterdir()}
    assert run("evaluate", "digits-small", "--samples", 2)[0] == 0
    assert run("project", "digits-small")[0] == 0
    assert {path.name: path.read_bytes() for path in shipped.iterdir()} == before
    results = checkpoint.results_folder(checkpoint.load(shipped).hash)
    assert {path.name for path in results.iterdir()} == {
        checkpoint.METRICS,
        checkpoint.LIKELIHOOD,
        checkpoint.ATLAS,
    }
    (entry,) = json.loads(run("list", "--json")[1])
    assert entry["metrics"]["log_likelihood"]["samples"] == 2


def test_only_the_parts_that_are_asked_for_are_measured(run, shipped):
    words = ("evaluate", "digits-small", "--json", "--limit", 30, "--samples", 2)
    both = run(*words, "--part", "smoothness", "--part", "units")[1]
    assert set(json.loads(both)["metrics"]) == {
        "active_units",
        "active_units_absolute",
        "smoothness",
    }
    code, out, _ = run(*words, "--part", "units")
    assert code == 0
    assert set(json.loads(out)["metrics"]) == {"active_units", "active_units_absolute"}
    assert list((shipped.parent.parent / "user").iterdir()) == []


def test_a_part_goes_to_the_user_beside_what_was_known(run, shipped):
    assert run("evaluate", "digits-small", "--part", "units")[0] == 0
    (entry,) = json.loads(run("list", "--json")[1])
    assert entry["metrics"]["log_likelihood"]["samples"] == 500
    assert entry["metrics"]["active_units"]["n"] == 250
    assert set(checkpoint.read_metrics(shipped)) == {"log_likelihood"}


def test_an_unknown_part_is_named_with_those_there_are(run, shipped):
    code, out, err = run("evaluate", "digits-small", "--part", "units", "--part", "beauty")
    assert code == 2
    assert "Traceback" not in out + err
    words = " ".join(err.replace("│", " ").split())
    assert "beauty is none of likelihood, units, fidelity" in words
    assert not checkpoint.results_folder(checkpoint.load(shipped).hash).exists()


def test_a_stopped_evaluation_is_gone_on_with(run, shipped, monkeypatch):
    from explorer import publishing
    from explorer.metrics import measures

    monkeypatch.setattr(publishing, "KEEP_EVERY_SECONDS", -1.0)
    words = ("evaluate", "digits-small", "--samples", 2, "--part", "likelihood", "--json")
    sample, kept = measures.importance_sampling, []

    def stop(*arguments, keep, **options):
        def once(found):
            keep(found)
            raise KeyboardInterrupt

        return sample(*arguments, keep=once, **options)

    def watch(*arguments, known, **options):
        kept.append(None if known is None else len(known.elbo))
        return sample(*arguments, known=known, **options)

    monkeypatch.setattr(measures, "importance_sampling", stop)
    assert run(*words)[0] not in (0, 2)
    folder = checkpoint.results_folder(checkpoint.load(shipped).hash)
    assert [path.name for path in folder.iterdir()] == [publishing.PARTIAL]
    monkeypatch.setattr(measures, "importance_sampling", watch)
    again = run(*words)[1]
    assert run(*words)[1] == again
    assert kept == [64, None]
    assert not (folder / publishing.PARTIAL).exists()


# features


def test_a_network_for_features_is_trained_and_kept(run, shipped, tmp_path, monkeypatch):
    from explorer.metrics import features

    train = features.train_features
    monkeypatch.setattr(features, "train_features", lambda data: train(data, steps=5))
    code, out, err = run("features", "digits-small")
    assert code == 0, err
    path = tmp_path / "user" / "checkpoints" / features.FOLDER / "digits.safetensors"
    assert path.is_file()
    known = features.load_features("digits", (1, 8, 8), 10)
    assert f"{path}; classifier accuracy: {100 * known.accuracy:.1f} %" in out
    assert [entry["slug"] for entry in json.loads(run("list", "--json")[1])] == ["digits-small"]
    assert run("features", "digits-small", "--ship")[0] == 0
    assert (shipped.parent / features.FOLDER / "digits.safetensors").is_file()


def test_data_without_classes_have_no_features(run, tmp_path):
    import numpy as np

    np.save(tmp_path / "data" / "x.npy", np.random.default_rng(0).random((60, 8, 8), np.float32))
    facts = recipe().model_dump(mode="json")
    config = RunConfig.model_validate(facts | {"data": {"kind": "files", "path": "x.npy"}})
    checkpoint.save(*config.build(), config, tmp_path / "shipped" / "own")
    result = run("features", "own", "--data", tmp_path / "data")
    assert_one_sentence(*result)
    assert "classes" in result[2]


@pytest.fixture
def shipped_model(monkeypatch):
    monkeypatch.delenv("LATENT_EXPLORER_CHECKPOINTS")
    folder = settings.beside("checkpoints") / CARD_MODEL
    if not (folder / checkpoint.METRICS).is_file():
        pytest.skip(f"{folder} is not there or not measured")
    return checkpoint.load(folder)


def test_a_part_of_the_test_split_agrees_with_the_card(run, shipped_model):
    words = ("evaluate", CARD_MODEL, "--json", "--limit", 60, "--samples", 100)
    code, out, _ = run(*words, "--device", "cpu")
    assert code == 0
    found, card = json.loads(out)["metrics"], shipped_model.metrics
    for name in ("log_likelihood", "elbo", "kl"):
        assert abs(found[name]["value"] - card[name].value) < 4 * found[name]["se"], name


def test_the_card_can_be_measured_again(run, shipped_model):
    code, out, _ = run("evaluate", CARD_MODEL, "--json", "--device", "cpu")
    assert code == 0
    found = json.loads(out)["metrics"]
    assert found.keys() >= shipped_model.metrics.keys()
    for name, metric in shipped_model.metrics.items():
        error = max(metric.se or 0, 1e-6)
        assert abs(found[name]["value"] - metric.value) <= error, name
        assert found[name]["n"] == metric.n


# doctor


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
