"""Exports open elsewhere and can be rebuilt; untrusted files are read with care."""

import base64
import io
import json
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from explorer import checkpoint, drawing, exports
from explorer.data.drawn import MOST_BYTES, centred, from_strokes, from_upload
from explorer.errors import (
    DataError,
    ExportError,
    NoDensityError,
    UnknownCheckpointError,
)
from explorer.inference import Engine
from explorer.metrics.tradeoff import read_tradeoff
from explorer.sketch import PixelSketch
from explorer.strips import (
    Strip,
    StripSpec,
    codes_strip,
    difference_strip,
    grid_strip,
    samples_strip,
    scale_strip,
)
from tests.support.cli import cli
from tests.support.models import small_checkpoint

PIXELS, CURVES = "digits-vae-vamp-2", "airfoils-vae-vamp-8"
SIDE = 96


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    for name in ("DATA", "DEVICE", "CHECKPOINTS"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)


@pytest.fixture(scope="module")
def engines():
    known = {}

    def opened(slug):
        if slug not in known:
            known[slug] = Engine(checkpoint.load(slug), "cpu")
        return known[slug]

    return opened


@pytest.fixture
def pixels(engines):
    return engines(PIXELS)


def drawn(engine, frames=5, tiles=6):
    return scale_strip(
        engine, StripSpec(tiles=tiles, seed=3), tuple(0.5 * k for k in range(frames))
    )


def coded(engine, frames=4, tiles=2):
    z = np.random.default_rng(1).normal(size=(frames, tiles, engine.space.size))
    return grid_strip(engine, z.astype(np.float32), tuple(float(k) for k in range(frames)))


def distinct(frames, tiles):
    """Make frames no two of which look alike, which a GIF would merge."""
    x = np.zeros((frames, tiles, 1, 8, 8), np.float32)
    for frame in range(frames):
        x[frame, :, :, frame // 8, frame % 8] = 1
    plain = np.zeros((frames, tiles), np.float32)
    sketch = PixelSketch(height=8, width=8)
    return Strip(x, tuple(map(float, range(frames))), np.full(tiles, -1), plain, sketch)


def opened(content):
    return Image.open(io.BytesIO(content))


def side_of(tiles, one=SIDE):
    return tiles * (one + 2) - 2


# Pictures


@pytest.mark.parametrize(("tiles", "columns", "rows"), [(1, 1, 1), (6, 3, 2), (9, 3, 3)])
def test_a_picture_is_a_grid_of_all_tiles(tiles, columns, rows):
    with opened(exports.picture(distinct(2, tiles))) as found:
        assert found.format == "PNG"
        assert found.size == (side_of(columns), side_of(rows))


def test_a_picture_shows_the_frame_asked_for_and_the_last_beyond():
    strip = distinct(3, 1)
    for frame, column in ((0, 0), (1, 1), (2, 2), (99, 2)):
        with opened(exports.picture(strip, frame)) as found:
            grey = np.asarray(found.convert("L"))
        dark = np.argwhere(grey < 128)
        assert (dark.min(0) // 12).tolist() == [0, column]
        assert len(dark) == 12 * 12


def test_ink_is_dark_on_paper_unless_asked_otherwise():
    strip = distinct(1, 1)
    dark, light = (
        np.asarray(opened(exports.picture(strip, 0, ink)).convert("L")) for ink in (True, False)
    )
    np.testing.assert_array_equal(dark, 255 - light)
    assert dark.mean() > 200


@pytest.mark.parametrize(("frames", "tiles"), [(5, 3), (4, 1), (1, 3), (1, 1)])
def test_a_sprite_has_a_row_for_each_frame_and_one_row_for_one_tile(frames, tiles):
    across, down = (frames, 1) if tiles == 1 else (tiles, frames)
    with opened(exports.sprite(distinct(frames, tiles))) as found:
        assert found.size == (side_of(across), side_of(down))


def test_curves_are_drawn_too(engines):
    strip = drawn(engines(CURVES), 3, 4)
    with opened(exports.picture(strip)) as found:
        assert found.width == side_of(2, 2 * SIDE)
        assert found.getextrema()[0][0] < 128
    with opened(exports.sprite(strip)) as found:
        assert found.width == side_of(4, 2 * SIDE)


@pytest.mark.parametrize("kind", ["gif", "webp"])
@pytest.mark.parametrize(("frames", "shown"), [(1, [0]), (2, [0, 1]), (4, [0, 1, 2, 3, 2, 1])])
def test_an_animation_goes_there_and_back_without_end(kind, frames, shown):
    with opened(exports.animation(distinct(frames, 4), kind)) as found:
        assert found.format == kind.upper()
        assert found.size == (side_of(2), side_of(2))
        assert getattr(found, "n_frames", 1) == len(shown)
        if len(shown) > 1:
            assert found.info["loop"] == 0
        for frame, number in zip(ImageSequence.Iterator(found), shown, strict=True):
            grey = np.asarray(frame.convert("L"))[:SIDE, :SIDE]
            assert (np.argwhere(grey < 128).min(0) // 12).tolist() == [0, number]


def test_an_animation_rests_at_both_ends():
    with opened(exports.animation(distinct(4, 1), "gif")) as found:
        pauses = [frame.info["duration"] for frame in ImageSequence.Iterator(found)]
    pause = exports.MILLISECONDS
    assert pauses == [8 * pause, pause, pause, 8 * pause, pause, pause]


# Tables


def test_a_cell_that_a_spreadsheet_would_calculate_is_neutralised():
    words = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "plain", "1-1", ""]
    n = len(words)
    columns = {"word": np.array(words), "object": np.array(words, object)}
    rows = read_csv(exports.table(columns, np.zeros((n, 1), np.float32)))
    for row, word in zip(rows[1:], words, strict=True):
        expected = f"'{word}" if word and word[0] in "=+-@\t\r" else word
        assert row[:2] == [expected, expected]


def test_numbers_keep_their_sign():
    columns = {
        "float": np.array([-1.5, 2.25]),
        "whole": np.array([-3, 4]),
        "small": np.array([-5, 6], np.int8),
        "truth": np.array([True, False]),
    }
    z = np.array([[-0.1, 1e-30], [2.0, -3e9]], np.float32)
    header, *rows = read_csv(exports.table(columns, z))
    assert header == ["float", "whole", "small", "truth", "z0", "z1"]
    assert [row[:4] for row in rows] == [["-1.5", "-3", "-5", "True"], ["2.25", "4", "6", "False"]]
    np.testing.assert_array_equal(np.array([row[4:] for row in rows], np.float32), z)


@given(st.text(max_size=20).filter(lambda text: "\x00" not in text))
def test_a_word_comes_back_from_the_table_and_never_as_a_formula(word):
    content = exports.table({"word": np.array([word], object)}, np.zeros((1, 1), np.float32))
    ((found, _),) = read_csv(content)[1:]
    assert found.removeprefix("'") == word.removeprefix("'")
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r"))


def read_csv(content):
    import csv

    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_arrays_hold_no_objects():
    z = np.arange(4, dtype=np.float64).reshape(2, 2)
    columns = {"word": np.array(["a", "=b"], object), "n": np.array([1, -2])}
    with np.load(io.BytesIO(exports.arrays(columns, z)), allow_pickle=False) as found:
        assert sorted(found.files) == ["n", "word", "z"]
        assert found["z"].dtype == np.float32
        np.testing.assert_array_equal(found["z"], z)
        assert found["word"].tolist() == ["a", "=b"]
        assert found["n"].tolist() == [1, -2]


# There and back


def taken(engine, strip, tmp_path, **facts):
    path = tmp_path / "strip.json"
    path.write_bytes(exports.manifest(engine, strip, "0.0", **facts))
    return path


@pytest.mark.parametrize("make", [drawn, coded])
@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_strip_is_rebuilt_bit_by_bit(engines, tmp_path, slug, make):
    strip = make(engines(slug))
    facts = exports.read_manifest(taken(engines(slug), strip, tmp_path, view="?x=1", frame=2))
    assert (facts.model.checkpoint, facts.view, facts.frame) == (slug, "?x=1", 2)
    assert (facts.drawn is None) == (make is coded)
    found = exports.rebuild_strip(facts, "cpu")
    assert found.same
    assert found.strip.panel[1] == strip.panel[1]
    assert found.strip.values == strip.values
    np.testing.assert_array_equal(found.strip.z, strip.z)


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_changed_code_is_told(engines, tmp_path, slug):
    facts = exports.read_manifest(taken(engines(slug), coded(engines(slug)), tmp_path))
    z = np.frombuffer(base64.b64decode(facts.codes.data), "<f4").copy()
    z[0] += 0.5
    data = base64.b64encode(z.tobytes()).decode()
    changed = facts.model_copy(update={"codes": facts.codes.model_copy(update={"data": data})})
    assert not exports.rebuild_strip(changed, "cpu").same


def test_another_seed_or_component_is_told(pixels, tmp_path):
    facts = exports.read_manifest(taken(pixels, drawn(pixels), tmp_path))
    for change in ({"seed": 4}, {"component": 0}, {"scales": (0.1, 0.5, 1.0, 1.5, 2.0)}):
        other = facts.model_copy(update={"drawn": facts.drawn.model_copy(update=change)})
        assert not exports.rebuild_strip(other, "cpu").same


def test_the_same_samples_in_another_form_have_another_digest(pixels):
    strip = drawn(pixels, 2, 6)
    x = strip.samples.reshape(6, 2, *strip.samples.shape[2:])
    other = Strip(x, strip.values * 3, np.full(2, -1), np.zeros((6, 2), np.float32), strip.sketch)
    assert other.panel[1] == strip.panel[1]
    assert exports.digest(other) != exports.digest(strip)


def test_one_component_is_rebuilt(pixels, tmp_path):
    strip = scale_strip(pixels, StripSpec(tiles=3, seed=1, component=1), (0.0, 1.0))
    facts = exports.read_manifest(taken(pixels, strip, tmp_path))
    assert facts.drawn.component == 1
    assert exports.rebuild_strip(facts, "cpu").same


def test_codes_of_an_autoencoder_are_rebuilt(engines, tmp_path):
    engine = engines("digits-ae-2")
    facts = exports.read_manifest(taken(engine, coded(engine), tmp_path))
    assert exports.rebuild_strip(facts, "cpu").same


def test_a_seed_means_nothing_to_an_autoencoder(pixels, engines, tmp_path):
    plain = engines("digits-ae-2").checkpoint
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, models__0__checkpoint=plain.slug, models__0__hash=plain.hash)
    with pytest.raises(NoDensityError):
        exports.rebuild_strip(exports.read_manifest(path), "cpu")


def test_data_cannot_be_rebuilt(pixels):
    x = np.zeros((2, 1, 8, 8), np.float32)
    with pytest.raises(ExportError, match=r"^These are data[^\n]+\.$"):
        exports.manifest(pixels, samples_strip(x, pixels.sketch), "0.0")


# Manifests that are not


def change(path, **changes):
    """Set fields of the JSON, those of its parts by names with a dot, or take them out."""
    facts = json.loads(path.read_text())
    for name, value in changes.items():
        *parents, last = name.split("__")
        place = facts
        for parent in parents:
            place = place[int(parent) if isinstance(place, list) else parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    path.write_text(json.dumps(facts))


def encoded(values):
    return base64.b64encode(np.array(values, "<f4").tobytes()).decode()


BAD_DRAWN = {
    "other weights": {"models__0__hash": "0" * 16},
    "no such component": {"drawn__component": 10_000},
    "a component below zero": {"drawn__component": -1},
    "too many pictures": {"drawn__tiles": 4096, "drawn__scales": [1.0] * 17},
    "too many tiles": {"drawn__tiles": 4097},
    "no tiles": {"drawn__tiles": 0},
    "no scales": {"drawn__scales": []},
    "too many scales": {"drawn__scales": [1.0] * 513},
    "a scale that is NaN": {"drawn__scales": [float("nan")]},
    "a scale without end": {"drawn__scales": [float("inf")]},
    "a scale below zero": {"drawn__scales": [-1.0]},
    "a seed too large": {"drawn__seed": 2**31},
    "another format": {"format": "another strip"},
    "another version": {"version": 3},
    "no digest": {"digest": ...},
    "no hash": {"models__0__hash": ...},
    "neither seed nor codes": {"drawn": ...},
    "both seed and codes": {"codes": {"shape": [1, 1, 2], "values": [0], "data": "AAAAAAAAAAA="}},
    "a frame below zero": {"frame": -1},
    "a field too many": {"command": "rm"},
    "a hash of a megabyte": {"models__0__hash": "a" * 10**6},
}
BAD_CODES = {
    "no base64": {"codes__data": "!!!!"},
    "no ASCII": {"codes__data": "é" * 20},
    "half of base64": {"codes__data": "AAA"},
    "no data": {"codes__data": ""},
    "data cut": {"codes__data": encoded([0] * 15)},
    "data too long": {"codes__data": encoded([0] * 17)},
    "three bytes more": {"codes__data": base64.b64encode(bytes(67)).decode()},
    "NaN": {"codes__data": encoded([np.nan] * 16)},
    "infinity": {"codes__data": encoded([0] * 15 + [np.inf])},
    "a huge code": {"codes__data": encoded([2e6] * 16)},
    "another latent": {"codes__shape": [4, 1, 4]},
    "another order": {"codes__shape": [2, 4, 2]},
    "below zero": {"codes__shape": [-4, -2, 2]},
    "no frames": {"codes__shape": [0, 2, 2]},
    "beyond integers": {"codes__shape": [10**30, 1, 2]},
    "two axes": {"codes__shape": [8, 2]},
    "too few values": {"codes__values": [0.0]},
    "a value that is NaN": {"codes__values": [float("nan")] * 4},
    "too many pictures": {"codes__shape": [65_537, 1, 2]},
}
BAD = [
    pytest.param(make, changes, id=f"{make.__name__}: {name}")
    for make, table in ((drawn, BAD_DRAWN), (coded, BAD_CODES))
    for name, changes in table.items()
]


def assert_refused(path):
    with pytest.raises(ExportError) as caught:
        exports.rebuild_strip(exports.read_manifest(path), "cpu")
    assert_one_sentence(caught.value)


def assert_one_sentence(error):
    words = str(error)
    assert words.endswith("."), words
    assert len(words.splitlines()) == 1
    assert len(words) < 500


@pytest.mark.parametrize(("make", "changes"), BAD)
def test_an_export_that_does_not_fit_is_refused_in_one_sentence(pixels, tmp_path, make, changes):
    path = taken(pixels, make(pixels), tmp_path)
    change(path, **changes)
    assert_refused(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"no JSON", b"\xff\xfe", b"[" * 10**5, b"\x89PNG\r\n\x1a\n"],
    ids=repr,
)
def test_a_file_that_is_no_export_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert_refused(tmp_path / "a.json")


def test_a_file_that_is_not_there_or_a_folder_is_refused_in_one_sentence(tmp_path):
    assert_refused(tmp_path / "gone.json")
    assert_refused(tmp_path)


def test_a_file_too_large_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    with path.open("wb") as stream:
        stream.truncate(5 * checkpoint.MAX_TEXT_BYTES + 1)
    monkeypatch.setattr(type(path), "read_bytes", lambda _: pytest.fail("it was read"))
    assert_refused(path)


def test_too_many_pictures_are_refused_before_any_is_made(pixels, tmp_path, monkeypatch):
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, drawn__tiles=4096, drawn__scales=[1.0] * 512)
    monkeypatch.setattr(Engine, "draw", lambda *_, **__: pytest.fail("it was drawn"))
    assert_refused(path)


@pytest.mark.parametrize("slug", ["gone", "", "..", "/", "a\0b", "./gone"])
def test_an_export_of_a_checkpoint_that_is_not_here_says_so(pixels, tmp_path, slug):
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, models__0__checkpoint=slug)
    with pytest.raises((ExportError, UnknownCheckpointError)):
        exports.rebuild_strip(exports.read_manifest(path), "cpu")


# The command line


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; return exit code, stdout and stderr."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["latent-explorer", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def assert_rebuilt(folder, strip, frame):
    assert (folder / "strip.png").read_bytes() == exports.picture(strip, frame)
    assert (folder / "strip-sprite.png").read_bytes() == exports.sprite(strip)


def test_the_command_rebuilds_an_export_in_a_process_of_its_own(pixels, tmp_path):
    strip = drawn(pixels)
    path = taken(pixels, strip, tmp_path, frame=1)
    ended = subprocess.run(
        [sys.executable, "-m", "explorer.cli", "rebuild", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "Wrote images to rebuilt: bit-identical.\n"
    assert_rebuilt(tmp_path / "rebuilt", strip, 1)


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_codes_are_rebuilt_on_the_command_line(engines, tmp_path, run, slug):
    strip = coded(engines(slug))
    path = taken(engines(slug), strip, tmp_path, frame=3)
    code, out, _ = run("rebuild", path, "--out", tmp_path / "a/b", "--device", "cpu")
    assert code == 0
    assert "bit-identical." in out
    assert_rebuilt(tmp_path / "a/b", strip, 3)


def test_the_command_line_refuses_what_is_no_export(run, pixels, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, models__0__hash="0" * 16)
    for name in ("a.json", "strip.json", "gone.json"):
        code, out, err = run("rebuild", tmp_path / name, "--out", tmp_path / "there")
        assert (code, out) == (2, "")
        assert err.startswith("latent-explorer: ")
        assert_one_sentence(err.removesuffix("\n"))
    assert not (tmp_path / "there").exists()


def test_a_curve_of_a_checkpoint_that_is_not_here_is_refused(run):
    code, _, err = run("trade", "gone")
    assert code == 2
    assert "no checkpoint called gone" in err


def test_the_command_line_says_when_pictures_are_others(run, pixels, tmp_path):
    path = taken(pixels, drawn(pixels), tmp_path)
    change(path, digest="0" * 64)
    code, out, _ = run("rebuild", path, "--out", tmp_path / "out", "--device", "cpu")
    assert code == 0
    assert "not bit-identical" in out


def test_the_command_line_measures_a_curve(run, tmp_path):
    folder = tmp_path / "user" / "checkpoints" / "mine"
    folder.mkdir(parents=True)
    for name in (checkpoint.CONFIG, checkpoint.WEIGHTS):
        (folder / name).write_bytes((checkpoint.load(PIXELS).folder / name).read_bytes())
    path = checkpoint.results_folder(checkpoint.load("mine").hash) / checkpoint.TRADEOFF
    assert run("trade", "mine") == (0, f"Wrote {path}.\n", "")
    assert read_tradeoff(checkpoint.load("mine")).complete
    path.unlink()
    assert run("trade", "mine", "--ship")[0] == 0
    assert not path.exists()
    assert (folder / checkpoint.TRADEOFF).is_file()


# Drawings

SMALL = PixelSketch(height=8, width=8)
MNIST = PixelSketch(height=28, width=28)


def test_ink_lies_where_it_was_drawn():
    x = from_strokes([[(0.5, 0.0), (0.5, 1.0)]], MNIST, 1 / 7)
    assert x.shape == (1, 28, 28)
    assert x.min() == 0
    assert x.max() == 1
    columns = x[0].mean(0)
    assert (columns[12:16] > 0.8).all()
    assert (columns[:11] == 0).all()
    assert (columns[17:] == 0).all()


def test_y_goes_down_and_x_to_the_right():
    x = from_strokes([[(0.75, 0.25)]], MNIST, 0.1)
    rows, columns = np.nonzero(x[0])
    assert abs(rows.mean() - 6.5) < 0.6
    assert abs(columns.mean() - 20.5) < 0.6


PLACE = st.floats(0.01, 0.99)


@given(
    st.lists(st.lists(st.tuples(PLACE, PLACE), min_size=1, max_size=6), max_size=4),
    st.floats(0.05, 0.5),
)
@settings(max_examples=40, deadline=None)
def test_any_strokes_make_a_sample(strokes, width):
    sketch = PixelSketch(height=9, width=12, channels=3)
    x = from_strokes(strokes, sketch, width)
    assert x.shape == sketch.shape
    assert x.min() >= 0
    assert x.max() <= 1
    assert (x.max() > 0) == bool(strokes)
    assert (x[0] == x[2]).all()


def mass_centre(x):
    mass = x.sum(0)
    return [
        float((mass.sum(1 - axis) * np.arange(mass.shape[axis])).sum() / mass.sum())
        for axis in (0, 1)
    ]


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.7, 0.1), (0.2, 0.7)])
def test_a_drawing_is_centred_by_mass_and_scaled_as_in_mnist(place):
    x0, y0 = place
    shape = [(0.0, 0.0), (0.0, 0.25), (0.15, 0.25)]
    x = centred(from_strokes([[(x0 + x, y0 + y) for x, y in shape]], MNIST, 0.05))
    assert mass_centre(x) == pytest.approx([13.5, 13.5], abs=0.75)
    rows = np.flatnonzero(x[0].max(1) > 0.1)
    assert 18 <= np.ptp(rows) + 1 <= 21
    assert x.min() >= 0
    assert x.max() <= 1


def test_what_is_centred_stays_about_where_it_is():
    once = centred(from_strokes([[(0.1, 0.1), (0.3, 0.1), (0.1, 0.4)]], MNIST, 0.07))
    twice = centred(once)
    assert mass_centre(twice) == pytest.approx(mass_centre(once), abs=1)
    assert np.corrcoef(once.ravel(), twice.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("value", [0.0, 0.05])
def test_a_blank_drawing_is_left_as_it_is(value):
    blank = np.full((1, 28, 28), value, np.float32)
    np.testing.assert_array_equal(centred(blank), blank)


# Uploads


def file_of(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def ring(paper, ink, size=(40, 40), mode="L"):
    """A square of ink in the middle of paper."""
    image = Image.new(mode, size, paper)
    image.paste(ink, (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4))
    return image


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def blank_png(width, height):
    """A PNG of one bit a pixel, all of it one colour: few bytes, many pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row * 500) for _ in range(height // 500)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b"")
    )


def noise():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8))


REFUSED = {
    "nothing": (b"", "is empty"),
    "a text": (b"I am no picture at all", "cannot be read"),
    "half a picture": (file_of(noise())[:700], "cannot be read"),
    "a header alone": (file_of(noise())[:33], "cannot be read"),
    "another kind of file": (file_of(noise(), "TIFF"), "cannot be read"),
    "too many bytes": (b"\x89PNG\r\n\x1a\n" + bytes(MOST_BYTES), "over 10 MB"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_is_no_picture_is_refused_in_one_sentence(content, words):
    with pytest.raises(DataError, match=words) as caught:
        from_upload(content, "mine.png", SMALL)
    assert_one_sentence(caught.value)
    assert "mine.png" in str(caught.value)


@pytest.mark.parametrize("side", [5_500, 8_000, 14_000])
def test_a_small_file_of_many_pixels_is_refused_before_it_is_unpacked(side, monkeypatch):
    content = blank_png(side, side)
    assert len(content) < 500_000
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was unpacked"))
    with pytest.raises(DataError, match="million") as caught:
        from_upload(content, "bomb.png", SMALL)
    assert_one_sentence(caught.value)


def test_the_pixels_of_an_honest_picture_may_be_many():
    x = from_upload(blank_png(4_000, 4_000), "large.png", SMALL)
    assert (x == 0).all()


@pytest.mark.parametrize(
    ("paper", "ink"), [(255, 0), (220, 30), (0, 255), (30, 220)], ids=lambda v: str(v)
)
def test_ink_comes_out_bright_whichever_way_it_was(paper, ink):
    x = from_upload(file_of(ring(paper, ink)), "a.png", SMALL)
    assert x.shape == SMALL.shape
    assert x[0, 4, 4] > 0.8
    assert x[0, 0].max() < 0.2
    assert from_upload(file_of(ring(paper, ink)), "a.png", SMALL).dtype == np.float32


def test_a_photograph_stays_as_light_as_it_is():
    x = from_upload(file_of(ring(220, 30)), "a.png", SMALL.model_copy(update={"light": True}))
    assert x[0, 4, 4] < 0.2
    assert x[0, 0, 4] > 0.8


@pytest.mark.parametrize(
    ("sketch", "turns"),
    [
        (SMALL, True),
        (SMALL.model_copy(update={"light": True}), False),
        (SMALL.model_copy(update={"channels": 3}), False),
    ],
    ids=["ink", "light", "colour"],
)
def test_only_ink_turns_with_the_theme(sketch, turns):
    x = np.random.default_rng(0).random((2, *sketch.shape)).astype(np.float32)
    strip = samples_strip(x, sketch)
    assert strip.panel[0]["inked"] is turns
    assert np.array_equal(drawing.on_paper(x, sketch), 1 - x if turns else x)
    assert difference_strip(strip, strip).panel[0]["inked"] is (sketch.channels == 1)
    on_light, on_dark = (exports.picture(strip, dark_ink=dark) for dark in (True, False))
    assert (on_light != on_dark) is turns


FORMS = {
    "alpha": lambda: file_of(ring((0, 0, 0, 0), (0, 0, 0, 255), mode="RGBA")),
    "grey with alpha": lambda: file_of(ring((9, 0), (0, 255), mode="LA")),
    "16 bits": lambda: file_of(Image.fromarray(np.asarray(ring(225, 10)).astype(np.uint16) * 257)),
    "one bit": lambda: file_of(ring(255, 0).convert("1")),
    "a palette": lambda: file_of(ring((250, 250, 240), (20, 0, 80), mode="RGB"), "GIF"),
    "a transparent palette": lambda: file_of(ring(0, 1).convert("P"), "GIF", transparency=0),
    "colour": lambda: file_of(ring((250, 250, 240), (20, 0, 80), mode="RGB"), "JPEG"),
    "ink on paper": lambda: file_of(ring((0, 0, 0, 0), (0, 0, 0, 255), mode="CMYK"), "JPEG"),
    "webp": lambda: file_of(ring(255, 0).convert("RGB"), "WEBP", lossless=True),
    "bmp": lambda: file_of(ring(255, 0), "BMP"),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_picture_is_read(make, channels):
    sketch = PixelSketch(height=8, width=8, channels=channels)
    x = from_upload(make(), "a.png", sketch)
    assert x.shape == sketch.shape
    assert np.isfinite(x).all()
    assert x.min() >= 0
    assert x.max() <= 1
    ink = x if sketch.inked else 1 - x  # colours stay as they are
    assert ink[:, 4, 4].mean() > 0.8
    assert ink[:, 0].max() < 0.2


@pytest.mark.parametrize("size", [(80, 20), (20, 80), (400, 1), (1, 400), (1, 1)])
def test_the_whole_of_a_picture_fits_in_and_keeps_its_form(size):
    x = from_upload(file_of(Image.new("L", size, 100)), "a.png", SMALL)
    rows, columns = (np.flatnonzero(x[0].max(axis) > 0) for axis in (1, 0))
    long = max(size)
    assert len(columns) == max(1, round(8 * size[0] / long))
    assert len(rows) == max(1, round(8 * size[1] / long))
    assert abs(rows.mean() - 3.5) <= 0.5
    assert abs(columns.mean() - 3.5) <= 0.5


@pytest.mark.parametrize("name", ["", ".", "/", "../../etc/passwd", "x" * 500, "a\0b"])
def test_a_name_is_for_messages_alone(name):
    assert from_upload(file_of(ring(0, 255)), name, SMALL).max() > 0.8
    with pytest.raises(DataError) as caught:
        from_upload(b"", name, SMALL)
    assert_one_sentence(caught.value)
    assert "etc/" not in str(caught.value)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_damage_is_refused_or_harmless(patch, start):
    content = bytearray(file_of(ring(200, 10)))
    content[start : start + len(patch)] = patch
    try:
        x = from_upload(bytes(content), "a.png", SMALL)
    except DataError as error:
        assert_one_sentence(error)
    else:
        assert x.min() >= 0
        assert x.max() <= 1


def test_codes_of_one_frame_are_a_strip_that_can_be_taken(tmp_path):
    engine = Engine(small_checkpoint("vamp"), "cpu")
    strip = codes_strip(engine, np.zeros((3, 2), np.float32))
    facts = exports.read_manifest(taken(engine, strip, tmp_path))
    assert facts.codes.shape == (1, 3, 2)
    assert facts.codes.values == (0.0,)
