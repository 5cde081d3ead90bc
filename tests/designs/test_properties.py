"""Constraints survive parsing and formatting; other packages can add properties."""

import importlib.metadata
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import plugins
from explorer.designs import measuring, properties
from explorer.designs.measuring import GROUP, applicable_properties, measure
from explorer.designs.properties import (
    MOST_CONSTRAINTS,
    AbstractProperties,
    Constraint,
    Measured,
    Property,
    join,
    parse,
)
from explorer.errors import DesignError, PluginError
from explorer.sketch import PixelSketch
from tests.support.sections import DIGITS, engine, sketch

# Constraints


KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)

WAYS = st.sampled_from([">=", "<="])


def bounds(numbers):
    return st.lists(st.builds(Constraint, KEYS, WAYS, numbers), max_size=MOST_CONSTRAINTS)


@settings(max_examples=60, deadline=None)
@given(bounds(st.integers(-99_999, 99_999).map(lambda n: n / 100)))
def test_constraints_come_back_from_a_link(wanted):
    assert list(parse(join(wanted))) == wanted


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_999_999), st.integers(0, 999_999), st.sampled_from(["", "-"]))
def test_whatever_can_be_read_from_a_link_can_be_written_into_one(whole, part, sign):
    (bound,) = parse(f"cl>={sign}{whole}.{part:06}")
    assert bound.value == float(f"{sign}{whole}.{part:06}")
    assert parse(join([bound])) == (bound,)


def test_constraints_are_read_as_they_are_written():
    assert parse("") == ()
    assert join(()) == ""
    found = parse("thickness>=12,cl>=0.6,camber_at<=-3.25")
    assert found == (
        ("thickness", ">=", 12.0), ("cl", ">=", 0.6), ("camber_at", "<=", -3.25)
    )  # fmt: skip
    assert join(found) == "thickness>=12,cl>=0.6,camber_at<=-3.25"


@pytest.mark.parametrize(
    "text",
    [
        "thickness", "thickness>12", "thickness=12", "thickness>=", ">=12", "thickness>=12,",
        ",cl>=1", "cl>=1,,cd<=1", "cl>=1;cd<=1", "Thickness>=12", "cl >= 1", "cl>=1 ", "cl>=1\n",
        "cl>=.5", "cl>=1.", "cl>=1e3", "cl>=nan", "cl>=inf", "cl>=+1", "cl>=--1", "cl>=12345678",
        "cl>=0.1234567", "1cl>=1", "_cl>=1", f"{'a' * 41}>=1", "cl==1", "cl>=1>=2", "cl>=0x1",
        ",".join(["cl>=1"] * (MOST_CONSTRAINTS + 1)), "x" * 10_000, "first\nsecond",
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_what_is_no_constraint_is_refused_in_a_sentence(text):
    with pytest.raises(DesignError) as caught:
        parse(text)
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 200


def test_a_value_meets_a_bound_it_equals_and_none_that_is_unknown():
    found = Measured((), {"a": np.array([1.0, 2.0, 3.0, np.nan])}, ("", "", "", ""))
    assert found.meets([Constraint("a", ">=", 2.0)]).tolist() == [False, True, True, False]
    assert found.meets([Constraint("a", "<=", 2.0)]).tolist() == [True, True, False, False]
    both = [Constraint("a", ">=", 2.0), Constraint("a", "<=", 2.0)]
    assert found.meets(both).tolist() == [False, True, False, False]
    assert found.meets(()).all()
    for way in (">=", "<="):
        assert not found.meets([Constraint("unknown", way, 0.0)]).any()
        assert not found.meets([Constraint("unknown", way, 0.0), *both]).any()


def test_an_unsound_sample_meets_nothing():
    found = Measured((), {"a": np.array([1.0, 1.0])}, ("broken", ""))
    assert found.valid.tolist() == [False, True]
    assert found.meets([Constraint("a", ">=", 0.0)]).tolist() == [False, True]


def test_values_are_written_with_their_unit():
    item = Property("a", "A", "%", 1)
    assert item.words(12.345) == "12.3 %"
    assert item.words(-12.345) == "−12.3 %"
    for nothing in (math.nan, math.inf, -math.inf):
        assert item.words(nothing) == "–"
    assert Property("a", "A", digits=3).words(0.5) == "0.500"


def test_nothing_is_written_as_minus_zero():
    assert [Property("a", "A", "%", 1).words(v) for v in (-0.0, -0.04, 0.04)] == ["0.0 %"] * 3


def test_main_properties_are_told_first_and_the_rest_if_asked():
    items = (Property("a", "A", "%", main=True), Property("b", "B"), Property("c", "C", main=True))
    assert properties.words(items, {"a": 1.0, "b": 2.0}) == ["A 1.0 %"]
    assert properties.words(items, {"a": 1.0, "b": 2.0}, main=False) == ["A 1.0 %", "B 2.0"]


# Families that other packages bring


class Brightness(AbstractProperties):
    """The largest grey value: a family as another package would bring it."""

    name = "Brightness"

    def fits(self, sketch):
        return isinstance(sketch, PixelSketch)

    def properties(self, conditions):
        return (Property("brightest", "Brightest"),)

    def measure(self, x, sketch, conditions):
        return {"brightest": x.max((1, 2, 3))}


class Moody(Brightness):
    """A family that cannot be made."""

    def __init__(self):
        raise OSError("its file is gone")


@pytest.fixture
def plugged(monkeypatch):
    """Register families by entry points, as an installed package would."""

    def plug(**points):
        given = [importlib.metadata.EntryPoint(*point, GROUP) for point in points.items()]
        monkeypatch.setattr(plugins, "entry_points", lambda group: given if group == GROUP else ())
        measuring.families.cache_clear()

    yield plug
    monkeypatch.undo()
    measuring.families.cache_clear()


def test_a_family_of_another_package_is_measured_with_ours(plugged):
    plugged(brightness=f"{__name__}:Brightness")
    x = engine(DIGITS).sample(4).x
    keys = [item.key for item in applicable_properties(engine(DIGITS).sketch)]
    assert keys == ["ink", "stroke", "symmetry", "compactness", "brightest"]
    found = measure(x, engine(DIGITS).sketch)
    np.testing.assert_allclose(found.values["brightest"], x.max((1, 2, 3)))
    assert set(found.values) == set(keys)
    assert found.meets(parse("brightest>=2")).sum() == 0
    assert found.meets(parse("brightest<=2")).all()
    assert "brightest" not in measure(engine().sample(2).x, sketch()).values


@pytest.mark.parametrize(
    "value",
    ["nowhere_at_all:Nothing", f"{__name__}:Nothing", f"{__name__}:Moody", "builtins:dict"],
)
def test_a_broken_family_is_named(plugged, value):
    plugged(brightness=f"{__name__}:Brightness", sparkle=value)
    for ask in (measuring.families, lambda: applicable_properties(sketch())):
        with pytest.raises(PluginError, match=r"“sparkle”.*\.$") as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_a_family_that_was_mended_is_there_again(plugged):
    plugged(sparkle="nowhere_at_all:Nothing")
    with pytest.raises(PluginError):
        measuring.families()
    plugged()
    assert [family.name for family in measuring.families()] == [
        "Geometry", "Decoding", "Aerodynamics", "Ink", "Colour"
    ]  # fmt: skip
