"""The files of a figure: parsers open them, fonts are in them, no date is."""

import hashlib
import re

import numpy as np
import pytest

from explorer import figures
from explorer.figures import Axis, Chart, Series, files, style
from explorer.strips import StripSpec, scale_strip
from tests.support.engines import CURVES, PIXELS, engine_of
from tests.support.figures import entries_of, opened_pdf, opened_svg

pytestmark = pytest.mark.usefixtures("no_data")
SCALES = (0.0, 0.5, 1.0)


def wall_of(slug, tiles=5, **given):
    engine = engine_of(slug)
    strip = scale_strip(engine, StripSpec(tiles=tiles, seed=3), SCALES)
    return figures.of_strip(engine.checkpoint, strip, 1, **given)


@pytest.fixture(scope="module")
def sheet():
    return wall_of(PIXELS, rows=[f"sample é {k}" for k in range(5)])


def test_svg_holds_text_and_the_letters_of_its_font(sheet):
    root, texts, fonts = opened_svg(sheet.file("svg"))
    assert "sample é 4" in texts
    assert "0.5" in texts
    assert root.get("width").endswith("pt")
    letters = {ord(letter) for letter in "".join(texts)} - {32}
    assert letters <= set(fonts["normal"].getBestCmap())
    assert len(fonts["normal"].getBestCmap()) <= len(letters) + 2


def test_pdf_embeds_truetype_and_holds_text(sheet):
    facts, text, fonts = opened_pdf(sheet.file("pdf"))
    assert "0.5" in text
    assert fonts
    for kind, font in fonts:
        assert kind == "/Type0"
        assert len(font["/FontFile2"].get_data()) > 500
        assert "DejaVuSans" in font["/FontName"]
    assert facts["/Subject"] == sheet.caption


def test_letters_that_markup_escapes_are_in_the_font():
    with style.applied():
        page = style.page(2.0, 1.0)
        page.text(0.1, 0.5, "a < b & c > d")
        _, texts, fonts = opened_svg(files.write(page, "svg", "t", "c"))
    assert texts == ["a < b & c > d"]
    assert {ord(letter) for letter in "<&>abcd"} <= set(fonts["normal"].getBestCmap())


def test_metadata_survive_what_markup_escapes():
    with style.applied():
        content = files.write(style.page(2.0, 1.0), "svg", "a & b", 'x < "y" ± 1')
    root, _, _ = opened_svg(content)
    assert 'x < "y" ± 1' in "".join(root.itertext())


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_the_same_figure_has_the_same_bytes_and_no_date(sheet, kind):
    content = sheet.file(kind)
    assert hashlib.sha256(content).digest() == hashlib.sha256(sheet.file(kind)).digest()
    assert not re.search(rb"CreationDate|ModDate|<dc:date>", content)


def test_sections_are_lines_not_pixels():
    root, _, _ = opened_svg(wall_of(CURVES).file("svg"))
    assert not list(root.iter("{http://www.w3.org/2000/svg}image"))


def test_pictures_keep_their_grey_on_paper():
    engine = engine_of(PIXELS)
    white = np.zeros((1, *engine.sketch.shape), np.float32)
    figure = figures.of_samples(
        [engine.checkpoint], lambda: [figures.Wall(white, engine.sketch, 1)], "Paper"
    )
    with style.applied():
        axes = figure.draw().axes[0]
    assert axes.images[0].get_array().min() == 255


def test_a_drawing_leaves_the_settings_of_matplotlib_alone(sheet):
    import matplotlib as mpl

    before = mpl.rcParams.copy()
    sheet.file("pdf")
    assert mpl.rcParams == before


# Charts


def test_a_chart_shows_its_numbers_and_their_errors():
    series = Series([0.0, 1.0, 2.0], [1.0, 2.0, 4.0], "first", line="-", symbol="circle",
                    y_error=([0.1, 0.2, 0.3], [0.2, 0.2, 0.3]))  # fmt: skip
    chart = Chart([series], Axis("scale"), Axis("density", low=0.0), verticals=[(1.0, "here")])
    engine = engine_of(PIXELS)
    figure = figures.of_charts([engine.checkpoint], [chart], "Trade", "**n** = 5, `seed` 0.")
    with style.applied():
        axes = figure.draw().axes[0]
    line = axes.lines[0]
    np.testing.assert_array_equal(line.get_ydata(), [1, 2, 4])
    bars = axes.collections[0].get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars], [[0.9, 1.2], [1.8, 2.2], [3.7, 4.3]])
    assert axes.get_ylim()[0] == 0
    assert "n = 5, seed 0" in figure.caption
    _, text, _ = opened_pdf(figure.file("pdf"))
    assert {"first", "scale", "density"} <= set(text.split())


# LaTeX


def test_latex_cites_what_bibtex_holds(sheet):
    entries = entries_of(sheet.bibtex().decode("ascii"))
    tex = sheet.latex("a_b c").decode()
    assert set(re.search(r"\\cite\{([^}]+)\}", tex)[1].split(",")) == set(entries)
    assert r"\detokenize{a_b c.pdf}" in tex


def test_latex_escapes_what_it_would_read():
    from explorer.figures.paper import escaped

    assert escaped("5 % & a_b {x} ± −1 “q”") == r"5 \% \& a\_b \{x\} $\pm$ $-$1 ``q''"
