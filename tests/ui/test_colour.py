"""Every page shows a model of colour in its colours, in either theme."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from explorer import checkpoint, exports, rebuilding
from explorer.data.drawn import Stroke
from explorer.designs.measuring import measure
from explorer.designs.properties import Conditions
from explorer.inference import Engine
from explorer.packing import pack
from explorer.strips import StripSpec, difference_strip, scale_strip
from explorer.ui import cache
from explorer.ui.components.bridge import Synced
from explorer.ui.components.canvas import _Drawing
from tests.support.api import ask, drawn_wish, kept
from tests.support.colours import STANDARD, VAMP, train_discs
from tests.support.pages import open_page, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("discs")
    train_discs(folder)
    return folder


@pytest.fixture(autouse=True)
def shelf(trained, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_DATA", str(trained))
    monkeypatch.setenv("LATENT_EXPLORER_CHECKPOINTS", str(trained / "shelf"))


@pytest.fixture
def engine():
    return Engine(checkpoint.load(VAMP), "cpu")


@pytest.fixture
def mounted(monkeypatch):
    """What each component was sent, by its key."""
    seen, mount = {}, Synced.mount

    def record(component, key, data, **options):
        seen[key] = data
        return mount(component, key, data, **options)

    monkeypatch.setattr(Synced, "mount", record)
    return seen


def panels(data):
    """The panels of pixels in what a component was sent."""
    if not isinstance(data, bytes):
        return []
    (length,) = struct.unpack("<I", data[:4])
    facts = json.loads(data[4 : 4 + length])
    found = [*facts.get("panels", []), facts.get("strip"), facts.get("live")]
    return [panel for panel in found if panel and panel["kind"] == "pixels"]


PAGES = {
    "catalogue": {},
    "generate": {"tile": 1},
    "prototypes": {"component": 1},
    "latent_map": {"pick": "data:3"},
    "traverse": {},
    "interpolate": {"kind": "geodesic"},
    "reconstruct": {"refine": 1},
    "candidates": {"chosen": "1,2"},
    "priors_lab": {"show": "decoded"},
    "evaluate": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_colours(page, mounted):
    if page == "candidates":
        kept(*(wish(tile) for tile in range(3)))
    app = open_page(page, model=VAMP, **PAGES[page])
    assert not app.exception
    assert not app.error
    shown = [panel for data in mounted.values() for panel in panels(data)]
    assert all((item["channels"], item["inked"]) == (3, False) for item in shown)
    assert shown or page == "evaluate"
    if page == "candidates":
        assert {"Cover", "Colourfulness"} <= {
            words.rpartition(" ")[0].split(" ")[0] for words in cards(mounted)
        }


def wish(tile):
    digest = checkpoint.load(VAMP).hash
    return drawn_wish(tile=tile) | {"model": VAMP, "hash": digest, "origin": f"{VAMP} {tile}"}


def cards(mounted):
    data = mounted["candidates_list"]
    (length,) = struct.unpack("<I", data[:4])
    facts = json.loads(data[4 : 4 + length])
    return [words for card in facts["cards"] for words in card["words"]]


@pytest.mark.slow
def test_models_of_colour_are_compared_by_differences_in_ink(mounted):
    app = open_page("generate", model=VAMP, compare=STANDARD, difference=1)
    assert not app.exception
    found = panels(mounted["generate_strip"])
    assert [(item["channels"], item["inked"]) for item in found] == [(3, False), (1, True)]
    assert "dark where they differ" in told(app)


@pytest.mark.slow
def test_a_drawing_in_colour_is_reconstructed(mounted):
    app = open_page("reconstruct", model=VAMP, source="draw")
    assert [name for _, name in mounted["reconstruct_paints"]["palette"]][:3] == [
        "Black", "Grey", "White"
    ]  # fmt: skip
    state = app.session_state["reconstruct_paints__state"]
    state.shown = _Drawing([Stroke([(0.5, 0.5)], 0.5, "#1e88e5")])
    app.run()
    assert not app.exception
    data = mounted[f"reconstruct_{VAMP}_through"]
    (panel,) = panels(data)
    body = np.frombuffer(data[-panel["bytes"] :], np.uint8).reshape(3, 12, 12, 3)
    assert body[0, 6, 6].tolist() == [0x1E, 0x88, 0xE5]
    assert body[0, 0, 0].tolist() == [255, 255, 255]
    error = np.sqrt(((body[0] / 255.0 - body[1] / 255.0) ** 2).mean(-1))
    np.testing.assert_allclose(body[2, :, :, 0] / 255, 1 - error, atol=0.005)


def pixels(content):
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_thumbnails_originals_and_previews_are_not_inverted(engine):
    digest = engine.checkpoint.hash
    atlas = cache.atlas(engine)
    found = pixels(ask(f"/api/thumbnail/{VAMP}/{digest}/originals/0").body)
    original = cache.original(engine, 0)[0].transpose(1, 2, 0)
    np.testing.assert_array_equal(found[::7, ::7], np.rint(255 * original))
    assert (found[0, 0] == 255).all()
    decoded = pixels(ask(f"/api/thumbnail/{VAMP}/{digest}/data/0").body)
    mean = engine.decode(atlas.codes[:1])[0].transpose(1, 2, 0)
    np.testing.assert_allclose(decoded[::7, ::7], 255 * mean, atol=0.51)
    entry = next(item for item in cache.entries() if item.slug == VAMP)
    on_light, on_dark = (pixels(cache.preview(entry, dark=dark)) for dark in (False, True))
    np.testing.assert_array_equal(on_light, on_dark)
    assert np.ptp(on_light.astype(int), axis=-1).max() > 60  # in colour


def test_exports_are_in_colour_and_come_back_bit_by_bit(engine, tmp_path):
    strip = scale_strip(engine, StripSpec(tiles=4), (0.0, 1.0))
    expected = np.rint(255 * strip.samples[1, 0].transpose(1, 2, 0))
    sheet = pixels(exports.picture(strip, 1))
    np.testing.assert_array_equal(sheet[:96:8, :96:8], expected)
    assert exports.picture(strip, 1) == exports.picture(strip, 1, dark_ink=False)
    for kind, off in (("gif", 48), ("webp", 0)):
        with Image.open(io.BytesIO(exports.animation(strip, kind))) as film:
            film.seek(1)
            frame = np.asarray(film.convert("RGB")).astype(int)
        assert np.abs(frame[:96:8, :96:8] - expected).max() <= off
    apart = difference_strip(strip, scale_strip(engine, StripSpec(tiles=4, seed=1), (0.0, 1.0)))
    assert np.ptp(pixels(exports.picture(apart, 1)).astype(int), axis=-1).max() == 0
    manifest = tmp_path / "strip.json"
    manifest.write_bytes(exports.manifest(engine, strip, "0"))
    (found,) = rebuilding.rebuild(manifest, tmp_path / "again", "cpu")
    assert found.same


def test_picks_in_colour_travel_in_a_zip(engine, tmp_path):
    picks = kept(*(wish(tile) for tile in range(2)))
    found = [measure(pick.source.sample[None], engine.sketch) for pick in picks]
    content = pack("Discs", picks, found, Conditions(), "0")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        picture = pixels(archive.read("discs-01/discs-01.png"))
        table = archive.read("candidates.csv").decode()
    factor = len(picture) // 12
    expected = np.rint(255 * picks[0].source.sample.transpose(1, 2, 0))
    np.testing.assert_array_equal(picture[::factor, ::factor], expected)
    assert "cover [%]" in table
    path = tmp_path / "discs.zip"
    path.write_bytes(content)
    assert all(part.same for part in rebuilding.rebuild(path, tmp_path / "again", "cpu"))
