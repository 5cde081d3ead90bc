"""One rule for the names of models, held from training to links."""

import json
import shutil
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from explorer import checkpoint, settings, slugs
from explorer.errors import SlugError
from tests.support.engines import PIXELS, engine_of

GOOD = [
    "a",
    "7",
    "digits-vae-vamp-k16-2",
    "Faces",
    "v1.2_b",
    "console",
    "nul-x",
    "com10",
    "x" * 80,
]
BAD = {
    "": "is empty",
    "my faces": "has other characters",
    "Größe": "has other characters",
    "顔": "has other characters",
    "a/b": "has other characters",
    "a\n": "has other characters",
    "[red]x": "has other characters",
    "\udcff": "has other characters",
    "_x": "starts with a mark",
    ".x": "starts with a mark",
    "-x": "starts with a mark",
    "a.": "ends with a dot",
    "x" * 81: "has 81 characters, of which 80 are allowed",
    "con": "a device on Windows",
    "NUL": "a device on Windows",
    "LPT1.faces": "a device on Windows",
}
SLUG = TypeAdapter(slugs.Slug)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_name_is_its_own_suggestion(name):
    assert slugs.is_slug(name)
    assert SLUG.validate_python(name) == slugs.suggest(name) == name


@pytest.mark.parametrize("name", BAD, ids=repr)
def test_a_name_that_will_not_do_is_refused_with_the_reason_and_a_good_one(name):
    assert not slugs.is_slug(name)
    assert BAD[name] in slugs.why_not(name)
    assert slugs.is_slug(slugs.suggest(name))
    with pytest.raises(ValidationError):
        SLUG.validate_python(name)


def test_a_suggestion_is_close_to_the_name_and_free():
    assert slugs.suggest("my faces") == "my-faces"
    assert slugs.suggest("Größe (2)") == "Grosse-2"
    assert slugs.suggest("my faces", ["my-faces", "My-Faces-2"]) == "my-faces-3"
    longest = slugs.suggest("x" * 300, ["x" * 80])
    assert longest.endswith("-2")
    assert slugs.is_slug(longest)


def test_every_shipped_name_obeys_the_rule():
    names = [entry.slug for entry in checkpoint.catalogue(settings.beside("checkpoints"))]
    assert names
    assert all(slugs.is_slug(name) for name in names)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of checkpoints, and the way to put a model into it under any name."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(folder))
    source = engine_of(PIXELS).checkpoint

    def put(name, place=folder):
        return checkpoint.save(source.model, source.prior, source.config, place / name)

    return put


@pytest.mark.parametrize("name", [name for name in BAD if name and "/" not in name], ids=repr)
def test_a_folder_that_breaks_the_rule_is_listed_with_the_remedy(name, shelf):
    shelf(name)
    (entry,) = checkpoint.catalogue()
    assert not entry.healthy
    assert BAD[name] in entry.reason
    assert f"rename the folder to {slugs.suggest(name)}." in entry.reason
    json.dumps(entry.as_json()).encode()
    entry.slug.encode()
    entry.folder.rename(entry.folder.with_name(slugs.suggest(name)))
    (entry,) = checkpoint.catalogue()
    assert entry.healthy, entry.reason


def test_a_hidden_folder_without_a_recipe_is_no_model(shelf):
    (shelf("good").parent / "_features").mkdir()
    (settings.current().checkpoints / ".git").mkdir()
    assert [entry.slug for entry in checkpoint.catalogue()] == ["good"]


def test_a_model_hidden_by_a_shipped_one_is_listed_with_the_remedy(shelf):
    shelf("good")
    own = settings.current().user / "checkpoints"
    shelf("good", own)
    first, second = checkpoint.catalogue()
    assert first.healthy
    assert (second.slug, second.healthy, second.folder) == ("good", False, own / "good")
    assert "rename the folder to good-2." in second.reason
    assert checkpoint.load("good").folder == first.folder


def test_one_folder_given_twice_is_listed_once(shelf, monkeypatch):
    own = settings.current().user / "checkpoints"
    shelf("good", own)
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(own))
    assert [entry.healthy for entry in checkpoint.catalogue()] == [True]


def test_a_folder_opened_by_a_relative_path_has_its_own_name(shelf, monkeypatch):
    monkeypatch.chdir(shelf("good"))
    assert checkpoint.load(Path()).slug == "good"


def test_a_required_name_is_checked_before_anything_is_written(tmp_path):
    slugs.require(tmp_path / "good")
    with pytest.raises(SlugError, match=r"“my faces” .*--out .*my-faces"):
        slugs.require(tmp_path / "my faces")
    with pytest.raises(SlugError, match=r"ships; .*good-2"):
        slugs.require(tmp_path / "good", ["good"])
    assert not list(tmp_path.iterdir())


def test_a_copy_beside_a_bad_name_is_not_suggested(shelf):
    shutil.copytree(shelf("my faces"), settings.current().checkpoints / "my-faces")
    reasons = [entry.reason for entry in checkpoint.catalogue() if not entry.healthy]
    assert ["rename the folder to my-faces-2." in reason for reason in reasons] == [True]
