"""`latent-explorer evaluate`, `project` and `features` store their results where they should."""

import json

import pytest

from explorer import checkpoint, settings
from explorer.checkpoint import Metric
from explorer.config import RunConfig
from explorer.metrics.matching import NAMES as ON_REQUEST
from tests.support.cli import assert_one_sentence, recipe

pytestmark = pytest.mark.usefixtures("bare_house")

CARD_MODEL = "digits-vae-vamp-16"


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
        checkpoint.REFERENCE,
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
    assert "unknown part “beauty”; choose from likelihood, units, fidelity" in words
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


def test_a_random_part_of_the_test_split_is_shipped_and_extended(run, shipped):
    words = ("evaluate", "digits-small", "--samples", 2, "--part", "likelihood", "--ship")

    def rows(limit):
        assert run(*words, "--limit", limit)[0] == 0
        arrays = checkpoint.read_arrays(shipped / checkpoint.LIKELIHOOD)
        metric = checkpoint.read_metrics(shipped)["log_likelihood"]
        assert metric.n == limit
        assert arrays["log_likelihood"].mean() == pytest.approx(metric.value, rel=1e-5)
        assert f"| {limit} | 2 |" in (shipped / checkpoint.CARD).read_text()
        return arrays["rows"].tolist()

    few, more = rows(20), rows(60)
    assert few == sorted(set(few))
    assert max(few) > 125, "the first rows are not a random part: test files may be ordered"
    assert set(few) < set(more)


@pytest.mark.parametrize("limit", [100, None])
def test_a_stopped_evaluation_of_a_part_goes_on_with_its_own_samples(
    run, shipped, monkeypatch, limit
):
    """One block of a limited run is no part of an unlimited one, and vice versa."""
    from explorer import publishing
    from explorer.metrics import measures

    monkeypatch.setattr(publishing, "KEEP_EVERY_SECONDS", -1.0)
    sample, known_rows = measures.importance_sampling, []

    def watch(*arguments, known, keep, **options):
        known_rows.append(None if known is None else len(known.elbo))

        def once(part):
            keep(part)
            if len(known_rows) == 1:
                raise KeyboardInterrupt

        return sample(*arguments, known=known, keep=once, **options)

    monkeypatch.setattr(measures, "importance_sampling", watch)
    words = ["evaluate", "digits-small", "--samples", 2, "--part", "likelihood", "--ship"]
    own = [] if limit is None else ["--limit", limit]
    other = ["--limit", 150] if limit is None else []
    assert run(*words, *own)[0] not in (0, 2)
    kept = (shipped / publishing.PARTIAL).read_bytes()
    known_rows.append("other")
    assert run(*words, *other)[0] == 0
    (shipped / publishing.PARTIAL).write_bytes(kept)
    assert run(*words, *own)[0] == 0
    assert known_rows == [None, "other", None, 64]


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
    assert "class labels" in result[2]


@pytest.fixture
def shipped_model(monkeypatch):
    monkeypatch.delenv("LATENT_EXPLORER_CHECKPOINTS")
    folder = settings.beside("checkpoints") / CARD_MODEL
    if not (folder / checkpoint.METRICS).is_file():
        pytest.skip(f"{folder} is not there or not measured")
    return checkpoint.load(folder)


@pytest.mark.slow
def test_a_part_of_the_test_split_agrees_with_the_card(run, shipped_model):
    words = ("evaluate", CARD_MODEL, "--json", "--limit", 60, "--samples", 100)
    code, out, _ = run(*words, "--device", "cpu")
    assert code == 0
    found, card = json.loads(out)["metrics"], shipped_model.metrics
    for name in ("log_likelihood", "elbo", "kl"):
        assert abs(found[name]["value"] - card[name].value) < 4 * found[name]["se"], name


@pytest.mark.slow
def test_the_card_can_be_measured_again(run, shipped_model):
    code, out, _ = run("evaluate", CARD_MODEL, "--json", "--device", "cpu")
    assert code == 0
    found = json.loads(out)["metrics"]
    usual = {k: v for k, v in shipped_model.metrics.items() if not k.startswith(ON_REQUEST)}
    assert found.keys() >= usual.keys()
    for name, metric in usual.items():
        error = max(metric.se or 0, 1e-6)
        assert abs(found[name]["value"] - metric.value) <= error, name
        assert found[name]["n"] == metric.n
