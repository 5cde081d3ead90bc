"""Wishes are met by what is chosen, or it is said what is nearest; nothing is chosen unsound."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import sections
from explorer.designs import desk
from explorer.designs.geometry import inner_gap
from explorer.designs.measuring import applicable_properties, measure
from explorer.designs.properties import Conditions, Constraint, OperatingPoint, Property, parse
from explorer.errors import DesignError
from tests.support.engines import engine_of
from tests.support.sections import SECTIONS

DIGITS = "digits-vae-vamp-16"


def engine(slug=SECTIONS):
    return engine_of(slug)


@cache
def sound():
    return desk.Sound(
        float(np.percentile(engine().heights(engine().sample(2000, 1.0, 5).z), 5)),
        0.07,
        None,
    )


@cache
def pool(conditions=Conditions(), n=1500):  # noqa: B008
    return desk.pool(engine(), conditions, sound(), n=n)


def goal(key, conditions=Conditions(), better="more"):  # noqa: B008
    known = applicable_properties(engine().sketch, conditions)
    return next(item for item in known if item.key == key)._replace(better=better)


def found(limits, key="thickness", conditions=Conditions(), **options):  # noqa: B008
    return desk.find(
        engine(), pool(conditions), parse(limits), goal(key, conditions), conditions, sound(),
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("limits", ["", "thickness>=12", "thickness<=9,camber>=2"])
def test_all_that_are_chosen_are_sound_and_meet_the_wishes(limits):
    chosen = found(limits)
    assert len(chosen.z) == 12
    assert chosen.met.all()
    again = desk.judge(engine(), chosen.z, Conditions(), sound())
    assert again.sound.all()
    assert again.measured.meets(parse(limits)).all()
    shown = sections.shaped(chosen.x, engine().sketch)
    assert 100 * inner_gap(shown, engine().sketch).min() >= desk.LEAST_GAP
    assert chosen.measured.values["reversals"].max() <= desk.REVERSALS


@pytest.mark.parametrize(("better", "sign"), [("more", -1), ("less", 1)])
def test_they_come_in_the_order_of_the_objective(better, sign):
    chosen = desk.find(engine(), pool(), (), goal("camber", better=better), Conditions(), sound())
    values = sign * chosen.measured.values["camber"]
    assert (np.diff(values) >= 0).all()


def test_no_spread_gives_the_best_and_full_spread_the_most_different():
    best, mixed, different = (found("", spread=spread) for spread in (0.0, 0.5, 1.0))
    assert best.measured.values["thickness"].mean() > mixed.measured.values["thickness"].mean()
    assert mixed.apart > best.apart
    assert different.apart > mixed.apart
    top = np.sort(pool().measured.values["thickness"][pool().sound])[-1]
    assert best.measured.values["thickness"][0] == pytest.approx(top)


def test_without_spread_they_are_the_very_best():
    best = found("", spread=0.0).measured.values["thickness"]
    every = np.sort(pool().measured.values["thickness"][pool().sound])[::-1]
    np.testing.assert_allclose(best, every[:12])


def test_what_cannot_fly_at_the_lift_asked_for_is_not_chosen():
    conditions = Conditions(cl=1.6)
    for spread in (0.0, 0.75, 1.0):
        chosen = found("", "ld", conditions, spread=spread)
        assert np.isfinite(chosen.measured.values["ld"]).all()
        assert chosen.feasible == chosen.flying < chosen.sound


def test_where_nothing_comes_near_what_is_shown_is_sound_all_the_same():
    none = found("camber>=1000", "thickness")
    assert not none.met.any()
    assert desk.judge(engine(), none.z, Conditions(), sound()).sound.all()


def test_where_no_wish_alone_is_too_much_pairs_are_offered():
    told = found("thickness>=20,thickness<=4,camber<=0,camber>=8")
    assert {len(item.wishes) for item in told.relaxed} == {1, 2}
    good = pool().sound & pool().measured.meets(parse("thickness>=20"))
    assert good.any()


def test_what_is_not_sound_says_why():
    drawn = desk.judge(engine(), pool().z[:60], Conditions(), sound())
    for row in range(60):
        assert bool(desk.lacks(drawn, row)) == (not drawn.sound[row])
    strict = desk.judge(engine(), pool().z[:1], Conditions(), desk.Sound(floor=1e9))
    assert "less probable than held-out data" in desk.lacks(strict, 0)


def test_what_samples_do_not_reach_a_search_does():
    rare = found("thickness>=17,camber>=5.5")
    assert rare.feasible < 12
    assert rare.searched > 0
    assert rare.met.all()
    assert len(rare.z) == 12
    assert desk.judge(engine(), rare.z, Conditions(), sound()).sound.all()


def test_what_cannot_be_met_is_nearest_first_and_said():
    none = found("thickness>=40")
    assert not none.met.any()
    assert 1 <= len(none.z) <= desk.NEAREST
    assert none.feasible == 0
    (relaxed,) = none.relaxed
    assert relaxed.others == none.sound
    # The search came nearer than any sample did, and kept them sound.
    most = pool().measured.values["thickness"][pool().sound].max()
    assert relaxed.nearest > most
    assert none.measured.values["thickness"][0] == pytest.approx(relaxed.nearest)
    assert desk.judge(engine(), none.z, Conditions(), sound()).sound[0]


def test_without_a_wish_there_are_as_many_as_are_counted():
    wishes = parse("thickness>=12,camber>=3")
    told = found("thickness>=12,camber>=3")
    for item in told.relaxed:
        others = [wish for wish in wishes if wish not in item.wishes]
        good = pool().sound & pool().measured.meets(others)
        assert item.others == good.sum() >= told.feasible


def test_several_operating_points_and_a_lift_coefficient_can_be_wished_for():
    conditions = Conditions(cl=0.5, others=(OperatingPoint(cl=1.0, reynolds=5e5, weight=2.0),))
    chosen = found("cd_2<=0.02", "ld_mean", conditions)
    assert chosen.met.all()
    again = measure(chosen.x, engine().sketch, conditions).values
    assert (again["cd_2"] <= 0.02).all()
    assert (np.diff(again["ld_mean"]) <= 1e-6).all()


def test_the_same_seed_finds_the_same_designs():
    one, other = (found("thickness>=17,camber>=5.5") for _ in range(2))
    np.testing.assert_array_equal(one.z, other.z)


def test_pictures_are_designs_too():
    digits = engine(DIGITS)
    conditions = Conditions()
    known = applicable_properties(digits.sketch)
    drawn = desk.pool(digits, conditions, desk.Sound(), n=300)
    wish = Constraint(known[0].key, ">=", float(np.median(drawn.measured.values[known[0].key])))
    chosen = desk.find(
        digits, drawn, (wish,), known[1]._replace(better="more"), conditions, desk.Sound()
    )
    assert chosen.met.all()
    assert (chosen.measured.values[known[0].key] >= wish.value).all()


def test_a_property_that_samples_lack_is_refused():
    with pytest.raises(DesignError, match="no property “ink”"):
        desk.find(engine(), pool(), (), Property("ink", "Ink"), Conditions(), sound())
    with pytest.raises(DesignError, match="no property “ink”"):
        found("ink>=1")


def test_a_requirement_that_is_not_met_is_counted_as_unsound():
    strict = desk.Sound(floor=1e9)
    drawn = desk.judge(engine(), pool().z[:20], Conditions(), strict)
    assert not drawn.sound.any()
    drawn = desk.judge(engine(), pool().z[:20], Conditions(), desk.Sound(waviness=1e-9))
    assert not drawn.sound.any()


KEYS = [item.key for item in applicable_properties(engine().sketch)]
BOUNDS = st.builds(
    Constraint, st.sampled_from(KEYS), st.sampled_from([">=", "<="]),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)),
)  # fmt: skip


@settings(max_examples=6, deadline=None)
@given(
    wishes=st.lists(BOUNDS, max_size=4, unique_by=lambda wish: wish[:2]),
    key=st.sampled_from(KEYS),
    spread=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_whatever_is_wished_for_the_answer_is_true(wishes, key, spread):
    drawn = pool(n=200)
    answer = desk.find(
        engine(), drawn, wishes, goal(key), Conditions(), sound(), spread=spread, k=6
    )
    assert 1 <= len(answer.z) <= 6
    again = desk.judge(engine(), answer.z, Conditions(), sound())
    known = np.isfinite(again.measured.values[key])
    np.testing.assert_array_equal(answer.met, again.sound & known & again.measured.meets(wishes))
    assert len(answer.relaxed) >= len(wishes)
    assert np.isfinite(answer.z).all()
