"""Codes of one's own files name the file of each, and files that are gone are named."""

import shutil

import numpy as np
import pytest

from explorer import checkpoint, exports, publishing
from explorer.inference import Engine
from explorer.projection import Split
from explorer.ui import cache
from explorer.ui.address.places import select
from explorer.ui.cache import engines
from explorer.ui.cache.atlases import holes_of
from explorer.ui.latent_map.selection import _identities
from explorer.ui.panels.pictures import MOST_NAMED, pictures_of
from tests.support.api import ask
from tests.support.own_files import as_before, draw, recipe, trained
from tests.support.pages import open_page, told


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    draw(root / "pictures", 60)
    trained(recipe("pictures"), root, root / "shelf" / "mine")
    return root


@pytest.fixture
def root(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "own")
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(tmp_path / "own"))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(tmp_path / "own" / "shelf"))
    return tmp_path / "own"


def opened():
    return Engine(checkpoint.load("mine"), "cpu")


def rows_of(atlas, *names):
    return np.array([int(np.flatnonzero(atlas.names == name)[0]) for name in names])


@pytest.mark.usefixtures("root")
def test_codes_taken_home_name_the_file_of_each():
    engine = opened()
    atlas = cache.atlas(engine)
    chosen = select(engine, atlas, "data:0;add:3,5", holes_of(engine, ""))
    columns = _identities(atlas, chosen, engine)
    assert columns["name"].tolist() == atlas.names[[0, 3, 5]].tolist()
    assert "source_row" not in columns
    lines = exports.table(columns, chosen.z).decode().splitlines()
    assert all(name in line for name, line in zip(columns["name"], lines[1:], strict=True))
    assert b"name.npy" in exports.arrays(columns, chosen.z)


def test_a_card_names_its_file_and_says_when_it_is_gone(root):
    atlas = cache.atlas(opened())
    row = int(rows_of(atlas, "011.png")[0])
    engine = opened()
    address = f"/api/card/mine/{engine.checkpoint.hash}/data/{row}"
    facts = ask(address).json
    assert ["Name", "011.png"] in facts["rows"]
    assert [words for words, _ in facts["pictures"]] == ["original", "decoded"]
    (root / "pictures" / "011.png").unlink()
    engines._data.clear()
    facts = ask(address).json
    assert ["Original", "no longer in the data set"] in facts["rows"]
    assert [words for words, _ in facts["pictures"]] == ["decoded"]


def test_missing_originals_are_named_one_by_one(root):
    engine = opened()
    atlas = cache.atlas(engine)
    names = [f"{number:03}.png" for number in range(60)]
    known = [name for name in names if name in atlas.names]
    rows = rows_of(atlas, *known[: MOST_NAMED + 4])
    for name in known[1 : MOST_NAMED + 3]:
        (root / "pictures" / name).unlink()
    draw(root / "pictures", 12, first=300)
    engines._data.clear()
    strip, words, _ = pictures_of(engine, rows)
    assert f"{known[1]}, {known[2]}" in words
    assert "and 2 more" in words
    assert known[0] not in words
    data = cache.originals(engine)
    split = data.split(Split(atlas.split[rows[0]]).label)
    np.testing.assert_array_equal(
        strip.samples[0, 0], split.x[split.find(int(atlas.ids[rows[0]]))]
    )


def test_a_model_of_before_checks_originals_by_their_codes(root):
    as_before(root / "shelf" / "mine")
    model = checkpoint.load("mine")
    publishing.project(model, model.config.data.load(root), model.folder)
    engine = opened()
    atlas = cache.atlas(engine)
    found = [cache.original(engine, row) for row in range(len(atlas.ids))]
    assert all(x is not None for x in found)
    draw(root / "pictures", 1, first=300)
    (root / "pictures" / "300.png").rename(root / "pictures" / "000a.png")
    engines._data.clear()
    for row in range(len(atlas.ids)):
        now = cache.original(engine, row)
        assert now is None or np.abs(engine.encode(now).loc[0] - atlas.codes[row]).max() < 0.05
    assert "matched by position" in pictures_of(engine, np.arange(3))[1]


@pytest.mark.usefixtures("root")
def test_pages_open_on_own_files():
    for page in ("latent_map", "reconstruct", "evaluate"):
        app = open_page(page, model="mine", pick="data:3")
        assert not app.exception
        assert not app.error
    app = open_page("reconstruct", model="mine", source="test", index=1)
    assert ".png" in told(app)


def test_a_pseudo_likelihood_is_not_called_log_p_of_x(root):
    as_before(root / "shelf" / "mine")
    model = checkpoint.load("mine")
    publishing.project(model, model.config.data.load(root), model.folder)
    app = open_page("reconstruct", model="mine", source="test", index=0)
    assert not app.exception
    assert "is a pseudo-likelihood" in told(app)
    page = " ".join(item.value for item in (*app.markdown, *app.get("html")))
    assert "log p(x)<" not in page
    app = open_page("catalogue", model="mine")
    assert not app.exception
