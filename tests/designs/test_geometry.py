"""Geometry agrees with closed forms; smoothing preserves smooth sections."""

import math

import numpy as np
import pytest
from aerosandbox.geometry.airfoil.airfoil_families import get_kulfan_parameters

from explorer import sections as shapes
from explorer.data.airfoils import naca_section, resample
from explorer.designs.measuring import applicable_properties, measure
from explorer.designs.properties import Constraint
from tests.support.sections import (
    A0,
    A1,
    A2,
    A3,
    A4,
    AIR,
    DIGITS,
    GEOMETRY,
    SECTIONS,
    X,
    class_shape,
    crossed,
    decoded,
    engine,
    half_thickness,
    heights,
    mirrored,
    naca,
    samples,
    sketch,
    surfaces,
    value,
    values,
)

# Geometry by its closed forms


@pytest.mark.parametrize("percent", [6, 12, 18, 24])
def test_a_symmetric_naca_section_measures_what_its_polynomial_says(percent):
    t = percent / 100
    found = {key: float(row[0]) for key, row in values(naca_section(f"00{percent:02}")).items()}
    slope = -5 * t * (A0 / 2 + A1 + 2 * A2 + 3 * A3 + 4 * A4)
    area = 10 * t * (A0 / 1.5 + A1 / 2 + A2 / 3 + A3 / 4 + A4 / 5)
    assert found["thickness"] == pytest.approx(percent, rel=2e-4)
    assert found["thickness_at"] == pytest.approx(30, abs=0.1)
    for at in (10, 25, 60):
        closed = 200 * half_thickness(at / 100, t)
        assert found[f"thickness_{at}"] == pytest.approx(closed, rel=1e-5)
    inner = 200 * half_thickness(X[X <= 0.95], t).min()
    assert found["inner_gap"] == pytest.approx(inner, rel=1e-5)
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
    for key in ("thickness", "camber", "area", "tail_gap", "least_gap"):
        np.testing.assert_allclose(stretched[key], factor * plain[key], atol=1e-9, err_msg=key)
    np.testing.assert_allclose(stretched["nose_radius"], factor**2 * plain["nose_radius"])
    for key in ("thickness_at", "camber_at"):
        np.testing.assert_allclose(stretched[key], plain[key], atol=1e-6, err_msg=key)


def test_a_section_lies_along_its_contour_from_tail_to_tail_counter_clockwise():
    (x,) = samples(naca_section("2412"))
    across, up = shapes.contour(x, sketch()).T
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
    x = samples(section, naca_section("0012"))
    found = measure(x, sketch(), geometry="decoded")
    assert (
        found.faults
        == measure(x, sketch()).faults
        == (f"its surfaces cross at {100 * X[at]:.0f} % of the chord", "")
    )
    assert found.valid.tolist() == [False, True]
    assert found.meets(()).tolist() == [False, True]
    assert found.meets([Constraint("thickness", ">=", 0.0)]).tolist() == [False, True]
    assert found.values["least_gap"][0] == pytest.approx(-1)
    assert all(np.isnan(found.values[key][0]) for key in AIR)
    assert all(np.isfinite(found.values[key][1]) for key in AIR)


def test_a_crossing_thinner_than_a_line_is_none():
    deep, thin = crossed(1.1 * shapes.CROSSED, 40), crossed(0.9 * shapes.CROSSED, 40)
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
    return shapes.Kulfan(upper, -lower, rng.uniform(-0.3, 0.3, n), tail * rng.uniform(0.1, 1.0, n))


def test_a_section_is_built_of_class_times_shape():
    fit = random_fit()
    built = shapes.rebuilt(fit, X)
    for row in range(5):
        nose = fit.leading_edge[row] * X * (1 - X) ** 8.5
        tail = fit.trailing_edge[row] * X / 2
        expected = class_shape(fit.upper[row]) + nose + tail
        np.testing.assert_allclose(built.upper[row], expected, atol=1e-12)
        expected = class_shape(fit.lower[row]) + nose - tail
        np.testing.assert_allclose(built.lower[row], expected, atol=1e-12)


def test_known_weights_come_back():
    fit = random_fit()
    found = shapes.kulfan(shapes.rebuilt(fit, X))
    for name, weights in fit._asdict().items():
        np.testing.assert_allclose(getattr(found, name), weights, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("code", ["0012", "2412", "4424", "23012"])
def test_weights_are_those_that_aerosandbox_finds(code, normalise):
    (x,) = samples(naca_section(code))
    found = shapes.kulfan(shapes.surfaces(x[None], sketch()))
    theirs = get_kulfan_parameters(
        shapes.contour(x, sketch()), normalize_coordinates=normalise, n_weights_per_side=8
    )
    np.testing.assert_allclose(found.upper[0], theirs["upper_weights"], atol=1e-9)
    np.testing.assert_allclose(found.lower[0], theirs["lower_weights"], atol=1e-9)
    np.testing.assert_allclose(found.leading_edge[0], theirs["leading_edge_weight"], atol=1e-9)
    np.testing.assert_allclose(found.trailing_edge[0], theirs["TE_thickness"], atol=1e-9)


def test_a_tail_that_would_cross_is_fitted_again_closed():
    open_fit, crossed_fit = random_fit(), random_fit(tail=-0.01)
    both = shapes.Kulfan(*map(np.concatenate, zip(open_fit, crossed_fit, strict=True)))
    shape = shapes.rebuilt(both, X)
    found = shapes.kulfan(shape)
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


def test_a_section_of_eight_weights_has_no_waves():
    built = shapes.rebuilt(random_fit(), X)
    sections = np.concatenate([built.upper[:, ::-1], built.lower], axis=1)
    assert values(*sections)["waviness"].max() < 1e-5


def test_waviness_is_how_far_the_kulfan_section_is_from_the_decoded_heights():
    sections = np.concatenate([decoded(), [crossed(0.01, 20)]])
    moved = heights(shapes.shaped(samples(*sections), sketch())) - sections
    expected = 100 * np.sqrt((moved**2).mean(1))
    for geometry in ("decoded", "kulfan"):
        found = values(*sections, geometry=geometry)["waviness"]
        np.testing.assert_allclose(found, expected, atol=1e-9)


# Reversals of curvature


def test_a_symmetric_section_never_turns_back_and_a_reflexed_one_does():
    assert value("reversals", naca_section("0012")) == 0
    assert value("reversals", class_section([0.2] * 8)) == 0
    assert value("reversals", class_section([0.2] * 5 + [0.2, -0.05, 0.3])) > 0


def class_section(weights):
    upper = class_shape(weights)
    return surfaces(upper, -class_shape([0.2] * 8))


def test_flat_parts_do_not_count_however_they_are_rounded():
    lower = np.where(X < 0.3, -half_thickness(X, 0.12), -half_thickness(np.array([0.3]), 0.12)[0])
    flat = surfaces(half_thickness(X, 0.12), lower)
    noise = np.random.default_rng(0).uniform(-1e-8, 1e-8, flat.shape)
    assert value("reversals", flat + noise) == value("reversals", flat)


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["standard-8", "vamp-8", "xvae-8"])
def test_decoded_heights_reverse_many_times_and_kulfan_sections_twice(slug):
    model = engine(f"airfoils-vae-{slug}")
    x = model.sample(300).x
    rough, smooth = (
        measure(x, model.sketch, geometry=geometry) for geometry in ("decoded", "kulfan")
    )
    valid = rough.valid
    assert 18 <= np.median(rough.values["reversals"][valid]) <= 30
    assert np.median(smooth.values["reversals"][valid]) <= 3
