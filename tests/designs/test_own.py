"""One's own section is kept, exported and rebuilt as it is: no model claims it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from explorer import rebuilding
from explorer.data.airfoils import naca_section
from explorer.designs import archive
from explorer.designs.candidates import FILE, Store
from explorer.designs.measuring import measure
from explorer.designs.picks import own_source
from tests.support.archives import (
    altered,
    assert_came_back,
    manifest_of,
    members,
    packed,
    table_of,
)
from tests.support.picks import assert_same_bits, assert_same_made, key_of, some
from tests.support.sections import samples, sketch
from tests.support.sentences import assert_one_sentence

BEFORE = Path(__file__).parents[1] / "support" / "before" / FILE


def own(code="2412", name="naca2412.dat"):
    return own_source(name, samples(naca_section(code))[0], sketch(), "airfoils", "1.0")


@pytest.fixture(params=["new", "of an earlier release"])
def store(request, tmp_path):
    if request.param != "new":
        shutil.copy(BEFORE, tmp_path / FILE)
    opened = Store(tmp_path / FILE)
    yield opened
    opened.close()


def test_an_own_section_is_stored_as_it_is_and_once(store):
    known = len(store.picks(1))
    (pick,) = store.keep(1, [(key_of(1), own())])
    assert [one.key for one in store.keep(1, [(key_of(2), own())])] == [pick.key]
    store.keep(1, [(key_of(3), own("0012", "naca0012.dat")), *some(4)])
    again = Store(store.path)
    found = again.picks(1)[known:]
    again.close()
    assert [one.source.own for one in found] == [True, True, False]
    assert_same_made(found[0].source, own())
    assert_same_bits(found[0].shown, own().sample)
    assert (found[0].geometry, found[0].geometry_name) == ("decoded", "As given")
    assert found[0].title == f"Pick {found[0].number} (naca2412.dat)"
    thickness = measure(found[0].shown[None], sketch(), None, "decoded").values["thickness"]
    assert thickness[0] == pytest.approx(12, rel=1e-3)


def test_it_comes_back_from_an_export_and_is_rebuilt_without_a_model(store, tmp_path):
    (pick,) = store.keep(1, [(key_of(1), own())])
    content = packed(pick)
    files = members(content)
    assert not [name for name in files if name.endswith("code.npy")]
    assert any(b"As given" in content for name, content in files.items() if name.endswith(".dxf"))
    assert any("own section naca2412.dat" in row for row in table_of(content))
    (entry,) = manifest_of(content)["picks"]
    assert (entry["name"], entry["hash"], entry["code"]) == ("naca2412.dat", "", "")
    assert_came_back(archive.read(content, "mine.zip"), [pick])
    (tmp_path / "mine.zip").write_bytes(content)
    part, table = rebuilding.rebuild(tmp_path / "mine.zip", tmp_path / "out", "cpu")
    assert (part.title, part.same, part.changed) == (f"{pick.title}", True, ())
    assert part.files or not manifest_of(content)["picks"][0].get("stem")
    assert table.same
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


@pytest.mark.parametrize(
    "broken", [{"hash": "ab"}, {"code": "AACAPw=="}, {"name": "../x"}, {"name": ""}]
)
def test_what_names_both_a_file_and_a_model_is_refused(store, broken):
    (pick,) = store.keep(1, [(key_of(1), own())])

    def change(facts):
        facts["picks"][0] |= broken
        facts["models"][0] |= {"hash": broken["hash"]} if "hash" in broken else {}

    found = archive.read(altered(packed(pick), change), "mine.json")
    assert found.picks == ()
    (words,) = found.broken
    assert_one_sentence(words.partition(": ")[2].capitalize())


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("<b>e387</b>.dat", "_b_e387_b_.dat"),
        ("a\x00b\n../c.dat", "a_b_.._c.dat"),
        ("", "unnamed"),
        ("ü" * 90 + ".dat", "ü" * 56 + ".dat"),
        ("  S 1223 (clean).dat ", "S 1223 (clean).dat"),
    ],
)
def test_the_name_of_a_file_goes_nowhere_as_markup_or_path(given, clean):
    assert own(name=given).name == clean


def test_no_measure_of_it_is_that_of_a_code():
    assert own().code.size == 0
    assert own().model.hash == ""
    assert np.isfinite(own().sample).all()
