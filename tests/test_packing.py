"""What is packed is the same in every process, and says how far it has come."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

from explorer import packing, rebuilding
from explorer.designs.measuring import measure
from explorer.designs.picks import own_source
from explorer.designs.properties import Conditions
from tests.support.archives import FLOW, ONE, members, packed
from tests.support.figures import opened_pdf
from tests.support.picks import made
from tests.support.repository import ROOT
from tests.support.sections import verified_pick

TOLD = packing.Told("Wing root", Conditions(), 500.0, "1.0")


def digests():
    """Name the files of a section with their digests."""
    pick = verified_pick()
    found = measure(
        pick.source.sample[None], pick.source.model.sketch, TOLD.conditions, pick.geometry
    )
    files = packing.pick_files(pick, "wing-root-01", found, TOLD)
    return {name: packing.digest(content) for name, content in files.items()}


@pytest.mark.slow
def test_every_file_is_the_same_in_another_process():
    code = "import json; from tests.test_packing import digests; print(json.dumps(digests()))"
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(other.stdout) == digests()


def test_packing_tells_how_many_are_done():
    told = []
    content = packed(verified_pick(1), verified_pick(2), pages=True, done=told.append)
    assert told == [1, 2]
    assert sum(name.endswith(".pdf") for name in members(content)) == 2


def test_a_picture_has_an_image_its_code_and_its_page():
    found = packing.Measured((), {}, ("",))
    pick = verified_pick()
    pick = type(pick)(pick.key, 3, 0.0, made())
    assert list(packing.pick_files(pick, "threes-03", found, TOLD)) == [
        "threes-03.png", "threes-03-code.npy", "threes-03.pdf",
    ]  # fmt: skip


def test_ones_own_section_has_no_code_and_its_files_are_written_anew(tmp_path):
    pick = verified_pick()
    own = own_source("mine (1).dat", pick.source.sample, pick.source.model.sketch, "airfoils", "1")
    given = dataclasses.replace(pick, source=own, treatment="")
    found = measure(own.sample[None], own.model.sketch, FLOW, given.geometry)
    content = packed(given, measured=[found], pages=True)
    inside = members(content)
    assert not any(name.endswith((".npy", "-decoded.dat")) for name in inside)
    text = opened_pdf(inside[ONE + ".pdf"])[1]
    assert "Own section from mine (1).dat" in text
    assert "Geometry As given" in text.splitlines()
    assert b"As given, " in inside[ONE + ".dxf"]
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    part, table = rebuilding.rebuild(path, tmp_path / "again", "cpu")
    assert part.same
    assert (part.files, part.changed, part.others) == (len(inside) - 2, (), ())
    assert table.same
    for name in inside.keys() - {"manifest.json"}:
        assert (tmp_path / "again" / name).read_bytes() == inside[name]
