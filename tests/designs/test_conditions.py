"""Operating points are written as they were, read back as they are, and mean what they say."""

import neuralfoil
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from explorer import sections as shapes
from explorer.data.airfoils import naca_section
from explorer.designs import aerodynamics
from explorer.designs.properties import FLOW, Conditions, OperatingPoint
from explorer.errors import DesignError
from tests.support.sections import crossed, samples, sketch, values
from tests.support.sentences import assert_one_sentence

CODES = ("0012", "2412", "4415", "23012")
MODERATE = st.integers(1, 99).map(lambda n: n / 10)
POINTS = st.builds(
    OperatingPoint,
    reynolds=st.sampled_from([5e4, 2.5e5, 1e6, 1.25e7]),
    alpha=st.integers(-20, 40).map(lambda n: n / 2),
    cl=st.none() | st.integers(-5, 12).map(lambda n: n / 10),
    weight=MODERATE,
)


def sought(points):
    """What a link holds: an angle that is not used is not written."""
    return [
        OperatingPoint(reynolds=p.reynolds, weight=p.weight, cl=p.cl) if p.cl is not None else p
        for p in points
    ]


def test_the_usual_conditions_are_written_as_they_always_were():
    assert Conditions().model_dump_json() == '{"reynolds":1000000.0,"alpha":4.0}'
    assert Conditions().text == ""


@given(
    first=POINTS,
    others=st.lists(POINTS, max_size=3),
    ncrit=st.integers(1, 14),
    trips=st.tuples(*[st.integers(0, 20).map(lambda n: n / 20)] * 2),
)
def test_a_link_and_json_hold_all_of_them(first, others, ncrit, trips):
    wanted = Conditions(
        **first.model_dump(), ncrit=ncrit, trips=trips, others=tuple(sought(others))
    )
    assert FLOW.fullmatch(wanted.text)
    assert Conditions.parse(wanted.text, reynolds=first.reynolds, alpha=first.alpha) == wanted
    assert Conditions.model_validate_json(wanted.model_dump_json()) == wanted
    assert len(wanted.points) == 1 + len(others)


@pytest.mark.parametrize(
    "text", ["a", "@", "x3", "a4@", "a4@1e3", "a99@1e6", "t0.1", "t2/1", "clx", "n99", "a1@1e6*0",
             ";".join(["a4@1e6"] * 4), "cl\N{ARABIC-INDIC DIGIT ONE}x", "nan", "nnan", "wnan"],
)  # fmt: skip
def test_a_malformed_link_ends_in_one_sentence(text):
    with pytest.raises(DesignError, match="write them as"):
        Conditions.parse(text)


def test_a_flow_that_cannot_be_is_refused():
    with pytest.raises(ValidationError):
        Conditions(others=(OperatingPoint(),) * 4)
    with pytest.raises(ValidationError):
        Conditions(trips=(-0.1, 1.0))


@pytest.mark.parametrize("cl", [-0.2, 0.3, 0.8, 1.0])
def test_the_angle_at_a_lift_coefficient_gives_it(cl):
    x = samples(*map(naca_section, CODES))
    (found,) = aerodynamics.operations(x, sketch(), Conditions(cl=cl, reynolds=5e5))
    np.testing.assert_allclose(found.cl, cl, atol=2e-3)
    for row, alpha in enumerate(found.alpha):
        again = aerodynamics.polars(x[row : row + 1], sketch(), np.array([alpha]), 5e5)
        np.testing.assert_allclose(again.cl[0, 0], cl, atol=2e-3)
        np.testing.assert_allclose(again.cd[0, 0], found.cd[row], rtol=1e-6)


def test_a_lift_coefficient_out_of_reach_and_an_invalid_section_have_no_value():
    x = samples(naca_section("0012"), crossed(5e-3, 30))
    (found,) = aerodynamics.operations(x, sketch(), Conditions(cl=2.6))
    assert np.isnan(found.alpha).all()
    assert np.isnan(found.cd).all()
    (found,) = aerodynamics.operations(x, sketch(), Conditions(cl=0.4))
    assert np.isfinite(found.cd).tolist() == [True, False]


def test_transition_reaches_neuralfoil():
    (x,) = samples(naca_section("2412"))
    flow = Conditions(alpha=3, ncrit=5, trips=(0.1, 0.4))
    (found,) = aerodynamics.operations(x[None], sketch(), flow)
    theirs = neuralfoil.get_aero_from_coordinates(
        shapes.contour(x, sketch()), 3.0, 1e6, n_crit=5, xtr_upper=0.1, xtr_lower=0.4,
        model_size="xlarge",
    )  # fmt: skip
    np.testing.assert_allclose(found.cd, theirs["CD"], atol=1e-6)
    free = aerodynamics.operations(x[None], sketch(), Conditions(alpha=3))[0]
    assert found.cd > 1.1 * free.cd


def test_several_points_have_their_own_keys_and_a_weighted_mean():
    sections = [naca_section(code) for code in CODES]
    several = values(
        *sections,
        reynolds=3e5,
        alpha=2.0,
        others=(OperatingPoint(alpha=6, reynolds=1e6, weight=3.0),),
    )
    low = values(*sections, reynolds=3e5, alpha=2.0)
    high = values(*sections, reynolds=1e6, alpha=6.0)
    for key in ("cl", "cd", "cm", "ld"):
        np.testing.assert_allclose(several[key], low[key], rtol=1e-6)
        np.testing.assert_allclose(several[f"{key}_2"], high[key], rtol=1e-6)
    np.testing.assert_allclose(several["cd_mean"], (low["cd"] + 3 * high["cd"]) / 4, rtol=1e-6)
    np.testing.assert_allclose(several["ld_mean"], (low["ld"] + 3 * high["ld"]) / 4, rtol=1e-6)


@given(text=st.text("acltnw0123456789.@*;/-e", max_size=60))
def test_any_text_of_a_link_is_conditions_or_one_sentence(text):
    try:
        found = Conditions.parse(text)
    except DesignError as error:
        assert_one_sentence(str(error))
    else:
        assert Conditions.parse(found.text) == found


def test_one_forced_transition_is_said_alone():
    assert Conditions(trips=(0.05, 1.0)).transition.endswith("forced at 5 % (upper)")
    assert Conditions(trips=(1.0, 0.1)).transition.endswith("forced at 10 % (lower)")
    assert Conditions().transition == "Ncrit 9, free transition"
