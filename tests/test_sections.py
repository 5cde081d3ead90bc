"""One geometry: the Kulfan section nearest to decoded heights, closed and never crossed."""

import numpy as np
import pytest

from explorer import sections
from explorer.data.airfoils import naca_section
from explorer.designs.measuring import measure
from tests.support.engines import engine_of
from tests.support.sections import SECTIONS, X, crossed, heights, samples, sketch, values

DENSE = (1 - np.cos(np.linspace(0, np.pi, 1201)[1:])) / 2


def extremes():
    """Decoded heights far beyond the prior, crossed, upside down, noise, and nothing."""
    model, rng = engine_of(SECTIONS), np.random.default_rng(0)
    return np.concatenate(
        [
            *(model.sample(60, scale, 3).x for scale in (1.0, 2.0, 5.0)),
            *(size * rng.standard_normal((20, 128)) for size in (1, 30, 1000)),
            samples(crossed(0.01, 20), crossed(0.2, 50), -naca_section("0012"), np.zeros(128)),
        ]
    ).astype(np.float32)


def test_the_upper_side_is_never_below_the_lower_at_stations_and_between():
    x = extremes()
    shown = sections.shaped(x, sketch())
    assert shown.dtype == np.float32
    at = sections.surfaces(shown, sketch())
    assert (at.upper >= at.lower).all()
    fit = sections.nearest(sections.surfaces(x.astype(np.float64), sketch()))
    between = sections.rebuilt(fit, DENSE)
    size = np.abs(between.upper).max(1) + np.abs(between.lower).max(1)
    assert ((between.upper - between.lower).min(1) >= -1e-13 * size).all()


def test_the_tail_lies_on_the_chord_and_is_closed_or_at_least_as_thick_as_is_stated():
    fit = sections.nearest(sections.surfaces(extremes().astype(np.float64), sketch()))
    gap = fit.trailing_edge
    assert ((gap == 0) | (gap >= sections.SHUT)).all()
    assert (gap == 0).any()
    assert (gap > 0).any()
    end = sections.rebuilt(fit, np.array([0.5, 1.0]))
    np.testing.assert_allclose(end.upper[:, 1] - end.lower[:, 1], gap)
    np.testing.assert_allclose(end.upper[:, 1] + end.lower[:, 1], 0, atol=1e-15)


def test_a_kulfan_section_is_its_own_nearest():
    once = sections.shaped(extremes(), sketch())
    twice = sections.shaped(once, sketch())
    size = np.abs(heights(once)).max(1, keepdims=True)
    assert (np.abs(heights(twice) - heights(once)) <= 1e-6 * np.maximum(size, 1)).all()


def test_it_is_nearer_than_any_other_that_does_not_cross():
    """Where the free fit crosses, no small step within the family comes nearer."""
    x = samples(crossed(0.01, 40), crossed(0.05, 55))
    shape = sections.surfaces(x, sketch())
    fit = sections.nearest(shape)
    rng = np.random.default_rng(2)

    def away(one):
        built = sections.rebuilt(one, X)
        return ((built.upper - shape.upper) ** 2 + (built.lower - shape.lower) ** 2).sum(1)

    best, tried = away(fit), 0
    for _ in range(2000):
        step = 1e-3 * rng.standard_normal((2, len(x), sections.WEIGHTS))
        other = fit._replace(upper=fit.upper + step[0], lower=fit.lower + step[1])
        built = sections.rebuilt(other, DENSE)
        whole = (built.upper >= built.lower).all(1)
        tried += whole.sum()
        # The certificate in Bernstein coefficients leaves a little room.
        assert (away(other)[whole] > 0.995 * best[whole]).all()
    assert tried > 20


@pytest.mark.parametrize("code", ["0012", "2412", "4412", "23012"])
def test_where_nothing_crosses_it_is_the_free_fit(code):
    x = samples(naca_section(code))
    shown, free = sections.shaped(x, sketch()), sections.smoothed(x, sketch())
    np.testing.assert_allclose(heights(shown), heights(free), atol=sections.SHUT)
    if code == "0012":
        assert np.abs(heights(shown) - naca_section(code)).max() < 3e-4


def test_exports_of_earlier_releases_have_their_own_fit_and_the_decoded_one():
    x = engine_of(SECTIONS).sample(8, seed=2).x
    assert sections.shaped(x, sketch(), "decoded") is x
    smooth = sections.shaped(x, sketch(), "smoothed")
    assert smooth.tobytes() == sections.smoothed(x, sketch()).tobytes()
    assert smooth.tobytes() != sections.shaped(x, sketch()).tobytes()


def test_images_have_one_geometry_and_broken_sections_none():
    images = engine_of("digits-vae-vamp-2")
    x = images.sample(2).x
    assert sections.usual(images.sketch) == "decoded"
    assert sections.shaped(x, images.sketch) is x
    broken = engine_of(SECTIONS).sample(3).x.copy()
    broken[1, 7] = np.nan
    shown = sections.shaped(broken, sketch())
    assert np.isfinite(shown).all(1).tolist() == [True, False, True]


def test_an_outline_has_the_points_of_the_page_and_one_between_each_two():
    x = engine_of(SECTIONS).sample(1, seed=5).x[0]
    fine = sections.outline(x, sketch(), "kulfan")
    shown = sections.shaped(x[None], sketch())[0].astype(np.float64)
    np.testing.assert_allclose(fine[::2], sections.contour(shown, sketch()), atol=1e-7)
    assert (np.diff(fine[:129, 0]) < 0).all()
    assert (np.diff(fine[128:, 0]) > 0).all()
    plain = sections.outline(x, sketch(), "decoded")
    np.testing.assert_array_equal(plain, sections.contour(x.astype(np.float64), sketch()))


def test_what_is_measured_is_what_is_shown():
    x = engine_of(SECTIONS).sample(20, seed=6).x
    x = x[measure(x, sketch()).valid]
    shown = heights(sections.shaped(x, sketch()))
    found = values(*heights(x), geometry="kulfan")
    again = values(*shown, geometry="decoded")
    for key in ("thickness", "camber", "area", "tail_gap", "reversals", "cl", "cd", "cm"):
        np.testing.assert_allclose(found[key], again[key], atol=1e-5, err_msg=key)
