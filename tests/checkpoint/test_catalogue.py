"""The catalogue lists the healthy and the broken, each by its slug."""

import pytest

from explorer import checkpoint
from explorer.checkpoint import CONFIG, METRICS, WEIGHTS, catalogue, load
from explorer.errors import CheckpointError, UnknownCheckpointError
from tests.support.checkpoints import LONGEST_REASON, metric, recipe, write_checkpoint


def test_the_catalogue_lists_healthy_and_broken(shipped, tmp_path):
    write_checkpoint(shipped / "b-healthy")
    (shipped / "a-empty").mkdir()
    (shipped / ".hidden").mkdir()
    (shipped / "README.md").write_text("no checkpoint")
    write_checkpoint(tmp_path / "user" / "checkpoints" / "mine", recipe(prior={"kind": "mog"}))
    entries = {entry.slug: entry for entry in catalogue()}
    assert list(entries) == ["a-empty", "b-healthy", "mine"]
    assert not entries["a-empty"].healthy
    assert (entries["b-healthy"].healthy, entries["b-healthy"].reason) == (True, "")
    facts = ("digits", "vae", "mog", 2)
    mine = entries["mine"]
    assert (mine.data, mine.model, mine.prior, mine.latent) == facts
    assert mine.hash == mine.open().hash
    with pytest.raises(CheckpointError, match=r"config\.json"):
        entries["a-empty"].open()


@pytest.fixture
def results_only(shipped):
    """A folder with a recipe and numbers, whose weights were taken away."""
    write_checkpoint(shipped / "numbers", recipe(prior={"kind": "mog"}))
    checkpoint.write_metrics(shipped / "numbers", {"elbo": metric(-3, se=0.5)})
    (shipped / "numbers" / WEIGHTS).unlink()
    return shipped / "numbers"


def test_a_folder_without_weights_is_listed_for_its_numbers(results_only):
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only) == (False, True)
    facts = (entry.slug, entry.data, entry.model, entry.prior, entry.latent, entry.hash)
    assert facts == ("numbers", "digits", "vae", "mog", 2, "")
    assert entry.metrics == {"elbo": metric(-3, se=0.5)}
    assert entry.config == recipe(prior={"kind": "mog"})
    assert "weights" in entry.reason
    assert len(entry.reason.splitlines()) == 1
    said = entry.as_json()
    assert (said["healthy"], said["results_only"]) == (False, True)
    assert said["metrics"] == {"elbo": {"value": -3.0, "se": 0.5, "n": 10, "unit": "nats"}}
    for opening in (entry.open, lambda: load("numbers")):
        with pytest.raises(CheckpointError, match=WEIGHTS):
            opening()


def test_one_with_weights_is_not_results_only(shipped):
    write_checkpoint(shipped / "one")
    checkpoint.write_metrics(shipped / "one", {"elbo": metric(1)})
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only) == (True, False)
    assert entry.as_json()["results_only"] is False


@pytest.mark.parametrize("gone", [METRICS, CONFIG])
def test_without_weights_and_numbers_or_recipe_a_folder_is_broken(results_only, gone):
    (results_only / gone).unlink()
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only, entry.metrics) == (False, False, {})
    assert entry.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (METRICS, "["),
        (METRICS, '{"elbo": {"value": "high", "n": 1, "unit": "nats"}}'),
        (METRICS, '{"elbo": {"value": NaN, "n": 1, "unit": "nats"}}'),
        (CONFIG, "{}"),
        (CONFIG, "["),
    ],
)
def test_damaged_numbers_without_weights_are_broken_and_stop_no_other(
    results_only, shipped, name, content
):
    write_checkpoint(shipped / "sound")
    (results_only / name).write_text(content)
    numbers, sound = catalogue()
    assert (numbers.healthy, numbers.results_only) == (False, False)
    assert numbers.reason.startswith(name)
    assert sound.healthy


def test_empty_weights_are_broken_and_not_absent(results_only):
    (results_only / WEIGHTS).write_bytes(b"")
    (entry,) = catalogue()
    assert (entry.healthy, entry.results_only) == (False, False)


def test_folders_that_begin_with_a_line_are_no_checkpoints(shipped, tmp_path):
    write_checkpoint(shipped / "_features")
    (tmp_path / "user" / "checkpoints" / "_features").mkdir(parents=True)
    write_checkpoint(shipped / "a_b")
    assert [entry.slug for entry in catalogue()] == ["a_b"]


def test_a_shipped_checkpoint_hides_one_of_the_user_with_its_name(shipped, tmp_path):
    write_checkpoint(shipped / "one")
    write_checkpoint(tmp_path / "user" / "checkpoints" / "one", seed=1)
    healthy = [entry.folder.parent for entry in catalogue() if entry.healthy]
    assert healthy == [shipped]
    assert load("one").folder.parent == shipped


def test_a_folder_that_is_not_there_lists_nothing(tmp_path):
    assert catalogue(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "slug",
    [
        "",
        ".",
        "..",
        "/",
        "a/b",
        "../shipped/x",
        "one/..x",
        "absent",
        "\0",
        "one\n",
        "x" * 5000,
        "é",
    ],
    ids=lambda slug: ascii(slug[:20]),
)
def test_an_unknown_slug_is_said_to_be_unknown(shipped, slug):
    write_checkpoint(shipped / "one")
    with pytest.raises(UnknownCheckpointError) as caught:
        load(slug)
    assert len(str(caught.value)) < LONGEST_REASON
