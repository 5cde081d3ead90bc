"""Selections on the map contain the right codes."""

import numpy as np
import pytest

from explorer.ui import cache
from explorer.ui.address import places as link_places
from explorer.ui.address.notation import code_text
from explorer.ui.address.places import place_code, select
from explorer.ui.api.address import address_of
from explorer.ui.wording.format import percentile_words, signed
from tests.support.api import ask
from tests.support.engines import PLAIN, engine_of
from tests.support.pages import layers_of, open_page


def test_a_box_selects_what_lies_in_it(plane, atlas):
    left, bottom = np.quantile(atlas.xy, 0.3, axis=0)
    right, top = np.quantile(atlas.xy, 0.7, axis=0)
    box = f"box:{left:.6f},{bottom:.6f},{right:.6f},{top:.6f}"
    found = select(plane, atlas, box)
    low, high = (left, bottom), (right, top)
    expected = np.flatnonzero(((atlas.xy >= low) & (atlas.xy <= high)).all(1))
    assert 10 < len(expected) < len(atlas.xy)
    assert np.setxor1d(found.rows, expected).size <= 1
    np.testing.assert_array_equal(found.z, atlas.codes[found.rows])
    assert found.words == f"{len(found.rows):,} codes in the box"


def test_a_lasso_round_a_box_selects_what_the_box_does(plane, atlas):
    box = select(plane, atlas, "box:-0.51234,-0.71234,1.11234,0.91234")
    lasso = "lasso:-0.51234,-0.71234,1.11234,-0.71234,1.11234,0.91234,-0.51234,0.91234"
    found = select(plane, atlas, lasso)
    assert len(box.rows) > 10
    np.testing.assert_array_equal(found.rows, box.rows)
    assert found.words.endswith("codes in the lasso")


def test_a_lasso_selects_a_triangle(plane, atlas):
    found = select(plane, atlas, "lasso:0,0,2,0,0,2")
    x, y = atlas.xy.T
    expected = np.flatnonzero((x > 0) & (y > 0) & (x + y < 2))
    assert len(expected) > 5
    np.testing.assert_array_equal(found.rows, expected)


def test_rows_are_added_and_cut(plane, atlas):
    base = select(plane, atlas, "box:0,0,1,1").rows
    outside = np.setdiff1d(np.arange(len(atlas.codes)), base)[:2]
    text = f"box:0,0,1,1;add:{outside[0]},{outside[1]};cut:{base[0]},{outside[1]},999999"
    found = select(plane, atlas, text)
    np.testing.assert_array_equal(found.rows, np.union1d(base[1:], outside[:1]))
    picked = select(plane, atlas, "data:3;add:7,5,7,999999")
    assert picked.rows.tolist() == [3, 5, 7]
    assert picked.words == "3 codes selected"
    assert select(plane, atlas, "data:3;add:7;cut:3").words == "Data point 7"


def test_an_empty_area_selects_nothing_and_is_no_place(plane, atlas):
    for pick in ("box:900,900,901,901", "box:1,1,0,0", "lasso:0,0,0,0,0,0"):
        found = select(plane, atlas, pick)
        assert found.z.shape == (0, 2)
        assert found.words.startswith("0 codes in the")
        assert place_code(plane, atlas, pick) is None
    assert select(plane, atlas, "data:3;cut:3") is None


def test_one_point_of_each_layer_is_selected(plane, atlas):
    found = cache.plane(plane)
    known = layers_of(plane)
    assert set(known) == {"data", "prior", "prototypes", "holes"}
    for layer, codes in known.items():
        for index in (0, len(codes) - 1):
            chosen = select(plane, atlas, f"{layer}:{index}", found)
            np.testing.assert_array_equal(chosen.z, codes[index : index + 1])
            assert chosen.words == f"{link_places.NAMES[layer]} {index}"
            assert chosen.rows.tolist() == ([index] if layer == "data" else [])
        assert select(plane, atlas, f"{layer}:{len(codes)}", found) is None


def test_without_holes_or_a_prior_none_is_selected(plane, atlas):
    assert select(plane, atlas, "holes:0") is None
    plain = engine_of(PLAIN)
    for pick in ("prior:0", "prototypes:0", "holes:0"):
        assert select(plain, cache.atlas(plain), pick) is None


@pytest.mark.parametrize("pick", ["", "data", "data:x", "rm -rf", "box:0,0,1", "data:1\n"])
def test_what_is_no_pick_selects_nothing(plane, atlas, pick):
    assert select(plane, atlas, pick) is None


def test_a_place_is_one_code_with_a_name(plane, atlas):
    z = np.array([0.5, -2], np.float32)
    places = {
        "mean": (plane.moments()[0], "Prior mean"),
        code_text(z): (z, "Custom code"),
        "data:4": (atlas.codes[4], "Data point 4"),
        "data:4;add:6": (atlas.codes[[4, 6]].mean(0), "Mean of 2 codes selected"),
    }
    for text, (expected, words) in places.items():
        code, named = place_code(plane, atlas, text)
        np.testing.assert_allclose(code, expected, rtol=1e-5, atol=1e-6)
        assert named == words


def test_a_place_that_cannot_be_found_is_none(plane, atlas):
    wrong = code_text(np.zeros(3, np.float32))
    for text in (wrong, "data:999999", "holes:0", "nowhere", ""):
        assert place_code(plane, atlas, text) is None
    assert place_code(plane, None, "data:0") is None


def test_the_mean_of_an_autoencoder_is_that_of_its_codes():
    plain = engine_of(PLAIN)
    known = cache.atlas(plain)
    code, words = place_code(plain, known, "mean")
    np.testing.assert_allclose(code, known.codes.mean(0), rtol=1e-5)
    assert words == "Mean of the codes"
    assert place_code(plain, None, "mean") is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_datum_has_the_same_numbers_on_hover_and_in_the_panel(plane, atlas):
    """Also where the stored density differs from one computed again, in its last digits."""
    known = cache.held_out_density(plane, means=True)
    apart = np.abs(plane.log_prior(atlas.codes) - atlas.log_prior)
    for row in [int(row) for row in np.argsort(-apart)[:3]]:
        facts = dict(ask(address_of(plane, "card", "data", row)).json["rows"])
        stored = cache.code_density(plane, atlas.codes[row : row + 1], [row])
        assert facts["log p(z)"] == signed(f"{stored[0]:.1f} nats")
        assert facts["among held-out"] == percentile_words(float(stored[0]), known)
        app = open_page("latent_map", model=plane.slug, pick=f"data:{row}")
        told = " ".join(item.value for item in app.caption)
        assert facts["log p(z)"] in told
        assert facts["among held-out"] in told
