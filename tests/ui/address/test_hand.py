"""The thing in hand in a link: written, read, found again on another map, taken from old links."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.projection import Split
from explorer.strips import SCALES, Levels, StripSpec
from explorer.ui import cache
from explorer.ui.address import hand
from explorer.ui.address.notation import HAND, PLACE
from explorer.ui.address.places import place_code
from explorer.ui.address.views import TIMES, GenerateView
from tests.support.engines import engine_of
from tests.support.flows import fitted

SEEDS = st.integers(0, 2**31 - 1)
LEVELS = st.builds(
    lambda moves, held, lower: Levels(moves, held if moves else 1.0, lower),
    st.sampled_from(["", "z1", "z2"]),
    st.sampled_from(SCALES),
    st.none() | SEEDS,
)
SPECS = st.builds(
    StripSpec,
    seed=SEEDS,
    component=st.none() | st.integers(0, 9999),
    levels=LEVELS,
    time=st.none() | st.sampled_from(TIMES),
)


@given(SPECS, st.integers(0, 63), st.sampled_from(SCALES))
def test_a_sample_is_read_as_it_was_written(spec, tile, scale):
    text = hand.sample_text(spec, tile, scale)
    assert HAND.fullmatch(text)
    assert PLACE.fullmatch(text)
    assert hand.read_sample(text) == hand.Sample(spec, tile, scale)
    view = GenerateView(hand=text)
    assert view.hand == text


@given(SEEDS, st.integers(0, 63), st.integers(1, 50), st.data())
def test_a_sample_of_a_flow_is_read_as_it_was_written(seed, tile, steps, data):
    spec = StripSpec(seed=seed, flow=steps, spread=data.draw(st.sampled_from(SCALES)))
    at = float(data.draw(st.integers(0, steps)))
    text = hand.sample_text(spec, tile, at)
    assert HAND.fullmatch(text)
    assert PLACE.fullmatch(text)
    assert hand.read_sample(text) == hand.Sample(spec, tile, at)


def test_a_sample_of_a_flow_in_hand_is_the_tile_on_the_page():
    engine = engine_of("digits-ae-16")
    spec = StripSpec(seed=5, flow=3, spread=0.5)
    text = hand.sample_text(spec, 9, 2.0)
    assert text == "sample:5,9,0.5,f3@2"
    assert place_code(engine, None, text) is None, "none was fitted"
    fitted("digits-ae-16")
    z, words = place_code(engine, None, text)
    np.testing.assert_array_equal(z, cache.strip(engine, spec).z[2, 9])
    assert words == "Sample 10 of the flow, step 2 of 3"
    found = cache.thing(engine, text)
    np.testing.assert_array_equal(found.x, cache.strip(engine, spec).frames[2][9:10])


@pytest.mark.parametrize(
    "text",
    ["sample:0,64,1", "sample:9999999999,1,1", "sample:0,1,2.5", "sample:0,1", "sample:0,1,1,z3@1",
     "sample:0,1,1,f0", "sample:0,1,1,f51", "sample:0,1,1,f3@4", "sample:0,1,1,f3@",
     "sample:0,1,1,k10000", "sample:0,1,1,l9999999999", "sample:٣,1,1", "sample:0,1,1,t1.5",
     "data:\u0663", "spot:\u0661,0", "datum:test-1", ""],
)  # fmt: skip
def test_nothing_else_is_a_sample(text):
    assert hand.read_sample(text) is None


@pytest.mark.parametrize("slug", ["digits-vae-vamp-16", "mnist-static-hvae-vamp-80"])
@pytest.mark.parametrize("component", [None, 3])
def test_a_sample_in_hand_is_the_tile_on_the_page(slug, component):
    engine = engine_of(slug)
    spec = StripSpec(seed=5, component=component)
    strip = cache.strip(engine, spec)
    for tile, scale in ((0, 1.0), (9, 0.5), (63, 1.7)):
        z, _ = place_code(engine, None, hand.sample_text(spec, tile, scale))
        frame = SCALES.index(scale)
        np.testing.assert_allclose(z, strip.z[frame, tile], rtol=1e-6, atol=1e-6)


def test_a_sample_of_levels_keeps_what_they_do():
    engine = engine_of("mnist-static-hvae-vamp-80")
    spec = StripSpec(seed=2, levels=Levels("z2", 0.5, 7))
    strip = cache.strip(engine, spec)
    z, _ = place_code(engine, None, hand.sample_text(spec, 4, 1.2))
    np.testing.assert_allclose(z, strip.z[SCALES.index(1.2), 4], rtol=1e-6, atol=1e-6)
    one_level = engine_of("digits-vae-vamp-16")
    assert place_code(one_level, None, hand.sample_text(spec, 4, 1.2)) is None


def test_a_sample_of_another_time_keeps_it():
    engine = engine_of("digits-dmvae-noised-2")
    spec = StripSpec(seed=2, time=0.35)
    strip = cache.strip(engine, spec)
    text = hand.sample_text(spec, 4, 1.2)
    z, words = place_code(engine, None, text)
    np.testing.assert_allclose(z, strip.z[SCALES.index(1.2), 4], rtol=1e-6, atol=1e-6)
    assert words.endswith("at scale 1.2, time 0.35")
    assert place_code(engine_of("digits-dmvae-sphere-2"), None, text) is None
    assert not spec.usual, "seed, tile and scale do not say how it was drawn"


def test_a_datum_is_found_by_its_identity_on_another_map():
    first, second = (
        cache.atlas(engine_of(f"digits-vae-{kind}")) for kind in ("vamp-16", "vamp-2")
    )
    rows = np.flatnonzero(first.split == Split.TEST)[:20]
    for row in rows:
        text = hand.datum_text(first, int(row))
        assert HAND.fullmatch(text)
        assert hand.datum_row(first, text) == row
        there = hand.datum_row(second, text)
        assert (second.ids[there], second.split[there]) == (first.ids[row], first.split[row])


def test_a_datum_of_other_data_is_not_found_by_its_number():
    first = cache.atlas(engine_of("digits-vae-vamp-16"))
    text = hand.datum_text(first, 0)
    number, _, _ = text.rpartition("-")
    assert hand.datum_row(first, f"{number}-00000000") is None
    assert hand.datum_row(first, number) == 0, "a map that knows no fingerprint goes by the number"
    assert hand.datum_row(first, "datum:test-9223372036854775807") is None


@pytest.mark.parametrize(
    ("old", "new"),
    {
        ("centre", "data:3"): {"hand": "data:3"},
        ("centre", "mean"): {"centre": "mean"},
        ("centre", "box:0,0,1,1"): {"centre": "box:0,0,1,1"},
        ("tile", "4"): {"hand": "sample:0,4,1"},
        ("pick", "holes:2"): {"hand": "holes:2"},
        ("pick", "data:3;add:4"): {"pick": "data:3;add:4"},
    }.items(),
)
def test_links_of_before_hold_the_thing_in_hand(old, new):
    assert hand.modern(dict([old])) == new


def test_a_tile_of_before_is_the_sample_that_the_link_showed():
    old = {
        "seed": "3",
        "tile": "5",
        "scale": "0.7",
        "component": "2",
        "level": "z1",
        "held": "0.5",
    }
    sample = hand.read_sample(hand.modern(old)["hand"])
    assert sample == hand.Sample(StripSpec(seed=3, component=2, levels=Levels("z1", 0.5)), 5, 0.7)


def test_what_a_link_holds_now_wins_over_its_name_of_before():
    assert hand.modern({"hand": "prototypes:1", "tile": "4"})["hand"] == "prototypes:1"


def test_what_is_no_single_point_of_the_map_is_not_in_hand():
    atlas = cache.atlas(engine_of("digits-vae-vamp-16"))
    assert hand.from_pick(atlas, "box:0,0,1,1") == ""
    assert hand.from_pick(atlas, "data:3;add:4") == ""
    assert hand.map_pick(atlas, hand.from_pick(atlas, "data:3")) == "data:3"
    assert hand.map_pick(atlas, "sample:0,1,1") == ""
