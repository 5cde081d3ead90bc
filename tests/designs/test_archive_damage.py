"""Files that are not archives of picks are refused; intact picks of damaged ones are read."""

import base64
import functools
import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.designs import archive as picks_archive
from explorer.errors import ExportError
from tests.support.archives import a_zip, altered, manifest_of, members, sound, text_of
from tests.support.load import times
from tests.support.sentences import assert_one_sentence, refused


@functools.cache
def zeros(megabytes):
    """Make a manifest of nothing but zeros, which are small as long as they are packed."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(picks_archive.MANIFEST, "w") as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(10**6))
    return stream.getvalue()


def lying(content, size):
    """Let every header claim another unpacked size."""
    told = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = told.find(mark)
        while place >= 0:
            told[place + at : place + at + 4] = struct.pack("<I", size)
            place = told.find(mark, place + 4)
    return bytes(told)


def facts_with(**changes):
    return altered(sound(), lambda facts: facts.update(changes))


NO_EXPORTS = {
    "nothing": (lambda: b"", "is empty"),
    "not JSON": (lambda: b"hello", "not an export of candidates"),
    "half of JSON": (
        lambda: members(sound())[picks_archive.MANIFEST][:-10],
        "not an export of candidates",
    ),
    "a list": (lambda: b"[]", "not an export of candidates"),
    "null": (lambda: b"null", "not an export of candidates"),
    "no text": (lambda: b"\xff\xfe\x00", "not an export of candidates"),
    "deep JSON": (lambda: b"[" * 10**5, "not an export of candidates"),
    "another format": (lambda: facts_with(format="latent-explorer strip"), "format"),
    "no format at all": (lambda: altered(sound(), lambda f: f.pop("picks")), "picks"),
    "a later version": (lambda: facts_with(version=3), "version"),
    "too many picks": (lambda: facts_with(picks=[None] * 5001), "picks"),
    "too many models": (
        lambda: facts_with(models=manifest_of(sound())["models"] * 201),
        "models",
    ),
    "picks that are no list": (lambda: facts_with(picks={"a": 1}), "picks"),
    "a field too many": (lambda: facts_with(command="rm"), "command"),
    "a model drawn like nothing": (
        lambda: altered(sound(), lambda f: f["models"][0].update(sketch={"kind": "sound"})),
        "sketch",
    ),
    "a slug that is a path": (
        lambda: altered(sound(), lambda f: f["models"][0].update(checkpoint="../x")),
        "checkpoint",
    ),
    "a project with a long name": (lambda: facts_with(project="p" * 61), "project"),
    "too large": (lambda: b" " * (picks_archive.MOST_BYTES + 1), "64 MB"),
    "an empty ZIP": (lambda: b"PK\x05\x06" + bytes(18), "no manifest.json"),
    "a ZIP without a manifest": (lambda: a_zip("candidates.csv"), "no manifest.json"),
    "a ZIP whose manifest is empty": (lambda: a_zip(manifest=""), "not an export of candidates"),
    "a ZIP whose manifest is a text": (
        lambda: a_zip(manifest="text"),
        "not an export of candidates",
    ),
    "the start of a ZIP": (lambda: b"PK", "damaged ZIP"),
    "a truncated ZIP": (lambda: sound()[:-30], "damaged ZIP"),
    "half a ZIP": (lambda: sound()[: len(sound()) // 2], "damaged ZIP"),
    "a member above": (lambda: a_zip("../x", manifest="{}"), "../x"),
    "a member far above": (lambda: a_zip("001/../../x.csv", manifest="{}"), "../../x"),
    "a member at the root": (lambda: a_zip("/etc/passwd", manifest="{}"), "/etc/passwd"),
    "a member on a drive": (lambda: a_zip("C:\\x", manifest="{}"), "C:"),
    "a member that is a program": (lambda: a_zip("001/run.exe", manifest="{}"), "run.exe"),
    "a file of another pick": (lambda: a_zip("a-01/b-01.dat", manifest="{}"), "b-01.dat"),
    "a program with a pick's name": (lambda: a_zip("a-01/a-01.exe", manifest="{}"), "a-01.exe"),
    "a member above a pick": (lambda: a_zip("a-01/a-01_../x.txt", manifest="{}"), "../x"),
    "a member of two lines": (
        lambda: a_zip("a\nb.json", manifest="{}"),
        "which no export contains",
    ),
    "a long member": (lambda: a_zip("a" * 60_000, manifest="{}"), "which no export contains"),
    "an empty member": (lambda: a_zip("001/", manifest="{}"), "which no export contains"),
    "too many members": (
        lambda: a_zip(
            *(f"{n:05d}/code.npy" for n in range(picks_archive.MOST_MEMBERS)), manifest="{}"
        ),
        "files; it was not exported by",
    ),
    "a bomb": (lambda: zeros(100), "too large when unpacked"),
    "a bomb that says it is small": (lambda: lying(zeros(100), 100), "damaged ZIP"),
}


@pytest.mark.parametrize(("make", "why"), NO_EXPORTS.values(), ids=NO_EXPORTS.keys())
def test_a_file_that_is_no_export_is_refused_in_one_sentence(make, why):
    with refused(ExportError, why):
        picks_archive.read(make(), "a.zip")


def test_archives_of_earlier_releases_are_taken():
    names = (
        "picture.png", "code.npy", "section.dat", "section.csv", "section.svg", "section.dxf",
        "section-decoded.dat", "polar-neuralfoil.csv", "polar-xfoil.csv",
    )  # fmt: skip
    told = members(sound())[picks_archive.MANIFEST]
    content = a_zip("candidates.csv", *(f"001/{name}" for name in names), manifest=told)
    assert len(picks_archive.read(content, "a.zip").picks) == 3


def test_a_name_of_many_lines_is_told_as_one():
    with refused(ExportError, "a b is empty"):
        picks_archive.read(b"", "a\nb")
    with refused(ExportError, "The file is empty"):
        picks_archive.read(b"", " \n")
    with refused(ExportError):
        picks_archive.read(b"", "x" * 10_000)


def test_a_bomb_is_not_unpacked_beyond_the_limit():
    content = zeros(300)
    assert len(content) < 2 * 10**6
    tracemalloc.start()
    try:
        with refused(ExportError, "too large when unpacked"):
            picks_archive.read(content, "a.zip")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * picks_archive.MOST_BYTES


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damage_anywhere_in_a_zip_is_refused_however_it_was_packed(method):
    whole = a_zip(manifest=members(sound())[picks_archive.MANIFEST], method=method)
    assert len(picks_archive.read(whole, "a.zip").picks) == 3
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            picks_archive.read(bytes(damaged), "a.zip")
        except ExportError as error:
            assert_one_sentence(error)


def test_a_zip_cut_anywhere_is_refused():
    content = sound()
    for length in range(0, len(content), 41):
        with refused(ExportError):
            picks_archive.read(content[:length], "a.zip")


FLIPS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=6)


@pytest.mark.load
@pytest.mark.parametrize("part", ["zip", "manifest"])
@given(flips=FLIPS, cut=st.integers(0, 10**6), more=st.binary(max_size=6))
@settings(max_examples=times(100), deadline=None)
def test_bytes_flipped_put_in_or_left_out_are_read_or_refused(part, flips, cut, more):
    content = bytearray(sound() if part == "zip" else members(sound())[picks_archive.MANIFEST])
    for place, bits in flips:
        content[place % len(content)] ^= bits
    content[cut % len(content) : cut % len(content) + cut % 3] = more
    try:
        found = picks_archive.read(bytes(content), "a.zip")
    except ExportError as error:
        assert_one_sentence(error)
    else:
        assert len(found.picks) + len(found.broken) <= 3
        assert all("\n" not in line for line in found.broken)


BROKEN = {
    "a hash nobody has": ({"hash": "cd"}, "its model is missing from"),
    "a hash that is none": ({"hash": "XY"}, "hash"),
    "a sample cut": ({"sample": text_of([0] * 63)}, "63 values"),
    "a sample too long": ({"sample": text_of([0] * 65)}, "65 values"),
    "no sample": ({"sample": ""}, "sample"),
    "a missing sample": ({"sample": ...}, "sample"),
    "a missing code": ({"code": ...}, "code"),
    "a missing number": ({"number": ...}, "number"),
    "no code": ({"code": ""}, "code"),
    "a code that is no base64": ({"code": "!!!!"}, "base64"),
    "a code that is no ASCII": ({"code": "ééé="}, "base64"),
    "half a code": ({"code": "AAA"}, "base64"),
    "five bytes of code": ({"code": base64.b64encode(bytes(5)).decode()}, "four bytes"),
    "a code that is NaN": ({"code": text_of([np.nan, 0])}, "finite"),
    "a code without end": ({"code": text_of([np.inf, 0])}, "finite"),
    "a huge code": ({"code": text_of([2e6, 0])}, "finite"),
    "a sample that is NaN": ({"sample": text_of([np.nan] * 64)}, "finite"),
    "less than no stars": ({"stars": -1}, "stars"),
    "six stars": ({"stars": 6}, "stars"),
    "half a star": ({"stars": 0.5}, "stars"),
    "an unknown verdict": ({"verdict": "maybe"}, "verdict"),
    "an unknown treatment": ({"treatment": "sharpened"}, "treatment"),
    "notes without end": ({"notes": "n" * 4001}, "notes"),
    "notes that are a number": ({"notes": 5}, "notes"),
    "too many tags": ({"tags": ["t"] * 13}, "tags"),
    "a tag too long": ({"tags": ["t" * 41]}, "tags"),
    "a key that is none": ({"key": "a b"}, "key"),
    "a key too short": ({"key": "abc"}, "key"),
    "no origin": ({"origin": ""}, "origin"),
    "a number below one": ({"number": 0}, "number"),
    "a number beyond all": ({"number": 10**4000}, "number"),
    "a scale that is NaN": ({"scale": float("nan")}, "scale"),
    "a scale without end": ({"scale": float("inf")}, "scale"),
    "a component below zero": ({"component": -1}, "component"),
    "a seed too large": ({"seed": 2**31}, "seed"),
    "a property without end": ({"properties": {"ink": float("inf")}}, "properties"),
    "a field too many": ({"command": "rm"}, "command"),
    "a field of two lines": ({"a\nb": 1}, "Extra inputs"),
}


@pytest.mark.parametrize(("changes", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_pick_is_named_and_all_others_come_in(changes, why):
    def spoil(facts):
        for name, value in changes.items():
            if value is ...:
                del facts["picks"][1][name]
            else:
                facts["picks"][1][name] = value

    found = picks_archive.read(altered(sound(), spoil), "a.json")
    assert [item.entry.number for item in found.picks] == [1, 3]
    (said,) = found.broken
    assert said.startswith("Entry 2: " if "number" in changes else "Pick 2: ") or why == "number"
    assert why in said
    assert_one_sentence(said)


@pytest.mark.parametrize("entry", [None, 5, "pick", [], {}, [[]]], ids=repr)
def test_an_entry_that_is_no_pick_is_named_by_its_place(entry):
    found = picks_archive.read(altered(sound(), lambda f: f["picks"].insert(1, entry)), "a.json")
    assert [item.entry.number for item in found.picks] == [1, 2, 3]
    (said,) = found.broken
    assert said.startswith("Entry 2: ")
    assert_one_sentence(said)


def test_all_broken_picks_are_named_in_their_order():
    def spoil(facts):
        facts["picks"][0]["stars"] = 9
        facts["picks"][2]["code"] = "!"

    found = picks_archive.read(altered(sound(), spoil), "a.json")
    assert [item.entry.number for item in found.picks] == [2]
    assert [line.partition(":")[0] for line in found.broken] == ["Pick 1", "Pick 3"]


def test_a_strip_is_told_from_candidates(tmp_path):
    strip = (Path(__file__).parents[1] / "support/before/strip-drawn.json").read_bytes()
    with refused(ExportError, "holds a strip"):
        picks_archive.read(strip, "strip.json")
