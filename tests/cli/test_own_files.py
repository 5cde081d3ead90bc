"""`latent-explorer train` on one's own files: what it says, where it looks, what it leaves out."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from explorer.checkpoint import CONFIG, WEIGHTS, load
from tests.support.cli import assert_one_sentence, file
from tests.support.own_files import draw, recipe

pytestmark = pytest.mark.usefixtures("bare_house")
QUICK = ("--samples", 2, "--device", "cpu", "--threads", 1)


@pytest.fixture
def project(tmp_path):
    """A folder with pictures and the recipe beside them."""
    folder = tmp_path / "project"
    draw(folder / "pics", 40)
    file(folder / "mine.json", recipe("pics").model_dump_json(exclude_unset=True))
    return folder


@pytest.mark.slow
def test_pictures_are_sought_beside_the_recipe_and_no_place_is_kept(run, project, tmp_path):
    spare = tmp_path / "data" / "pics"
    draw(spare, 40, first=50)  # the data directory comes second
    code, out, err = run("train", project / "mine.json", *QUICK)
    assert code == 0, err
    assert f"`--data {project}`" in out
    assert "photographs" in out
    made = tmp_path / "user" / "checkpoints" / "mine"
    assert str(tmp_path) not in (made / CONFIG).read_text()
    data = load(made).config.data
    assert (data.path, data.light, data.invert, data.white) == ("pics", True, False, 255)
    assert "Values from 0 (black) to 255 (white); grey is light." in (made / "card.md").read_text()
    found = run("evaluate", "mine", "--samples", 2, "--part", "likelihood", "--data", project)
    assert (found[0], found[2]) == (0, "")
    shutil.rmtree(spare)
    result = run("evaluate", "mine", "--samples", 2, "--part", "likelihood")
    assert_one_sentence(*result)
    assert "with --data" in result[2]


def test_a_recipe_with_its_pictures_elsewhere_names_the_option(run, project):
    shutil.rmtree(project / "pics")
    result = run("train", project / "mine.json", *QUICK)
    assert_one_sentence(*result)
    assert f"pics is not in {project} or" in result[2]
    assert "--data" in result[2]


@pytest.mark.slow
def test_broken_files_are_skipped_on_request_and_for_good(run, project, tmp_path):
    for row in (7, 8):
        (project / "pics" / f"{row:03}.png").write_bytes(b"?")
    result = run("train", project / "mine.json", *QUICK)
    assert_one_sentence(*result)
    assert "007.png, 008.png" in result[2]
    assert "--skip-broken" in result[2]
    code, out, err = run("train", project / "mine.json", "--skip-broken", *QUICK)
    assert code == 0, err
    assert "Went on without 2 broken files (007.png, 008.png)" in out
    opened = load(tmp_path / "user" / "checkpoints" / "mine")
    assert opened.changes(opened.config.data.load(project)) == ""


def test_only_ones_own_files_can_be_skipped(run, tmp_path):
    other = {"data": {"kind": "digits"}, "model": {"kind": "vae", "latent": 2},
             "prior": {"kind": "standard"}}  # fmt: skip
    result = run("train", file(tmp_path / "r.json", json.dumps(other)), "--skip-broken")
    assert_one_sentence(*result)
    assert "your own files" in result[2]


def test_brackets_in_a_path_are_shown_as_they_are(run, project):
    bold = project / "pics [bold] run[" / "b]"
    bold.parent.mkdir()
    (project / "pics").rename(bold)
    (bold / "000.png").write_bytes(b"?")
    path = str(bold.relative_to(project))
    file(project / "mine.json", recipe(path).model_dump_json(exclude_unset=True))
    result = run("train", project / "mine.json")
    assert_one_sentence(*result)
    assert str(bold / "000.png") in result[2]


def test_a_dry_run_says_on_the_side_what_was_guessed(run, project):
    page = Image.new("L", (8, 8), 255)
    for row in range(40):
        page.putpixel((3, 3), row)
        page.save(project / "pics" / f"{row:03}.png")
    code, out, err = run("train", project / "mine.json", "--dry-run")
    assert code == 0
    assert json.loads(out)["data"]["invert"] is True
    assert "inverted" in err


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xvae", "xvae-mixture"])
def test_equal_pictures_end_in_a_sentence_or_in_a_model(run, kind, tmp_path):
    np.save(
        tmp_path / "same.npy", np.repeat(np.arange(64, dtype=np.uint8).reshape(1, 8, 8), 40, 0)
    )
    data = {"kind": "files", "path": "same.npy", "white": 63}
    small = {"latent": 2, "hidden": [8]}
    source = {"data": data, "model": {"kind": "ae"} | small, "training": {"epochs": 1}}
    code, out, err = run("train", file(tmp_path / "source.json", json.dumps(source)), *QUICK)
    assert code == 0, err
    assert "All samples are equal" in out
    own = {"data": data, "model": {"kind": "vae"} | small, "training": {"epochs": 1}}
    given = own | {"prior": {"kind": kind, "source": "source"}}
    result = run("train", file(tmp_path / "given.json", json.dumps(given)), *QUICK)
    assert_one_sentence(result[0], "", result[2])
    assert "are all alike" in result[2]
    plain = own | {"prior": {"kind": "standard"}}
    code, out, err = run("train", file(tmp_path / "plain.json", json.dumps(plain)), *QUICK)
    assert code == 0, err


def test_weights_that_are_a_pointer_are_recognised(run, shipped):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (shipped / WEIGHTS).write_text(pointer)
    result = run("evaluate", shipped.name)
    assert_one_sentence(*result)
    assert "is a Git LFS pointer" in result[2]
    assert "git lfs pull" in result[2]
