"""The page of a design tells what its table tells, and is one page."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, OperatingPoint
from explorer.figures import sheet, style
from explorer.figures.page import Page, printable
from explorer.packing import Told, pick_files
from tests.support.figures import opened_pdf
from tests.support.picks import LINE, made, model_of
from tests.support.sections import class_shape, surfaces, verified_pick

TOLD = Told("Wing root", Conditions(), 250.0, "9.9")


def page_of(pick, told=TOLD, stem="wing-root-07"):
    source = pick.source
    found = measure(source.sample[None], source.model.sketch, told.conditions, pick.geometry)
    return found, pick_files(pick, stem, found, told)[f"{stem}.pdf"]


def test_a_page_tells_the_section_its_numbers_by_each_method_and_where_it_is_from():
    pick = dataclasses.replace(verified_pick(7), stars=3, verdict="keep", notes="A quiet one.")
    found, content = page_of(pick)
    facts, text, _ = opened_pdf(content)
    assert (facts["/Title"], facts["/CreationDate"]) == ("wing-root-07", "D:20231114221320Z")
    lines = text.splitlines()
    assert "wing-root-07 2023-11-14 · Latent Explorer 9.9" in lines
    assert "Pick 7 of “Wing root” · ★★★ · kept" in lines
    assert f"Thickness {found.values['thickness'][0]:.1f} %" in lines
    assert "Chord of SVG and DXF 250 mm" in lines
    assert "Mach 0, Ncrit 9, free transition" in lines
    cl, cd, ld = (found.values[key][0] for key in ("cl", "cd", "ld"))
    (ours,) = (line for line in lines if line.startswith("NeuralFoil xlarge "))
    assert ours.startswith(f"NeuralFoil xlarge 4.00 {cl:.3f} {cd:.5f} ")
    assert ours.endswith(f" {ld:.1f}")
    (xfoils,) = (line for line in lines if line.startswith("XFoil "))
    assert xfoils == "XFoil 4.00 0.500 0.00700 −0.0600 71.4"
    model = pick.source.model
    assert f"Model {model.slug}, weights {model.hash}" in text
    assert "Notes: A quiet one." in text


def test_every_operating_point_has_its_lines():
    flow = Conditions(
        ncrit=5, trips=(0.1, 1.0),
        others=(OperatingPoint(reynolds=3e6, cl=0.6, weight=2), OperatingPoint(reynolds=5e5)),
    )  # fmt: skip
    found, content = page_of(verified_pick(), TOLD._replace(conditions=flow))
    text = opened_pdf(content)[1]
    alpha, cd = found.values["alpha_2"][0], found.values["cd_2"][0]
    assert f"NeuralFoil xlarge {alpha:.2f} 0.600 {cd:.5f} ".replace("-", "−") in text
    for words in ("4°, Re 1,000,000, weight 1", "CL 0.6, Re 3,000,000, weight 2",
                  "4°, Re 500,000, weight 1", flow.transition):  # fmt: skip
        assert words in text
    assert text.count("NeuralFoil xlarge ") == text.count("NeuralFoil xxxlarge ") == 3
    for reynolds in ("1,000,000", "3,000,000", "500,000"):
        assert f"NeuralFoil, Re {reynolds}" in text
    # XFoil was asked under other conditions.
    assert "XFoil 4.00" not in text


def test_xfoil_that_did_not_converge_is_said():
    told = TOLD._replace(conditions=Conditions(alpha=2.0))
    assert "XFoil, not converged 2.00 – – – –" in opened_pdf(page_of(verified_pick(), told)[1])[1]


def test_an_invalid_section_says_why_and_has_no_coefficients():
    pick = verified_pick()
    crossed = pick.source.sample.copy()
    crossed[:20] -= 4
    broken = dataclasses.replace(
        pick, source=dataclasses.replace(pick.source, sample=crossed), treatment=""
    )
    text = opened_pdf(page_of(broken)[1])[1]
    assert "invalid: its surfaces cross" in text
    assert "Not computed: invalid sections have none." in text


@given(st.text(max_size=60), st.text(max_size=300), st.lists(st.text(max_size=40), max_size=12))
@example("翼 $x^2$ \\frac{", "a\x00b\u202e" * 90, ["😀" * 40])
@example("W" * 60, "W" * 4000, ["W" * 40] * 12)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_picture_has_a_page_too_whatever_is_written_about_it(project, notes, tags):
    pick = dataclasses.replace(verified_pick(), source=made(model=model_of()), treatment="",
                               notes=notes, tags=tuple(tags), stars=5)  # fmt: skip
    content = page_of(pick, TOLD._replace(project=project), "x" * 43 + "-12")[1]
    assert content == page_of(pick, TOLD._replace(project=project), "x" * 43 + "-12")[1]
    _, text, _ = opened_pdf(content)
    assert "Properties" in text
    assert "翼" not in text


def test_a_curve_that_is_no_section_has_its_picture():
    pick = dataclasses.replace(
        verified_pick(), treatment="",
        source=made(model=model_of(LINE, "0"), sample=np.array([1, -1, 2], np.float32)),
    )  # fmt: skip
    assert "Properties" in opened_pdf(page_of(pick)[1])[1]


def test_a_letter_that_the_font_lacks_is_a_box():
    assert printable("a\n 翼\tb\x00−★") == "a □ b□−★"


@pytest.mark.parametrize("treatment", ["", "smoothed", "kulfan"])
def test_the_same_pick_makes_the_same_page(treatment):
    pick = dataclasses.replace(verified_pick(), treatment=treatment)
    assert page_of(pick)[1] == page_of(pick)[1]


@given(st.text(max_size=200), st.floats(6, 15), st.booleans())
@example("W" * 4000, 7.5, False)
@settings(max_examples=15, deadline=None)
def test_no_line_is_wider_than_its_room(words, size, bold):
    page = Page()
    page.write(18.0, 20.0, words, size, bold=bold, most=80.0)
    end = page.paragraph(18.0, 40.0, words, 3)
    assert end <= 40 + 3 * 3.25
    with style.applied():
        canvas = FigureCanvasAgg(page.figure)
        first, *small = page.figure.texts
        for text, most in ((first, 80.0), *((text, 174.0) for text in small)):
            box = text.get_window_extent(canvas.get_renderer())
            assert box.width / page.figure.dpi * 25.4 <= 1.02 * most
    assert len(small) <= 3


def test_a_section_is_drawn_to_one_scale_both_ways_however_thick():
    for height in (0.02, 0.12, 0.5):
        page = Page()
        pick = verified_pick()
        sketch = pick.source.model.sketch
        flat = surfaces(class_shape([height] * 8), -class_shape([height] * 8))
        sample = ((flat - np.asarray(sketch.loc)) / np.asarray(sketch.scale)).astype(np.float32)
        thick = dataclasses.replace(pick, source=dataclasses.replace(pick.source, sample=sample))
        with style.applied():
            below = sheet._section(page, thick)
        (axes,) = page.figure.axes
        box = axes.get_position()
        across = 210 * box.width / np.ptp(axes.get_xlim())
        assert 297 * box.height / np.ptp(axes.get_ylim()) == pytest.approx(across)
        assert 31 + 20 + 17 <= below <= 31 + 60 + 17 + 1e-9
