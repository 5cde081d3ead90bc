"""Single frames of a strip are those of the whole strip."""

import numpy as np
import pytest

from explorer import drawing
from explorer.strips import SCALES, StripSpec
from explorer.ui import cache
from explorer.ui.api.address import (
    frames_address,
    levelled_address,
    novelty_address,
    painted_address,
)
from tests.support.api import ask, assert_absent
from tests.support.engines import PIXELS, engine_of

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
