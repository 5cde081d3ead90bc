"""Designs far apart, alike or between others are what they should be."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from explorer.designs import search
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions, parse
from explorer.errors import DesignError
from tests.support.sections import DIGITS, SECTIONS, engine, novelty_reference

# Far apart


def whitened(slug, z):
    centre, spread = engine(slug).moments()
    return ((z - centre) / spread).astype(np.float64)


FAR = {
    "plain": (DIGITS, {}),
    "another seed and scale": (DIGITS, {"seed": 3, "scale": 0.7}),
    "faithful": (DIGITS, {"fidelity": 60.0, "scale": 1.3}),
    "within bounds": (DIGITS, {"constraints": parse("ink<=30.5,symmetry>=70")}),
    "not like these": (DIGITS, {"rejected": (0, 5, 17)}),
    "all of it": (
        DIGITS,
        {"constraints": parse("ink<=31"), "fidelity": 80.0, "rejected": (1, 2), "seed": 1},
    ),
    "sections": (SECTIONS, {}),
    "sections within bounds": (
        SECTIONS,
        {
            "constraints": parse("thickness>=10,ld>=60"),
            "conditions": Conditions(alpha=2.0, reynolds=5e5),
            "rejected": (4, 8),
        },
    ),
}


def asked(case):
    slug, given = FAR[case]
    given = dict(given)
    rejected = given.pop("rejected", ())
    pool = engine(slug).sample(search.POOL, given.get("scale", 1.0), given.get("seed", 0))
    if rejected:
        given["rejected"] = pool.z[list(rejected)]
    if "fidelity" in given:
        given["reference"] = novelty_reference()
    return slug, given, pool


def allowed(slug, given, pool):
    """Say which samples may be chosen, one by one."""
    good = np.ones(len(pool.z), bool)
    if "reference" in given:
        far = novelty_reference().judge(engine(slug).encode(pool.x).loc).percentile
        good &= far <= given["fidelity"]
    worth = measure(pool.x, engine(slug).sketch, given.get("conditions"))
    good &= np.array([fault == "" for fault in worth.faults])
    for key, way, limit in given.get("constraints", ()):
        good &= worth.values[key] >= limit if way == ">=" else worth.values[key] <= limit
    if "rejected" in given:
        points = whitened(slug, pool.z)
        gaps = cdist(points[:200], points)
        gaps[np.arange(200), np.arange(200)] = np.inf
        usual = np.median(gaps.min(1))
        good &= cdist(points, whitened(slug, given["rejected"])).min(1) > usual
    return good


@pytest.mark.parametrize("case", FAR)
def test_each_choice_is_the_farthest_from_all_before_it(case):
    slug, given, pool = asked(case)
    good = allowed(slug, given, pool)
    assert good.sum() > 12
    found = search.far_apart(engine(slug), 12, **given)
    points, chosen = whitened(slug, pool.z[good]), whitened(slug, found.z)
    assert cdist(chosen, points).min(1).max() < 1e-9
    if "rejected" in given:
        before, rest = whitened(slug, given["rejected"]), chosen
    else:
        before, rest = chosen[:1], chosen[1:]
        middle = np.linalg.norm(points - points.mean(0), axis=1)
        assert np.linalg.norm(before - points.mean(0)) == pytest.approx(middle.min())
    for one in rest:
        nearest = cdist(points, before).min(1)
        assert cdist(one[None], before).min() == pytest.approx(nearest.max(), abs=1e-9)
        before = np.concatenate([before, one[None]])
    np.testing.assert_array_equal(found.x, engine(slug).decode(found.z))


@pytest.mark.parametrize("case", FAR)
def test_all_that_are_chosen_keep_the_bounds(case):
    slug, given, _ = asked(case)
    found = search.far_apart(engine(slug), 12, **given)
    worth = measure(found.x, engine(slug).sketch, given.get("conditions"))
    assert worth.valid.all()
    assert worth.meets(given.get("constraints", ())).all()
    assert len(np.unique(found.z, axis=0)) == 12
    if "reference" in given:
        far = novelty_reference().judge(engine(slug).encode(found.x).loc).percentile
        assert far.max() <= given["fidelity"]


@pytest.mark.parametrize("case", FAR)
def test_what_is_left_after_each_step_is_told(case):
    slug, given, pool = asked(case)
    steps = search.far_apart(engine(slug), 12, **given).steps
    counts = [count for _, count in steps]
    assert counts[0] == search.POOL
    assert counts[-2:] == [allowed(slug, given, pool).sum(), 12]
    assert counts == sorted(counts, reverse=True)


def test_nothing_is_left_out_where_nothing_is_asked():
    found = search.far_apart(engine(DIGITS), 3, reference=novelty_reference(), fidelity=100.0)
    assert [count for _, count in found.steps] == [search.POOL, 3]


def test_the_same_seed_finds_the_same_designs():
    first, again, other = (
        search.far_apart(engine(DIGITS), 6, seed=seed, constraints=parse("ink<=31"))
        for seed in (2, 2, 5)
    )
    np.testing.assert_array_equal(first.z, again.z)
    np.testing.assert_array_equal(first.x, again.x)
    assert first.steps == again.steps
    assert not np.array_equal(first.z, other.z)


def test_fewer_designs_are_the_first_of_more():
    few, many = (search.far_apart(engine(DIGITS), k) for k in (5, 20))
    np.testing.assert_array_equal(few.z, many.z[:5])
    assert few.least >= many.least


@pytest.mark.parametrize("case", FAR)
def test_the_least_gap_is_between_the_nearest_two(case):
    slug, given, _ = asked(case)
    found = search.far_apart(engine(slug), 12, **given)
    assert found.least == pytest.approx(pdist(whitened(slug, found.z)).min())


def test_designs_far_apart_are_nearly_as_far_as_can_be():
    # Gonzalez: no choice covers the pool with balls of less than half the radius of this one's.
    points = whitened(DIGITS, engine(DIGITS).sample(search.POOL).z)
    chosen = whitened(DIGITS, search.far_apart(engine(DIGITS), 10).z)
    radius = cdist(points, chosen).min(1).max()
    for seed in range(20):
        lot = np.random.default_rng(seed).choice(len(points), 10, replace=False)
        assert cdist(points, points[lot]).min(1).max() >= radius / 2
        assert pdist(points[lot]).min() < pdist(chosen).min()


def test_bounds_that_leave_nothing_are_told_step_by_step():
    with pytest.raises(DesignError) as caught:
        search.far_apart(
            engine(DIGITS),
            4,
            constraints=parse("ink>=99"),
            reference=novelty_reference(),
            rejected=engine(DIGITS).sample(1).z,
        )
    said = str(caught.value)
    assert said.startswith("Only 0 of 4 designs remain: 2,000 drawn from the prior")
    assert "held-out samples" in said
    assert "0 satisfying the constraints" in said
    assert "rejected" in said
    assert said.endswith("Relax a constraint.")
    assert "\n" not in said


def test_as_many_as_are_left_can_be_chosen_and_not_one_more():
    _, _, pool = asked("plain")
    tight = parse("ink<=28")
    left = int((measure(pool.x, engine(DIGITS).sketch).values["ink"] <= 28).sum())
    assert 2 < left < 48
    found = search.far_apart(engine(DIGITS), left, constraints=tight)
    assert len(np.unique(found.z, axis=0)) == left
    with pytest.raises(DesignError, match=f"Only {left} of {left + 1} designs remain"):
        search.far_apart(engine(DIGITS), left + 1, constraints=tight)


# Like one, and between several


@pytest.mark.parametrize("slug", [DIGITS, SECTIONS])
def test_designs_like_one_leave_it_in_the_same_directions_at_every_radius(slug):
    z, (_, spread) = engine(slug).sample(1, seed=3).z[0], engine(slug).moments()
    radii = (0.0, 0.1, 0.5, 2.0)
    found = search.like(engine(slug), z, 9, radii, seed=4)
    assert found.shape == (4, 9, len(z))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0], np.tile(z, (9, 1)))
    directions = (found[3] - z) / spread / 2.0
    for frame in (1, 2):
        np.testing.assert_allclose(
            (found[frame] - z) / spread / radii[frame], directions, atol=1e-4
        )
    np.testing.assert_array_equal(found[:, :4], search.like(engine(slug), z, 4, radii, seed=4))
    assert not np.array_equal(found[1:], search.like(engine(slug), z, 9, radii, seed=5)[1:])


def test_radii_are_in_spreads_of_the_prior():
    z, (_, spread) = np.zeros(8, np.float32), engine().moments()
    moved = search.like(engine(), z, 4000, (0.5,))[0] / spread
    np.testing.assert_allclose(moved.std(0), 0.5, rtol=0.05)
    np.testing.assert_allclose(moved.mean(0), 0, atol=0.04)


@pytest.mark.parametrize("n", [1, 2, 12])
def test_between_two_the_steps_are_equal_and_neither_end_is_one(n):
    ends = np.array([[1.0, -2.0, 4.0], [3.0, 2.0, -1.0]], np.float32)
    found = search.between(ends, n)
    assert found.dtype == np.float32
    whole = np.concatenate([ends[:1], found, ends[1:]])
    np.testing.assert_allclose(
        np.diff(whole, axis=0), np.tile((ends[1] - ends[0]) / (n + 1), (n + 1, 1)), atol=1e-6
    )


@pytest.mark.parametrize("ends", [3, 4, 6])
def test_between_more_all_lie_within_their_hull(ends):
    corners = np.random.default_rng(ends).normal(size=(ends, ends - 1)).astype(np.float32)
    found = search.between(corners, 500, seed=1)
    # One more corner than dimensions: weights are unique, and one solves for them.
    system = np.vstack([corners.T.astype(np.float64), np.ones(ends)])
    weights = np.linalg.solve(system, np.vstack([found.T, np.ones(500)]))
    assert weights.min() > -1e-5
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-6)
    # Even on the simplex: each weight has mean 1 / ends and variance (1/e)(1-1/e) / (e+1).
    spread = math.sqrt((1 - 1 / ends) / ends / (ends + 1))
    np.testing.assert_allclose(weights.mean(1), 1 / ends, atol=4 * spread / math.sqrt(500))
    np.testing.assert_allclose(weights.std(1), spread, rtol=0.15)
    np.testing.assert_array_equal(found, search.between(corners, 500, seed=1))
    assert not np.array_equal(found, search.between(corners, 500, seed=2))
