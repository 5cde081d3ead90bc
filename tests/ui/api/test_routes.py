"""Responses to the browser agree with the engine and the atlas."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer import drawing, sections
from explorer.projection import NEIGHBOURS, Split, lift, nearest
from explorer.sketch import PixelSketch
from explorer.strips import StripSpec
from explorer.ui import cache
from explorer.ui.address import places as link_places
from explorer.ui.address.notation import code_text
from explorer.ui.api import address as api_address
from explorer.ui.api import pictures
from explorer.ui.cache import strips
from tests.support.addresses import strip_address
from tests.support.api import DAY, ask, assert_absent
from tests.support.engines import CURVES, PIXELS, PLAIN, WIDE, engine_of
from tests.support.pages import layers_of

pytestmark = pytest.mark.usefixtures("no_data")


@pytest.mark.parametrize("slug", [PIXELS, WIDE, CURVES, PLAIN])
def test_all_points_of_the_map_are_sent_in_four_bytes_each(slug):
    engine = engine_of(slug)
    atlas = cache.atlas(engine)
    answer = ask(api_address.address_of(engine, "points"))
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    header, body = answer.packed
    layers = [atlas.xy, atlas.sample_xy, atlas.prototype_xy]
    assert header["layers"] == [
        {"name": name, "n": len(xy)}
        for name, xy in zip(("data", "prior", "prototypes"), layers, strict=True)
    ]
    assert len(body) == 8 * sum(map(len, layers))
    np.testing.assert_array_equal(
        np.frombuffer(body, "<f4").reshape(-1, 2), np.concatenate(layers).astype(np.float32)
    )


@pytest.mark.parametrize("slug", [PIXELS, WIDE])
def test_regions_have_contours_and_holes_with_words(slug):
    answer = ask(api_address.address_of(engine_of(slug), "regions"))
    assert (answer.status, answer.kind) == (200, "application/json")
    facts = answer.json
    assert facts["exact"] == (slug == PIXELS)
    assert len(facts["prior"]) == len(facts["aggregated"]) == 3
    assert all(len(line) % 2 == 0 for lines in facts["prior"] for line in lines)
    assert "of 1,000 prior samples" in facts["words"]
    found = cache.plane(engine_of(slug))
    assert [hole[2] for hole in facts["holes"]] == [hole.mass for hole in found.holes]


@pytest.mark.parametrize("slug", [PIXELS, WIDE, CURVES, PLAIN])
def test_a_card_has_a_title_rows_and_pictures_that_are_there(slug):
    engine = engine_of(slug)
    known = layers_of(engine)
    assert set(known) >= ({"data"} if slug == PLAIN else {"data", "prior", "prototypes"})
    for layer, codes in known.items():
        for index in (0, len(codes) - 1):
            answer = ask(api_address.address_of(engine, "card", layer, index))
            assert (answer.status, answer.kind) == (200, "application/json")
            facts = answer.json
            assert facts["title"] == f"{link_places.NAMES[layer]} {index}"
            assert facts["rows"]
            for name, value in facts["rows"]:
                assert name
                assert value
                assert "-" not in value
                assert "nan" not in value
            for _, address in facts["pictures"]:
                assert ask(address).status == 200
            assert facts["pictures"][-1][0] == "decoded"


def test_a_card_of_a_datum_says_what_the_atlas_knows(plane):
    atlas = cache.atlas(plane)
    facts = ask(api_address.address_of(plane, "card", "data", 7)).json
    rows = dict(facts["rows"])
    assert rows["Class"] == atlas.classes[atlas.label[7]]
    assert rows["Split"] == ("train", "valid", "test")[atlas.split[7]]
    assert rows["log p(z)"] == f"{atlas.log_prior[7]:.1f} nats".replace("-", "−")
    assert [name for name, _ in facts["pictures"]] == ["original", "decoded"]


def test_an_autoencoder_has_no_density_on_its_cards():
    facts = ask(api_address.address_of(engine_of(PLAIN), "card", "data", 0)).json
    assert {"log p(z)", "KL", "among held-out"}.isdisjoint(dict(facts["rows"]))


@pytest.mark.parametrize("slug", [PIXELS, CURVES])
def test_a_thumbnail_shows_what_the_model_decodes(slug):
    engine = engine_of(slug)
    codes = cache.atlas(engine).codes
    answer = ask(api_address.address_of(engine, "thumbnail", "data", 3))
    assert (answer.status, answer.kind) == (200, "image/png")
    x = sections.shaped(engine.decode(codes[3:4]), engine.sketch)
    pixels = isinstance(engine.sketch, PixelSketch)
    tiles = drawing.thumbnails(
        1 - x if pixels else x, engine.sketch, pictures.SIDE if pixels else 2 * pictures.SIDE
    )
    with Image.open(io.BytesIO(answer.body)) as picture:
        np.testing.assert_array_equal(np.asarray(picture), tiles[0])


def test_an_original_is_the_datum_itself_dark_on_light(plane):
    answer = ask(api_address.address_of(plane, "thumbnail", "originals", 5))
    x = cache.original(plane, 5)
    with Image.open(io.BytesIO(answer.body)) as picture:
        tiles = drawing.thumbnails(1 - x, plane.sketch, pictures.SIDE)
        np.testing.assert_array_equal(np.asarray(picture), tiles[0])


def test_curves_whose_data_are_not_at_hand_have_no_originals():
    assert_absent(ask(api_address.address_of(engine_of(CURVES), "thumbnail", "originals", 0)))


@pytest.mark.parametrize("slug", [PIXELS, WIDE, CURVES, PLAIN])
def test_a_code_is_decoded_as_the_engine_does(slug):
    engine = engine_of(slug)
    z = np.random.default_rng(2).normal(size=engine.space.size).astype("<f2").astype(np.float32)
    answer = ask(api_address.address_of(engine, "decode") + f"?z={code_text(z)}")
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    header, body = answer.packed
    assert (header["frames"], header["tiles"]) == (1, 1)
    x = sections.shaped(engine.decode(z[None]), engine.sketch)
    if header["kind"] == "pixels":
        found = np.frombuffer(body, np.uint8) / 255
        np.testing.assert_allclose(found, x.ravel(), atol=0.5 / 255 + 1e-6)
    else:
        step = (header["most"] - header["least"]) / 65535
        found = header["least"] + np.frombuffer(body, "<u2") * step
        heights = engine.sketch.heights(x).ravel().clip(header["least"], header["most"])
        np.testing.assert_allclose(found, heights, atol=step / 2 + 2e-6)


@pytest.mark.parametrize("slug", [PIXELS, CURVES, PLAIN])
def test_a_code_far_away_is_decoded_to_plain_numbers(slug):
    engine = engine_of(slug)
    z = np.full(engine.space.size, 9992, np.float32)
    answer = ask(api_address.address_of(engine, "decode") + f"?z={code_text(z)}")
    assert answer.status == 200
    assert np.isfinite(answer.packed[0]["density"]).all()


def decoded_at(engine, place):
    """Ask what is decoded at a place of the map: the words, and the picture in data units."""
    answer = ask(f"{api_address.address_of(engine, 'here')}&at={place}")
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    assert answer.headers["cache-control"] == "private, max-age=60"
    header, body = answer.packed
    if not body:
        return header["words"], None
    assert (header["frames"], header["tiles"]) == (1, 1)
    return header["words"], np.frombuffer(body, np.uint8) / 255


def test_a_place_of_a_plane_is_decoded_exactly_even_far_from_data(plane):
    for x, y, far in ((0.5, -0.25, False), (40, 40, True)):
        words, found = decoded_at(plane, f"spot:{x},{y}")
        wanted = plane.decode(np.array([[x, y]], np.float32)).ravel()
        np.testing.assert_allclose(found, wanted, atol=0.5 / 255 + 1e-6)
        density = float(plane.log_prior(np.array([[x, y]], np.float32))[0])
        assert words.startswith("exactly here")
        assert words.endswith(f"log p(z) {density:.1f} nats".replace("-", "−"))
        assert ("no code near" in words) is far


def test_a_place_of_a_projection_is_decoded_from_the_codes_near_it_or_not_at_all():
    engine = engine_of(WIDE)
    atlas = cache.atlas(engine)
    x, y = atlas.xy[11] + 0.2 * cache.map_reach(engine)
    words, found = decoded_at(engine, f"spot:{x:.4f},{y:.4f}")
    assert words == "from the 15 nearest codes"
    wanted = engine.decode(lift(atlas.codes, atlas.xy, np.array([[x, y]]))).ravel()
    np.testing.assert_allclose(found, wanted, atol=2 / 255)
    left, bottom = atlas.xy.min(0) - 1.01 * cache.map_reach(engine)
    assert decoded_at(engine, f"spot:{left:.4f},{bottom:.4f}") == ("no code here", None)


def test_a_point_of_a_projection_is_decoded_from_its_own_code():
    engine = engine_of(WIDE)
    words, found = decoded_at(engine, "data:11")
    wanted = engine.decode(cache.atlas(engine).codes[11:12]).ravel()
    np.testing.assert_allclose(found, wanted, atol=0.5 / 255 + 1e-6)
    assert words.startswith("Data point 11 · log p(z) ")


def test_a_plain_autoencoder_decodes_a_place_and_names_no_density():
    assert decoded_at(engine_of(PLAIN), "spot:0,0")[0].startswith("exactly here")
    assert "log p(z)" not in decoded_at(engine_of(PLAIN), "spot:0,0")[0]


@pytest.mark.slow
def test_an_autoregressive_decoder_shows_its_mean_and_says_so():
    engine = engine_of("mnist-static-pixelhvae-vamp-80")
    words, found = decoded_at(engine, "data:3")
    assert words.endswith("mean of p(x|z), not a sample")
    assert len(np.unique(found)) > 2


@pytest.mark.parametrize("chosen", ["all", "0"])
def test_the_novelty_of_a_strip_is_in_per_cent_for_every_frame_and_tile(plane, chosen):
    answer = ask(strip_address(plane, "novelty", 4, 2**31 - 1, chosen))
    assert (answer.status, answer.kind) == (200, "application/json")
    facts = answer.json
    for name in ("novelty", "typicality"):
        values = np.array(facts[name])
        assert values.shape == (41, 4)
        assert values.min() >= 0
        assert values.max() <= 100
    atlas = cache.atlas(plane)
    assert facts["heldOut"] == (atlas.split == Split.TEST).sum()
    assert facts["training"] == (atlas.split == Split.TRAIN).sum()


@pytest.mark.parametrize("slug", [PIXELS, WIDE, CURVES])
def test_the_positions_of_a_strip_are_those_of_its_codes_on_the_map(slug):
    engine = engine_of(slug)
    answer = ask(strip_address(engine, "positions", 4, 7))
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    header, body = answer.packed
    assert header == {"frames": 41, "tiles": 4}
    found = np.frombuffer(body, "<f4").reshape(41, 4, 2)
    z = cache.strip(engine, StripSpec(tiles=4, seed=7)).z
    atlas = cache.atlas(engine)
    if slug == PIXELS:
        np.testing.assert_array_equal(found, z)
        return
    for frame in (0, 20, 40):
        near = atlas.xy[nearest(atlas.codes, z[frame, 2], NEIGHBOURS)[0]]
        assert (near.min(0) - 1e-4 <= found[frame, 2]).all()
        assert (found[frame, 2] <= near.max(0) + 1e-4).all()


def test_a_model_without_a_map_has_no_positions(monkeypatch, plane):
    monkeypatch.setattr(strips, "atlas", lambda engine: None)
    cache.strip_positions.clear()
    assert_absent(ask(strip_address(plane, "positions", 4, 0)))
    cache.strip_positions.clear()


def test_what_hangs_on_weights_alone_may_be_kept_and_originals_for_a_minute(plane):
    z = code_text(np.zeros(2, np.float32))
    kept = [
        api_address.address_of(plane, "points"),
        api_address.address_of(plane, "regions"),
        api_address.address_of(plane, "thumbnail", "prior", 0),
        strip_address(plane, "novelty", 4, 0, "all"),
        strip_address(plane, "positions", 4, 0, "all"),
        api_address.address_of(plane, "decode") + f"?z={z}",
    ]
    for address in kept:
        assert ask(address).headers["cache-control"] == DAY
    original = ask(api_address.address_of(plane, "thumbnail", "originals", 0))
    assert original.headers["cache-control"] == "private, max-age=60"
    assert "cache-control" not in ask(api_address.address_of(plane, "card", "data", 0)).headers


def test_the_charts_script_is_served_and_kept_for_a_day():
    answer = ask(api_address.PLOTLY)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == DAY


def test_a_refusal_is_not_kept(plane):
    for address in (api_address.address_of(plane, "thumbnail", "data", 10**6), "/api/points/a/b"):
        assert "cache-control" not in ask(address).headers
