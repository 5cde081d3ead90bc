"""Single frames of a strip are those of the whole strip."""

import numpy as np
import pytest

from explorer import drawing
from explorer.designs.properties import Conditions, OperatingPoint
from explorer.strips import SCALES, StripSpec
from explorer.ui import cache
from explorer.ui.api.address import (
    frames_address,
    levelled_address,
    novelty_address,
    painted_address,
    positions_address,
    properties_address,
)
from tests.support.api import ask, assert_absent
from tests.support.engines import PIXELS, engine_of
from tests.support.flows import fitted

pytestmark = pytest.mark.usefixtures("no_data")

SPEC = StripSpec(tiles=5, seed=3)


@pytest.fixture(scope="module")
def engine():
    return engine_of(PIXELS)


@pytest.fixture(scope="module")
def two_levels():
    return engine_of("mnist-static-hvae-vamp-80")


def test_a_frame_is_its_part_of_the_strip(engine):
    _, whole = cache.strip(engine, SPEC).panel
    size = len(whole) // len(SCALES)
    for frame in (0, 17, 40):
        answer = ask(f"{frames_address(engine, SPEC)}&frame={frame}")
        assert answer.kind == "application/octet-stream"
        assert answer.body == whole[frame * size : (frame + 1) * size]


def test_what_is_known_of_a_frame_is_a_row_of_what_is_known_of_the_strip(engine):
    address = novelty_address(engine, SPEC)
    everything, one = ask(address).json, ask(f"{address}&frame=17").json
    for name in ("novelty", "typicality"):
        assert one[name] == everything[name][17:18]
    assert one["heldOut"] == everything["heldOut"]
    found = cache.novelty_of(engine, SPEC, 17, 2)
    assert float(found.novelty[0, 0]) == everything["novelty"][17][2]


def test_painted_images_are_drawn_from_the_codes_of_their_frame(engine):
    answer = ask(painted_address(engine, SPEC, 30))
    z, _ = engine.draw(5, SCALES[30], 3)
    assert answer.body == drawing.quantise(engine.paint(z, 3)).tobytes()
    assert set(np.frombuffer(answer.body, np.uint8)) <= {0, 255}


def test_a_frame_of_a_resampled_level_is_its_part_of_the_strip(two_levels):
    z = two_levels.draw(3)[0][2]
    strip = cache.levelled(two_levels, z, "z1", 4, 7)
    address = levelled_address(two_levels, z, "z1", 4, 7)
    for frame in (0, 20):
        assert ask(f"{address}&frame={frame}").body == strip.body(frame)
    for wrong in ("frame=21", "frame=-1", "frame=", "level=z9&frame=0", "tiles=65&frame=0"):
        name = wrong.partition("=")[0]
        kept = "&".join(part for part in address.split("&") if not part.startswith(name))
        assert_absent(ask(f"{kept}&{wrong}"))
    assert_absent(ask(f"{levelled_address(two_levels, z[:-1], 'z1', 4, 7)}&frame=0"))


def test_the_steps_of_a_flow_are_answered_as_frames(engine):
    spec = StripSpec(tiles=5, seed=3, flow=4, spread=0.8)
    assert_absent(ask(f"{frames_address(engine, spec)}&frame=0"))
    fitted(PIXELS)
    _, whole = cache.strip(engine, spec).panel
    size = len(whole) // 5
    for frame in (0, 4):
        answer = ask(f"{frames_address(engine, spec)}&frame={frame}")
        assert answer.body == whole[frame * size : (frame + 1) * size]
    assert_absent(ask(f"{frames_address(engine, spec)}&frame=5"))
    assert len(ask(novelty_address(engine, spec)).json["novelty"]) == 5
    header, body = ask(positions_address(engine, spec)).packed
    assert (header["frames"], header["tiles"]) == (5, 5)
    places = np.frombuffer(body, "<f4").reshape(5, 5, 2)
    np.testing.assert_allclose(places, cache.strip(engine, spec).z, atol=1e-6)
    past = Conditions(alpha=2.0, others=(OperatingPoint(cl=0.8),))
    _, body = ask(properties_address(engine, spec, past)).packed
    assert len(body) % 25 == 0, "what flows past a section is no step of a flow"
    assert_absent(ask(painted_address(engine, spec, 1)))
