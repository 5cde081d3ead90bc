"""An opened section says what was done to it, and its numbers by the file's axes."""

import re

import pytest

from tests.support.pages import open_page, told
from tests.support.sections import naca

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def opened(points, name="section.dat"):
    app = open_page("reconstruct", model="airfoils-vae-xvae-8", source="upload")
    text = "\n".join(f"{x:.6f} {y:.6f}" for x, y in points)
    app.file_uploader[0].upload(name, text.encode(), "text/plain").run()
    assert not app.exception
    return app


def test_a_mirrored_section_is_opened_with_its_turn_and_its_lift():
    app = opened(naca(0.04, 0.4, 0.18, points=60) * [-1, 1] + [1, 0])
    words = told(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "The nose was at the larger x: the section was mirrored." in words
    assert "Turned by 0.40° from the file’s axes: 4° there are 4.40° to the chord." in words
    lift = re.search(r"CL at 4° (0\.\d+)", words)
    assert float(lift[1]) == pytest.approx(0.829, abs=0.01)  # XFoil 6.99 on the file
    app.segmented_control(key="reconstruct_section_axes").set_value("file").run()
    assert not app.exception
    assert "Its chord lies at 0.40° to the file’s axes" in told(app)


def test_what_is_no_section_is_said_and_nothing_is_reconstructed():
    app = opened(naca(0.04, 0.4, 0.18, points=60)[:70])
    (error,) = app.error
    assert error.value.startswith("The section's contour is open")
    assert "Nothing to reconstruct yet" in told(app)


def test_an_opened_section_is_still_there_after_another_page_until_it_is_removed():
    app = opened(naca(0.04, 0.4, 0.18, points=60))
    state = app.session_state["reconstruct_section_held"]
    app = open_page("reconstruct", model="airfoils-vae-xvae-8", source="upload")
    app.session_state["reconstruct_section_held"] = state
    app.run()
    assert "Turned by 0.40°" in told(app)
    app.button(key="reconstruct_section_remove").click().run()
    assert not app.exception
    assert "Nothing to reconstruct yet" in told(app)
