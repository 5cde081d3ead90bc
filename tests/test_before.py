"""What was made before this version still opens: stores, directions, exports and links.

The files in `support/before` were written by the last version that kept directions in files of
their own and had one manifest format for strips and another for picks.
"""

import json
import shutil
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from explorer import exports, rebuilding, settings
from explorer.designs import archive
from explorer.designs.candidates import FILE, Store
from explorer.ui.address.hand import modern
from explorer.ui.address.views import PAGES, address_text

BEFORE = Path(__file__).parent / "support" / "before"
DIRECTIONS = "c2695369a449012d"
LINKS = json.loads((BEFORE / "links.json").read_text())


@pytest.fixture
def store(tmp_path):
    shutil.copy(BEFORE / FILE, tmp_path)
    shutil.copytree(BEFORE / "directions", tmp_path / "directions")
    opened = Store(tmp_path / FILE)
    yield opened
    opened.close()


def test_a_store_opens_with_every_pick_mark_and_number(store):
    picks = {pick.key: pick for pick in store.picks(1)}
    assert [item.name for item in store.projects()] == ["Shortlist", "Second"]
    assert len(picks) == 7
    assert [pick.key for pick in store.picks(1, removed=True)] == ["before-digits-3"]
    first = picks["before-airfoi-0"]
    assert (first.stars, first.verdict, first.notes) == (5, "keep", "thick, quiet")
    assert first.tags == ("thick", "first")
    assert picks["before-airfoi-1"].verdict == "reject"
    assert picks["before-airfoi-2"].treatment == "smoothed"
    assert picks["before-airfoi-2"].geometry == "smoothed"
    assert picks["before-airfoi-0"].geometry == "decoded"
    assert all(pick.source.scale == 0.7 and pick.source.seed == 3 for pick in picks.values())
    assert all(pick.properties for pick in picks.values())
    assert store.undo(1) is not None


def test_a_store_is_copied_before_it_is_changed(store):
    assert store.path.with_name(f"{FILE}.version-1").read_bytes()[:15] == b"SQLite format 3"


def test_directions_are_taken_over_once_and_their_files_stay(store):
    known = json.loads((BEFORE / "directions" / f"{DIRECTIONS}.json").read_text())
    found = store.directions(DIRECTIONS, 16)
    assert [item.model_dump(mode="json") for item in found] == known
    store.remove_direction(DIRECTIONS, 16, found[0].name)
    again = Store(store.path)
    assert [item.name for item in again.directions(DIRECTIONS, 16)] == [found[1].name]
    again.close()
    assert (store.path.parent / "directions" / f"{DIRECTIONS}.json").is_file()


@pytest.mark.parametrize("name", ["strip-drawn.json", "strip-codes.json"])
def test_a_strip_is_rebuilt(name, tmp_path):
    facts = exports.read_manifest(BEFORE / name)
    assert facts.model.checkpoint == "digits-vae-vamp-16"
    assert facts.frame == (1 if "drawn" in name else 0)
    (part,) = rebuilding.rebuild(BEFORE / name, tmp_path, "cpu")
    assert part.close
    assert (tmp_path / name.replace(".json", "-sprite.png")).is_file()


@pytest.mark.parametrize("name", ["candidates.zip", "candidates-manifest.json"])
def test_candidates_are_read_and_rebuilt(name, tmp_path):
    found = archive.read((BEFORE / name).read_bytes(), name)
    assert (found.project, len(found.picks), found.broken) == ("Shortlist", 7, ())
    entries = {item.entry.key: item.entry for item in found.picks}
    assert entries["before-airfoi-0"].tags == ("thick", "first")
    assert {item.source.model.data for item in found.picks} == {"airfoils", "digits"}
    parts = list(rebuilding.rebuild(BEFORE / name, tmp_path, "cpu"))
    assert len(parts) == 7
    assert all(part.close for part in parts)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link['page']}?{link['query']}"[:70])
def test_a_link_means_what_it_meant(link):
    view = PAGES[link["page"]].model_validate(modern(dict(parse_qsl(link["query"]))))
    shown = view.model_dump(exclude_defaults=True, exclude_none=True)
    assert {name: address_text(value) for name, value in shown.items()} == modern(link["means"])


def test_every_page_has_a_link_from_before():
    assert {link["page"] for link in LINKS} == set(PAGES)
    assert {page.stem for page in settings.beside("pages").glob("*.py")} == set(PAGES)
