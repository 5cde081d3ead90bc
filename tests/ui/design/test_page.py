"""The Design page: conditions and wishes in a form, twelve designs, and one to shape."""

import numpy as np
import pytest

from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, OperatingPoint, parse
from explorer.ui import cache
from explorer.ui.address.notation import code_text, read_code
from explorer.ui.design import shape
from tests.support.engines import CURVES, engine_of
from tests.support.pages import address, open_page, press, told

DIGITS = "digits-vae-vamp-16"


def field(app, key):
    return next(item for item in app.number_input if item.key == key)


def test_without_wishes_there_are_twelve_sound_designs():
    app = open_page("design", model=CURVES)
    assert not app.exception
    assert "**12 designs** that are sound" in told(app)
    assert "Shape it: Design 1" in [item.value for item in app.subheader]
    assert address(app) == {"model": CURVES}


def test_a_wish_is_added_at_the_median_of_what_is_in_reach_and_tuned():
    app = open_page("design", model=CURVES)
    low, middle, high = cache.property_ranges(engine_of(CURVES), Conditions())["cl"]
    app.selectbox(key="design_bound_key").set_value("cl").run()
    assert field(app, "design_bound_value_cl").value == round(middle, 2)
    assert f"Samples: {low:.2f} to {high:.2f}, half of them above {middle:.2f}" in told(app)
    app.selectbox(key="design_bound_key").set_value("thickness").run()
    assert field(app, "design_bound_value_thickness").value > 5  # not that of another property
    press(app, "design_bound_add")
    assert address(app)["limits"].startswith("thickness>=")
    field(app, "design_bound_thickness_>=").set_value(14.0).run()
    assert address(app)["limits"] == "thickness>=14"
    assert "satisfy the wishes" in told(app)
    press(app, "design_bound_thickness_>=_drop")
    assert "limits" not in address(app)


def test_operating_points_are_added_held_and_removed():
    app = open_page("design", model=CURVES)
    press(app, "design_point_add")
    assert address(app)["flow"] == "a6@1e6"
    assert app.selectbox(key="design_goal").value == "ld_mean"
    next(c for c in app.segmented_control if c.key == "design_point_1_held").set_value("cl").run()
    field(app, "design_point_1_cl").set_value(0.9).run()
    field(app, "design_point_1_weight").set_value(3.0).run()
    field(app, "design_flow_ncrit").set_value(5.0).run()
    flow = Conditions.parse(address(app)["flow"])
    assert flow.ncrit == 5
    assert flow.others == (OperatingPoint(cl=0.9, weight=3.0),)
    press(app, "design_point_0_drop")
    assert not Conditions.parse(address(app)["flow"]).others
    assert not app.exception


def test_what_cannot_be_met_says_what_is_nearest_and_what_each_wish_costs():
    app = open_page("design", model=CURVES, limits="thickness>=40")
    (warning,) = app.warning
    assert "No design satisfies all wishes" in warning.value
    assert "Thickness" in warning.value
    shown = " ".join(item.proto.body for item in app.main.get("html"))
    assert "Without Thickness ≥ 40 %" in shown
    assert "0 of 3,000 samples" in shown


@pytest.mark.parametrize("wrong", [{"goal": "ink"}, {"flow": "x1"}, {"spread": "7"}, {"seed": -1}])
def test_a_wrong_link_is_told(wrong):
    app = open_page("design", model=CURVES, **wrong)
    assert not app.exception
    assert next(iter(wrong)) in " ".join(w.value for w in app.warning) or app.warning
    assert "**12 designs**" in told(app)


def test_a_design_in_hand_is_shaped_and_taken_along(monkeypatch):
    chosen = cache.designs(engine_of(CURVES), Conditions(), "", "ld", 0.5, 0)
    place = code_text(chosen.z[4])
    app = open_page("design", model=CURVES, hand=place)
    assert "Shape it: " in " ".join(item.value for item in app.subheader)
    assert address(app)["hand"] == place
    shaped = code_text(chosen.z[4] + np.float32(0.1))
    monkeypatch.setattr(shape, "outline", lambda *a, **k: shaped)
    app = open_page("design", model=CURVES, hand=place)
    assert address(app)["hand"] == shaped


def test_the_designs_of_a_link_meet_its_wishes():
    limits, conditions = "thickness>=13,cd<=0.009", Conditions(cl=0.6, reynolds=2e6)
    app = open_page(
        "design", model=CURVES, limits=limits, reynolds=2e6, flow=conditions.text, goal="-cd"
    )
    assert "satisfy the wishes" in told(app)
    found = cache.designs(engine_of(CURVES), conditions, limits, "-cd", 0.5, 0)
    measured = measure(engine_of(CURVES).decode(found.z), engine_of(CURVES).sketch, conditions)
    assert measured.meets(parse(limits)).all()
    assert (np.diff(measured.values["cd"]) >= -1e-9).all()


def test_pictures_have_designs_but_nothing_to_grab():
    app = open_page("design", model=DIGITS)
    assert not app.exception
    assert "**12 designs**" in told(app)
    assert not any("Shape" in item.value for item in app.subheader)


def test_an_autoencoder_has_no_prior_to_draw_designs_from():
    app = open_page("design", model="digits-ae-16")
    assert not app.exception
    assert "which this autoencoder lacks" in app.info[0].value


def test_a_code_in_a_link_is_what_is_shaped():
    z = read_code(code_text(engine_of(CURVES).sample(1, 0.5, 9).z[0]), 8)
    app = open_page("design", model=CURVES, hand=code_text(z))
    assert not app.exception
    assert address(app)["hand"] == code_text(z)
