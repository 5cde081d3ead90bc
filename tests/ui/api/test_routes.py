"""What the browser asks for is answered or refused, and what stands in a link is read."""

import asyncio
import base64
import io
import json
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette

from explorer import drawing
from explorer.sketch import PixelSketch
from explorer.ui import cache
from explorer.ui.address import places as link_places
from explorer.ui.address.notation import (
    DIALS,
    MOST_EDITS,
    MOST_VERTICES,
    PATH,
    PICK,
    PLACE,
    code_text,
    read_code,
)
from explorer.ui.address.places import layer_codes, path_codes, place_code, select
from explorer.ui.api import address as api_address
from explorer.ui.api import pictures, routes
from explorer.ui.components.canvas import MOST_POINTS, MOST_STROKES, strokes_of
from explorer.ui.components.traversal import offsets

PLANE, WIDE, CURVES, PLAIN = (
    "digits-vae-vamp-2",
    "digits-vae-vamp-16",
    "airfoils-vae-vamp-8",
    "digits-ae-2",
)
APP = Starlette(routes=routes.routes())
DAY = "private, max-age=86400, immutable"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_USER", str(tmp_path / "user"))
    monkeypatch.setenv("LATENT_EXPLORER_DEVICE", "cpu")
    for name in ("DATA", "CHECKPOINTS"):
        monkeypatch.delenv(f"LATENT_EXPLORER_{name}", raising=False)


def engine_of(slug):
    return cache.engine(next(entry for entry in cache.entries() if entry.slug == slug))


@pytest.fixture
def plane():
    return engine_of(PLANE)


class Answer:
    """One answer of the app, whole."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.decode(): value.decode() for name, value in headers}

    @property
    def kind(self):
        return self.headers["content-type"].split(";")[0]

    @property
    def json(self):
        return json.loads(self.body, parse_constant=lambda word: pytest.fail(word))

    @property
    def packed(self):
        """Header and body of what `pack` wrote."""
        (length,) = struct.unpack("<I", self.body[:4])
        assert length % 4 == 0
        return json.loads(self.body[4 : 4 + length]), self.body[4 + length :]


def ask(address, method="GET"):
    """Ask the app as a server would; an error that it does not handle is raised here."""
    path, _, query = address.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [],
        "server": ("test", 80),
        "client": ("test", 1),
    }
    told = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    # In a thread of its own: a browser's tests leave a running loop in the main one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(APP(scope, receive, send))).result()
    body = b"".join(message.get("body", b"") for message in told[1:])
    return Answer(told[0]["status"], told[0]["headers"], body)


def assert_absent(answer):
    assert answer.status == 404
    assert answer.kind == "text/plain"
    words = answer.body.decode()
    assert 0 < len(words) < 200
    assert "Traceback" not in words
    assert len(words.splitlines()) == 1


# What is there


@pytest.mark.parametrize("slug", [PLANE, WIDE, CURVES, PLAIN])
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


@pytest.mark.parametrize("slug", [PLANE, WIDE])
def test_regions_have_contours_and_holes_with_words(slug):
    answer = ask(api_address.address_of(engine_of(slug), "regions"))
    assert (answer.status, answer.kind) == (200, "application/json")
    facts = answer.json
    assert facts["exact"] == (slug == PLANE)
    assert len(facts["prior"]) == len(facts["aggregated"]) == 3
    assert all(len(line) % 2 == 0 for lines in facts["prior"] for line in lines)
    assert "of 1,000 prior samples" in facts["words"]
    found = cache.plane(engine_of(slug))
    assert [hole[2] for hole in facts["holes"]] == [hole.mass for hole in found.holes]


def layers_of(engine):
    found = cache.plane(engine)
    atlas = cache.atlas(engine)
    known = {}
    for layer in ("data", "prior", "prototypes", "holes"):
        codes = layer_codes(engine, atlas, layer, found)
        if codes is not None:
            known[layer] = codes
    return known


@pytest.mark.parametrize("slug", [PLANE, WIDE, CURVES, PLAIN])
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


@pytest.mark.parametrize("slug", [PLANE, CURVES])
def test_a_thumbnail_shows_what_the_model_decodes(slug):
    engine = engine_of(slug)
    codes = cache.atlas(engine).codes
    answer = ask(api_address.address_of(engine, "thumbnail", "data", 3))
    assert (answer.status, answer.kind) == (200, "image/png")
    x = engine.decode(codes[3:4])
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


@pytest.mark.parametrize("slug", [PLANE, WIDE, CURVES, PLAIN])
def test_a_code_is_decoded_as_the_engine_does(slug):
    engine = engine_of(slug)
    z = np.random.default_rng(2).normal(size=engine.space.size).astype("<f2").astype(np.float32)
    answer = ask(api_address.address_of(engine, "decode") + f"?z={code_text(z)}")
    assert (answer.status, answer.kind) == (200, "application/octet-stream")
    header, body = answer.packed
    assert (header["frames"], header["tiles"]) == (1, 1)
    x = engine.decode(z[None])
    if header["kind"] == "pixels":
        found = np.frombuffer(body, np.uint8) / 255
        np.testing.assert_allclose(found, x.ravel(), atol=0.5 / 255 + 1e-6)
    else:
        step = (header["most"] - header["least"]) / 65535
        found = header["least"] + np.frombuffer(body, "<u2") * step
        heights = engine.sketch.heights(x).ravel().clip(header["least"], header["most"])
        np.testing.assert_allclose(found, heights, atol=step / 2 + 2e-6)


@pytest.mark.parametrize("slug", [PLANE, CURVES, PLAIN])
def test_a_code_far_away_is_decoded_to_plain_numbers(slug):
    engine = engine_of(slug)
    z = np.full(engine.space.size, 9992, np.float32)
    answer = ask(api_address.address_of(engine, "decode") + f"?z={code_text(z)}")
    assert answer.status == 200
    assert np.isfinite(answer.packed[0]["density"]).all()


@pytest.mark.parametrize("chosen", ["all", "0"])
def test_the_standing_of_a_strip_is_in_per_cent_for_every_frame_and_tile(plane, chosen):
    answer = ask(api_address.address_of(plane, "standing", 4, 2**31 - 1, chosen))
    assert (answer.status, answer.kind) == (200, "application/json")
    facts = answer.json
    for name in ("novelty", "typicality"):
        values = np.array(facts[name])
        assert values.shape == (41, 4)
        assert values.min() >= 0
        assert values.max() <= 100
    atlas = cache.atlas(plane)
    assert facts["heldOut"] == (atlas.split == 2).sum()
    assert facts["training"] == (atlas.split == 0).sum()


def test_what_hangs_on_weights_alone_may_be_kept_and_originals_for_a_minute(plane):
    z = code_text(np.zeros(2, np.float32))
    kept = [
        api_address.address_of(plane, "points"),
        api_address.address_of(plane, "regions"),
        api_address.address_of(plane, "thumbnail", "prior", 0),
        api_address.address_of(plane, "standing", 4, 0, "all"),
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


# What is not


SERVED = ["points", "regions", "card/data/0", "thumbnail/data/0", "decode?z=z:AAAAAA"]
SERVED += ["standing/4/0/all", "worth/4/0/all"]


def address(slug, digest, served):
    what, _, rest = served.partition("/")
    what, asks, query = what.partition("?")
    return f"/api/{what}/{slug}/{digest}" + (f"/{rest}" if rest else "") + asks + query


def test_the_routes_tried_are_all_there_are(plane):
    tried = {f"/api/{served.partition('?')[0].partition('/')[0]}" for served in SERVED}
    of_models = [route.path for route in routes.routes() if "{slug}" in route.path]
    assert {path.partition("/{")[0] for path in of_models} == tried
    for served in SERVED:
        assert ask(address(PLANE, plane.checkpoint.hash, served)).status == 200


@pytest.mark.parametrize("served", SERVED)
def test_an_unknown_model_or_other_weights_are_absent(plane, served):
    digest = plane.checkpoint.hash
    slugs = ["gone", "..", ".", "a" * 5000, "%00", "%0a", "%F0%9F%90%8D", "README.md", "*", "%25"]
    for slug in slugs:
        assert_absent(ask(address(slug, digest, served)))
    for other in ("0" * 16, digest[:-1], digest.upper(), digest + "0", "..", "a" * 5000, "%00"):
        assert_absent(ask(address(PLANE, other, served)))
    assert_absent(ask(address(WIDE, digest, served)))


@pytest.mark.parametrize("served", SERVED)
@pytest.mark.parametrize(
    "slug", ["../checkpoints/digits-vae-vamp-2", "..%2f..%2fetc", "%2e%2e/%2e%2e", "//etc/passwd"]
)
def test_no_path_leads_out_of_the_routes(plane, served, slug):
    assert_absent(ask(address(slug, plane.checkpoint.hash, served)))


NO_NUMBERS = ["-1", "1000001", "99999999999", "9" * 5000, "1.0", "1e3", "+1", "0x1", "a", "%20"]
NO_NUMBERS += ["%D9%A3", "%C2%B2", "1%0a", "%001", "NaN", "1_0"]


@pytest.mark.parametrize("what", ["card", "thumbnail"])
@pytest.mark.parametrize("index", [*NO_NUMBERS, "1000000"])
def test_an_index_that_is_none_of_a_layer_is_absent(plane, what, index):
    for layer in ("data", "prior", "prototypes", "holes", "originals"):
        assert_absent(ask(api_address.address_of(plane, what, layer, index)))


@pytest.mark.parametrize("what", ["card", "thumbnail"])
def test_the_first_index_beyond_a_layer_is_absent(plane, what):
    for layer, codes in layers_of(plane).items():
        assert ask(api_address.address_of(plane, what, layer, len(codes) - 1)).status == 200
        assert_absent(ask(api_address.address_of(plane, what, layer, len(codes))))


@pytest.mark.parametrize(
    "layer", ["Data", "gone", "..", "density", "__class__", "%00", "a" * 3000]
)
def test_an_unknown_layer_is_absent(plane, layer):
    assert_absent(ask(api_address.address_of(plane, "card", layer, 0)))
    assert_absent(ask(api_address.address_of(plane, "thumbnail", layer, 0)))


def test_originals_have_no_card(plane):
    assert_absent(ask(api_address.address_of(plane, "card", "originals", 0)))


def test_what_an_autoencoder_has_not_is_absent():
    plain = engine_of(PLAIN)
    for parts in [("regions",), ("standing", 4, 0, "all"), ("standing", 4, 0, "0")] + [
        (what, layer, 0)
        for what in ("card", "thumbnail")
        for layer in ("prior", "prototypes", "holes")
    ]:
        assert_absent(ask(api_address.address_of(plain, *parts)))


NO_CODES = {
    "nothing": "",
    "a prefix": "z:",
    "too short": code_text(np.zeros(1, np.float32)),
    "too long": code_text(np.zeros(3, np.float32)),
    "much too long": "A" * 100_000,
    "half of base64": "z:AAAAA",
    "not a number": "z:" + base64.urlsafe_b64encode(np.full(2, np.nan, "<f2").tobytes()).decode(),
    "infinity": "z:" + base64.urlsafe_b64encode(np.full(2, np.inf, "<f2").tobytes()).decode(),
    "far beyond": "z:" + base64.urlsafe_b64encode(np.full(2, 60_000, "<f2").tobytes()).decode(),
    "no ASCII": "z:ééé",
    "zeros": "\0\0\0\0",
    "equal signs": "z:" + "=" * 50,
}


@pytest.mark.parametrize("text", NO_CODES.values(), ids=NO_CODES.keys())
def test_what_is_no_code_of_the_model_is_not_decoded(plane, text):
    assert read_code(text[:2000], 2) is None
    assert_absent(ask(api_address.address_of(plane, "decode") + f"?z={quote(text)}"))


def test_without_a_code_nothing_is_decoded(plane):
    assert_absent(ask(api_address.address_of(plane, "decode")))
    assert_absent(ask(api_address.address_of(plane, "decode") + "?y=z:AAAA"))


@pytest.mark.parametrize("tiles", [*NO_NUMBERS, "0", "65"])
def test_a_strip_of_no_or_too_many_tiles_has_no_standing(plane, tiles):
    assert_absent(ask(api_address.address_of(plane, "standing", tiles, 0, "all")))


@pytest.mark.parametrize("seed", ["-1", str(2**31), "9" * 40, "a", "%D9%A3", "1.5"])
def test_a_seed_out_of_range_has_no_standing(plane, seed):
    assert_absent(ask(api_address.address_of(plane, "standing", 4, seed, "all")))


@pytest.mark.parametrize("component", ["-1", "10000", "9" * 40, "ALL", "None", "%D9%A3", "all%20"])
def test_a_component_that_is_not_there_has_no_standing(plane, component):
    assert_absent(ask(api_address.address_of(plane, "standing", 4, 0, component)))


def test_the_first_component_beyond_has_no_standing(plane):
    count = len(plane.components())
    assert ask(api_address.address_of(plane, "standing", 4, 0, count - 1)).status == 200
    assert_absent(ask(api_address.address_of(plane, "standing", 4, 0, count)))


def test_an_address_is_only_asked(plane):
    for method in ("POST", "PUT", "DELETE"):
        assert ask(api_address.address_of(plane, "points"), method).status == 405


def test_a_damaged_map_is_absent_with_its_reason(tmp_path, plane):
    cache.atlases._atlas.clear()
    folder = tmp_path / "user" / "results" / plane.checkpoint.hash
    folder.mkdir(parents=True)
    (folder / "atlas.npz").write_bytes(b"PK")
    answer = ask(api_address.address_of(plane, "points"))
    cache.atlases._atlas.clear()
    assert answer.status == 404
    assert "atlas.npz" in answer.body.decode()
    assert len(answer.body.decode().splitlines()) == 1


def test_a_broken_checkpoint_is_absent_and_stops_no_other(tmp_path, plane):
    broken = tmp_path / "user" / "checkpoints" / "broken"
    broken.mkdir(parents=True)
    (broken / "config.json").write_text("{}")
    assert_absent(ask(f"/api/points/broken/{plane.checkpoint.hash}"))
    assert_absent(ask("/api/points/broken/"))
    assert ask(api_address.address_of(plane, "points")).status == 200


# Grammars


TRIANGLE = "0,0,1,0,0,1"
ACCEPTED = {
    PICK: [
        "",
        "data:0",
        "prior:999999",
        "prototypes:12",
        "holes:3",
        "box:-1.5,2,3e2,4.25",
        "box:0,0,1e-9,1e+9",
        f"lasso:{TRIANGLE}",
        "lasso:" + ",".join(["0.5,-1"] * MOST_VERTICES),
        "data:1;add:2,3",
        "data:1;cut:1",
        "box:0,0,1,1;add:5;cut:6,7",
        "data:1;add:" + ",".join(["1"] * MOST_EDITS),
    ],
    PATH: ["", "0,0,1,1", "-1.5,2e3,0,0,4,5", ",".join(["1,2"] * (MOST_VERTICES // 2))],
    PLACE: [
        "mean",
        "data:3",
        "holes:0",
        f"lasso:{TRIANGLE}",
        "box:0,0,1,1",
        "z:AAAA",
        "z:-_9=",
        "z:" + "A" * 1400,
    ],
    DIALS: ["", "0:1", "12:-1.25,7:3", "999:9.99", ",".join(["1:2"] * 40)],
}
REJECTED = {
    PICK: [
        "data",
        "data:",
        "data:-1",
        "data:1.5",
        "data:1234567",
        "density:1",
        "data:1 ",
        " data:1",
        "data:1\n",
        "data:1;add:",
        "data:1;add:1,",
        "data:1;cut:1;add:2",
        "data:1;add:1;add:2",
        ";add:1",
        "add:1",
        "box:0,0,1",
        "box:0,0,1,1,1",
        "box:0,0,1,nan",
        "box:0,0,1,inf",
        "box:0,0,1,.5",
        "box:0,0,1,5.",
        "box:0,0,1,+5",
        "box:0,0,1,1e999",
        "box:0,0,1,1234567890",
        "lasso:0,0,1,0",
        "lasso:0,0,1,0,1",
        "lasso:" + ",".join(["0,0"] * (MOST_VERTICES + 1)),
        "data:1;add:" + ",".join(["1"] * (MOST_EDITS + 1)),
        "data:1|data:2",
    ],
    PATH: ["0,0", "0,0,1", "0,0,1,1,", ",".join(["1,2"] * (MOST_VERTICES // 2 + 1)), "a", "0;0"],
    PLACE: [
        "",
        "Mean",
        "mean\n",
        "z:",
        "z:A",
        "z:AA+/",
        "z:AAAA===",
        "z:" + "A" * 1401,
        "data:1;add:2",
        "z:AA AA",
    ],
    DIALS: ["1", "1:", ":1", "1:10", "1:1.234", "1000:1", "1:1,", ",".join(["1:2"] * 41), "1:+1"],
}


@pytest.mark.parametrize("grammar", ACCEPTED, ids=["pick", "path", "place", "dials"])
def test_a_grammar_accepts_what_is_meant_and_nothing_else(grammar):
    for text in ACCEPTED[grammar]:
        assert grammar.fullmatch(text), text
    for text in REJECTED[grammar]:
        assert not grammar.fullmatch(text), text


HOSTILE = [
    "1" * 5000,
    "1," * 2500,
    "0.0," * 1250,
    "1e1," * 1250 + "x",
    "lasso:" + "1,1," * 1200,
    "lasso:" + "1" * 4990,
    "box:" + "-" * 4990,
    "data:1;add:" + "1," * 2400,
    "data:1" + ";add:1" * 800,
    "z:" + "A" * 4990 + "!",
    "z:" + "=" * 4990,
    "1:1," * 1250,
    "1:" + "1" * 4990,
    "(" * 5000,
    "\n" * 5000,
]


def test_no_grammar_hangs_on_a_long_text():
    begun = time.perf_counter()
    for grammar in (PICK, PATH, PLACE, DIALS):
        for text in HOSTILE:
            assert not grammar.fullmatch(text)
    assert time.perf_counter() - begun < 10


NUMBER = st.floats(-1e6, 1e6).map(lambda value: f"{value:.4f}")


@given(st.lists(NUMBER, min_size=4, max_size=2 * MOST_VERTICES))
def test_a_line_of_two_to_32_vertices_is_a_path(numbers):
    text = ",".join(numbers)
    fits = len(numbers) % 2 == 0 and len(numbers) <= MOST_VERTICES
    assert bool(PATH.fullmatch(text)) == fits


@given(st.dictionaries(st.integers(0, 999), st.integers(-999, 999), max_size=40))
def test_offsets_come_back_from_the_text_of_dials(given_offsets):
    text = ",".join(f"{unit}:{value / 100:.2f}" for unit, value in given_offsets.items())
    assert DIALS.fullmatch(text)
    found = offsets(text)
    expected = {str(unit): max(-9, min(9, value / 100)) for unit, value in given_offsets.items()}
    assert found == pytest.approx(expected)


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_whatever_a_grammar_accepts_is_ascii_or_digits_and_can_be_read(text):
    for grammar in (PICK, PATH, PLACE, DIALS):
        if grammar.fullmatch(text):
            assert all(letter.isascii() or letter.isdigit() for letter in text)
            if grammar is DIALS:
                offsets(text)


@given(st.lists(st.floats(-9000, 9000, width=16), min_size=1, max_size=512))
def test_a_code_comes_back_in_half_precision(values):
    z = np.array(values, np.float32)
    text = code_text(z)
    assert PLACE.fullmatch(text)
    np.testing.assert_array_equal(read_code(text, len(z)), z)
    assert read_code(text + "=" * (-len(text[2:]) % 4), len(z)) is not None
    assert read_code(text, len(z) + 1) is None


def test_a_code_is_rounded_to_half_precision():
    z = np.array([0.1, -1 / 3, 1234.567], np.float32)
    found = read_code(code_text(z), 3)
    np.testing.assert_array_equal(found, z.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(found, z, rtol=2**-10)


@given(st.text(max_size=60), st.integers(1, 8))
def test_any_text_is_a_finite_code_or_none(text, latent):
    z = read_code(text, latent)
    assert z is None or (z.shape == (latent,) and np.isfinite(z).all())


# Selections


@pytest.fixture
def atlas(plane):
    return cache.atlas(plane)


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
    assert picked.words == "3 codes picked"
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
        "data:4;add:6": (atlas.codes[[4, 6]].mean(0), "Mean of 2 codes picked"),
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


# Paths


@pytest.mark.parametrize("frames", [2, 5, 17])
def test_a_path_has_equal_steps_from_end_to_end(atlas, frames):
    codes, places = path_codes(atlas, "-1,0,2,0,2,1", frames)
    assert places.shape == codes.shape == (frames, 2)
    np.testing.assert_allclose(places[[0, -1]], [[-1, 0], [2, 1]], atol=1e-6)
    arc = np.where(places[:, 1] > 0, 3 + places[:, 1], places[:, 0] + 1)
    np.testing.assert_allclose(np.diff(arc), 4 / (frames - 1), atol=1e-5)


def test_on_the_plane_a_path_is_its_own_codes(atlas):
    codes, places = path_codes(atlas, "0,0,1,1", 4)
    np.testing.assert_array_equal(codes, places)


def test_elsewhere_a_path_is_lifted_into_the_codes():
    known = cache.atlas(engine_of(WIDE))
    codes, places = path_codes(known, "0,0,1e9,-1e9", 9)
    assert codes.shape == (9, 16)
    assert np.isfinite(codes).all()
    assert np.isfinite(places).all()
    assert (codes >= known.codes.min(0) - 1e-4).all()
    assert (codes <= known.codes.max(0) + 1e-4).all()


def test_a_path_without_length_stays_where_it_is(atlas):
    _, places = path_codes(atlas, "1,2,1,2,1,2", 5)
    np.testing.assert_array_equal(places, np.full((5, 2), (1, 2), np.float32))


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=32),
    st.integers(2, 41),
)
@settings(max_examples=60)
def test_no_step_of_a_path_is_longer_than_its_share(vertices, frames):
    known = cache.atlas(engine_of(PLANE))
    path = ",".join(f"{x / 10},{y / 10}" for x, y in vertices)
    _, places = path_codes(known, path, frames)
    corners = np.array(vertices) / 10
    length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert (steps <= length / (frames - 1) + 1e-4).all()
    np.testing.assert_allclose(places[[0, -1]], corners[[0, -1]], atol=1e-5)


# Strokes


def test_strokes_from_the_browser_are_bounded_polylines():
    assert strokes_of([]) == []
    assert strokes_of([[[0, 1], (0.5, 0.25)]]) == [[(0.0, 1.0), (0.5, 0.25)]]
    most = [[[0.5, 0.5]] * MOST_POINTS] * MOST_STROKES
    assert len(strokes_of(most)) == MOST_STROKES


@pytest.mark.parametrize(
    "given_strokes",
    [
        None,
        {},
        "strokes",
        [None],
        [[]],
        [[0.5]],
        [[[0.5]]],
        [[[0.5, 0.5, 0.5]]],
        [[["0.5", 0.5]]],
        [[[None, 0.5]]],
        [[[-0.01, 0.5]]],
        [[[0.5, 1.01]]],
        [[[float("nan"), 0.5]]],
        [[[float("inf"), 0.5]]],
        [[{"x": 0, "y": 0}]],
        [[[0.5, 0.5]] * (MOST_POINTS + 1)],
        [[[0.5, 0.5]]] * (MOST_STROKES + 1),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_whatever_else_a_browser_sends_is_no_drawing(given_strokes):
    assert strokes_of(given_strokes) is None
