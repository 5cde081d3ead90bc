"""Missing resources are reported in one sentence, and no path escapes."""

import base64
from urllib.parse import quote

import numpy as np
import pytest

from explorer.ui import cache
from explorer.ui.address.notation import code_text, read_code
from explorer.ui.api import address as api_address
from explorer.ui.api import routes
from tests.support.addresses import strip_address
from tests.support.api import ask, assert_absent
from tests.support.engines import PIXELS, PLAIN, WIDE, engine_of
from tests.support.pages import layers_of

pytestmark = pytest.mark.usefixtures("no_data")

SERVED = ["points", "regions", "card/data/0", "thumbnail/data/0", "decode?z=z:AAAAAA"]


SERVED += ["here?at=spot:0,0"]


SERVED += ["preview"]


SERVED += ["novelty", "positions", "properties", "frames?frame=0", "painted?at=0"]


def address(slug, digest, served):
    what, _, rest = served.partition("/")
    what, asks, query = what.partition("?")
    return f"/api/{what}/{slug}/{digest}" + (f"/{rest}" if rest else "") + asks + query


def test_the_routes_tried_are_all_there_are(plane):
    tried = {f"/api/{served.partition('?')[0].partition('/')[0]}" for served in SERVED}
    of_models = [route.path for route in routes.routes() if "{digest}" in route.path]
    of_models.remove("/api/grab/{slug}/{digest}")  # of curves: see test_grab
    of_models.remove("/api/levelled/{slug}/{digest}")  # of models of several levels
    of_models.remove("/api/decision/{slug}/{digest}")  # of networks: see panels/test_asked
    assert {path.partition("/{")[0] for path in of_models} == tried
    for served in SERVED:
        assert ask(address(PIXELS, plane.checkpoint.hash, served)).status == 200


@pytest.mark.parametrize("served", SERVED)
def test_an_unknown_model_or_other_weights_are_absent(plane, served):
    digest = plane.checkpoint.hash
    slugs = ["gone", "..", ".", "a" * 5000, "%00", "%0a", "%F0%9F%90%8D", "README.md", "*", "%25"]
    for slug in slugs:
        assert_absent(ask(address(slug, digest, served)))
    for other in ("0" * 16, digest[:-1], digest.upper(), digest + "0", "..", "a" * 5000, "%00"):
        assert_absent(ask(address(PIXELS, other, served)))
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


@pytest.mark.parametrize(("what", "field"), [("frames", "frame"), ("painted", "at")])
@pytest.mark.parametrize("frame", ["", "41", *NO_NUMBERS])
def test_a_frame_beyond_a_strip_is_absent(plane, what, field, frame):
    assert_absent(ask(f"{api_address.address_of(plane, what)}&{field}={frame}"))
    assert ask(f"{api_address.address_of(plane, what)}&tiles=3&{field}=40").status == 200


@pytest.mark.parametrize("what", ["novelty", "properties"])
def test_what_is_known_of_a_frame_beyond_a_strip_is_absent(plane, what):
    for frame in ("", "41", "-1", "x"):
        assert_absent(ask(f"{api_address.address_of(plane, what)}&tiles=3&frame={frame}"))


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
    for component in ("all", "0"):
        assert_absent(ask(strip_address(plain, "novelty", 4, 0, component)))
        assert_absent(ask(strip_address(plain, "positions", 4, 0, component)))
    for parts in [("regions",)] + [
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


NO_PLACES = ["", "spot:", "spot:0", "spot:0,0,0", "spot:nan,0", "spot:inf,0", "spot:1e999,0"]
NO_PLACES += ["spot:0,0;add:1", "box:0,0,1,1", "mean", "z:AAAAAA", "data:-1", "data:1000001"]
NO_PLACES += ["data:99999", "prior:1000", "holes:999", "originals:0", "spot:" + "1" * 5000 + ",0"]


@pytest.mark.parametrize("text", NO_PLACES, ids=lambda text: text[:20])
def test_what_is_no_place_of_the_map_is_not_decoded(plane, text):
    assert_absent(ask(f"{api_address.address_of(plane, 'here')}&at={quote(text)}"))


@pytest.mark.parametrize("what", ["novelty", "positions"])
@pytest.mark.parametrize("tiles", [*NO_NUMBERS, "0", "65"])
def test_a_strip_of_no_or_too_many_tiles_has_no_novelty_and_no_place(plane, what, tiles):
    assert_absent(ask(strip_address(plane, what, tiles, 0, "all")))


@pytest.mark.parametrize("seed", ["-1", str(2**31), "9" * 40, "a", "%D9%A3", "1.5"])
def test_a_seed_out_of_range_has_no_novelty(plane, seed):
    assert_absent(ask(strip_address(plane, "novelty", 4, seed, "all")))


@pytest.mark.parametrize("component", ["-1", "10000", "9" * 40, "ALL", "None", "%D9%A3", "all%20"])
def test_a_component_that_is_not_there_has_no_novelty(plane, component):
    assert_absent(ask(strip_address(plane, "novelty", 4, 0, component)))


def test_the_first_component_beyond_has_no_novelty(plane):
    count = len(plane.components())
    assert ask(strip_address(plane, "novelty", 4, 0, count - 1)).status == 200
    assert_absent(ask(strip_address(plane, "novelty", 4, 0, count)))


def test_an_address_is_only_asked(plane):
    for method in ("POST", "PUT", "DELETE"):
        assert ask(api_address.address_of(plane, "points"), method).status == 405


def test_a_damaged_map_is_absent_with_its_reason(tmp_path, plane):
    cache.atlas.clear()
    folder = tmp_path / "user" / "results" / plane.checkpoint.hash
    folder.mkdir(parents=True)
    (folder / "atlas.npz").write_bytes(b"PK")
    answer = ask(api_address.address_of(plane, "points"))
    cache.atlas.clear()
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
