"""An optimisation never ends worse than it began, and respects its bounds and reach."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import sections
from explorer.designs import search
from explorer.designs.geometry import inner_gap
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, Constraint, parse
from explorer.errors import DesignError
from tests.support.sections import DIGITS, SECTIONS, engine, novelty_reference, sketch

# Pushed further


def starts(slug=DIGITS, n=5):
    drawn = engine(slug).sample(n, seed=8)
    return drawn.z, float(drawn.log_density.min()) - 1.0


def push(start, key="ink", way="more", slug=DIGITS, generations=6, floor=None, **given):
    floor = starts(slug)[1] if floor is None else floor
    return search.push(
        engine(slug), start, key, way, floor=floor, generations=generations, **given
    )


def at(slug, z, key):
    worth = measure(engine(slug).decode(z[None]), engine(slug).sketch)
    return float(worth.values[key][0])


@pytest.mark.parametrize("way", ["more", "less"])
@pytest.mark.parametrize("key", ["ink", "stroke", "symmetry"])
def test_a_search_ends_no_worse_than_it_began_and_within_its_bounds(key, way):
    codes, floor = starts()
    spread = engine(DIGITS).moments()[1]
    for seed, start in enumerate(codes):
        found = push(start, key, way, seed=seed)
        sign = 1 if way == "more" else -1
        assert found.before == pytest.approx(at(DIGITS, start, key))
        assert found.after == pytest.approx(at(DIGITS, found.z, key), abs=1e-4)
        assert sign * found.after >= sign * found.before - 1e-4
        assert found.log_density == pytest.approx(engine(DIGITS).log_prior(found.z[None])[0])
        assert found.log_density >= floor - 1e-4
        assert found.floor == floor
        assert (np.abs(found.z - start) <= search.REACH * spread + 1e-5).all()
        assert (found.generations, found.evaluations) == (6, 7 * search.POPULATION)


@pytest.mark.slow
def test_a_search_goes_to_the_end_of_its_reach_and_not_beyond():
    spread = engine(DIGITS).moments()[1]
    reach = [
        np.abs(push(start, "symmetry", way, floor=-1e4, generations=30).z - start) / spread
        for start in starts()[0]
        for way in ("more", "less")
    ]
    assert search.REACH - 0.01 < np.max(reach) <= search.REACH + 1e-5


@pytest.mark.parametrize("limits", ["", "symmetry>=85", "symmetry<=75,stroke>=1.8"])
def test_a_long_search_finds_what_a_fine_grid_finds(limits):
    start, floor = starts()[0][1], -4.0
    spread = engine(DIGITS).moments()[1]
    steps = np.linspace(-search.REACH, search.REACH, 101)
    grid = start + spread * np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    grid = grid.astype(np.float32)
    worth = measure(engine(DIGITS).decode(grid), engine(DIGITS).sketch)
    good = worth.meets(parse(limits)) & (engine(DIGITS).log_prior(grid) >= floor)
    best = worth.values["ink"][good].max()
    found = push(start, floor=floor, constraints=parse(limits), generations=60)
    assert found.log_density >= floor - 1e-4
    assert found.after > best - 0.02
    assert measure(engine(DIGITS).decode(found.z[None]), engine(DIGITS).sketch).meets(
        [Constraint(key, way, limit + (-1e-4 if way == ">=" else 1e-4))
         for key, way, limit in parse(limits)]
    ).all()  # fmt: skip


def test_a_search_may_start_outside_its_bounds_and_ends_inside():
    start = starts()[0][1]
    limit = at(DIGITS, start, "symmetry") + 6
    bound = (Constraint("symmetry", ">=", float(limit)),)
    found = push(start, constraints=bound, generations=25)
    assert at(DIGITS, found.z, "symmetry") >= limit - 1e-4


def test_a_faithful_search_stays_near_the_data():
    start = starts()[0][1]
    free = push(start, "stroke", floor=-30.0, generations=15)
    bound = push(
        start,
        "stroke",
        floor=-30.0,
        generations=15,
        reference=novelty_reference(),
        fidelity=60.0,
    )

    def far(z):
        loc = engine(DIGITS).encode(engine(DIGITS).decode(z[None])).loc
        return novelty_reference().judge(loc).percentile[0]

    assert far(bound.z) <= 60
    assert far(free.z) > 60
    assert bound.after > bound.before


def test_a_section_is_pushed_within_its_bounds():
    start = engine().sample(1, seed=8).z[0]
    limits = parse("thickness>=8,waviness<=0.05")
    floor = float(engine().log_prior(start[None])[0]) - 8
    found = push(start, "ld", slug=SECTIONS, constraints=limits, generations=8, floor=floor)
    worth = measure(engine().decode(found.z[None]), sketch())
    assert worth.valid.all()
    assert worth.values["thickness"][0] >= 8 - 1e-4
    assert worth.values["waviness"][0] <= 0.05 + 1e-5
    assert worth.values["ld"][0] == pytest.approx(found.after, rel=1e-4)
    assert found.after > found.before
    assert found.log_density >= floor - 1e-3


@pytest.mark.parametrize("row", range(3))
def test_a_search_does_not_push_surfaces_through_each_other(row):
    drawn = engine().sample(3, seed=8)
    found = push(
        drawn.z[row], "least_gap", "less", slug=SECTIONS,
        floor=float(drawn.log_density[row]) - 8, generations=10,
    )  # fmt: skip
    assert found.after < found.before
    assert found.after >= -100 * sections.CROSSED
    assert measure(engine().decode(found.z[None]), sketch()).valid.all()


@pytest.mark.parametrize("gap", [0.3, 1.0])
def test_a_search_keeps_a_gap_ahead_of_the_tail_as_decoded_and_as_shown(gap):
    """Without it, a search for L/D lands where the surfaces cross by just what is tolerated."""
    drawn = engine().sample(3, seed=8)
    limits = {"slug": SECTIONS, "floor": float(drawn.log_density[2]) - 20, "generations": 25}
    found = push(drawn.z[2], "thickness", "less", gap=gap, **limits)
    x = engine().decode(found.z[None])
    shown = measure(x, sketch()).values["inner_gap"][0]
    assert shown >= gap - 1e-4
    assert 100 * inner_gap(x, sketch())[0] >= gap - 1e-4


@pytest.mark.parametrize("gap", [0.0, -1.0, 2.1, math.nan])
def test_a_gap_out_of_bounds_is_one_sentence(gap):
    start = engine().sample(1, seed=8).z[0]
    with pytest.raises(DesignError, match=r"gap of 0\.05 to 2 % of the chord; choose one\.$"):
        push(start, "ld", slug=SECTIONS, gap=gap)


def test_a_search_goes_by_the_mean_over_operating_points():
    start = engine().sample(1, seed=8).z[0]
    flow = Conditions.parse("a8@300000*2", alpha=2.0)
    floor = float(engine().log_prior(start[None])[0]) - 8
    found = push(start, "ld_mean", slug=SECTIONS, floor=floor, generations=5, conditions=flow)
    worth = measure(engine().decode(found.z[None]), sketch(), flow).values
    assert found.after == pytest.approx((worth["ld"][0] + 2 * worth["ld_2"][0]) / 3, rel=1e-4)
    assert found.after > found.before


def test_a_search_from_the_best_there_is_keeps_it():
    best = push(starts()[0][1], generations=40)
    again = push(best.z, generations=1, floor=best.log_density - 1, seed=3)
    assert again.after >= best.after - 1e-4


def test_a_search_judges_under_the_conditions_it_is_given():
    start = engine().sample(1, seed=8).z[0]
    found = push(start, "cl", slug=SECTIONS, generations=2, conditions=Conditions(alpha=-4.0))
    worth = measure(engine().decode(start[None]), sketch(), Conditions(alpha=-4.0))
    assert found.before == pytest.approx(worth.values["cl"][0], rel=1e-5)


@pytest.mark.parametrize("way", ["more", "less"])
def test_a_search_reports_after_each_generation_and_never_falls_back(way):
    start = starts()[0][2]
    told = []

    def report(done, best, z):
        told.append((done, best, z.astype(np.float32)))

    found = push(start, way=way, constraints=parse("symmetry>=92"), generations=25, report=report)
    assert [done for done, _, _ in told] == list(range(1, 26))
    best = np.array([value for _, value, _ in told])
    first = int(np.isfinite(best).argmax())
    assert first > 0
    assert np.isnan(best[:first]).all()
    assert (np.diff(best[first:]) * (1 if way == "more" else -1) >= 0).all()
    assert best[-1] == pytest.approx(found.after)
    np.testing.assert_array_equal(told[-1][2], found.z)
    for _, value, z in told[first::6]:
        assert value == pytest.approx(at(DIGITS, z, "ink"), abs=1e-4)


def test_what_a_report_raises_ends_the_search():
    class Enough(Exception):
        pass

    told = []

    def report(done, best, z):
        told.append(done)
        if done == 2:
            raise Enough

    with pytest.raises(Enough):
        push(starts()[0][0], report=report)
    assert told == [1, 2]


def test_the_same_seed_pushes_to_the_same_design():
    start = starts()[0][2]
    first, again, other = (push(start, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.z, again.z)
    assert first.after == again.after
    assert not np.array_equal(first.z, other.z)


def test_a_search_that_cannot_succeed_says_so():
    start = starts()[0][0]
    with pytest.raises(DesignError, match=r"no property “lift”.*\.$"):
        push(start, "lift")
    hopeless = ({"floor": 1e6}, {"constraints": parse("ink>=99")}, {"constraints": parse("a>=0")})
    for bound in hopeless:
        with pytest.raises(DesignError, match=r"^No design nearby is feasible.*\.$"):
            push(start, generations=3, **bound)


# The front


FRONT = st.lists(
    st.tuples(*[st.one_of(st.integers(-3, 3).map(float), st.just(math.nan))] * 2), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(FRONT, st.tuples(*[st.sampled_from(["more", "less"])] * 2))
def test_the_front_is_what_nothing_beats(rows, better):
    values = np.array(rows, float).reshape(-1, 2)

    def beats(a, b):
        gains = [
            (x - y) if way == "more" else (y - x) for x, y, way in zip(a, b, better, strict=True)
        ]
        return min(gains) >= 0 and max(gains) > 0

    sane = [row for row in rows if not any(map(math.isnan, row))]
    expected = [row in sane and not any(beats(other, row) for other in sane) for row in rows]
    found = search.pareto(values, better)
    assert found.tolist() == expected
    assert found.any() == bool(sane)


@settings(max_examples=60, deadline=None)
@given(FRONT)
def test_the_front_is_the_same_in_other_units_and_upside_down(rows):
    values = np.array(rows, float).reshape(-1, 2)
    found = search.pareto(values, ("more", "less"))
    scaled = values * np.array([3.0, 0.5]) + np.array([-7.0, 11.0])
    np.testing.assert_array_equal(search.pareto(scaled, ("more", "less")), found)
    np.testing.assert_array_equal(search.pareto(-values, ("less", "more")), found)
    np.testing.assert_array_equal(search.pareto(values[:, ::-1], ("less", "more")), found)
