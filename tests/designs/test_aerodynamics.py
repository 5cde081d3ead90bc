"""Polars equal NeuralFoil's, and agree with thin-airfoil theory."""

import math

import neuralfoil
import numpy as np
import pytest

from explorer import sections as shapes
from explorer.data.airfoils import naca_section
from explorer.designs import aerodynamics
from explorer.designs.measuring import measure
from explorer.errors import DesignError
from tests.support.sections import (
    AIR,
    GEOMETRY,
    X,
    crossed,
    decoded,
    mirrored,
    samples,
    sketch,
    values,
)


def polars(*sections, alpha=(0.0,), reynolds=1e6):
    return aerodynamics.polars(samples(*sections), sketch(), np.asarray(alpha, float), reynolds)


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
            shapes.contour(x, sketch()), np.array(alpha), reynolds, model_size="xlarge"
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
        theirs = neuralfoil.get_aero_from_coordinates(shapes.contour(x, sketch()), 4.0, 1e6)
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
