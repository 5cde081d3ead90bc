"""Pictures that come in: what is unpacked and what is refused, and how they are read."""

import io
import json
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image

from explorer import incoming, settings
from explorer.errors import DataError
from tests.support.cli import apart as run


def picture(colour=(200, 30, 60), size=(20, 20), kind="PNG"):
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, kind)
    return stream.getvalue()


def archive(entries):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, content in entries.items():
            opened.writestr(name, content)
    return stream.getvalue()


def many(n=40, **options):
    found = {}
    for k in range(n):
        kind = "warm" if k % 2 else "cold"
        colour = (200 + k, 30, 60) if k % 2 else (30, 60, 200 + k)
        found[f"mine/{kind}/{k}.png"] = picture(colour, **options)
    return found


def written():
    place = incoming.place()
    return sorted(
        item.relative_to(place).as_posix() for item in place.rglob("*") if item.is_file()
    )


def test_an_archive_becomes_a_set_that_a_model_can_see(tmp_path):
    slug = incoming.unpack(archive(many() | {"mine/readme.txt": "words"}), "My pictures.zip")
    assert slug == "My-pictures"
    assert len(written()) == 40
    found = incoming.look(f"pictures/{slug}/files", tmp_path)
    assert found.config.channels == 3
    assert found.data.sketch.shape == (3, 20, 20)
    assert sum(found.counts.values()) == 40
    assert set(found.classes) == {"warm", "cold"}
    assert found.forty.shape == (min(40, found.counts["train"]), 3, 20, 20)
    assert incoming.lines(found)[0].startswith("40 pictures of 20 × 20: ")
    assert found.config.words == "Own files: My-pictures"
    incoming.keep(slug, found.config)
    assert json.loads((incoming.place() / slug / incoming.DATA).read_text())["white"] == 255
    assert incoming.unpack(archive(many()), "My pictures.zip") == "My-pictures-2"


def test_grey_pictures_of_many_sizes_get_a_usual_size(tmp_path):
    entries = {}
    for k in range(40):
        entries[f"{k}.png"] = picture((5 * k, 5 * k, 5 * k), (90 + k, 100))
    slug = incoming.unpack(archive(entries), "grey.zip")
    found = incoming.look(f"pictures/{slug}/files", tmp_path)
    assert found.data.sketch.shape == (1, 32, 32)
    other = incoming.look(f"pictures/{slug}/files", tmp_path, height=16, width=16, channels=1)
    assert other.data.sketch.shape == (1, 16, 16)


def link(name="a.png"):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


HOSTILE = {
    "leads up": {"../../evil.png": picture()},
    "leads up within": {"a/../../evil.png": picture()},
    "is absolute": {"/tmp/evil.png": picture()},
    "is of another drive": {"C:\\evil.png": picture()},
    "leads up on Windows": {"..\\evil.png": picture()},
    "is too deep": {"/".join("abcdefghij") + ".png": picture()},
    "holds no pictures": {"a.txt": "words", "b.exe": "MZ", ".hidden.png": picture()},
}


@pytest.mark.parametrize("entries", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_writes_nothing(entries):
    with pytest.raises(DataError, match=r"^[^\n]+\.$"):
        incoming.unpack(archive(entries), "evil.zip")
    assert not incoming.place().exists() or written() == []


def test_links_bombs_and_torn_archives_are_refused(monkeypatch):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        opened.writestr(link(), "/etc/passwd")
    whole = archive(many())
    monkeypatch.setattr(incoming, "MOST_BYTES", 1000)
    for content in (stream.getvalue(), b"", b"PK", whole[:-30], whole):
        with pytest.raises(DataError, match=r"^[^\n]+\.$"):
            incoming.unpack(content, "evil.zip")
    assert not incoming.place().exists() or written() == []


def test_a_size_that_lies_is_found_out(monkeypatch):
    monkeypatch.setattr(incoming, "MOST_PICTURE", 50)
    with pytest.raises(DataError, match="over 50 MB"):
        incoming.unpack(archive(many()), "lies.zip")
    assert written() == []


def test_names_of_the_archive_are_no_paths(tmp_path):
    for name in (
        "../../x.zip",
        "/etc/passwd",
        "",
        ".zip",
        "CON.zip",
        "a" * 300 + ".zip",
        "ä\x00.zip",
    ):
        slug = incoming.unpack(archive(many(n=2)), name)
        assert (incoming.place() / slug / "files").is_dir()
    assert all(item.parent == incoming.place() for item in incoming.place().iterdir())


def test_folders_below_the_data_directory_are_offered_and_no_others(tmp_path):
    root = tmp_path / "data"
    (root / "cats" / "tabby").mkdir(parents=True)
    (root / "cats" / "tabby" / "a.png").write_bytes(picture())
    (root / "words").mkdir()
    (root / "words" / "a.txt").write_text("a")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.png").write_bytes(picture())
    (root / "out").symlink_to(outside)
    assert incoming.folders(root) == ["cats/tabby"]
    with pytest.raises(DataError):
        incoming.look("out", root)
    with pytest.raises(DataError):
        incoming.look("../outside", root)


def test_the_command_looks_and_writes_a_recipe_that_trains(tmp_path):
    folder = tmp_path / "own"
    for name, content in many(60).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    recipe = tmp_path / "own.json"
    done = run("data", str(folder), "--time", "minute", "--latent", "2", "--recipe", str(recipe))
    assert done.returncode == 0, done.stderr
    assert "60 pictures of 20 × 20" in done.stdout + done.stderr
    found = json.loads(recipe.read_text())
    assert found["model"]["likelihood"] == "logistic"
    assert found["training"]["epochs"] >= 1
    assert run("train", str(recipe), "--dry-run").returncode == 0
    assert run("data", str(tmp_path / "nothing")).returncode == 2
    assert settings.current().user.name == "user"
    assert np.isfinite(found["prior"]["mean"])
