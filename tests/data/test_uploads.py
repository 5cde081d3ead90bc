"""A picture of any form becomes a sample, or is refused in one sentence."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer import drawing, exports
from explorer.data.drawn import MOST_BYTES, from_upload
from explorer.errors import DataError
from explorer.sketch import PixelSketch
from explorer.strips import Frames, difference_beside, difference_strip, samples_strip
from tests.support.data import SMALL
from tests.support.load import times
from tests.support.sentences import assert_one_sentence

LIGHT = SMALL.model_copy(update={"light": True})


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
    "a phone's picture": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is HEIC, which is not read"),
    "a document": (b"%PDF-1.7", "is PDF, which is not read"),
    "a drawing": (b'<?xml version="1.0"?><svg/>', "is SVG, which is not read"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
    "another kind of file": (file_of(noise(), "TGA"), "cannot be read"),
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
    x = from_upload(blank_png(4_000, 4_000), "large.png", LIGHT).x
    assert (x == 0).all()


@pytest.mark.parametrize(
    ("paper", "ink"), [(255, 0), (220, 30), (0, 255), (30, 220)], ids=lambda v: str(v)
)
def test_ink_comes_out_bright_whichever_way_it_was(paper, ink):
    x = from_upload(file_of(ring(paper, ink)), "a.png", SMALL).x
    assert x.shape == SMALL.shape
    assert x[0, 4, 4] > 0.8
    assert x[0, 0].max() < 0.2
    assert from_upload(file_of(ring(paper, ink)), "a.png", SMALL).x.dtype == np.float32


def test_a_photograph_stays_as_light_as_it_is():
    x = from_upload(file_of(ring(220, 30)), "a.png", LIGHT).x
    assert x[0, 4, 4] < 0.2
    assert x[0, 0, 4] > 0.8


@pytest.mark.parametrize(
    ("sketch", "turns"),
    [
        (SMALL, True),
        (LIGHT, False),
        (SMALL.model_copy(update={"channels": 3}), False),
    ],
    ids=["ink", "light", "colour"],
)
def test_only_ink_turns_with_the_theme(sketch, turns):
    x = np.random.default_rng(0).random((2, *sketch.shape)).astype(np.float32)
    strip = samples_strip(x, sketch)
    assert strip.panel[0]["inked"] is turns
    assert np.array_equal(drawing.on_paper(x, sketch), 1 - x if turns else x)
    apart = difference_strip(strip, replace(strip, frames=Frames.of(strip.samples[:, ::-1])))
    assert apart.panel[0]["inked"]
    assert apart.samples.shape == (1, 2, 1, *sketch.shape[1:])
    np.testing.assert_allclose(
        apart.samples[0, :, 0], np.sqrt(((x - x[::-1]) ** 2).mean(1)), rtol=1e-5
    )
    beside = difference_beside(x, x[::-1], sketch)
    assert beside.shape == x.shape
    assert (difference_beside(x, x, sketch) == (0 if turns else 1)).all()
    ink = apart.samples[0]
    np.testing.assert_array_equal(beside[:, -1:], ink if turns else 1 - ink)
    on_light, on_dark = (exports.picture(strip, dark_ink=dark) for dark in (True, False))
    assert (on_light != on_dark) is turns


@pytest.mark.parametrize("ground", [(250, 240, 20), (3, 5, 90)])
def test_colours_are_continued_beside_a_picture_of_another_form(ground):
    sketch = PixelSketch(height=8, width=8, channels=3)
    x = from_upload(file_of(ring(ground, (200, 0, 0), (40, 20), "RGB")), "a.png", sketch).x
    expected = np.array(ground, np.float32) / 255
    np.testing.assert_allclose(x[:, 0], np.repeat(expected[:, None], 8, 1), atol=0.01)
    np.testing.assert_allclose(x[:, -1, 0], expected, atol=0.01)


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
    "tiff": lambda: file_of(ring(255, 0), "TIFF"),
    "pgm": lambda: file_of(ring(255, 0), "PPM"),
    "avif": lambda: file_of(ring(255, 0).convert("RGB"), "AVIF"),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_picture_is_read(make, channels):
    sketch = PixelSketch(height=8, width=8, channels=channels)
    x = from_upload(make(), "a.png", sketch).x
    assert x.shape == sketch.shape
    assert np.isfinite(x).all()
    assert x.min() >= 0
    assert x.max() <= 1
    ink = x if sketch.inked else 1 - x  # colours stay as they are
    assert ink[:, 4, 4].mean() > 0.8
    assert ink[:, 0].max() < 0.2


@pytest.mark.parametrize("size", [(80, 20), (20, 80), (400, 1), (1, 400)])
def test_the_whole_of_a_picture_fits_in_and_keeps_its_form(size):
    along = np.add.outer(np.arange(size[1]), np.arange(size[0])) / max(size)
    bars = Image.fromarray((255 * (np.abs(along * 8 % 2 - 1) < 0.5)).astype(np.uint8))
    x = from_upload(file_of(bars), "a.png", SMALL).x
    rows, columns = (np.flatnonzero(x[0].max(axis) > 0) for axis in (1, 0))
    long = max(size)
    assert len(columns) == max(1, round(8 * size[0] / long))
    assert len(rows) == max(1, round(8 * size[1] / long))
    assert abs(rows.mean() - 3.5) <= 0.5
    assert abs(columns.mean() - 3.5) <= 0.5


@pytest.mark.parametrize("name", ["", ".", "/", "../../etc/passwd", "x" * 500, "a\0b"])
def test_a_name_is_for_messages_alone(name):
    assert from_upload(file_of(ring(0, 255)), name, SMALL).x.max() > 0.8
    with pytest.raises(DataError) as caught:
        from_upload(b"", name, SMALL)
    assert_one_sentence(caught.value)
    assert "etc/" not in str(caught.value)


@pytest.mark.load
@given(st.binary(min_size=1, max_size=60), st.integers(0, 400))
@settings(max_examples=times(60), deadline=None)
def test_damage_is_refused_or_harmless(patch, start):
    content = bytearray(file_of(ring(200, 10)))
    content[start : start + len(patch)] = patch
    try:
        x = from_upload(bytes(content), "a.png", SMALL).x
    except DataError as error:
        assert_one_sentence(error)
    else:
        assert x.min() >= 0
        assert x.max() <= 1
