"""`latent-explorer rebuild` on an archive of picks."""

import base64

import numpy as np
import pytest

from explorer import drawing
from explorer.designs import archive
from explorer.designs.measuring import measure
from explorer.sketch import CurveSketch
from explorer.ui.picks import service
from tests.support.api import drawn_wish, kept, wish
from tests.support.archives import FLOW, altered, members, packed, text_of
from tests.support.engines import CURVES, PIXELS, digest_of, engine_of
from tests.support.sentences import assert_one_sentence

pytestmark = pytest.mark.usefixtures("no_data")


@pytest.fixture
def taken(tmp_path):
    """An export of picks of both kinds, drawn, by code and from the map, one of them smoothed."""
    kept(
        drawn_wish(tile=5),
        drawn_wish(CURVES, tile=2, scale=0.7),
        wish(place="data:3"),
        wish(CURVES, z=text_of(np.linspace(-1, 1, 8))),
    )
    store = service.store()
    store.mark(1, [store.picks(1)[1].key], treatment="smoothed")
    picks = store.picks(1)
    found = [measure(pick.source.sample[None], pick.source.model.sketch, FLOW, pick.geometry)
             for pick in picks]  # fmt: skip
    content = packed(*picks, measured=found, chord=250.0)
    (tmp_path / "mine.zip").write_bytes(content)
    return content


@pytest.mark.slow
def test_picks_are_rebuilt_bit_by_bit(run, taken, tmp_path):
    for name, content in (("mine.zip", taken), ("m.json", members(taken)[archive.MANIFEST])):
        (tmp_path / name).write_bytes(content)
        code, out, err = run("rebuild", tmp_path / name, "--out", tmp_path / "again")
        assert (code, err) == (0, "")
        lines = out.splitlines()
        files = [name for name in members(taken) if "/" in name]
        counts = [sum(name.startswith(f"a-project-{n:02d}/") for name in files) for n in range(5)]
        assert lines[:5] == [
            *(f"ok Pick {n}: bit-identical, with {counts[n]} files" for n in (1, 2, 3, 4)),
            "ok candidates.csv: bit-identical",
        ]
        assert "4 of 4 picks match the export" in lines[5]
        for name in ("candidates.csv", *files):
            assert (tmp_path / "again" / name).read_bytes() == members(taken)[name], name
    pictures = sorted((tmp_path / "again").glob("*.png"))
    assert [path.name for path in pictures] == [f"pick-{n:03d}.png" for n in (1, 2, 3, 4)]
    x = engine_of(PIXELS).sample(6, 1.0, 0).x[5:]
    expected = drawing.png(drawing.thumbnails(x, engine_of(PIXELS).sketch, 224)[0])
    assert pictures[0].read_bytes() == expected


def rebuilt(run, tmp_path, content):
    path = tmp_path / "altered.json"
    path.write_bytes(content)
    return run("rebuild", path, "--out", tmp_path / "again")


def moved(content, number, by):
    """Let one value of a pick's sample be farther away, by a share of the range it is drawn in."""

    def change(facts):
        entry = facts["picks"][number - 1]
        sample = np.frombuffer(base64.b64decode(entry["sample"]), "<f4").copy()
        sketch = next(item["sketch"] for item in facts["models"] if item["hash"] == entry["hash"])
        step = by
        if sketch["kind"] == "curve":
            low, high = drawing.curve_range(CurveSketch.model_validate(sketch))
            step = by * (high - low) / sketch["scale"][40]
        sample[40] += step if sample[40] < 0.5 else -step
        entry["sample"] = text_of(sample)

    return altered(content, change)


@pytest.mark.parametrize("number", [1, 2])
def test_a_sample_two_levels_away_is_told(run, taken, tmp_path, number):
    code, out, err = rebuilt(run, tmp_path, moved(taken, number, 2 / 255))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[number - 1] == f"not Pick {number}: off by 2/255"
    assert [line.partition(",")[0] for n, line in enumerate(lines[:4], 1) if n != number] == [
        f"ok Pick {n}: bit-identical" for n in (1, 2, 3, 4) if n != number
    ]
    assert "3 of 4 picks" in lines[-1]


@pytest.mark.parametrize("number", [1, 2])
def test_a_sample_less_than_a_level_away_is_as_close_as_can_be(run, taken, tmp_path, number):
    code, out, _ = rebuilt(run, tmp_path, moved(taken, number, 0.5 / 255))
    assert code == 0
    assert out.splitlines()[number - 1] == f"ok Pick {number}: within 0.5/255"


def test_another_code_is_told(run, taken, tmp_path):
    def change(facts):
        facts["picks"][0]["code"] = text_of([3, -3])

    code, out, _ = rebuilt(run, tmp_path, altered(taken, change))
    assert code == 1
    assert out.startswith("not Pick 1: off by ")


def another_digest(facts):
    facts["picks"][1]["files"]["a-project-02.dxf"] = "0" * 64
    del facts["picks"][1]["files"]["a-project-02.svg"]
    facts["table"] = "0" * 64


def test_a_file_that_comes_out_otherwise_is_named(run, taken, tmp_path):
    code, out, err = rebuilt(run, tmp_path, altered(taken, another_digest))
    assert (code, err) == (1, "")
    one, two, *_, table, last = out.splitlines()
    assert one.startswith("ok Pick 1: bit-identical, with ")
    assert two.startswith("not Pick 2: bit-identical, but a-project-02.dxf, a-project-02.svg of ")
    assert table == "not candidates.csv: not as exported"
    assert "3 of 4 picks" in last


def test_files_by_other_software_are_told_but_no_fault(run, taken, tmp_path):
    def change(facts):
        another_digest(facts)
        facts["software"]["ezdxf"] = "1.0"

    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (0, "")
    _, two, *_, table, last = out.splitlines()
    assert two.startswith("ok Pick 2: bit-identical; other software wrote a-project-02.dxf, ")
    assert table == "ok candidates.csv: written differently by other software"
    assert "4 of 4 picks" in last


def test_conditions_that_cannot_be_read_break_their_pick_alone(run, taken, tmp_path):
    def change(facts):
        facts["picks"][0]["conditions"] = '{"reynolds": -1}'

    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    assert out.splitlines()[0].startswith("broken Pick 1: its conditions: reynolds")
    assert "3 of 4 picks" in out.splitlines()[-1]


def of_other_weights(facts):
    old, new = digest_of(PIXELS), "0123456789abcdef"
    for item in (*facts["models"], *facts["picks"]):
        item["hash"] = item["hash"].replace(old, new)


def of_nobody(facts):
    for item in facts["models"]:
        item["checkpoint"] = item["checkpoint"].replace(PIXELS, "nobodys-model")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (of_other_weights, "has different weights here (0123456789abcdef)"),
        (of_nobody, "nobodys-model"),
    ],
)
def test_a_model_that_is_not_here_as_it_was_is_named(run, taken, tmp_path, change, why):
    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["missing", "ok", "missing", "ok"]
    if change is of_other_weights:
        assert f"{PIXELS} has different weights here ({digest_of(PIXELS)})" in lines[0]
    else:
        assert why in lines[0]
    assert "2 of 4 picks" in lines[-1]
    assert len(list((tmp_path / "again").glob("*.png"))) == 2


def test_a_broken_pick_is_told_and_the_others_are_rebuilt(run, taken, tmp_path):
    def change(facts):
        facts["picks"][2]["stars"] = 9

    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith("broken Pick 3: stars")
    assert [line.split(":")[0] for line in lines[1:4]] == ["ok Pick 1", "ok Pick 2", "ok Pick 4"]
    assert "3 of 4 picks" in lines[-1]


def longer(facts):
    facts["picks"][0]["code"] = text_of([0, 0, 0])


def shorter(facts):
    facts["picks"][0]["code"] = text_of([0])


def of_another_size(facts):
    model = next(item for item in facts["models"] if item["hash"] == digest_of(PIXELS))
    model["sketch"] |= {"height": 4, "width": 4}
    for entry in facts["picks"]:
        if entry["hash"] == digest_of(PIXELS):
            entry["sample"] = text_of([0] * 16)


def of_another_kind(facts):
    model = next(item for item in facts["models"] if item["hash"] == digest_of(CURVES))
    model["sketch"] = {"kind": "pixels", "height": 8, "width": 16}


@pytest.mark.parametrize("change", [longer, shorter, of_another_size, of_another_kind])
def test_a_code_or_a_sample_that_does_not_fit_its_model_is_told(run, taken, tmp_path, change):
    code, out, err = rebuilt(run, tmp_path, altered(taken, change))
    assert (code, err) == (1, "")
    lines = out.splitlines()
    wrong = {longer: [1], shorter: [1], of_another_size: [1, 3], of_another_kind: [2, 4]}[change]
    assert [n for n in (1, 2, 3, 4) if lines[n - 1].startswith("not ")] == wrong
    assert f"{4 - len(wrong)} of 4 picks" in lines[-1]


@pytest.mark.parametrize(
    "content",
    [b"", b"neither", b"PK neither", b"{}", b'{"format": "latent-explorer candidates"}',
     b'{"format": "latent-explorer strip"}'],
    ids=repr,
)  # fmt: skip
def test_a_file_that_is_neither_export_ends_in_one_sentence(run, tmp_path, content):
    code, out, err = rebuilt(run, tmp_path, content)
    assert (code, out) == (2, "")
    assert err.startswith("latent-explorer: ")
    assert_one_sentence(err.rstrip("\n"))
    assert not (tmp_path / "again").exists()


def test_a_file_that_is_not_there_ends_in_one_sentence(run, tmp_path):
    code, out, err = run("rebuild", tmp_path / "gone.zip")
    assert (code, out) == (2, "")
    assert_one_sentence(err.rstrip("\n"))
