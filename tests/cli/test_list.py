"""`latent-explorer list` lists every checkpoint, whatever its name."""

import json
import shutil

import pytest

from explorer import checkpoint, listing
from tests.support.cli import assert_one_sentence

pytestmark = pytest.mark.usefixtures("bare_house")

FIELDS = {
    "slug", "healthy", "reason", "data", "model", "prior", "latent", "hash", "metrics",
    "results_only",
}  # fmt: skip


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


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 120, 200, None])
def test_a_name_is_whole_in_a_terminal_of_any_width(width, shipped):
    for name in ("digits-hvae-vamp-weighted-small-of-the-second-run-k500-16", "x" * 80):
        shutil.copytree(shipped, shipped.parent / name)
    (shipped.parent / "my faces").mkdir()
    entries = checkpoint.catalogue()
    head, *rows, broken = [line.text for line in listing.lines(entries, width)]
    assert [row.split()[0] for row in rows] == [entry.slug for entry in entries if entry.healthy]
    assert broken.startswith("my faces  broken: ")
    wide = max(len(entry.slug) for entry in entries)
    assert width is None or all(len(row) <= max(width, wide) for row in rows)
    assert ("latent" in head) == (width is None or width >= 200)


def test_a_wide_terminal_shows_every_column_and_a_narrow_one_the_likelihood_first(shipped):
    entries = checkpoint.catalogue()
    assert listing.lines(entries, 120) == listing.lines(entries)
    assert listing.lines(entries)[0].text.split() == [
        "checkpoint",
        "data",
        "model",
        "prior",
        "latent",
        "log",
        "p(x),",
        "nats",
        "S",
    ]
    narrow = [line.text for line in listing.lines(entries, 30)]
    assert narrow == ["checkpoint    log p(x), nats", "digits-small  -20.00 ± 0.10"]
