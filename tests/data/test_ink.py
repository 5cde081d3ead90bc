"""A digit drawn in any ink, on any ground, comes out as the same digit, or as no ink at all."""

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from explorer.data.drawn import FILLED, centred, from_upload
from explorer.errors import DataError
from explorer.sketch import PixelSketch
from tests.support.data import SMALL
from tests.support.load import times
from tests.support.sentences import assert_one_sentence

MNIST = PixelSketch(height=28, width=28)
LIGHT = PixelSketch(height=28, width=28, light=True)
COLOUR = PixelSketch(height=28, width=28, channels=3)

SEVEN = ((0.1, 0.05), (0.65, 0.05), (0.35, 0.95))
APART = 0.08
"""Largest root mean square difference of two samples of the same digit, in units of full ink."""


def seven(width=300, height=300, side=180, place=(0.35, 0.25), pen=0.14):
    """Draw a 7, as ink from 0 to 1; `place` is a share of the room beside it."""
    fine = 4 if max(width, height) < 1000 else 1
    sheet = Image.new("L", (width * fine, height * fine))
    draw = ImageDraw.Draw(sheet)
    left, top = (
        round(share * (whole - side)) for share, whole in zip(place, (width, height), strict=True)
    )
    points = [((left + x * side) * fine, (top + y * side) * fine) for x, y in SEVEN]
    line = max(1, round(pen * side * fine))
    draw.line(points, 255, line, "curve")
    return np.asarray(sheet.reduce(fine), np.float32) / 255


def painted(ink, colour=(0.0,), ground=(1.0,), shade=1.0):
    """Paint ink of a colour on a ground, both from 0 to 1, under a shade."""
    shares = ink[..., None]
    levels = shares * np.array(colour) + (1 - shares) * np.array(ground)
    return np.clip(levels * np.broadcast_to(shade, ink.shape)[..., None], 0, 1)


def file_of(levels, kind="PNG", bits=8, **options):
    stream = io.BytesIO()
    depth = np.uint16 if bits == 16 else np.uint8
    whole = np.rint(np.round(levels, 6) * np.iinfo(depth).max).astype(depth)
    Image.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole).save(stream, kind, **options)
    return stream.getvalue()


def read(content, sketch=MNIST, **options):
    return from_upload(content, "seven.png", sketch, **options)


def apart(x, y):
    return float(np.sqrt(((x - y) ** 2).mean()))


@cache
def plain():
    """Return the sample that black ink on white paper becomes."""
    return read(file_of(painted(seven())), share=FILLED).x


def photographed(ink):
    """Take a picture of paper under light that falls off, by a sensor with noise."""
    y, x = np.mgrid[0 : 1 : ink.shape[0] * 1j, 0 : 1 : ink.shape[1] * 1j]
    noise = np.random.default_rng(0).normal(0, 0.015, ink.shape)
    return painted(ink, (0.15,), (0.8,), 1 - 0.4 * (0.6 * x + 0.4 * y)) + noise[..., None]


def shadowed(ink):
    """Let a hard shadow fall on paper."""
    y, x = np.mgrid[0 : 1 : ink.shape[0] * 1j, 0 : 1 : ink.shape[1] * 1j]
    return painted(ink, (0.1,), (0.9,), np.where(x + 0.4 * y > 0.8, 0.6, 1))


def on_clear(ink, colour):
    return np.concatenate([np.full((*ink.shape, 3), colour), ink[..., None]], 2)


def on_a_card(ink):
    """Put a white card with ink into the middle of a transparent picture."""
    card = np.concatenate([painted(ink, (0, 0, 0), (1, 1, 1)), np.ones((*ink.shape, 1))], 2)
    return np.pad(card, ((40, 40), (90, 90), (0, 0)))


def with_a_patch(top, bottom, left, right):
    ink = seven()
    ink[top:bottom, left:right] = 1
    return ink


ONE = (1.0, 1.0, 1.0)
FORMS = {
    "grey paper": lambda: painted(seven(), (0.16,), (0.75,)),
    "pencil": lambda: painted(seven(), (0.55,), (0.9,)),
    "faint pencil": lambda: painted(seven(), (0.85,), (0.95,)),
    "photograph": lambda: photographed(seven()).clip(0, 1),
    "shadow": lambda: shadowed(seven()),
    "small on a page": lambda: painted(seven(1000, 1500, 50, (0.04, 0.95))),
    "wide scan": lambda: painted(seven(1200, 300)),
    "white on clear": lambda: on_clear(seven(), 1.0),
    "black on clear": lambda: on_clear(seven(), 0.0),
    "half black on clear": lambda: on_clear(seven() / 2, 0.0),
    "cut out of white": lambda: on_clear(1 - seven(), 1.0),
    "on a white card": lambda: on_a_card(seven()),
    "yellow": lambda: painted(seven(), (1, 1, 0), ONE),
    "red on green of the same grey": lambda: painted(seven(), (0.9, 0.1, 0.1), (0.2, 0.47, 0.2)),
    "chalk": lambda: painted(seven(), (0.9,), (0.2,)),
    "dirt": lambda: painted(with_a_patch(280, 283, 20, 23)),
    "edge of a scan": lambda: painted(with_a_patch(0, 300, 0, 5)),
}  # fmt: skip


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS.keys())
def test_the_same_digit_comes_out_of_every_form_of_it(make):
    x = read(file_of(make()), share=FILLED).x
    assert apart(x, plain()) < APART
    assert x.max() > 0.95


def test_ink_is_found_on_a_page_that_lies_askew_on_a_desk():
    page = Image.fromarray((255 * (0.95 - 0.8 * seven(400, 500))).astype(np.uint8))
    straight, askew = (page.rotate(9, expand=True, fillcolor=paper) for paper in (242, 80))
    desk = Image.new("L", (700, 800), 80)
    desk.paste(askew, (80, 90))
    samples = [
        read(file_of(np.asarray(image)[..., None] / 255), share=FILLED).x
        for image in (straight, desk)
    ]
    assert apart(*samples) < APART


@pytest.mark.parametrize(("width", "pen"), [(300, 0.012), (300, 0.02), (3000, 0.002)])
def test_a_thin_pen_is_thickened_and_keeps_its_full_ink(width, pen):
    ink = seven(width, width, round(0.6 * width), pen=pen)
    x = read(file_of(painted(ink)), share=FILLED).x
    assert np.corrcoef(x.ravel(), plain().ravel())[0, 1] > 0.85
    assert (x > 0.8).sum() > 0.3 * (plain() > 0.8).sum()
    whole = read(file_of(painted(ink))).x
    assert (whole > 0.5).sum() >= 20


def test_a_digit_of_eight_pixels_fills_their_height():
    x = read(file_of(painted(seven())), SMALL, share=1.0).x[0]
    assert x.max(1).min() > 0.5
    middle = (x.sum(0) * (np.arange(8) + 0.5)).sum() / x.sum()
    assert middle == pytest.approx(4, abs=0.1)


NUMBER = st.integers(0, 10).map(lambda tenth: tenth / 10)
SHADE = st.tuples(NUMBER, NUMBER, NUMBER) | NUMBER.map(lambda grey: (grey,))


@pytest.mark.load
@given(
    ink=SHADE,
    ground=SHADE,
    width=st.integers(60, 500),
    height=st.integers(60, 500),
    share=st.floats(0.4, 0.95),
    place=st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)),
    form=st.sampled_from(["PNG", "16-bit PNG", "JPEG", "WEBP", "BMP", "TIFF", "alpha"]),
)
@settings(max_examples=times(40), deadline=None)
def test_ink_ground_size_place_depth_and_format_change_nothing(
    ink, ground, width, height, share, place, form
):
    if len(ink) != len(ground):
        ink, ground = ((*shade,) * (3 // len(shade)) for shade in (ink, ground))
    if form == "16-bit PNG":
        ink, ground = ink[:1], ground[:1]
    drawn = seven(width, height, int(share * min(width, height)), place)
    if form == "alpha":
        levels = on_clear(drawn, ink if len(ink) == 3 else ink[0])
    else:
        levels = painted(drawn, ink, ground)
        assume(np.ptp([ink, ground], axis=0).max() != 0.1)  # may be too faint, and may not
    kind = "PNG" if form in ("16-bit PNG", "alpha") else form
    careful = {"JPEG": {"quality": 90, "subsampling": 0}, "WEBP": {"lossless": True}}
    bits = 16 if form == "16-bit PNG" else 8
    content = file_of(levels, kind, bits, **careful.get(form, {}))
    if form != "alpha" and ink == ground:
        with pytest.raises(DataError, match="no ink was found"):
            read(content, share=FILLED)
    else:
        assert apart(read(content, share=FILLED).x, plain()) < APART


BLANK = {
    "white": lambda: np.ones((200, 300, 1)),
    "clear": lambda: np.zeros((90, 90, 4)),
    "noise": lambda: 0.8 + np.random.default_rng(0).normal(0, 0.03, (200, 300, 1)),
    "light that falls off": lambda: photographed(np.zeros((200, 300))),
}


@pytest.mark.parametrize("tone", [None, "dark", "light"])
@pytest.mark.parametrize("make", BLANK.values(), ids=BLANK.keys())
def test_a_blank_sheet_is_refused_in_one_sentence(make, tone):
    with pytest.raises(DataError, match="no ink was found") as caught:
        read(file_of(make().clip(0, 1)), share=FILLED, tone=tone)
    assert_one_sentence(caught.value)


def test_a_picture_that_is_a_sample_already_stays_as_it_is():
    for sample in (plain(), centred(plain())):
        for levels in (sample[0], 1 - sample[0]):
            for share in (FILLED, None):
                x = read(file_of(levels[..., None]), share=share).x
                np.testing.assert_allclose(x, sample, atol=0.03)


def test_without_cropping_all_of_a_picture_is_fitted_in():
    x = read(file_of(painted(seven(1200, 300, place=(0.0, 0.25)), (1, 1, 0), ONE))).x[0]
    assert (x[:10] == 0).all()
    assert (x[18:] == 0).all()
    assert x[10:18, :6].max() > 0.9
    assert (x[:, 8:] == 0).all()


@pytest.mark.parametrize(("colour", "ground"), [(0.0, 1.0), (1.0, 0.0)])
def test_what_was_done_is_said_and_the_other_tone_can_be_asked_for(colour, ground):
    content = file_of(painted(seven(), (colour,), (ground,)))
    tones = ("dark", "light") if colour < ground else ("light", "dark")
    found = read(content, share=FILLED)
    assert found.said == (
        f"{tones[0].capitalize()} ink on a {tones[1]} ground, cropped and centred."
    )
    np.testing.assert_array_equal(read(content, share=FILLED, tone=tones[0]).x, found.x)
    other = read(content, tone=tones[1])
    assert other.said == f"{tones[1].capitalize()} ink on a {tones[0]} ground."
    np.testing.assert_allclose(other.x, 1 - read(content).x, atol=0.15)


def test_a_range_hardly_used_is_stretched_and_that_is_said():
    grey = seven()
    mask = file_of(np.rint(grey)[..., None] / 255)
    twelve = file_of(painted(grey, (4000 / 65535,), (100 / 65535,)), bits=16)
    full = file_of(painted(grey, (1.0,), (0.0,)))
    for content, share in ((mask, "0.39"), (twelve, "6")):
        found = read(content, share=FILLED)
        assert apart(found.x, plain()) < APART
        assert found.said.endswith(f"Stretched: its values use {share} % of their range.")
        for sketch in (LIGHT, COLOUR):
            light = read(content, sketch)
            assert light.said == f"Stretched: its values use {share} % of their range."
            assert apart(light.x, read(full, sketch).x) < APART
    assert read(full, LIGHT).said == ""


def test_one_grey_of_sixteen_bits_can_be_the_transparent_one():
    shades = Image.fromarray(np.where(seven() > 0.5, 40_000, 3_000).astype(np.uint16))
    stream = io.BytesIO()
    shades.save(stream, "PNG", transparency=3_000)
    found = read(stream.getvalue(), share=FILLED)
    assert found.said.startswith("Light ink on a transparent ground")
    assert apart(found.x, plain()) < APART
