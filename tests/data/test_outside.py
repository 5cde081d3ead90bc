"""A page follows no absolute path of a recipe that was never named on the command line."""

import numpy as np
import pytest

from explorer import checkpoint, jobs, settings
from explorer.config import read_recipe
from explorer.data import FilesConfig, outside
from explorer.data.named import load_named, load_shown
from explorer.errors import DataMissingError
from explorer.ui import cache
from tests.support.models import small_checkpoint


@pytest.fixture
def private(tmp_path):
    """Pictures of somebody, far from the app's folders."""
    path = tmp_path / "private" / "x.npz"
    path.parent.mkdir()
    np.savez(path, x=np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8))
    return FilesConfig(path=str(path))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_a_page_does_not_open_what_a_recipe_points_to(private, root, monkeypatch):
    with pytest.raises(DataMissingError, match="never named on the command line"):
        load_shown(private, root)
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(root))
    assert cache.data_set(private) is None


def test_what_a_person_has_named_is_followed(private, root, tmp_path):
    load_named(private, root)
    assert len(load_shown(private, root).train) == 33
    other = FilesConfig(path=str(tmp_path / "private" / "y.npz"))
    with pytest.raises(DataMissingError, match="never named"):
        load_shown(other, root)


def test_what_lies_in_the_data_directory_is_followed_but_no_way_out_of_it(private, root):
    inside = root / "x.npz"
    inside.write_bytes((root.parent / "private" / "x.npz").read_bytes())
    assert len(load_shown(FilesConfig(path=str(inside)), root).train) == 33
    for path in (root / ".." / "private" / "x.npz", root / "link.npz", root / "circle"):
        if path.name == "link.npz":
            path.symlink_to(private.path)
        if path.name == "circle":
            path.symlink_to(path)
        with pytest.raises(DataMissingError, match="outside the data directory"):
            load_shown(FilesConfig(path=str(path)), root)


def test_a_job_of_a_page_does_not_either(private, tmp_path, monkeypatch):
    opened = small_checkpoint("standard")
    recipe = opened.config.model_copy(update={"data": private})
    folder = checkpoint.save(opened.model, opened.prior, recipe, tmp_path / "shelf" / "planted")
    digest = checkpoint.content_hash(folder)
    work = tmp_path / "job"
    work.mkdir()
    order = jobs.Order(kind="evaluate", checkpoint=str(folder), hash=digest)
    (work / "job.json").write_text(order.model_dump_json())
    jobs._do(work)
    assert "never named on the command line" in (work / "log.jsonl").read_text().splitlines()[-1]
    assert read_recipe(folder / "config.json").data.path == private.path


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, null]", b"\xff", b"[" * 100_000])
def test_a_damaged_memory_is_as_good_as_none(private, root, content):
    place = settings.current().user / outside.NAMED
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    with pytest.raises(DataMissingError):
        load_shown(private, root)
    load_named(private, root)
    assert len(load_shown(private, root).train) == 33
