"""Designs measure what a ruler, a report or another program would; searches keep their word."""

import contextlib
import importlib.metadata
import math
from functools import cache
from pathlib import Path

import neuralfoil
import numpy as np
import pytest
from aerosandbox.geometry.airfoil.airfoil_families import get_kulfan_parameters
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.interpolate import BPoly
from scipy.spatial.distance import cdist, pdist

from explorer import Engine, plugins
from explorer.checkpoint import load
from explorer.data import DigitsConfig
from explorer.data.airfoils import naca_section, resample, stations
from explorer.data.drawn import MOST_SECTION_BYTES, from_coordinates
from explorer.designs import aerodynamics, geometry, measuring, properties, search
from explorer.designs.measuring import GROUP, applicable_properties, measure
from explorer.designs.properties import (
    MOST_CONSTRAINTS,
    AbstractProperties,
    Conditions,
    Constraint,
    Measured,
    Property,
    join,
    parse,
)
from explorer.errors import DataError, DesignError, PluginError
from explorer.metrics.novelty import NoveltyReference
from explorer.sketch import CurveSketch, PixelSketch

SECTIONS, DIGITS = "airfoils-vae-vamp-8", "digits-vae-vamp-2"
X = (1 - np.cos(np.pi * np.arange(1, 65) / 64)) / 2
GEOMETRY = ("thickness", "camber", "nose_radius", "tail_angle", "area", "waviness", "least_gap")
AIR = ("cl", "cd", "cm", "ld", "confidence")


@cache
def engine(slug=SECTIONS):
    return Engine(load(slug), "cpu")


def sketch():
    return engine().sketch


def samples(*sections):
    """Standardise heights in chords as the model's samples are; nobody may write into them."""
    x = (np.stack(sections) - np.asarray(sketch().loc)) / np.asarray(sketch().scale)
    x.flags.writeable = False
    return x


def surfaces(upper, lower):
    return np.concatenate([upper[::-1], lower])


def heights(x):
    return x * np.asarray(sketch().scale) + np.asarray(sketch().loc)


def mirrored(section):
    return -section[..., ::-1]


def values(*sections, **conditions):
    return measure(samples(*sections), sketch(), Conditions(**conditions)).values


def value(key, section, **conditions):
    return float(values(section, **conditions)[key][0])


def polars(*sections, alpha=(0.0,), reynolds=1e6):
    return aerodynamics.polars(samples(*sections), sketch(), np.asarray(alpha, float), reynolds)


@cache
def decoded(n=60):
    """Heights of sound sections from the model, with and without a crossing."""
    drawn = engine().sample(n, seed=4).x.astype(np.float64)
    return heights(drawn[measure(drawn, sketch()).valid])


A0, A1, A2, A3, A4 = 0.2969, -0.1260, -0.3516, 0.2843, -0.1036
"""Thickness of the NACA sections of report 460, with the last term that closes the tail."""


def half_thickness(x, t):
    return 5 * t * (A0 * np.sqrt(x) + A1 * x + A2 * x**2 + A3 * x**3 + A4 * x**4)


def naca(m, p, t, points=400):
    """Lay thickness off perpendicular to the camber line: points in Selig's order."""
    x = (1 - np.cos(np.linspace(0, np.pi, points))) / 2
    fore = x < p
    line = np.where(
        fore,
        m / p**2 * (2 * p * x - x**2),
        m / (1 - p) ** 2 * (1 - 2 * p + 2 * p * x - x**2),
    )
    turn = np.arctan(np.where(fore, 2 * m / p**2, 2 * m / (1 - p) ** 2) * (p - x))
    away = half_thickness(x, t) * np.stack([-np.sin(turn), np.cos(turn)])
    upper, lower = (np.stack([x, line]) + side * away for side in (1, -1))
    return np.concatenate([upper.T[::-1], lower.T[1:]])


def class_shape(weights, x=X):
    """Evaluate Kulfan's class function times Bernstein polynomials."""
    return np.sqrt(x) * (1 - x) * BPoly(np.reshape(weights, (-1, 1)), [0, 1])(x)


def crossed(depth, at):
    """Make NACA 0012 whose lower surface rises above the upper one by a depth at one station."""
    upper, lower = half_thickness(X, 0.12), -half_thickness(X, 0.12)
    lower[at] = upper[at] + depth
    return surfaces(upper, lower)


# Geometry by its closed forms


@pytest.mark.parametrize("percent", [6, 12, 18, 24])
def test_a_symmetric_naca_section_measures_what_its_polynomial_says(percent):
    t = percent / 100
    found = {key: float(row[0]) for key, row in values(naca_section(f"00{percent:02}")).items()}
    slope = -5 * t * (A0 / 2 + A1 + 2 * A2 + 3 * A3 + 4 * A4)
    area = 10 * t * (A0 / 1.5 + A1 / 2 + A2 / 3 + A3 / 4 + A4 / 5)
    assert found["thickness"] == pytest.approx(percent, rel=2e-4)
    assert found["thickness_at"] == pytest.approx(30, abs=0.1)
    assert found["nose_radius"] == pytest.approx(110.19 * t**2, rel=0.025)
    assert found["tail_angle"] == pytest.approx(2 * math.degrees(math.atan(slope)), rel=3e-3)
    assert found["area"] == pytest.approx(100 * area, rel=1e-3)
    assert found["least_gap"] == pytest.approx(0, abs=1e-12)
    assert found["camber"] == 0
    assert math.isnan(found["camber_at"])


@pytest.mark.parametrize(("code", "camber", "at"), [("2412", 2, 40), ("4412", 4, 40)])
def test_a_four_digit_section_has_the_camber_in_its_name(code, camber, at):
    assert value("camber", naca_section(code)) == pytest.approx(camber, abs=1e-3)
    assert value("camber_at", naca_section(code)) == pytest.approx(at, abs=1)
    assert value("thickness", naca_section(code)) == pytest.approx(12, abs=0.02)


@pytest.mark.parametrize(("m", "p", "t"), [(0.02, 0.4, 0.12), (0.04, 0.4, 0.12), (0.02, 0.6, 0.2)])
def test_on_its_own_chord_a_cambered_section_keeps_the_nose_of_its_thickness(m, p, t):
    assert value("nose_radius", resample(naca(m, p, t))) == pytest.approx(110.19 * t**2, rel=0.025)


@pytest.mark.parametrize("code", ["2412", "4412", "6412", "2424", "23012"])
def test_the_nose_of_a_cambered_section_is_measured_wherever_its_chord_begins(code):
    t = int(code[-2:]) / 100
    assert value("nose_radius", naca_section(code)) == pytest.approx(110.19 * t**2, rel=0.06)


@pytest.mark.parametrize("breadth", [0.05, 0.12, 0.3])
def test_an_ellipse_has_its_radius_and_the_area_of_its_polygon(breadth):
    half = breadth * np.sqrt(X * (1 - X))
    section = surfaces(half, -half)
    assert value("thickness", section) == pytest.approx(100 * breadth, rel=1e-9)
    assert value("thickness_at", section) == pytest.approx(50, abs=1e-6)
    assert value("nose_radius", section) == pytest.approx(50 * breadth**2, rel=1e-3)
    # The stations lie at equal eccentric angles: an ellipse becomes a stretched regular polygon.
    polygon = 64 * math.sin(2 * math.pi / 128) * breadth / 4
    assert value("area", section) == pytest.approx(100 * polygon, rel=1e-9)


@pytest.mark.parametrize("slope", [0.02, 0.1])
def test_a_wedge_has_its_angle_its_area_and_is_thickest_at_its_end(slope):
    section = surfaces(slope * X, -slope * X)
    assert value("thickness", section) == pytest.approx(200 * slope)
    assert value("thickness_at", section) == 100
    assert value("area", section) == pytest.approx(100 * slope)
    assert value("tail_angle", section) == pytest.approx(-2 * math.degrees(math.atan(slope)))
    assert value("nose_radius", section) == pytest.approx(0, abs=1e-9)


def test_the_tail_angle_lies_between_the_tangents_whatever_their_mean():
    upper = half_thickness(X, 0.12)
    plain = value("tail_angle", surfaces(upper, -upper))
    bent = surfaces(upper - 0.1 * X, -upper - 0.1 * X)
    steep = 5 * 0.12 * (A0 / 2 + A1 + 2 * A2 + 3 * A3 + 4 * A4)
    expected = math.degrees(math.atan(-steep - 0.1) - math.atan(steep - 0.1))
    assert value("tail_angle", bent) == pytest.approx(expected, rel=3e-3)
    assert value("tail_angle", bent) < plain


def test_a_section_upside_down_is_cambered_the_other_way_and_else_the_same():
    upright, turned = values(*decoded()), values(*mirrored(decoded()))
    for key in (*GEOMETRY, "thickness_at", "camber_at"):
        sign = -1 if key == "camber" else 1
        np.testing.assert_allclose(turned[key], sign * upright[key], atol=1e-6, err_msg=key)
    assert (upright["camber"] > 0.1).any()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_thickness_camber_and_area_grow_as_the_heights_and_the_nose_as_their_square(factor):
    sections = decoded()
    sections = sections[np.abs(values(*sections)["camber"]) > 0.1]
    plain, stretched = values(*sections), values(*(factor * sections))
    for key in ("thickness", "camber", "area", "waviness", "least_gap"):
        np.testing.assert_allclose(stretched[key], factor * plain[key], atol=1e-9, err_msg=key)
    np.testing.assert_allclose(stretched["nose_radius"], factor**2 * plain["nose_radius"])
    for key in ("thickness_at", "camber_at"):
        np.testing.assert_allclose(stretched[key], plain[key], atol=1e-6, err_msg=key)


def test_a_section_lies_along_its_contour_from_tail_to_tail_counter_clockwise():
    (x,) = samples(naca_section("2412"))
    across, up = geometry.contour(x, sketch()).T
    assert len(across) == 129
    assert (across[[0, 64, 128]] == [1, 0, 1]).all()
    assert up[64] == 0
    assert (np.diff(across[:65]) < 0).all()
    assert (np.diff(across[64:]) > 0).all()
    shoelace = (across * np.roll(up, -1) - np.roll(across, -1) * up).sum() / 2
    assert 100 * shoelace == pytest.approx(value("area", naca_section("2412")))


def test_geometry_is_of_closed_curves_with_a_leading_edge_only():
    assert {item.key for item in applicable_properties(sketch())} == {
        *GEOMETRY,
        "thickness_at",
        "camber_at",
        *AIR,
    }
    for changed in ({"closed": False}, {"origin_before": 3}, {"x": tuple(range(128))}):
        other = sketch().model_copy(update=changed)
        assert applicable_properties(other) == ()
        assert measure(engine().sample(2).x, other).values == {}


def test_measuring_in_a_crowd_changes_nothing():
    sections = np.concatenate([decoded(), [crossed(0.01, 20)]])
    together = values(*sections)
    for row in (0, 7, len(sections) - 1):
        for key, alone in values(sections[row]).items():
            np.testing.assert_allclose(alone[0], together[key][row], atol=1e-9, err_msg=key)


# Unsound sections


@pytest.mark.parametrize("at", [3, 20, 31, 50, 62])
def test_a_section_whose_surfaces_cross_is_told_where_and_meets_nothing(at):
    section = crossed(0.01, at)
    found = measure(samples(section, naca_section("0012")), sketch())
    assert found.faults == (f"its surfaces cross at {100 * X[at]:.0f} % of the chord", "")
    assert found.valid.tolist() == [False, True]
    assert found.meets(()).tolist() == [False, True]
    assert found.meets([Constraint("thickness", ">=", 0.0)]).tolist() == [False, True]
    assert found.values["least_gap"][0] == pytest.approx(-1)
    assert all(np.isnan(found.values[key][0]) for key in AIR)
    assert all(np.isfinite(found.values[key][1]) for key in AIR)


def test_a_crossing_thinner_than_a_line_is_none():
    deep, thin = crossed(1.1 * geometry.CROSSED, 40), crossed(0.9 * geometry.CROSSED, 40)
    assert measure(samples(deep, thin), sketch()).valid.tolist() == [False, True]


def test_an_unsound_section_is_measured_as_decoded():
    plain, broken = naca_section("0012"), crossed(0.01, 40)
    gap = 2 * half_thickness(X, 0.12)
    area = np.trapezoid(np.concatenate([[0], gap]), np.concatenate([[0], X]))
    cut = (gap[40] + 0.01) * (X[41] - X[39]) / 2
    assert value("area", broken) == pytest.approx(100 * (area - cut), rel=1e-9)
    assert value("thickness", broken) == pytest.approx(value("thickness", plain), rel=1e-4)
    assert value("waviness", broken) > 0.1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("slug", [SECTIONS, DIGITS])
def test_a_sample_that_is_not_finite_is_told_and_has_no_value(slug, number):
    x = engine(slug).sample(3).x.copy()
    x.reshape(3, -1)[1, 5] = number
    found = measure(x, engine(slug).sketch)
    assert found.faults[1] == "it contains non-finite numbers"
    assert found.valid.tolist() == [True, False, True]
    assert not found.meets(())[1]
    alone = measure(x[::2], engine(slug).sketch)
    for key, row in found.values.items():
        np.testing.assert_allclose(row[::2], alone.values[key], atol=1e-9, err_msg=key)
        if slug == SECTIONS:
            assert np.isnan(row[1]), key


# Fits by class and shape functions


def random_fit(n=5, tail=0.01):
    rng = np.random.default_rng(1)
    upper, lower = rng.uniform(0.1, 0.3, (2, n, 8))
    return geometry.Kulfan(
        upper, -lower, rng.uniform(-0.3, 0.3, n), tail * rng.uniform(0.1, 1.0, n)
    )


def test_a_section_is_built_of_class_times_shape():
    fit = random_fit()
    built = geometry.rebuilt(fit, X)
    for row in range(5):
        nose = fit.leading_edge[row] * X * (1 - X) ** 8.5
        tail = fit.trailing_edge[row] * X / 2
        expected = class_shape(fit.upper[row]) + nose + tail
        np.testing.assert_allclose(built.upper[row], expected, atol=1e-12)
        expected = class_shape(fit.lower[row]) + nose - tail
        np.testing.assert_allclose(built.lower[row], expected, atol=1e-12)


def test_known_weights_come_back():
    fit = random_fit()
    found = geometry.kulfan(geometry.rebuilt(fit, X))
    for name, weights in fit._asdict().items():
        np.testing.assert_allclose(getattr(found, name), weights, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("code", ["0012", "2412", "4424", "23012"])
def test_weights_are_those_that_aerosandbox_finds(code, normalise):
    (x,) = samples(naca_section(code))
    found = geometry.kulfan(geometry.surfaces(x[None], sketch()))
    theirs = get_kulfan_parameters(
        geometry.contour(x, sketch()), normalize_coordinates=normalise, n_weights_per_side=8
    )
    np.testing.assert_allclose(found.upper[0], theirs["upper_weights"], atol=1e-9)
    np.testing.assert_allclose(found.lower[0], theirs["lower_weights"], atol=1e-9)
    np.testing.assert_allclose(found.leading_edge[0], theirs["leading_edge_weight"], atol=1e-9)
    np.testing.assert_allclose(found.trailing_edge[0], theirs["TE_thickness"], atol=1e-9)


def test_a_tail_that_would_cross_is_fitted_again_closed():
    open_fit, crossed_fit = random_fit(), random_fit(tail=-0.01)
    both = geometry.Kulfan(*map(np.concatenate, zip(open_fit, crossed_fit, strict=True)))
    shape = geometry.rebuilt(both, X)
    found = geometry.kulfan(shape)
    np.testing.assert_allclose(found.trailing_edge[:5], open_fit.trailing_edge, atol=1e-9)
    np.testing.assert_array_equal(found.trailing_edge[5:], 0)
    for row in range(5, 10):
        points = np.stack(
            [
                np.concatenate([X[::-1], [0], X]),
                np.concatenate([shape.upper[row, ::-1], [0], shape.lower[row]]),
            ],
            axis=1,
        )
        theirs = get_kulfan_parameters(points, normalize_coordinates=False)
        assert theirs["TE_thickness"] == 0
        np.testing.assert_allclose(found.upper[row], theirs["upper_weights"], atol=1e-9)
        np.testing.assert_allclose(found.lower[row], theirs["lower_weights"], atol=1e-9)


def test_a_section_of_eight_weights_has_no_waves_and_stays_as_it_is():
    built = geometry.rebuilt(random_fit(), X)
    sections = np.concatenate([built.upper[:, ::-1], built.lower], axis=1)
    assert values(*sections)["waviness"].max() < 1e-9
    x = samples(*sections)
    smooth = geometry.smoothed(x, sketch())
    assert smooth.dtype == np.float32
    np.testing.assert_allclose(smooth, x, atol=1e-4)


def test_a_section_that_was_smoothed_has_nothing_left_to_smooth():
    x = samples(*decoded(), crossed(0.01, 20))
    once = geometry.smoothed(x, sketch())
    twice = geometry.smoothed(once.astype(np.float64), sketch())
    np.testing.assert_allclose(heights(twice), heights(once), atol=1e-6)
    assert values(*heights(once))["waviness"].max() < 1e-4


def test_waviness_is_how_far_smoothing_moves_the_surfaces():
    sections = np.concatenate([decoded(), [crossed(0.01, 20)]])
    moved = heights(geometry.smoothed(samples(*sections), sketch())) - sections
    expected = 100 * np.sqrt((moved**2).mean(1))
    np.testing.assert_allclose(values(*sections)["waviness"], expected, atol=1e-5)


def test_nothing_is_smoothed_unasked():
    section = naca_section("0012") + 1e-3 * np.sin(40 * np.concatenate([X[::-1], X]))
    x = samples(section)
    assert value("waviness", section) > 0.03
    np.testing.assert_allclose(
        geometry.contour(x[0], sketch())[:, 1], np.insert(section, 64, 0), atol=1e-12
    )
    smooth = heights(geometry.smoothed(x, sketch()))
    assert value("waviness", smooth[0]) < 1e-4
    np.testing.assert_allclose(heights(x), section[None], atol=1e-12)


# Aerodynamics


@pytest.mark.parametrize("reynolds", [1e5, 1e6, 2e7])
def test_one_call_answers_as_neuralfoil_does_for_each_section(reynolds, monkeypatch):
    codes, alpha = ("0012", "2412", "4424", "23012"), (-5.0, 0.0, 4.0, 11.5)
    asked = []
    ours = neuralfoil.get_aero_from_kulfan_parameters

    def counted(*args, **kwargs):
        asked.append(args)
        return ours(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(neuralfoil, "get_aero_from_kulfan_parameters", counted)
        found = polars(*map(naca_section, codes), alpha=alpha, reynolds=reynolds)
    assert len(asked) == 1
    np.testing.assert_array_equal(found.alpha, alpha)
    for row, code in enumerate(codes):
        (x,) = samples(naca_section(code))
        theirs = neuralfoil.get_aero_from_coordinates(
            geometry.contour(x, sketch()), np.array(alpha), reynolds, model_size="xlarge"
        )
        np.testing.assert_allclose(found.cl[row], theirs["CL"], atol=1e-6)
        np.testing.assert_allclose(found.cd[row], theirs["CD"], atol=1e-6)
        np.testing.assert_allclose(found.cm[row], theirs["CM"], atol=1e-6)
        np.testing.assert_allclose(found.confidence[row], theirs["analysis_confidence"], atol=1e-6)


def test_another_network_is_another_answer_near_by():
    x = samples(naca_section("2412"))
    quick, careful = (
        aerodynamics.polars(x, sketch(), np.array([4.0]), 1e6, network).cl
        for network in (aerodynamics.QUICK, aerodynamics.CAREFUL)
    )
    assert 0 < abs(float(quick[0, 0] - careful[0, 0])) < 0.02


def test_properties_are_the_polar_at_one_angle():
    sections = [naca_section("2412"), naca_section("0018")]
    found, polar = values(*sections, alpha=6.5, reynolds=3e5), polars(
        *sections, alpha=(2.0, 6.5), reynolds=3e5
    )  # fmt: skip
    for key in ("cl", "cd", "cm"):
        np.testing.assert_allclose(found[key], getattr(polar, key)[:, 1], rtol=1e-9)
    np.testing.assert_allclose(found["ld"], polar.cl[:, 1] / polar.cd[:, 1], rtol=1e-9)
    np.testing.assert_allclose(found["confidence"], 100 * polar.confidence[:, 1], rtol=1e-9)


@pytest.mark.parametrize("code", ["0009", "0012", "0021"])
def test_a_symmetric_section_at_no_angle_has_neither_lift_nor_moment(code):
    found = polars(naca_section(code))
    np.testing.assert_allclose([found.cl, found.cm], 0, atol=1e-6)
    assert found.cd[0, 0] > 0.003


def test_lift_grows_as_thin_sections_have_it():
    alpha = np.array([-4.0, -2.0, 2.0, 4.0])
    found = polars(naca_section("0012"), alpha=alpha).cl[0]
    np.testing.assert_allclose(found, 2 * np.pi * np.radians(alpha), rtol=0.1)


def test_a_section_upside_down_lifts_downwards():
    alpha = np.array([-3.0, 0.0, 5.0])
    upright, turned = polars(*decoded(), alpha=alpha), polars(*mirrored(decoded()), alpha=-alpha)
    np.testing.assert_allclose(turned.cl, -upright.cl, atol=1e-6)
    np.testing.assert_allclose(turned.cm, -upright.cm, atol=1e-6)
    np.testing.assert_allclose(turned.cd, upright.cd, atol=1e-6)


@pytest.mark.parametrize("degrees", [-3.0, -0.5, 2.0])
def test_a_section_turned_nose_up_flies_at_a_larger_angle(degrees):
    slope, across = math.tan(math.radians(degrees)), np.concatenate([X[::-1], X])
    sections = np.stack([naca_section("2412"), naca_section("0015")])
    turned = polars(*(sections - slope * across), alpha=(0.0, 4.0))
    plain = polars(*sections, alpha=(degrees, 4.0 + degrees))
    for key in ("cl", "cd", "cm", "confidence"):
        np.testing.assert_allclose(getattr(turned, key), getattr(plain, key), atol=1e-9)
    for row, section in enumerate(sections):
        (x,) = samples(section - slope * across)
        theirs = neuralfoil.get_aero_from_coordinates(geometry.contour(x, sketch()), 4.0, 1e6)
        np.testing.assert_allclose(turned.cl[row, 1], theirs["CL"][0], atol=5e-3)
        np.testing.assert_allclose(turned.cm[row, 1], theirs["CM"][0], atol=3e-3)


def test_a_polar_does_not_hang_on_its_neighbours_and_leaves_out_only_the_unsound():
    sections = [naca_section("2412"), crossed(0.01, 30), naca_section("0012"), decoded()[0]]
    nothing = np.full(128, np.nan)
    found = polars(*sections, nothing, alpha=(0.0, 5.0))
    assert np.isnan(found.cl).any(1).tolist() == [False, True, False, False, True]
    for key in ("cl", "cd", "cm", "confidence"):
        together = getattr(found, key)
        np.testing.assert_array_equal(np.isnan(together), np.isnan(found.cl))
        for row in (0, 2, 3):
            alone = getattr(polars(sections[row], alpha=(0.0, 5.0)), key)[0]
            np.testing.assert_allclose(together[row], alone, atol=1e-9)
    assert np.isnan(polars(nothing, crossed(0.01, 30)).cd).all()


def test_without_neuralfoil_there_is_geometry_only(monkeypatch):
    monkeypatch.setattr(aerodynamics, "available", lambda: False)
    found = measure(samples(naca_section("0012")), sketch())
    assert not set(AIR) & (set(found.values) | {item.key for item in found.properties})
    assert set(GEOMETRY) < set(found.values)
    with pytest.raises(DesignError, match=r"pip install neuralfoil.*\.$"):
        polars(naca_section("0012"))


# Ink


def ink(*pictures):
    x = np.stack(pictures)[:, None].astype(np.float64)
    x.flags.writeable = False
    found = measure(x, PixelSketch(height=x.shape[2], width=x.shape[3]))
    return {key: row if len(pictures) > 1 else float(row[0]) for key, row in found.values.items()}


def bar(width, height, page=(40, 48), at=(3, 4)):
    paper = np.zeros(page)
    paper[at[0] : at[0] + height, at[1] : at[1] + width] = 1
    return paper


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 30), (7, 5), (40, 2), (12, 12)])
def test_a_bar_has_its_area_its_width_and_its_outline(width, height):
    found = ink(bar(width, height))
    # At each corner the outline takes the diagonal of its last half pixels.
    outline = 2 * (width + height) - 2 + math.sqrt(2)
    area = width * height
    assert found["ink"] == pytest.approx(100 * area / (40 * 48))
    assert found["stroke"] == pytest.approx(2 * area / outline)
    assert found["compactness"] == pytest.approx(400 * math.pi * area / outline**2)
    assert found["symmetry"] == pytest.approx(100)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_long_stroke_is_as_wide_as_it_is(width):
    found = ink(bar(width, 500, page=(512, 12), at=(5, 3)))
    assert found["stroke"] == pytest.approx(width, rel=0.01)


@pytest.mark.parametrize(("blur", "off"), [(1.0, 0.07), (3.0, 0.03), (8.0, 0.01)])
def test_a_disc_is_as_compact_as_can_be(blur, off):
    # A crisp edge is as short as its pixels let it be; the softer, the nearer to the circle.
    across = np.arange(64) - 31.2
    away = np.hypot(across[:, None], across)
    found = ink(np.clip((20 + blur - away) / (2 * blur), 0, 1))
    # Level lines are circles of radii that are even between 20 - blur and 20 + blur.
    square = 20**2 + blur**2 / 3
    assert found["compactness"] == pytest.approx(100 * square / 20**2, rel=off)
    assert found["stroke"] == pytest.approx(square / 20, rel=off)
    assert found["ink"] == pytest.approx(100 * math.pi * square / 64**2, rel=0.002)
    assert found["symmetry"] == pytest.approx(100, abs=0.5)
    assert ink(bar(20, 20))["compactness"] < 90


def test_a_picture_that_is_its_own_mirror_is_all_symmetry():
    half = np.random.default_rng(0).random((12, 7))
    for picture in (np.hstack([half, half[:, ::-1]]), np.hstack([half, half[:, -2::-1]])):
        assert ink(picture)["symmetry"] == pytest.approx(100)
        skew = picture.copy()
        skew[2, 1] += 0.5
        assert ink(skew)["symmetry"] < 99.9


def test_symmetry_is_the_share_that_overlaps_its_mirror():
    # Centre of mass at 4/3: between the pixels, mirrored values are 2/3, 2/3, 1, 1/3 and overlap
    # by 2/3 + 2/3 + 0 + 1/3.
    row = np.array([[0, 0, 0, 1, 1, 0, 1, 0, 0, 0]])
    assert ink(row)["symmetry"] == pytest.approx(100 * 5 / 9)


def test_no_property_of_ink_hangs_on_where_it_lies():
    small = np.random.default_rng(1).random((6, 5))
    found = []
    for down, across in ((0, 0), (0, 13), (10, 0), (10, 13), (4, 6)):
        paper = np.zeros((16, 18))
        paper[down : down + 6, across : across + 5] = small
        found.append(paper)
    for key, row in ink(*found).items():
        np.testing.assert_allclose(row, row[0], rtol=1e-9, err_msg=key)


def test_turning_a_picture_keeps_its_ink_stroke_and_compactness():
    for seed in range(5):
        picture = np.random.default_rng(seed).random((9, 9))
        plain = ink(picture)
        for turned in (picture.T, picture[::-1], picture[:, ::-1], np.rot90(picture)):
            for key in ("ink", "stroke", "compactness"):
                assert ink(turned)[key] == pytest.approx(plain[key]), key
        for turned in (picture[::-1], picture[:, ::-1]):
            assert ink(turned)["symmetry"] == pytest.approx(plain["symmetry"])


def test_only_left_and_right_are_exchanged():
    letter = bar(9, 2, page=(16, 16)) + bar(1, 8, page=(16, 16), at=(5, 8))
    assert ink(letter)["symmetry"] == pytest.approx(100)
    assert ink(letter.T)["symmetry"] < 70


def test_a_stroke_is_as_wide_in_grey_as_in_black():
    picture = np.random.default_rng(3).random((9, 11))
    assert ink(0.4 * picture)["stroke"] == pytest.approx(ink(picture)["stroke"])
    assert ink(0.4 * picture)["symmetry"] == pytest.approx(ink(picture)["symmetry"])
    assert ink(0.4 * picture)["ink"] == pytest.approx(0.4 * ink(picture)["ink"])


def test_an_empty_picture_has_no_ink_and_nothing_else():
    found = ink(np.zeros((8, 8)), np.ones((8, 8)))
    assert found["ink"].tolist() == [0, 100]
    for key in ("stroke", "symmetry", "compactness"):
        assert np.isnan(found[key]).tolist() == [True, False], key


def test_colour_has_no_ink():
    assert applicable_properties(PixelSketch(height=8, width=8, channels=3)) == ()
    assert applicable_properties(PixelSketch(height=8, width=8)) != ()


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
        "Geometry", "Aerodynamics", "Ink"
    ]  # fmt: skip


# Far apart


@cache
def novelty_reference():
    data = DigitsConfig().load(Path("nowhere"))
    coded = [engine(DIGITS).encode(split.x).loc for split in (data.train, data.valid)]
    return NoveltyReference(*coded)


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
        given["yardstick"] = novelty_reference()
    return slug, given, pool


def allowed(slug, given, pool):
    """Say which samples may be chosen, one by one."""
    good = np.ones(len(pool.z), bool)
    if "yardstick" in given:
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
    if "yardstick" in given:
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
    assert said.startswith("Only 0 designs are left of 4: 2,000 drawn from the prior")
    assert "held-out data" in said
    assert "0 within the constraints" in said
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
    assert found.after >= -100 * geometry.CROSSED
    assert measure(engine().decode(found.z[None]), sketch()).valid.all()


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


# Coordinate files


def lines(points, comma=" "):
    return "\n".join(f"{x:.7f}{comma}{y:.7f}" for x, y in points)


def selig(points):
    return "A SECTION\n" + lines(points)


def lednicer(points):
    nose = points[:, 0].argmin()
    upper, lower = points[nose::-1], points[nose:]
    return "\n\n".join(["A SECTION", f"{len(upper)}. {len(lower)}.", lines(upper), lines(lower)])


FORMS = {
    "selig": selig,
    "selig from below": lambda points: selig(points[::-1]),
    "lednicer": lednicer,
    "comma-separated": lambda points: "x,y\n" + lines(points, ","),
    "per cent of the chord": lambda points: selig(100 * points),
    "of windows": lambda points: "\ufeff" + lines(points).replace("\n", "\r\n"),
    "with comments": lambda points: "# by hand\n" + selig(points) + "\nthe end\n",
    "elsewhere": lambda points: selig(points + np.array([3.0, -2.0])),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("section", [(0.0, 0.4, 0.12), (0.04, 0.4, 0.15)])
def test_a_section_is_the_same_in_every_kind_of_file(form, section):
    points = naca(*section, points=80)
    found = from_coordinates(FORMS[form](points).encode(), "a.dat", sketch())
    assert found.dtype == np.float32
    plain = from_coordinates(selig(points).encode(), "a.dat", sketch())
    # Numbers that are rounded elsewhere are other numbers.
    tolerance = 1e-3 if form in ("per cent of the chord", "elsewhere") else 1e-6
    np.testing.assert_allclose(found, plain, atol=tolerance)
    np.testing.assert_allclose(heights(found), resample(points), atol=1e-5)


def test_a_coarse_file_keeps_its_round_nose():
    found = from_coordinates(selig(naca(0, 0.4, 0.12, points=31)).encode(), "a.dat", sketch())
    half = half_thickness(X, 0.12)
    np.testing.assert_allclose(heights(found), surfaces(half, -half), atol=1e-4)


def test_a_section_written_as_its_contour_comes_back():
    for section in [naca_section("2412"), naca_section("0012"), *decoded()[:8]]:
        level = section - np.concatenate([X[::-1], X]) * (section[0] + section[-1]) / 2
        (x,) = samples(level)
        content = lines(geometry.contour(x, sketch())).encode()
        np.testing.assert_allclose(
            heights(from_coordinates(content, "a.dat", sketch())), level, atol=1e-6
        )


def test_stations_are_those_of_the_cosine():
    np.testing.assert_allclose(stations(), np.concatenate([X[::-1], X]), atol=1e-15)


def spoilt(row, line):
    rows = selig(naca(0.02, 0.4, 0.12, points=60)).splitlines()
    rows[row] = line
    return "\n".join(rows).encode()


WRONG = {
    "empty": b"",
    "blank": b"\n\n  \n",
    "a program": b"\x7fELF\0\0\1",
    "NUL in its name": spoilt(0, "A\0B"),
    "too large": selig(naca(0.02, 0.4, 0.12)).encode() * 20,
    "a letter": b"Dear all,\nsee attached.\nYours\n" * 5,
    "not of this code page": bytes(range(128, 256)) * 3,
    "NaN": spoilt(30, "nan 0.1"),
    "infinite": spoilt(30, "0.5 inf"),
    "infinite counts": spoilt(1, "inf inf"),
    "one surface": lines(naca(0.02, 0.4, 0.12, points=60)[:60]).encode(),
    "the other surface": lines(naca(0.02, 0.4, 0.12, points=60)[59:]).encode(),
    "a few points": lines(naca(0.02, 0.4, 0.12, points=5)).encode(),
    "one point": b"1 0\n" * 40,
    "a line": b"\n".join(b"%f 0.0" % x for x in (*X[::-1], *X)),
    "far too thick": selig(naca(0.0, 0.4, 0.9, points=60)).encode(),
    "only counts": b"60. 60.\n",
    "wrong counts": lednicer(naca(0.02, 0.4, 0.12, points=60)).replace("60.", "50.").encode(),
    "a huge number": spoilt(30, "1e300 0.1"),
    "a huge height": spoilt(30, "0.5 1e300"),
    "a number beyond float": spoilt(30, "1e400 0.1"),
    "two huge numbers": spoilt(1, "1e308 1e308"),
    "huge counts": spoilt(1, "1e300 1e300"),
    "a huge section": "\n".join(
        f"{x:.6e} {y:.6e}" for x, y in 1e200 * naca(0.02, 0.4, 0.12, points=60)[:80]
    ).encode(),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_refused_in_a_sentence(wrong):
    assert len(WRONG["too large"]) > MOST_SECTION_BYTES
    with pytest.raises(DataError) as caught:
        from_coordinates(WRONG[wrong], "up/load\ned.dat", sketch())
    said = str(caught.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert len(said) < 200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("empty", "up load.dat is empty"),
        ("a program", "up load.dat is no text"),
        ("NUL in its name", "up load.dat is no text"),
        ("too large", "up load.dat is over 128 kB"),
        ("a letter", "holds 0 points"),
        ("NaN", "not finite"),
        ("wrong counts", "announces 100 points and holds 120"),
        ("far too thick", "90.0% of its chord thick"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(wrong, said):
    with pytest.raises(DataError, match=said):
        from_coordinates(WRONG[wrong], "up\nload.dat", sketch())


def test_a_file_suits_models_of_sections_only():
    content = selig(naca(0.02, 0.4, 0.12)).encode()
    other = CurveSketch(x=tuple(range(128)), loc=(0.0,) * 128, scale=(1.0,) * 128)
    with pytest.raises(DataError, match=r"different stations.*\.$"):
        from_coordinates(content, "a.dat", other)
    short = CurveSketch(x=(0.0, 1.0), loc=(0.0, 0.0), scale=(1.0, 1.0))
    with pytest.raises(DataError, match=r"different stations.*\.$"):
        from_coordinates(content, "a.dat", short)


NUMBERS = st.one_of(
    st.floats(-2, 2), st.floats(-1e6, 1e6), st.just(math.nan), st.integers(0, 30).map(float)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=10, max_size=30), st.integers(0, 3))
def test_any_columns_are_a_section_or_refused(rows, joined):
    content = "\n".join(f"{x!r}{(' ', ',', chr(9), ', ')[joined]}{y!r}" for x, y in rows)
    with contextlib.suppress(DataError):
        assert np.isfinite(from_coordinates(content.encode(), "a.csv", sketch())).all()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_section_or_refused(content):
    assume(content)
    with pytest.raises(DataError):
        from_coordinates(content, "a.dat", sketch())
